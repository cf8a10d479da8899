// What receivers are told: the data of a notification, as webhooks and templates see it (version 4).
import type { Labels } from '@watchfire/datamodel'
import { compareUtf8 } from '@watchfire/datamodel'
import type { AlertRecord, StringMap } from '../alerts/index.ts'
import type { NotificationReason } from '../nflog/index.ts'

export interface NotifiedAlert {
  readonly status: 'firing' | 'resolved'
  readonly labels: StringMap
  readonly annotations: StringMap
  /** RFC 3339. */
  readonly startsAt: string
  /** RFC 3339; the year 1 while the alert fires. */
  readonly endsAt: string
  readonly generatorURL: string
  readonly fingerprint: string
}

export interface NotificationMessage {
  readonly receiver: string
  readonly status: 'firing' | 'resolved'
  readonly alerts: readonly NotifiedAlert[]
  readonly notification_reason: NotificationReason
  readonly groupLabels: StringMap
  readonly commonLabels: StringMap
  readonly commonAnnotations: StringMap
  readonly routeLabels: StringMap
  readonly externalURL: string
  readonly version: '4'
  readonly groupKey: string
  readonly truncatedAlerts: number
}

export interface MessageInput {
  readonly receiver: string
  readonly groupKey: string
  readonly groupLabels: Labels
  readonly alerts: readonly AlertRecord[]
  readonly reason: NotificationReason
  readonly externalUrl: string
  readonly routeLabels: StringMap
  /** Most alerts in the message, 0 = all. */
  readonly maxAlerts: number
}

/** Builds the message; common labels and annotations are those of the alerts that are in it. */
export function buildMessage(input: MessageInput): NotificationMessage {
  const kept = input.maxAlerts > 0 ? input.alerts.slice(0, input.maxAlerts) : input.alerts
  const alerts = kept.map(showAlert)
  return {
    receiver: input.receiver,
    status: alerts.some((alert) => alert.status === 'firing') ? 'firing' : 'resolved',
    alerts,
    notification_reason: input.reason,
    groupLabels: input.groupLabels.toObject(),
    commonLabels: commonPairs(alerts.map((alert) => alert.labels)),
    commonAnnotations: commonPairs(alerts.map((alert) => alert.annotations)),
    routeLabels: input.routeLabels,
    externalURL: input.externalUrl,
    version: '4',
    groupKey: input.groupKey,
    truncatedAlerts: input.alerts.length - kept.length,
  }
}

function showAlert(alert: AlertRecord): NotifiedAlert {
  return {
    status: alert.endsAt === 0 ? 'firing' : 'resolved',
    labels: alert.labels.toObject(),
    annotations: sortedPairs(alert.annotations),
    startsAt: goTime(alert.startsAt),
    endsAt: goTime(alert.endsAt),
    generatorURL: alert.generatorUrl,
    fingerprint: alert.fingerprint,
  }
}

/** RFC 3339 as Go prints it: no trailing zeros; 0 is Go's zero time. */
export function goTime(timeMs: number): string {
  if (timeMs === 0) return '0001-01-01T00:00:00Z'
  return new Date(timeMs).toISOString().replace(/\.?0*Z$/, 'Z')
}

/** The same pairs in order of their names. */
export function sortedPairs(map: StringMap): StringMap {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => compareUtf8(a, b)))
}

function commonPairs(maps: readonly StringMap[]): StringMap {
  const [first, ...others] = maps
  return Object.fromEntries(
    Object.entries(first ?? {}).filter(([name, value]) => others.every((map) => map[name] === value)),
  )
}

/** JSON as Go's encoder writes it: `<`, `>`, `&` and the line separators escaped, a newline at the end. */
export function goJson(value: unknown): string {
  const escape = (char: string) => '\\u' + char.charCodeAt(0).toString(16).padStart(4, '0')
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escape) + '\n'
}
