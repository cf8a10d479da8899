// From a flushed group to its receivers: inhibition, time intervals, silences; then for each integration: is there
// anything new (notification log)? → attempts with growing pauses → remember what was told.
import type { Clock } from '@watchfire/datamodel'
import type { AlertRecord, StringMap } from '../alerts/index.ts'
import { inTimeInterval, type TimeInterval } from '../config/index.ts'
import type { Flush } from '../dispatch/index.ts'
import type { Inhibitor } from '../inhibit/index.ts'
import type { Logger } from '../logger.ts'
import type { AlertmanagerMetrics } from '../metrics.ts'
import { notificationReason, type NotificationLog } from '../nflog/index.ts'
import type { SilenceStore } from '../silence/index.ts'
import { NotifyError, splitByState, type Integration, type Receiver } from './integration.ts'
import { buildMessage, type NotificationMessage } from './message.ts'
import { renderRouteLabels } from './route-labels.ts'
import type { NotificationTemplates } from './templates/index.ts'

export interface PipelineParts {
  readonly clock: Clock
  /** 0 … 1, spreads retries. */
  readonly random: () => number
  readonly logger: Logger
  readonly metrics: AlertmanagerMetrics
  readonly receivers: ReadonlyMap<string, Receiver>
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>
  readonly inhibitor: Inhibitor
  readonly silences: SilenceStore
  readonly log: NotificationLog
  readonly externalUrl: string
  readonly templates: NotificationTemplates
}

/** Pauses between attempts, ms: 500, growing by half, each ± half, at most a minute. */
const RETRY = { first: 500, factor: 1.5, spread: 0.5, max: 60_000 }

export class Pipeline {
  readonly #parts: PipelineParts

  constructor(parts: PipelineParts) {
    this.#parts = parts
  }

  /** Resolves to true when nothing is left to say about this flush. */
  async notify(flush: Flush): Promise<boolean> {
    const { metrics, receivers, inhibitor, silences } = this.#parts
    const { group, now } = flush
    const inhibited = (alert: AlertRecord) => inhibitor.inhibitedBy(alert.labels, now) !== undefined
    let alerts = this.#without(flush.alerts, inhibited, 'inhibition')
    const muted = this.#mutedBy(flush)
    group.mutedBy = muted.names
    if (muted.reason !== undefined) {
      metrics.suppressed.inc({ reason: muted.reason }, alerts.length)
      return true
    }
    alerts = this.#without(alerts, (alert) => silences.silencedBy(alert.labels, now).length > 0, 'silence')
    const receiver = receivers.get(group.route.receiver)
    if (alerts.length === 0 || !receiver) return true
    const { templates, externalUrl, logger } = this.#parts
    const routeLabels = await renderRouteLabels(group, alerts, { templates, externalUrl, logger })
    const told = await Promise.all(
      receiver.integrations.map((integration) =>
        this.#tell(flush, receiver, integration, alerts, routeLabels),
      ),
    )
    return told.every(Boolean)
  }

  #without(
    alerts: readonly AlertRecord[],
    drop: (alert: AlertRecord) => boolean,
    reason: string,
  ): readonly AlertRecord[] {
    const kept = alerts.filter((alert) => !drop(alert))
    if (kept.length < alerts.length)
      this.#parts.metrics.suppressed.inc({ reason }, alerts.length - kept.length)
    return kept
  }

  #mutedBy({ group, now }: Flush): { names: readonly string[]; reason?: string } {
    const holds = (name: string) =>
      (this.#parts.timeIntervals.get(name) ?? []).some((interval) => inTimeInterval(interval, now))
    const { activeTimeIntervals, muteTimeIntervals } = group.route
    if (activeTimeIntervals.length > 0 && !activeTimeIntervals.some(holds))
      return { names: activeTimeIntervals, reason: 'active_time_interval' }
    const names = muteTimeIntervals.filter(holds)
    return names.length > 0 ? { names, reason: 'mute_time_interval' } : { names: [] }
  }

  async #tell(
    flush: Flush,
    receiver: Receiver,
    integration: Integration,
    alerts: readonly AlertRecord[],
    routeLabels: StringMap,
  ): Promise<boolean> {
    const { group, now, signal } = flush
    const key = {
      groupKey: group.key,
      receiver: receiver.name,
      integration: integration.kind,
      index: integration.index,
    }
    const { firing, resolved } = splitByState(alerts)
    const { repeatIntervalMs } = group.route
    const { sendResolved } = integration
    const reason = notificationReason(this.#parts.log.get(key), {
      timeMs: now,
      firing,
      resolved,
      sendResolved,
      repeatIntervalMs,
    })
    if (reason === 'none') return true
    const shown = sendResolved ? alerts : alerts.filter((alert) => alert.endsAt === 0)
    if (shown.length > 0) {
      const message = buildMessage({
        receiver: receiver.name,
        groupKey: group.key,
        groupLabels: group.labels,
        alerts: shown,
        reason,
        externalUrl: this.#parts.externalUrl,
        routeLabels,
        maxAlerts: integration.maxAlerts,
      })
      if (!(await this.#sendWithRetries(receiver, integration, message, signal))) return false
    }
    this.#parts.log.record({ ...key, timestamp: now, firing, resolved }, repeatIntervalMs)
    return true
  }

  async #sendWithRetries(
    receiver: Receiver,
    integration: Integration,
    message: NotificationMessage,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock, logger, metrics, random } = this.#parts
    const labels = { integration: integration.kind }
    metrics.notifications.inc(labels)
    let pauseMs = RETRY.first
    for (let attempt = 1; ; attempt++) {
      const startedAt = clock.monotonic()
      metrics.requests.inc(labels)
      let failure: NotifyError
      try {
        await integration.send(message, signal)
        return true
      } catch (error) {
        failure = error instanceof NotifyError ? error : new NotifyError(String(error), false, 'other')
      } finally {
        metrics.latency.observe(labels, (clock.monotonic() - startedAt) / 1000)
      }
      metrics.requestsFailed.inc(labels)
      const about = {
        receiver: receiver.name,
        integration: `${integration.kind}[${integration.index}]`,
        attempts: attempt,
        err: failure.message,
      }
      if (failure.retry && !signal.aborted) {
        if (attempt === 1) logger.warn('Notify attempt failed, will retry later', about)
        await pause(clock, pauseMs * (1 - RETRY.spread + 2 * RETRY.spread * random()), signal)
        pauseMs = Math.min(pauseMs * RETRY.factor, RETRY.max)
      }
      if (!failure.retry || signal.aborted) {
        metrics.failed.inc({ ...labels, reason: failure.reason })
        logger.error('Notify for alerts failed', about)
        return false
      }
    }
  }
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.setTimeout(done, delayMs)
    signal.addEventListener('abort', done)
  })
}
