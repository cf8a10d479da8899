// Which histograms the head takes, and how they compare.
import {
  COUNTER_RESET,
  CUSTOM_BUCKETS_SCHEMA,
  isStale,
  staleMarker,
  type HistogramSample,
  type Span,
} from '@watchfire/datamodel'

const SCHEMA_MIN = -4
const SCHEMA_MAX = 8
const NO_BUCKETS = new Float64Array(0)

/** A histogram whose parts fit together: span lengths, counts that are not negative, integer counts that add up. */
export function validHistogram(h: HistogramSample): boolean {
  if (isStale(h.sum)) return true
  const custom = h.schema === CUSTOM_BUCKETS_SCHEMA
  if (!custom && !(Number.isInteger(h.schema) && h.schema >= SCHEMA_MIN && h.schema <= SCHEMA_MAX))
    return false
  if (custom && !validCustom(h)) return false
  if (!custom && h.customValues.length > 0) return false
  if (!validSpans(h.positiveSpans, h.positiveBuckets) || !validSpans(h.negativeSpans, h.negativeBuckets))
    return false
  let total = h.zeroCount
  for (const buckets of [h.positiveBuckets, h.negativeBuckets]) {
    for (const bucket of buckets) {
      if (!(bucket >= 0) || (h.integer && !Number.isSafeInteger(bucket))) return false
      total += bucket
    }
  }
  if (!(h.zeroCount >= 0 && h.count >= 0)) return false
  if (!h.integer) return true
  if (!Number.isSafeInteger(h.zeroCount) || !Number.isSafeInteger(h.count)) return false
  // A NaN observation is counted but lies in no bucket.
  return h.sum !== h.sum ? total <= h.count : total === h.count
}

function validCustom(h: HistogramSample): boolean {
  if (h.negativeSpans.length > 0 || h.zeroCount !== 0) return false
  for (let i = 0; i < h.customValues.length; i++) {
    const value = h.customValues[i]!
    if (value !== value || value === Infinity || (i > 0 && !(value > h.customValues[i - 1]!))) return false
  }
  let end = 0
  for (const span of h.positiveSpans) end += span.offset + span.length
  return end <= h.customValues.length + 1
}

function validSpans(spans: readonly Span[], buckets: Float64Array): boolean {
  let length = 0
  for (let i = 0; i < spans.length; i++) {
    const span = spans[i]!
    if (!Number.isInteger(span.offset) || !Number.isInteger(span.length) || span.length < 0) return false
    if (i > 0 && span.offset < 0) return false
    length += span.length
  }
  return length === buckets.length
}

/** The staleness marker of a histogram series. */
export function staleHistogram(integer: boolean): HistogramSample {
  return {
    integer,
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 0,
    sum: staleMarker(),
    positiveSpans: [],
    negativeSpans: [],
    positiveBuckets: NO_BUCKETS,
    negativeBuckets: NO_BUCKETS,
    customValues: [],
    counterResetHint: COUNTER_RESET.unknown,
  }
}

/** Equal in everything but the hint; of stale markers nothing else counts. */
export function sameHistogram(a: HistogramSample, b: HistogramSample): boolean {
  if (isStale(a.sum) || isStale(b.sum)) return isStale(a.sum) && isStale(b.sum)
  return (
    a.integer === b.integer &&
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    a.zeroCount === b.zeroCount &&
    a.count === b.count &&
    Object.is(a.sum, b.sum) &&
    sameSpans(a.positiveSpans, b.positiveSpans) &&
    sameSpans(a.negativeSpans, b.negativeSpans) &&
    sameNumbers(a.positiveBuckets, b.positiveBuckets) &&
    sameNumbers(a.negativeBuckets, b.negativeBuckets) &&
    sameNumbers(a.customValues, b.customValues)
  )
}

/** Same shape, so that both fit in one chunk. */
export function sameLayout(a: HistogramSample, b: HistogramSample): boolean {
  return (
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    sameSpans(a.positiveSpans, b.positiveSpans) &&
    sameSpans(a.negativeSpans, b.negativeSpans) &&
    sameNumbers(a.customValues, b.customValues)
  )
}

/** Whether counts went down from `before` to `now`, which have the same layout. */
export function countsDropped(before: HistogramSample, now: HistogramSample): boolean {
  return (
    now.count < before.count ||
    now.zeroCount < before.zeroCount ||
    now.positiveBuckets.some((bucket, i) => bucket < before.positiveBuckets[i]!) ||
    now.negativeBuckets.some((bucket, i) => bucket < before.negativeBuckets[i]!)
  )
}

function sameSpans(a: readonly Span[], b: readonly Span[]): boolean {
  return a.length === b.length && a.every((x, i) => x.offset === b[i]!.offset && x.length === b[i]!.length)
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
