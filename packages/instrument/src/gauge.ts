// Gauge: a value that goes up and down. Data plane: nothing is allocated.
import { Metric, Series } from './metric.ts'
import type { LabelValues, MetricOptions } from './types.ts'

/** One series of a gauge. */
export class GaugeSeries extends Series {
  value = 0

  set(value: number): void {
    if (typeof value !== 'number') throw new TypeError(`a gauge cannot be set to ${String(value)}`)
    this.value = value
  }

  inc(by = 1): void {
    this.value += by
  }

  dec(by = 1): void {
    this.value -= by
  }

  /** Seconds since the epoch. */
  setToCurrentTime(): void {
    this.value = this.now() / 1000
  }

  reset(): void {
    this.value = 0
  }
}

export interface GaugeOptions<L extends string> extends MetricOptions<L> {
  /** Runs before each exposition; `this` is the gauge. */
  collect?: (this: Gauge<L>) => void
}

export class Gauge<L extends string = string> extends Metric<L, GaugeSeries> {
  readonly type = 'gauge'

  constructor(options: GaugeOptions<L>) {
    super(options, [], options.collect && (() => options.collect!.call(this)))
    this.enrol(options.registers)
  }

  protected createSeries(labelValues: readonly string[]): GaugeSeries {
    return new GaugeSeries(labelValues, this.now)
  }

  set(value: number): void
  set(labels: LabelValues<L>, value: number): void
  set(first: number | LabelValues<L>, value?: number): void {
    if (typeof first === 'object') this.find(first).set(value!)
    else this.single().set(first)
  }

  inc(by?: number): void
  inc(labels: LabelValues<L>, by?: number): void
  inc(first?: number | LabelValues<L>, by?: number): void {
    if (typeof first === 'object') this.find(first).inc(by)
    else this.single().inc(first)
  }

  dec(by?: number): void
  dec(labels: LabelValues<L>, by?: number): void
  dec(first?: number | LabelValues<L>, by?: number): void {
    if (typeof first === 'object') this.find(first).dec(by)
    else this.single().dec(first)
  }

  setToCurrentTime(labels?: LabelValues<L>): void {
    ;(labels === undefined ? this.single() : this.find(labels)).setToCurrentTime()
  }
}
