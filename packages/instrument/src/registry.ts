// Registry: the metrics of one exposition, and the answer to a scrape in the format the scraper asked for.
import { Counter } from './counter.ts'
import { setDefaultRegistry } from './default-registry.ts'
import { DEFAULT_MAX_SERIES } from './metric.ts'
import type { AnyMetric } from './render/family.ts'
import { TEXT_CONTENT_TYPE, negotiate } from './render/negotiate.ts'
import { renderProtobuf } from './render/protobuf.ts'
import { renderOpenMetrics, renderText } from './render/text.ts'
import type { MetricRegister, RegisteredMetric } from './types.ts'

export interface RegistryOptions {
  /** Milliseconds since the epoch. Default: `Date.now`. */
  now?: () => number
  /** Label sets a metric keeps unless it says otherwise. Default 10,000. */
  maxSeriesPerMetric?: number
  /** Print start timestamps as `_created` lines in OpenMetrics too (protobuf always carries them). Default false. */
  openMetricsCreated?: boolean
}

export interface Exposition {
  readonly contentType: string
  readonly body: string | Uint8Array
}

export class Registry implements MetricRegister {
  readonly now: () => number
  readonly maxSeriesPerMetric: number
  /** Content type of `metrics()`. */
  readonly contentType = TEXT_CONTENT_TYPE
  readonly #metrics = new Map<string, AnyMetric>()
  /** Every name a line can begin with, and the family it belongs to. */
  readonly #printed = new Map<string, string>()
  readonly #hooks: (() => void)[] = []
  readonly #openMetricsCreated: boolean
  #guard: Counter<'metric'> | undefined

  constructor(options: RegistryOptions = {}) {
    this.now = options.now ?? Date.now
    this.maxSeriesPerMetric = options.maxSeriesPerMetric ?? DEFAULT_MAX_SERIES
    this.#openMetricsCreated = options.openMetricsCreated ?? false
  }

  registerMetric(metric: RegisteredMetric): void {
    const names = printedNames(metric)
    for (const name of names) {
      const owner = this.#printed.get(name)
      if (owner !== undefined)
        throw new Error(
          owner === metric.name
            ? `metric ${metric.name} is already registered`
            : `metric ${metric.name} would print ${name}, which belongs to metric ${owner}`,
        )
    }
    for (const name of names) this.#printed.set(name, metric.name)
    this.#metrics.set(metric.name, metric as AnyMetric)
  }

  getSingleMetric(name: string): AnyMetric | undefined {
    return this.#metrics.get(name)
  }

  removeSingleMetric(name: string): void {
    const metric = this.#metrics.get(name)
    if (metric === undefined) return
    for (const printed of printedNames(metric)) this.#printed.delete(printed)
    this.#metrics.delete(name)
  }

  getMetricsAsArray(): AnyMetric[] {
    return [...this.#metrics.values()]
  }

  /** Zero everywhere; labelled series are forgotten. */
  resetMetrics(): void {
    for (const metric of this.#metrics.values()) metric.reset()
  }

  clear(): void {
    this.#metrics.clear()
    this.#printed.clear()
    this.#hooks.length = 0
    this.#guard = undefined
  }

  /** Runs before every exposition, for values read together (one read of /proc for six gauges). */
  onCollect(hook: () => void): void {
    this.#hooks.push(hook)
  }

  /** The exposition in the format the Accept header prefers among text 0.0.4, OpenMetrics 1.0 and protobuf. */
  render(accept?: string): Exposition {
    const { format, contentType } = negotiate(accept)
    this.#collect()
    const metrics = this.#metrics.values()
    if (format === 'protobuf') return { contentType, body: renderProtobuf(metrics) }
    if (format === 'text') return { contentType, body: renderText(metrics) }
    return { contentType, body: renderOpenMetrics(metrics, { created: this.#openMetricsCreated }) }
  }

  /** The exposition in text 0.0.4. */
  metrics(): string {
    this.#collect()
    return renderText(this.#metrics.values())
  }

  #collect(): void {
    for (const hook of this.#hooks) hook()
    let rejected = false
    for (const metric of this.#metrics.values()) {
      metric.runCollect()
      rejected ||= metric.rejected > 0
    }
    if (rejected) this.#reportRejected()
  }

  /** Only once a metric is full: a registry in good order prints nothing of its own. */
  #reportRejected(): void {
    this.#guard ??= new Counter({
      name: 'instrument_rejected_label_sets_total',
      help: 'Uses of label sets that were not kept because the metric holds its maximum of series.',
      labelNames: ['metric'],
      registers: [this],
      maxSeries: Infinity,
    })
    for (const metric of this.#metrics.values())
      if (metric.rejected > 0) this.#guard.labels(metric.name).value = metric.rejected
  }
}

const SUFFIXES = {
  counter: [''],
  gauge: [''],
  summary: ['', '_sum', '_count'],
  histogram: ['', '_sum', '_count', '_bucket'],
}

function printedNames(metric: RegisteredMetric): string[] {
  return SUFFIXES[metric.type].map((suffix) => metric.name + suffix)
}

/** The registry of metrics that name none. */
export const register = new Registry()
setDefaultRegistry(register)
