// Opsgenie: a group is an alert, created by its alias, optionally updated, closed at the end.
import { httpConfig } from '../../../config/http-config.ts'
import {
  atMostOne,
  flag,
  list,
  optional,
  secret,
  section,
  shown,
  text,
  texts,
  url,
  type ValueOf,
} from '../../../config/schema.ts'
import { checkStatus, readSecret } from '../../http/index.ts'
import { goJson } from '../../message.ts'
import type { Renderer } from '../../templates/index.ts'
import { compact, inherit, receiverKind, sorted, truncate, type Notification } from '../kit.ts'

const MESSAGE_MAX = 130
const RESPONDER_TYPES = '^(team|teams|user|escalation|schedule)$'

const responder = section(
  'opsgenie.OpsGenieConfigResponder',
  { id: text(), name: text(), username: text(), type: text() },
  ({ id, name, username, type }, at) => {
    const shownResponder = `{${[id, name, username, type].join(' ')}}`
    if (id + name + username === '')
      at.fail(
        `opsGenieConfig responder ${shownResponder} has to have at least one of id, username or name specified`,
      )
    if (!type.includes('{{') && !new RegExp(RESPONDER_TYPES, 'i').test(type))
      at.fail(
        `opsGenieConfig responder ${shownResponder} type does not match valid options ${RESPONDER_TYPES}`,
      )
  },
)

const opsgenieConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(true), false),
    http_config: optional(httpConfig),
    api_key: secret(),
    api_key_file: text(),
    api_url: url(),
    message: text('{{ template "opsgenie.default.message" . }}'),
    description: text('{{ template "opsgenie.default.description" . }}'),
    source: text('{{ template "opsgenie.default.source" . }}'),
    details: texts(),
    entity: text(),
    responders: list(responder),
    actions: text(),
    tags: text(),
    note: text(),
    priority: text(),
    update_alerts: flag(),
  },
  (config, at) => atMostOne(at, config, 'api_key', 'api_key_file'),
)
type OpsgenieConfig = ValueOf<typeof opsgenieConfig>

interface Call {
  readonly method: 'POST' | 'PUT'
  readonly path: string
  readonly payload: object
}

export const opsgenie = receiverKind<OpsgenieConfig>({
  kind: 'opsgenie',
  section: opsgenieConfig,
  complete(config, global, at) {
    const key = inherit(config, 'api_key', global.opsgenie_api_key, global.opsgenie_api_key_file)
    if (key.api_key + key.api_key_file === '')
      at.fail('no global OpsGenie API Key set either inline or in a file')
    return { ...config, ...key, api_url: (config.api_url || global.opsgenie_api_url).replace(/\/?$/, '/') }
  },
  create:
    (config, { http }) =>
    async (notification) => {
      const calls = await callsFor(config, notification)
      const key = await notification.render.text(await readSecret(config.api_key, config.api_key_file))
      const headers = { 'Content-Type': 'application/json', Authorization: `GenieKey ${key}` }
      for (const { method, path, payload } of calls) {
        const request = { method, url: config.api_url + path, body: goJson(payload), headers }
        checkStatus(await http.request(request, notification.signal), { retryCodes: [429] })
      }
    },
})

async function callsFor(config: OpsgenieConfig, notification: Notification): Promise<Call[]> {
  const { message, render, groupHash: alias, isFiring } = notification
  const source = await render.text(config.source)
  const at = (what: string) => `v2/alerts/${alias}/${what}?identifierType=alias`
  if (!isFiring) return [{ method: 'POST', path: at('close'), payload: { source } }]
  const details: Record<string, string> = { ...message.commonLabels }
  for (const [name, value] of Object.entries(config.details)) details[name] = await render.text(value)
  const title = truncate(await render.text(config.message), MESSAGE_MAX)
  const description = await render.text(config.description)
  const create = {
    alias,
    message: title,
    ...compact({ description }),
    details: sorted(details),
    source,
    ...compact({
      responders: await respondersOf(config, render),
      tags: splitList(await render.text(config.tags)),
      note: await render.text(config.note),
      priority: await render.text(config.priority),
      entity: await render.text(config.entity),
      actions: splitList(await render.text(config.actions)),
    }),
  }
  const calls: Call[] = [{ method: 'POST', path: 'v2/alerts', payload: create }]
  if (config.update_alerts)
    calls.push(
      { method: 'PUT', path: at('message'), payload: compact({ message: title }) },
      { method: 'PUT', path: at('description'), payload: compact({ description }) },
    )
  return calls
}

async function respondersOf(config: OpsgenieConfig, { text: show }: Renderer): Promise<object[]> {
  const found: object[] = []
  for (const one of config.responders) {
    const [id, name, username] = [await show(one.id), await show(one.name), await show(one.username)]
    const type = (await show(one.type)).toLowerCase()
    if (id + name + username + type === '') continue
    if (type === 'teams') found.push(...splitList(name).map((team) => ({ name: team, type: 'team' })))
    else found.push({ ...compact({ id, name, username }), type })
  }
  return found
}

function splitList(commaList: string): string[] {
  return commaList
    .trim()
    .split(',')
    .filter((item) => item !== '')
}
