// Alerts on their way to one Alertmanager: a bounded queue, sent in batches, one at a time. A slow or dead
// Alertmanager loses its oldest alerts and holds up nobody else; rules report firing alerts again anyway.
import type { Alert, Clock } from '@watchfire/datamodel'
import type { Logger } from '../logger.ts'
import type { AlertmanagerClient } from './alertmanager-http.ts'
import type { NotifierMetrics } from './metrics.ts'

export interface SendQueueOptions {
  readonly url: string
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: NotifierMetrics
  readonly client: AlertmanagerClient
  readonly timeoutMs: number
  readonly capacity: number
  readonly batchMax: number
}

export class SendQueue {
  readonly url: string
  readonly #options: SendQueueOptions
  #alerts: Alert[] = []
  #sending: Promise<void> | undefined
  #stopped = false
  readonly #abort = new AbortController()

  constructor(options: SendQueueOptions) {
    this.url = options.url
    this.#options = options
    const labels = { alertmanager: options.url }
    for (const counter of [options.metrics.sent, options.metrics.errors, options.metrics.dropped])
      counter.inc(labels, 0)
  }

  get length(): number {
    return this.#alerts.length
  }

  push(alerts: readonly Alert[]): void {
    if (this.#stopped) return
    const { capacity, metrics, logger } = this.#options
    this.#alerts.push(...alerts)
    const excess = this.#alerts.length - capacity
    if (excess > 0) {
      this.#alerts.splice(0, excess)
      metrics.dropped.inc({ alertmanager: this.url }, excess)
      logger.warn('Alert notification queue full, dropping alerts', {
        alertmanager: this.url,
        num_dropped: excess,
      })
    }
    this.#sending ??= this.#drain().finally(() => (this.#sending = undefined))
  }

  /** Sends what is queued, at most `drainMs` long, then stops. */
  async stop(drainMs: number): Promise<void> {
    const { clock } = this.#options
    const timer = clock.setTimeout(() => this.#abort.abort(new Error('context canceled')), drainMs)
    await this.#sending
    this.#stopped = true
    this.#alerts = []
    timer.cancel()
  }

  async #drain(): Promise<void> {
    while (this.#alerts.length > 0 && !this.#abort.signal.aborted)
      await this.#sendBatch(this.#alerts.splice(0, this.#options.batchMax))
  }

  async #sendBatch(batch: readonly Alert[]): Promise<void> {
    const { clock, client, metrics, logger, timeoutMs } = this.#options
    const labels = { alertmanager: this.url }
    const startedAt = clock.monotonic()
    const late = new AbortController()
    const timer = clock.setTimeout(() => late.abort(new Error('context deadline exceeded')), timeoutMs)
    try {
      const signal = AbortSignal.any([late.signal, this.#abort.signal])
      await client.post({ url: this.url, body: JSON.stringify(batch.map(showAlert)), signal })
      metrics.sent.inc(labels, batch.length)
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error)
      metrics.errors.inc(labels, batch.length)
      metrics.dropped.inc(labels, batch.length)
      logger.error('Error sending alerts', {
        alertmanager: this.url,
        count: batch.length,
        err: cause.message,
      })
    } finally {
      timer.cancel()
      metrics.latency.observe(labels, (clock.monotonic() - startedAt) / 1000)
    }
  }
}

/** An alert in the JSON of API v2. */
function showAlert(alert: Alert): object {
  return {
    annotations: alert.annotations.toObject(),
    endsAt: new Date(alert.endsAt).toISOString(),
    startsAt: new Date(alert.startsAt).toISOString(),
    generatorURL: alert.generatorUrl,
    labels: alert.labels.toObject(),
  }
}
