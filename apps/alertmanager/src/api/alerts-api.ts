// `/api/v2/alerts` and `/api/v2/alerts/groups`.
import type { Matcher } from '@watchfire/datamodel'
import { matchesAll } from '@watchfire/datamodel'
import { createAlert, isResolved, type AlertRecord } from '../alerts/index.ts'
import type { Alertmanager, AlertStatus } from '../alertmanager.ts'
import { sortedPairs } from '../notify/index.ts'
import { ApiError, readStringMap, readTime, schemaError, toLabels, typeError } from './body.ts'
import type { Filter } from './query.ts'

/** Most alerts in one request. */
const ALERTS_MAX = 50_000

/** Takes the alerts of a request: the valid ones are kept even when others are refused with a 400. */
export function postAlerts(manager: Alertmanager, body: unknown): void {
  if (body === null) return
  if (!Array.isArray(body)) throw typeError('alerts', body, 'value of type models.PostableAlerts')
  if (body.length > ALERTS_MAX)
    throw new ApiError(413, `too many alerts in one request, the limit is ${ALERTS_MAX}`)
  const now = manager.clock.now()
  const reports = body.map((item, i) => readAlert(item, i, now, manager.config.resolveTimeoutMs))
  const problems: string[] = []
  for (const report of reports) {
    manager.metrics.received.inc({
      status: isResolved(report.alert, now) ? 'resolved' : 'firing',
      version: 'v2',
    })
    if (report.problem !== undefined) {
      manager.metrics.invalid.inc({ version: 'v2' })
      problems.push(report.problem)
    } else manager.alerts.put(report.alert, now)
  }
  if (problems.length > 0)
    throw new ApiError(
      400,
      problems.length === 1 ? problems[0] : `${problems.length} errors: ${problems.join('; ')}`,
    )
}

function readAlert(item: unknown, i: number, now: number, resolveTimeoutMs: number) {
  if (typeof item !== 'object' || item === null || Array.isArray(item))
    throw typeError('alerts', item, 'value of type models.PostableAlert')
  const fields = item as Record<string, unknown>
  const labels = readStringMap('alerts', fields.labels, 'Alert.labels')
  const annotations = readStringMap('alerts', fields.annotations, 'PostableAlert.annotations') ?? {}
  let startsAt = readTime('alerts', fields.startsAt)
  let endsAt = readTime('alerts', fields.endsAt)
  const { generatorURL = '' } = fields
  if (typeof generatorURL !== 'string')
    throw typeError('alerts', generatorURL, 'struct field Alert.generatorURL of type string')
  if (!labels) throw schemaError(602, `${i}.labels in body is required`)
  if (generatorURL !== '' && !isUri(generatorURL))
    throw schemaError(601, `${i}.generatorURL in body must be of type uri: "${generatorURL}"`)
  if (startsAt === 0) startsAt = endsAt === 0 ? now : endsAt
  const timeout = endsAt === 0
  if (timeout) endsAt = now + resolveTimeoutMs
  const alert = createAlert({
    labels: toLabels(labels),
    annotations: sortedPairs(annotations),
    startsAt,
    endsAt,
    updatedAt: now,
    generatorUrl: generatorURL,
    timeout,
  })
  return { alert, problem: problemOf(alert, labels, annotations) }
}

function problemOf(
  alert: AlertRecord,
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): string | undefined {
  if (alert.endsAt < alert.startsAt) return 'start time must be before end time'
  if ('' in labels && labels[''] !== '') return 'invalid label set: invalid name ""'
  if (alert.labels.size === 0) return 'at least one label pair required'
  if ('' in annotations) return 'invalid annotations: invalid name ""'
  return undefined
}

/** An absolute URL or an absolute path. */
function isUri(text: string): boolean {
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) ? URL.canParse(text) : text.startsWith('/')
}

/** Which alerts a request wants. */
export interface AlertFilter extends Filter {
  readonly active: boolean
  readonly silenced: boolean
  readonly inhibited: boolean
}

function wanted(filter: AlertFilter, alert: AlertRecord, status: AlertStatus): boolean {
  if (!filter.active && status.state === 'active') return false
  if (!filter.silenced && status.silencedBy.length > 0) return false
  if (!filter.inhibited && status.inhibitedBy.length > 0) return false
  return matchesAll(filter.matchers, alert.labels)
}

function receiverWanted(manager: Alertmanager, filter: Filter, name: string): boolean {
  if (filter.receiver && !filter.receiver.matches(name)) return false
  const labels = manager.receivers.get(name)?.labels ?? {}
  return filter.receiverMatchers.every((matcher: Matcher) => matcher.matches(labels[matcher.name] ?? ''))
}

/** Alerts that have not ended, in order of fingerprint. */
export function getAlerts(manager: Alertmanager, filter: AlertFilter): object[] {
  const now = manager.clock.now()
  const shown: object[] = []
  for (const alert of manager.alerts.all()) {
    if (alert.endsAt < now) continue
    const receivers = manager.dispatcher.receiversOf(alert)
    if (!receivers.some((name) => receiverWanted(manager, filter, name))) continue
    const status = manager.statusOf(alert)
    if (wanted(filter, alert, status)) shown.push(showAlert(alert, receivers, status))
  }
  return shown
}

/** Groups with the alerts that are wanted; `muted` false leaves out groups muted by a time interval. */
export async function getAlertGroups(
  manager: Alertmanager,
  filter: AlertFilter & { muted: boolean },
): Promise<object[]> {
  const shown: object[] = []
  for (const { group, alerts } of manager.dispatcher.groups()) {
    const { receiver } = group.route
    if (!receiverWanted(manager, filter, receiver)) continue
    if (!filter.muted && group.mutedBy.length > 0) continue
    const inGroup = alerts
      .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
      .map((alert) => ({ alert, status: manager.statusOf(alert, group.mutedBy) }))
      .filter(({ alert, status }) => wanted(filter, alert, status))
    if (inGroup.length === 0) continue
    shown.push({
      alerts: inGroup.map(({ alert, status }) =>
        showAlert(alert, manager.dispatcher.receiversOf(alert), status),
      ),
      labels: group.labels.toObject(),
      receiver: { name: receiver },
      routeLabels: await manager.routeLabelsOf(group),
    })
  }
  return shown
}

function showAlert(alert: AlertRecord, receivers: readonly string[], status: AlertStatus): object {
  return {
    annotations: alert.annotations,
    endsAt: new Date(alert.endsAt).toISOString(),
    fingerprint: alert.fingerprint,
    receivers: receivers.map((name) => ({ name })),
    startsAt: new Date(alert.startsAt).toISOString(),
    status: {
      inhibitedBy: status.inhibitedBy,
      mutedBy: status.mutedBy,
      silencedBy: status.silencedBy,
      state: status.state,
    },
    updatedAt: new Date(alert.updatedAt).toISOString(),
    ...(alert.generatorUrl !== '' && { generatorURL: alert.generatorUrl }),
    labels: alert.labels.toObject(),
  }
}
