// Summary with sum and count only: quantiles computed in a process cannot be aggregated; use a histogram for those.
import { Metric, Series } from './metric.ts'
import type { LabelValues, MetricOptions } from './types.ts'

/** One series of a summary. */
export class SummarySeries extends Series {
  sum = 0
  count = 0

  observe(value: number): void {
    if (typeof value !== 'number') throw new TypeError(`a summary cannot observe ${String(value)}`)
    this.sum += value
    this.count++
  }

  reset(): void {
    this.sum = 0
    this.count = 0
    this.startMs = this.now()
  }
}

export class Summary<L extends string = string> extends Metric<L, SummarySeries> {
  readonly type = 'summary'

  constructor(options: MetricOptions<L>) {
    super(options, ['quantile'], undefined)
    this.enrol(options.registers)
  }

  protected createSeries(labelValues: readonly string[]): SummarySeries {
    return new SummarySeries(labelValues, this.now)
  }

  observe(value: number): void
  observe(labels: LabelValues<L>, value: number): void
  observe(first: number | LabelValues<L>, value?: number): void {
    if (typeof first === 'object') this.find(first).observe(value!)
    else this.single().observe(first)
  }
}
