// Native histograms as values.

/** A run of consecutive buckets: gap from the end of the run before, then length. */
export interface Span {
  readonly offset: number
  readonly length: number
}

/** Hint about counter resets, numbered as in the chunk header. */
export const COUNTER_RESET = { unknown: 0, reset: 1, notReset: 2, gauge: 3 } as const
export type CounterResetHint = (typeof COUNTER_RESET)[keyof typeof COUNTER_RESET]

/** Schema of histograms with custom bucket bounds (NHCB). */
export const CUSTOM_BUCKETS_SCHEMA = -53

/**
 * A float native histogram with absolute bucket counts. Integer histograms become this on reading: counts up to 2^53 are
 * exact. `customValues` are the upper bounds (without +Inf) for schema −53, else empty.
 */
export interface FloatHistogram {
  schema: number
  zeroThreshold: number
  zeroCount: number
  count: number
  sum: number
  positiveSpans: readonly Span[]
  negativeSpans: readonly Span[]
  positiveBuckets: Float64Array
  negativeBuckets: Float64Array
  customValues: readonly number[]
  counterResetHint: CounterResetHint
}

/** A histogram on its way into storage: `integer` tells which chunk encoding it takes. */
export interface HistogramSample extends FloatHistogram {
  readonly integer: boolean
}
