// What all metric kinds do alike: own their series, find one by label values, refuse more than `maxSeries`.
// Data plane: finding a known series allocates nothing (one Map level a label, no joined keys).
import { checkLabelNames, checkMetricName } from './types.ts'
import type { LabelValues, MetricOptions, MetricRegister, MetricType, RegisteredMetric } from './types.ts'
import { defaultRegistry } from './default-registry.ts'

/** Used where a metric has no registry and no `maxSeries`. */
export const DEFAULT_MAX_SERIES = 10_000

/** One series of a metric. The renderers cache the parts of its lines that never change in `text` and `proto`. */
export abstract class Series {
  readonly labelValues: readonly string[]
  /** Start timestamp, ms since the epoch: when the series, or its count after a reset, began. */
  startMs: number
  readonly now: () => number
  text: readonly string[] | undefined = undefined
  proto: Uint8Array | undefined = undefined

  constructor(labelValues: readonly string[], now: () => number) {
    this.labelValues = labelValues
    this.now = now
    this.startMs = now()
  }

  abstract reset(): void
}

type Level<S> = Map<string, Level<S> | S>

/** Base of Counter, Gauge, Histogram and Summary. */
export abstract class Metric<L extends string, S extends Series> implements RegisteredMetric {
  abstract readonly type: MetricType
  readonly name: string
  readonly help: string
  readonly unit: string
  readonly labelNames: readonly L[]
  readonly maxSeries: number
  rejected = 0
  protected readonly now: () => number
  readonly #all: S[] = []
  #root: Level<S> = new Map()
  #only: S | undefined
  #swallow: S | undefined
  readonly #collect: (() => void) | undefined

  protected constructor(
    options: MetricOptions<L>,
    reserved: readonly string[],
    collect: (() => void) | undefined,
  ) {
    checkMetricName(options.name)
    this.name = options.name
    this.help = options.help
    this.unit = options.unit ?? ''
    if (this.unit && !this.name.replace(/_total$/, '').endsWith(`_${this.unit}`))
      throw new Error(`metric ${this.name}: the unit ${this.unit} must be the end of the name`)
    this.labelNames = [...(options.labelNames ?? [])]
    checkLabelNames(this.name, this.labelNames, reserved)
    const first = (options.registers ?? [defaultRegistry()])[0]
    this.maxSeries = options.maxSeries ?? first?.maxSeriesPerMetric ?? DEFAULT_MAX_SERIES
    this.now = first?.now ?? Date.now
    this.#collect = collect
  }

  /** Last step of every constructor: the metric is complete and may be scraped. */
  protected enrol(registers: readonly MetricRegister[] = [defaultRegistry()]): void {
    if (this.labelNames.length === 0) this.#all.push((this.#only = this.createSeries([])))
    for (const registry of registers) registry.registerMetric(this)
  }

  protected abstract createSeries(labelValues: readonly string[]): S

  /** All series in the order they came into being; a removed one leaves its place. */
  get series(): readonly S[] {
    return this.#all
  }

  /** The series of these label values, by position or by name; created at 0 if new. */
  labels(values: LabelValues<L>): S
  labels(...values: readonly (string | number)[]): S
  labels(...values: readonly (string | number | LabelValues<L>)[]): S {
    const first = values[0]
    return typeof first === 'object' ? this.find(first) : this.#findByPosition(values as (string | number)[])
  }

  /** Series of the labels object; throws if a name is missing or unknown. */
  protected find(labels: LabelValues<L>): S {
    if (this.#only !== undefined) return this.#without(labels)
    const names = this.labelNames
    let level = this.#root
    for (let i = 0; ; i++) {
      const value: string | number | undefined = labels[names[i]!]
      if (value === undefined) throw new Error(`metric ${this.name}: label ${names[i]} is missing`)
      const next = level.get(typeof value === 'string' ? value : String(value))
      if (next === undefined) return this.#add(names.map((name) => this.#given(labels, name)))
      if (next instanceof Map) level = next
      else {
        let count = 0
        for (const _ in labels) count++
        if (count !== names.length) this.#refuseUnknown(labels)
        return next
      }
    }
  }

  /** The one series of a metric without labels. */
  protected single(): S {
    if (this.#only === undefined)
      throw new Error(`metric ${this.name}: needs labels ${this.labelNames.join(', ')}`)
    return this.#only
  }

  /** Forgets a series: it is gone from the next exposition on. Returns whether it was there. */
  remove(values: LabelValues<L>): boolean
  remove(...values: readonly (string | number)[]): boolean
  remove(...values: readonly (string | number | LabelValues<L>)[]): boolean {
    const first = values[0]
    const texts =
      typeof first === 'object' ? this.labelNames.map((name) => this.#given(first, name)) : values.map(String)
    const at = this.#all.findIndex((series) => series.labelValues.every((value, i) => value === texts[i]))
    if (at < 0 || texts.length !== this.labelNames.length || this.#only !== undefined) return false
    this.#all.splice(at, 1)
    let level = this.#root
    for (const text of texts.slice(0, -1)) level = level.get(text) as Level<S>
    level.delete(texts[texts.length - 1]!)
    return true
  }

  /** Back to the state after construction: no series, or the single one at 0. */
  reset(): void {
    this.rejected = 0
    if (this.#only !== undefined) return this.#only.reset()
    this.#all.length = 0
    this.#root = new Map()
  }

  runCollect(): void {
    this.#collect?.()
  }

  #findByPosition(values: readonly (string | number)[]): S {
    const names = this.labelNames
    if (values.length !== names.length)
      throw new Error(`metric ${this.name}: ${values.length} label values for ${names.length} labels`)
    if (this.#only !== undefined) return this.#only
    let level = this.#root
    for (let i = 0; ; i++) {
      const value = values[i]!
      const next = level.get(typeof value === 'string' ? value : String(value))
      if (next === undefined) return this.#add(values.map(String))
      if (!(next instanceof Map)) return next
      level = next
    }
  }

  #given(labels: LabelValues<L>, name: L): string {
    const value: string | number | undefined = labels[name]
    if (value === undefined) throw new Error(`metric ${this.name}: label ${name} is missing`)
    return String(value)
  }

  #without(labels: LabelValues<L>): S {
    for (const _ in labels) this.#refuseUnknown(labels)
    return this.#only!
  }

  #refuseUnknown(labels: LabelValues<L>): never {
    const unknown = Object.keys(labels).filter((name) => !this.labelNames.includes(name as L))
    throw new Error(`metric ${this.name}: unknown labels ${unknown.join(', ')}`)
  }

  #add(values: readonly string[]): S {
    if (this.#all.length >= this.maxSeries) {
      this.rejected++
      // A real series that nobody renders: callers need not know that the metric is full.
      return (this.#swallow ??= this.createSeries(values))
    }
    const series = this.createSeries(values)
    let level = this.#root
    for (let i = 0; i < values.length - 1; i++) {
      let next = level.get(values[i]!) as Level<S> | undefined
      if (next === undefined) level.set(values[i]!, (next = new Map()))
      level = next
    }
    level.set(values[values.length - 1]!, series)
    this.#all.push(series)
    return series
  }
}
