// Counter: a value that only grows, with a start timestamp and the last exemplar.
// Data plane: `inc` allocates nothing unless an exemplar is given.
import { Metric, Series } from './metric.ts'
import { makeExemplar } from './types.ts'
import type { Exemplar, LabelValues, MetricOptions } from './types.ts'

/** One series of a counter. */
export class CounterSeries extends Series {
  value = 0
  exemplar: Exemplar | undefined = undefined

  /** Adds `by` ≥ 0; throws on a negative or non-finite amount. */
  inc(by = 1, exemplarLabels?: Readonly<Record<string, string>>): void {
    if (!(by >= 0 && by < Infinity)) throw new Error(`a counter cannot be increased by ${by}`)
    this.value += by
    if (exemplarLabels !== undefined)
      this.exemplar = makeExemplar(exemplarLabels, by, this.now()) ?? this.exemplar
  }

  reset(): void {
    this.value = 0
    this.exemplar = undefined
    this.startMs = this.now()
  }
}

export interface CounterOptions<L extends string> extends MetricOptions<L> {
  /** Runs before each exposition; `this` is the counter. */
  collect?: (this: Counter<L>) => void
}

/** A counter; end its name in `_total`, or OpenMetrics readers see a metric of unknown type. */
export class Counter<L extends string = string> extends Metric<L, CounterSeries> {
  readonly type = 'counter'

  constructor(options: CounterOptions<L>) {
    super(options, [], options.collect && (() => options.collect!.call(this)))
    this.enrol(options.registers)
  }

  protected createSeries(labelValues: readonly string[]): CounterSeries {
    return new CounterSeries(labelValues, this.now)
  }

  /** `inc()`, `inc(2)`, `inc({ label: 'value' })`, `inc({ label: 'value' }, 2, { trace_id: '…' })`. */
  inc(by?: number): void
  inc(labels: LabelValues<L>, by?: number, exemplarLabels?: Readonly<Record<string, string>>): void
  inc(first?: number | LabelValues<L>, by?: number, exemplarLabels?: Readonly<Record<string, string>>): void {
    if (typeof first === 'object') this.find(first).inc(by, exemplarLabels)
    else this.single().inc(first)
  }
}
