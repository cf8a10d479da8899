// Samples of one series in columns, as range functions and instant selectors take them.
import type { FloatHistogram } from '@watchfire/datamodel'

/** Owned by the source; valid until its next `load`. */
export interface SampleColumns {
  /** Float samples in order of time, `count` of them. */
  times: Float64Array
  values: Float64Array
  count: number
  /** Start timestamps of the float samples (0 = unknown); undefined when not asked for. */
  starts: Float64Array | undefined
  /** Address of `times` and `values` in the arena; 0 when they are elsewhere. */
  timesAddress: number
  valuesAddress: number
  histogramTimes: number[]
  histograms: FloatHistogram[]
  histogramStarts: number[] | undefined
}

/**
 * Index of the first time > `time` among the first `count`, searching from `from` on (which must not be past
 * it).
 */
export function firstAfter(times: ArrayLike<number>, count: number, time: number, from: number): number {
  let low = from
  let high = from
  for (let jump = 1; high < count && times[high]! <= time; jump *= 2) {
    low = high + 1
    high += jump
  }
  if (high > count) high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (times[middle]! <= time) low = middle + 1
    else high = middle
  }
  return low
}

/** Live size of a histogram sample, in float samples, as Prometheus counts it. */
export function histogramSize(histogram: FloatHistogram): number {
  // Fixed part, then 8 bytes per span and bucket.
  const parts =
    histogram.positiveSpans.length +
    histogram.negativeSpans.length +
    histogram.positiveBuckets.length +
    histogram.negativeBuckets.length +
    histogram.customValues.length
  return (HISTOGRAM_FIXED_BYTES + 8 + 8 * parts) >> 4
}

const HISTOGRAM_FIXED_BYTES = 168
