// What all receivers are made of: a configuration section, defaults from `global`, and a function that tells one
// notification. The kit does what is common: HTTP settings, time limits, template data, failures.
import { createHash } from 'node:crypto'
import { TemplateError, type NotificationData } from '@watchfire/template'
import type { Clock } from '@watchfire/datamodel'
import type { GlobalConfig } from '../../config/global.ts'
import type { HttpConfig } from '../../config/http-config.ts'
import type { Field } from '../../config/schema.ts'
import type { YamlCursor } from '../../config/yaml-cursor.ts'
import type { Logger } from '../../logger.ts'
import { asNotifyError, createHttpClient, type HttpClient, type SendRequest } from '../http/index.ts'
import type { Inbox } from '../inbox.ts'
import { NotifyError, type Integration } from '../integration.ts'
import { goJson, type NotificationMessage } from '../message.ts'
import type { NotificationTemplates, Renderer } from '../templates/index.ts'
import type { SendMail } from './email/smtp.ts'

/** What integrations need of the Alertmanager they run in. */
export interface NotifyTools {
  readonly templates: NotificationTemplates
  readonly send: SendRequest
  readonly sendMail: SendMail
  readonly inbox: Inbox
  readonly userAgent: string
  readonly clock: Clock
  readonly logger: Logger
}

/** One notification on its way to a receiver. */
export interface Notification {
  readonly message: NotificationMessage
  readonly render: Renderer
  readonly signal: AbortSignal
  /** SHA-256 of the group key in hex: names the group where keys must be short. */
  readonly groupHash: string
  readonly isFiring: boolean
}

/** One attempt. Throws `NotifyError` or `TemplateError`. */
export type Notify = (notification: Notification) => Promise<void>

interface CommonConfig {
  readonly send_resolved: boolean
  readonly http_config?: HttpConfig | undefined
}

export interface ReceiverDefinition<C extends CommonConfig> {
  /** As in metrics; the section is called `<kind>_configs`. */
  readonly kind: string
  readonly section: Field<C>
  /** Takes what is missing from `global`; fails for what nobody says. */
  readonly complete?: (config: C, global: GlobalConfig, at: YamlCursor) => C
  readonly create: (config: C, tools: NotifyTools & { readonly http: HttpClient }) => Notify
  /** Most alerts in a message, 0 = all. */
  readonly maxAlerts?: (config: C) => number
  /** Longest attempt in ms, 0 = no limit of its own. */
  readonly timeoutMs?: (config: C) => number
}

/** An integration as configured, before it runs. */
export interface ConfiguredIntegration {
  readonly kind: string
  readonly sendResolved: boolean
  /** For the effective configuration, secrets masked. */
  readonly print: () => unknown
  readonly create: (index: number, tools: NotifyTools) => Integration
}

export interface ReceiverKind {
  readonly kind: string
  readonly field: string
  readonly configure: (cursor: YamlCursor, global: GlobalConfig) => ConfiguredIntegration
}

/** Hides the type of the configuration behind what the rest needs. */
export function receiverKind<C extends CommonConfig>(definition: ReceiverDefinition<C>): ReceiverKind {
  const { kind, section } = definition
  return {
    kind,
    field: `${kind}_configs`,
    configure(cursor, global) {
      const read = section.read(cursor)
      const withHttp =
        'http_config' in read ? { ...read, http_config: read.http_config ?? global.http_config } : read
      const config = definition.complete?.(withHttp, global, cursor) ?? withHttp
      return {
        kind,
        sendResolved: config.send_resolved,
        print: () => section.print(config),
        create: (index, tools) => createIntegration(definition, config, index, tools),
      }
    },
  }
}

function createIntegration<C extends CommonConfig>(
  definition: ReceiverDefinition<C>,
  config: C,
  index: number,
  tools: NotifyTools,
): Integration {
  const http = createHttpClient(config.http_config, {
    send: tools.send,
    userAgent: tools.userAgent,
    now: () => tools.clock.now(),
  })
  const notify = definition.create(config, { ...tools, http })
  const timeoutMs = definition.timeoutMs?.(config) ?? 0
  return {
    kind: definition.kind,
    index,
    sendResolved: config.send_resolved,
    maxAlerts: definition.maxAlerts?.(config) ?? 0,
    async send(message, signal) {
      const limit = withTimeout(tools.clock, timeoutMs, signal)
      try {
        await notify({
          message,
          render: tools.templates.renderer(templateData(message)),
          signal: limit.signal,
          groupHash: createHash('sha256').update(message.groupKey).digest('hex'),
          isFiring: message.status === 'firing',
        })
      } catch (error) {
        if (error instanceof TemplateError) throw new NotifyError(error.message, false, 'other')
        throw asNotifyError(error, limit.signal)
      } finally {
        limit.done()
      }
    },
  }
}

function withTimeout(clock: Clock, timeoutMs: number, signal: AbortSignal) {
  if (timeoutMs <= 0) return { signal, done: () => {} }
  const abort = new AbortController()
  const timer = clock.setTimeout(() => abort.abort(new Error('context deadline exceeded')), timeoutMs)
  return { signal: AbortSignal.any([signal, abort.signal]), done: () => timer.cancel() }
}

/** A message as templates see it. */
export function templateData(message: Omit<NotificationMessage, 'groupKey' | 'version'>): NotificationData {
  const ms = (time: string) => (time.startsWith('0001-') ? 0 : Date.parse(time))
  return {
    receiver: message.receiver,
    status: message.status,
    alerts: message.alerts.map((alert) => ({
      status: alert.status,
      labels: alert.labels,
      annotations: alert.annotations,
      startsAt: ms(alert.startsAt),
      endsAt: ms(alert.endsAt),
      generatorUrl: alert.generatorURL,
      fingerprint: alert.fingerprint,
    })),
    groupLabels: message.groupLabels,
    commonLabels: message.commonLabels,
    commonAnnotations: message.commonAnnotations,
    routeLabels: message.routeLabels,
    externalUrl: message.externalURL,
    reason: message.notification_reason,
  }
}

/** POSTs JSON as Go writes it. */
export function postJson(
  http: HttpClient,
  url: string,
  payload: unknown,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
) {
  return http.request(
    {
      method: 'POST',
      url,
      body: goJson(payload),
      headers: { 'Content-Type': 'application/json', ...headers },
    },
    signal,
  )
}

type Compact<T> = { [K in keyof T]?: T[K] }

/** Without fields that are empty: '', false, 0, undefined, lists and records without members. */
export function compact<T extends object>(record: T): Compact<T> {
  const isFull = (value: unknown) =>
    typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value)
  return Object.fromEntries(Object.entries(record).filter(([, value]) => isFull(value))) as Compact<T>
}

/** A record in order of its keys, as Go writes maps. */
export function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** At most `max` characters, the last of them `…` when something was cut. */
export function truncate(text: string, max: number): string {
  const chars = [...text]
  return chars.length <= max ? text : `${chars.slice(0, max - 1).join('')}…`
}

/** At most `max` bytes of UTF-8, ending in `…` when something was cut; characters stay whole. */
export function truncateBytes(text: string, max: number): string {
  if (Buffer.byteLength(text) <= max) return text
  let bytes = Buffer.byteLength('…')
  let kept = ''
  for (const char of text) {
    bytes += Buffer.byteLength(char)
    if (bytes > max) break
    kept += char
  }
  return `${kept}…`
}

/** An address with more path. */
export function joinPath(base: string, path: string): string {
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`
  return url.href
}

/** A value for the whole configuration: that of the receiver, else that of `global`, together with its file. */
export function inherit<K extends string>(
  config: Readonly<Record<K | `${K}_file`, string>>,
  name: K,
  value: string,
  file: string,
): Record<K | `${K}_file`, string> {
  const fileName = `${name}_file` as const
  const own = config[name] !== '' || config[fileName] !== ''
  const [first, second] = own ? [config[name], config[fileName]] : [value, file]
  return { [name]: first, [fileName]: second } as Record<K | `${K}_file`, string>
}
