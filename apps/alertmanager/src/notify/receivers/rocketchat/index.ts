// Rocket.Chat: chat.postMessage with a user's token.
import { httpConfig } from '../../../config/http-config.ts'
import {
  atMostOne,
  flag,
  list,
  optional,
  optionalFlag,
  secret,
  section,
  shown,
  text,
  url,
  type ValueOf,
} from '../../../config/schema.ts'
import { checkStatus, parseJson, readSecret } from '../../http/index.ts'
import { NotifyError } from '../../integration.ts'
import type { Renderer } from '../../templates/index.ts'
import { compact, inherit, joinPath, postJson, receiverKind, truncate } from '../kit.ts'

const TITLE_MAX = 1024
const standard = (name: string) => text(`{{ template "rocketchat.default.${name}" . }}`)

const field = section('config.plain', { short: optionalFlag(), title: text(), value: text() })
const action = section('config.plain', {
  type: text(),
  text: text(),
  url: text(),
  image_url: text(),
  is_webview: flag(),
  webview_height_ratio: text(),
  msg: text(),
  msg_in_chat_window: flag(),
  msg_processing_type: text(),
})

const rocketchatConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(), false),
    http_config: optional(httpConfig),
    api_url: url(),
    token_id: secret(),
    token_id_file: text(),
    token: secret(),
    token_file: text(),
    channel: text(),
    color: text('{{ if eq .Status "firing" }}red{{ else }}green{{ end }}'),
    title: standard('title'),
    title_link: standard('titlelink'),
    text: standard('text'),
    fields: list(field),
    short_fields: shown(flag(), false),
    emoji: standard('emoji'),
    icon_url: standard('iconurl'),
    image_url: text(),
    thumb_url: text(),
    link_names: shown(flag(), false),
    actions: list(action),
  },
  (config, at) => {
    atMostOne(at, config, 'token', 'token_file')
    atMostOne(at, config, 'token_id', 'token_id_file')
  },
)
type RocketchatConfig = ValueOf<typeof rocketchatConfig>

export const rocketchat = receiverKind<RocketchatConfig>({
  kind: 'rocketchat',
  section: rocketchatConfig,
  complete(config, global, at) {
    const id = inherit(config, 'token_id', global.rocketchat_token_id, global.rocketchat_token_id_file)
    if (id.token_id + id.token_id_file === '')
      at.fail('no global Rocketchat TokenID set either inline or in a file')
    const token = inherit(config, 'token', global.rocketchat_token, global.rocketchat_token_file)
    if (token.token + token.token_file === '')
      at.fail('no global Rocketchat Token set either inline or in a file')
    return { ...config, ...id, ...token, api_url: config.api_url || global.rocketchat_api_url }
  },
  create:
    (config, { http }) =>
    async ({ render, signal }) => {
      const channel = await render.text(config.channel)
      const payload = compact({
        channel,
        emoji: await render.text(config.emoji),
        avatar: await render.text(config.icon_url),
        attachments: [await attachment(config, render)],
      })
      const headers = {
        'X-Auth-Token': await readSecret(config.token, config.token_file),
        'X-User-Id': await readSecret(config.token_id, config.token_id_file),
      }
      const address = joinPath(config.api_url, 'api/v1/chat.postMessage')
      const answer = await postJson(http, address, payload, signal, headers)
      checkStatus(answer)
      const said = parseJson(answer.body) as { success?: unknown; error?: unknown } | null | undefined
      if (typeof said !== 'object' || said === null)
        throw new NotifyError(
          `channel ${JSON.stringify(channel)}: the answer is not JSON`,
          true,
          'clientError',
        )
      if (said.success !== true)
        throw new NotifyError(
          `channel ${JSON.stringify(channel)}: error response from Rocketchat: ${String(said.error ?? '').slice(0, 200)}`,
          false,
          'clientError',
        )
    },
})

async function attachment(config: RocketchatConfig, { text: show }: Renderer): Promise<object> {
  const fields: object[] = []
  for (const { short, title, value } of config.fields)
    fields.push({
      short: short ?? config.short_fields,
      ...compact({ title: await show(title), value: await show(value) }),
    })
  const actions: object[] = []
  // Buttons are the only kind there is.
  for (const one of config.actions)
    actions.push({
      ...compact({ type: 'button', text: await show(one.text), url: await show(one.url) }),
      is_webview: false,
      ...compact({ msg: await show(one.msg) }),
      msg_in_chat_window: false,
    })
  return compact({
    title: truncate(await show(config.title), TITLE_MAX),
    title_link: await show(config.title_link),
    text: await show(config.text),
    image_url: await show(config.image_url),
    thumb_url: await show(config.thumb_url),
    color: await show(config.color),
    fields,
    actions,
  })
}
