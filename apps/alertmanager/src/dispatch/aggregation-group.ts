// Alerts of one route that share their group labels, and the timer that notifies them together: after group_wait,
// then every group_interval. One flush runs at a time.
import type { Clock, Labels, TimerHandle } from '@watchfire/datamodel'
import { compareAlerts, isResolved, labelSetText, type AlertRecord } from '../alerts/index.ts'
import type { Route } from './route.ts'

/** One attempt to tell a group's receiver. */
export interface Flush {
  readonly group: AggregationGroup
  /** Sorted; alerts that still fire have `endsAt` 0, so that they cannot resolve on the way. */
  readonly alerts: readonly AlertRecord[]
  readonly now: number
  /** Aborted when the time for this flush is over or the group is stopped. */
  readonly signal: AbortSignal
}

/** Resolves to true when every integration knows the group's state. */
export type FlushHandler = (flush: Flush) => Promise<boolean>

/** Shortest time a notification may take, ms. */
const FLUSH_TIMEOUT_MIN = 10_000

export class AggregationGroup {
  readonly route: Route
  readonly labels: Labels
  readonly key: string
  /** Names of the time intervals that muted the last flush. */
  mutedBy: readonly string[] = []
  readonly #clock: Clock
  readonly #handler: FlushHandler
  readonly #onEmpty: (group: AggregationGroup) => void
  readonly #alerts = new Map<string, AlertRecord>()
  #timer: TimerHandle | undefined
  #flushed = false
  #stopped = false
  #abort: AbortController | undefined

  /** `onEmpty` is called once, when the last alert is gone: the group has stopped by then. */
  constructor(
    route: Route,
    labels: Labels,
    clock: Clock,
    handler: FlushHandler,
    onEmpty: (group: AggregationGroup) => void,
  ) {
    this.route = route
    this.labels = labels
    this.key = `${route.key}:${labelSetText(labels)}`
    this.#clock = clock
    this.#handler = handler
    this.#onEmpty = onEmpty
    this.#schedule(route.groupWaitMs)
  }

  get isEmpty(): boolean {
    return this.#alerts.size === 0
  }

  alerts(): AlertRecord[] {
    return [...this.#alerts.values()]
  }

  insert(alert: AlertRecord): void {
    this.#alerts.set(alert.fingerprint, alert)
    // An alert that is older than the wait has waited elsewhere, e.g. before a restart.
    if (!this.#flushed && alert.startsAt + this.route.groupWaitMs < this.#clock.now()) this.#schedule(0)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#abort?.abort(new Error('context canceled'))
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel()
    if (!this.#stopped) this.#timer = this.#clock.setTimeout(() => void this.#tick(), delayMs)
  }

  async #tick(): Promise<void> {
    const now = this.#clock.now()
    const nextAt = now + this.route.groupIntervalMs
    this.#flushed = true
    await this.#flush(now)
    if (this.isEmpty && !this.#stopped) {
      this.stop()
      this.#onEmpty(this)
      return
    }
    this.#schedule(Math.max(0, nextAt - this.#clock.now()))
  }

  async #flush(now: number): Promise<void> {
    const resolved: AlertRecord[] = []
    const alerts = this.alerts().map((alert) => {
      if (!isResolved(alert, now)) return { ...alert, endsAt: 0 }
      resolved.push(alert)
      return alert
    })
    alerts.sort(compareAlerts)
    const abort = (this.#abort = new AbortController())
    const limit = Math.max(this.route.groupIntervalMs, FLUSH_TIMEOUT_MIN)
    const timer = this.#clock.setTimeout(() => abort.abort(new Error('context deadline exceeded')), limit)
    try {
      const told = await this.#handler({ group: this, alerts, now, signal: abort.signal })
      if (!told) return
      // One that fired again meanwhile is another record: it stays.
      for (const alert of resolved)
        if (this.#alerts.get(alert.fingerprint) === alert) this.#alerts.delete(alert.fingerprint)
    } finally {
      timer.cancel()
      this.#abort = undefined
    }
  }
}
