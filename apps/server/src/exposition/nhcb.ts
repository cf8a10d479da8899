// Collects the series of one classic histogram and turns them into a native histogram with custom buckets (NHCB).
import { COUNTER_RESET, CUSTOM_BUCKETS_SCHEMA, type HistogramSample } from '@watchfire/datamodel'
import { compactHistogram } from './histogram.ts'

/** Suffixes of the series of a classic histogram. */
export type ClassicPart = 'bucket' | 'sum' | 'count'

/** Splits `x_bucket`, `x_sum`, `x_count` into base name and part. */
export function splitClassicName(name: string): { base: string; part: ClassicPart | undefined } {
  for (const part of ['bucket', 'sum', 'count'] as const)
    if (name.endsWith(`_${part}`)) return { base: name.slice(0, -part.length - 1), part }
  return { base: name, part: undefined }
}

/** A classic histogram in the making. Counts are cumulative. */
export class ClassicHistogram {
  #bounds: number[] = []
  #counts: number[] = []
  #count: number | undefined
  #sum = 0
  #error: string | undefined

  reset(): void {
    this.#bounds = []
    this.#counts = []
    this.#count = undefined
    this.#sum = 0
    this.#error = undefined
  }

  setCount(count: number): void {
    if (count < 0) this.#error ??= `count must be non-negative: count=${count}`
    this.#count = count
  }

  setSum(sum: number): void {
    this.#sum = sum
  }

  /** A bound given twice counts once. */
  setBucket(bound: number, count: number): void {
    if (this.#error !== undefined) return
    if (Number.isNaN(bound)) this.#error = 'bucket boundary must not be NaN'
    else if (count < 0) this.#error = `bucket count must be non-negative: le=${bound}, count=${count}`
    if (this.#error !== undefined) return
    const bounds = this.#bounds
    let at = bounds.length
    while (at > 0 && (bounds[at - 1] ?? 0) >= bound) at--
    if (bounds[at] === bound) return
    const below = this.#counts[at - 1]
    const above = this.#counts[at]
    if (below !== undefined && count < below) this.#error = `count is not cumulative: ${count} < ${below}`
    else if (above !== undefined && count > above)
      this.#error = `count is not cumulative: ${count} > ${above}`
    else {
      bounds.splice(at, 0, bound)
      this.#counts.splice(at, 0, count)
    }
  }

  /** The native histogram, or what is wrong. */
  convert(): { histogram: HistogramSample } | { error: string } {
    if (this.#error !== undefined) return { error: this.#error }
    const bounds = [...this.#bounds]
    const cumulative = [...this.#counts]
    const count = this.#count ?? cumulative.at(-1) ?? 0
    if (bounds.at(-1) !== Infinity) {
      bounds.push(Infinity)
      cumulative.push(count)
    }
    const integer = Number.isInteger(count) && cumulative.every(Number.isInteger)
    const last = cumulative.at(-1)
    if (last !== count) return { error: `count mismatch: count=${count} != le=+Inf count=${last}` }
    const histogram: HistogramSample = {
      schema: CUSTOM_BUCKETS_SCHEMA,
      zeroThreshold: 0,
      zeroCount: 0,
      count,
      sum: this.#sum,
      positiveSpans: [{ offset: 0, length: bounds.length }],
      negativeSpans: [],
      positiveBuckets: Float64Array.from(cumulative, (value, i) => value - (cumulative[i - 1] ?? 0)),
      negativeBuckets: new Float64Array(0),
      customValues: bounds.slice(0, -1),
      counterResetHint: COUNTER_RESET.unknown,
      integer,
    }
    return { histogram: compactHistogram(histogram, integer ? 2 : 0) }
  }
}
