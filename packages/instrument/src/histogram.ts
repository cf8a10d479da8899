// Histogram: classic buckets, native buckets, or both at once; every observation feeds both.
// Data plane: `observe` allocates nothing unless an exemplar is given or a native bucket is new.
import { Metric, Series } from './metric.ts'
import { NativeBuckets, NativeLayout } from './native/buckets.ts'
import type { NativeOptions } from './native/buckets.ts'
import { makeExemplar } from './types.ts'
import type { Exemplar, LabelValues, MetricOptions } from './types.ts'

/** What prom-client and Go's client use if no buckets are given. */
export const DEFAULT_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Native exemplars kept by one series, and the age at which one is given up first. */
const NATIVE_EXEMPLARS_MAX = 10
const NATIVE_EXEMPLAR_TTL_MS = 300_000

/** One series of a histogram. */
export class HistogramSeries extends Series {
  /** Upper bounds without +Inf, ascending; shared by all series of the metric. */
  readonly bounds: Float64Array
  /** Observations of each bucket on its own (not cumulative); the last is +Inf. */
  readonly counts: Float64Array
  readonly native: NativeBuckets | undefined
  /** Last exemplar of each classic bucket. */
  exemplars: (Exemplar | undefined)[] | undefined = undefined
  nativeExemplars: Exemplar[] = []
  sum = 0
  count = 0

  constructor(
    labelValues: readonly string[],
    now: () => number,
    bounds: Float64Array,
    layout: NativeLayout | undefined,
  ) {
    super(labelValues, now)
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
    this.native = layout && new NativeBuckets(layout)
  }

  /** Counts one value (usually seconds or bytes). NaN counts, but falls in no bucket below +Inf. */
  observe(value: number, exemplarLabels?: Readonly<Record<string, string>>): void {
    if (typeof value !== 'number') throw new TypeError(`a histogram cannot observe ${String(value)}`)
    this.#add(value)
    if (exemplarLabels !== undefined) this.#keepExemplar(value, exemplarLabels)
  }

  /** Starts a timer; the returned function observes the seconds since then and returns them. */
  startTimer(): () => number {
    const began = performance.now()
    return () => {
      const seconds = (performance.now() - began) / 1000
      this.observe(seconds)
      return seconds
    }
  }

  reset(): void {
    this.counts.fill(0)
    this.sum = 0
    this.count = 0
    this.native?.reset()
    this.exemplars = undefined
    this.nativeExemplars = []
    this.startMs = this.now()
  }

  #add(value: number): void {
    this.counts[bucketOf(value, this.bounds)]!++
    this.sum += value
    this.count++
    const native = this.native
    if (native === undefined || value !== value || !native.observe(value)) return
    const { minResetDurationMs } = native.layout
    if (minResetDurationMs > 0 && this.now() - this.startMs >= minResetDurationMs) {
      this.reset()
      this.#add(value)
    } else native.limit()
  }

  #keepExemplar(value: number, labels: Readonly<Record<string, string>>): void {
    const exemplar = makeExemplar(labels, value, this.now())
    if (exemplar === undefined) return
    this.exemplars ??= new Array<Exemplar | undefined>(this.counts.length).fill(undefined)
    this.exemplars[bucketOf(value, this.bounds)] = exemplar
    if (this.native === undefined || value !== value) return
    const kept = this.nativeExemplars
    if (kept.length < NATIVE_EXEMPLARS_MAX) kept.push(exemplar)
    else kept[leastUseful(kept, exemplar)] = exemplar
  }
}

/** Place of the first bound ≥ value; `bounds.length` is +Inf. */
function bucketOf(value: number, bounds: Float64Array): number {
  let low = 0
  let high = bounds.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (bounds[middle]! >= value) high = middle
    else low = middle + 1
  }
  return value !== value ? bounds.length : low
}

/** The oldest exemplar if it is stale, else the one nearest to the new one: so they stay spread over the values. */
function leastUseful(kept: readonly Exemplar[], fresh: Exemplar): number {
  let oldest = 0
  let nearest = 0
  let distance = Infinity
  const logarithm = Math.log(Math.abs(fresh.value))
  for (let i = 0; i < kept.length; i++) {
    if (kept[i]!.timestampMs < kept[oldest]!.timestampMs) oldest = i
    const apart = Math.abs(Math.log(Math.abs(kept[i]!.value)) - logarithm)
    if (apart < distance) {
      distance = apart
      nearest = i
    }
  }
  return fresh.timestampMs - kept[oldest]!.timestampMs > NATIVE_EXEMPLAR_TTL_MS ? oldest : nearest
}

export interface HistogramOptions<L extends string> extends MetricOptions<L> {
  /** Upper bounds, ascending, +Inf may be left out. Default: `DEFAULT_BUCKETS`, or none if `native` is given. */
  buckets?: readonly number[]
  /** Adds native buckets. They are seen by readers of the protobuf format only. */
  native?: NativeOptions
}

export class Histogram<L extends string = string> extends Metric<L, HistogramSeries> {
  readonly type = 'histogram'
  readonly bounds: Float64Array
  readonly #layout: NativeLayout | undefined

  constructor(options: HistogramOptions<L>) {
    super(options, ['le'], undefined)
    const buckets = options.buckets ?? (options.native ? [] : DEFAULT_BUCKETS)
    this.bounds = Float64Array.from(buckets.at(-1) === Infinity ? buckets.slice(0, -1) : buckets)
    if (!this.bounds.every((bound, i) => bound < Infinity && (i === 0 || bound > this.bounds[i - 1]!)))
      throw new Error(`metric ${this.name}: buckets must be finite numbers in ascending order`)
    this.#layout = options.native && new NativeLayout(this.name, options.native)
    this.enrol(options.registers)
  }

  protected createSeries(labelValues: readonly string[]): HistogramSeries {
    return new HistogramSeries(labelValues, this.now, this.bounds, this.#layout)
  }

  observe(value: number): void
  observe(labels: LabelValues<L>, value: number, exemplarLabels?: Readonly<Record<string, string>>): void
  observe(
    first: number | LabelValues<L>,
    value?: number,
    exemplarLabels?: Readonly<Record<string, string>>,
  ): void {
    if (typeof first === 'object') this.find(first).observe(value!, exemplarLabels)
    else this.single().observe(first)
  }

  /** Starts a timer; the returned function observes the seconds since then and returns them. */
  startTimer(labels?: LabelValues<L>): () => number {
    return (labels === undefined ? this.single() : this.find(labels)).startTimer()
  }
}

/** `count` bounds from `start`, each `width` above the one before. */
export function linearBuckets(start: number, width: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start + i * width)
}

/** `count` bounds from `start` > 0, each `factor` > 1 times the one before. */
export function exponentialBuckets(start: number, factor: number, count: number): number[] {
  if (!(start > 0 && factor > 1)) throw new Error('exponential buckets need start > 0 and factor > 1')
  return Array.from({ length: count }, (_, i) => start * factor ** i)
}
