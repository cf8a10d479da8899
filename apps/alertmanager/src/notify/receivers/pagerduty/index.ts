// PagerDuty: events of the API v2 (routing key) or v1 (service key). A group is one incident, which its end resolves.
import { httpConfig } from '../../../config/http-config.ts'
import {
  anything,
  atMostOne,
  duration,
  flag,
  list,
  optional,
  secret,
  section,
  shown,
  text,
  url,
  type Field,
  type ValueOf,
} from '../../../config/schema.ts'
import { checkStatus, parseJson, readSecret, type IncomingAnswer } from '../../http/index.ts'
import { NotifyError } from '../../integration.ts'
import { goJson } from '../../message.ts'
import { compact, receiverKind, sorted, truncate, type Notification } from '../kit.ts'

const V1_URL = 'https://events.pagerduty.com/generic/2010-04-15/create_event.json'
const SUMMARY_MAX = 1024
/** Largest event, bytes. */
const EVENT_MAX = 512_000

const DEFAULT_DETAILS = {
  firing: '{{ .Alerts.Firing | toJson }}',
  num_firing: '{{ .Alerts.Firing | len }}',
  num_resolved: '{{ .Alerts.Resolved | len }}',
  resolved: '{{ .Alerts.Resolved | toJson }}',
}

/** The configured details over the default ones. */
const details: Field<Readonly<Record<string, unknown>>> = {
  read(cursor) {
    const own = Object.fromEntries(cursor.entries().map(([name, value]) => [name, anything().read(value)]))
    return sorted({ ...DEFAULT_DETAILS, ...own })
  },
  print: (value) => value,
}

const pagerdutyConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(true), false),
    http_config: optional(httpConfig),
    service_key: secret(),
    service_key_file: text(),
    routing_key: secret(),
    routing_key_file: text(),
    url: url(),
    client: text('{{ template "pagerduty.default.client" . }}'),
    client_url: text('{{ template "pagerduty.default.clientURL" . }}'),
    description: text('{{ template "pagerduty.default.description" .}}'),
    details,
    images: list(section('config.plain', { src: text(), alt: text(), href: text() })),
    links: list(section('config.plain', { href: text(), text: text() })),
    source: text(),
    severity: text(),
    class: text(),
    component: text(),
    group: text(),
    timeout: shown(duration(), '0s'),
  },
  (config, at) => {
    const service = config.service_key + config.service_key_file
    if (service + config.routing_key + config.routing_key_file === '')
      at.fail('missing service or routing key in PagerDuty config')
    atMostOne(at, config, 'routing_key', 'routing_key_file')
    atMostOne(at, config, 'service_key', 'service_key_file')
  },
)
type PagerdutyConfig = ValueOf<typeof pagerdutyConfig>

export const pagerduty = receiverKind<PagerdutyConfig>({
  kind: 'pagerduty',
  section: pagerdutyConfig,
  timeoutMs: (config) => config.timeout,
  complete: (config, global) => ({
    ...config,
    url: config.url || global.pagerduty_url,
    source: config.source || config.client,
  }),
  create(config, { http, logger }) {
    const isV1 = config.service_key + config.service_key_file !== ''
    return async (notification) => {
      const rendered = (await notification.render.deep(config.details)) as Record<string, unknown>
      const event = isV1 ? eventV1 : eventV2
      let body = goJson(await event(config, notification, rendered))
      if (Buffer.byteLength(body) > EVENT_MAX) {
        logger.warn('Truncated PagerDuty details because the event is too large', {
          bytes: Buffer.byteLength(body),
        })
        const error =
          'Custom details have been removed because the original event exceeds the maximum size of 512KB'
        body = goJson(await event(config, notification, { error }))
      }
      const headers = { 'Content-Type': 'application/json' }
      const answer = await http.request(
        { method: 'POST', url: isV1 ? V1_URL : config.url, body, headers },
        notification.signal,
      )
      // 403 is how v1 says "too many".
      checkStatus(answer, { retryCodes: [isV1 ? 403 : 429], detail: detailOf })
    }
  },
})

async function eventV1(
  config: PagerdutyConfig,
  { render, groupHash, isFiring }: Notification,
  custom: Record<string, unknown>,
): Promise<object> {
  const key = await render.text(await readSecret(config.service_key, config.service_key_file))
  const description = truncate(await render.text(config.description), SUMMARY_MAX)
  if (key === '') throw new NotifyError('service key cannot be empty', false, 'other')
  return {
    ...compact({
      service_key: key,
      incident_key: groupHash,
      event_type: isFiring ? 'trigger' : 'resolve',
      description,
    }),
    event_action: '',
    payload: null,
    ...compact({
      client: isFiring ? await render.text(config.client) : '',
      client_url: isFiring ? await render.text(config.client_url) : '',
      details: custom,
    }),
  }
}

async function eventV2(
  config: PagerdutyConfig,
  { render, groupHash, isFiring }: Notification,
  custom: Record<string, unknown>,
): Promise<object> {
  const show = render.text
  const key = await show(await readSecret(config.routing_key, config.routing_key_file))
  if (key === '') throw new NotifyError('routing key cannot be empty', false, 'other')
  const images: { src: string; alt: string; href: string }[] = []
  for (const { src, alt, href } of config.images)
    images.push({ src: await show(src), alt: await show(alt), href: await show(href) })
  const links: { href: string; text: string }[] = []
  for (const link of config.links) links.push({ href: await show(link.href), text: await show(link.text) })
  return {
    routing_key: key,
    dedup_key: groupHash,
    event_action: isFiring ? 'trigger' : 'resolve',
    payload: {
      summary: truncate(await show(config.description), SUMMARY_MAX),
      source: await show(config.source),
      severity: await show(config.severity || 'error'),
      ...compact({
        class: await show(config.class),
        component: await show(config.component),
        group: await show(config.group),
        custom_details: custom,
      }),
    },
    ...compact({
      client: await show(config.client),
      client_url: await show(config.client_url),
      images: images.filter(({ src }) => src !== ''),
      links: links.filter(({ href }) => href !== ''),
    }),
  }
}

function detailOf({ status, body }: IncomingAnswer): string {
  if (status !== 400) return ''
  const answer = parseJson(body) as { message?: unknown; errors?: unknown } | null | undefined
  if (typeof answer !== 'object' || answer === null) return ''
  const errors = Array.isArray(answer.errors) ? answer.errors.join(',') : ''
  return `${typeof answer.message === 'string' ? answer.message : ''}: ${errors}`
}
