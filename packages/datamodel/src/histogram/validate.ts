// Consistency of histograms that come from outside.
import { isExponentialSchema, usesCustomBuckets } from './bounds.ts'
import type { FloatHistogram, HistogramSample, Span } from './types.ts'

/** The reason why a histogram cannot be stored, in Prometheus's words, or undefined. */
export function histogramFault(h: FloatHistogram | HistogramSample): string | undefined {
  if (usesCustomBuckets(h)) return customFault(h) ?? countFault(h)
  if (!isExponentialSchema(h.schema))
    return `histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, or -53 for custom buckets, got schema ${h.schema}`
  const positive = spanFault(h.positiveSpans, h.positiveBuckets.length)
  if (positive) return `positive side: ${positive}`
  const negative = spanFault(h.negativeSpans, h.negativeBuckets.length) ?? bucketFault(h.negativeBuckets)
  if (negative) return `negative side: ${negative}`
  if (h.zeroCount < 0)
    return `zero bucket has observation count of ${h.zeroCount}: histogram has a bucket whose observation count is negative`
  if (h.customValues.length > 0) return 'histogram with exponential schema must not have custom bounds'
  return countFault(h)
}

function countFault(h: FloatHistogram | HistogramSample): string | undefined {
  if (h.count < 0) return `observation count is  ${h.count}: histogram's observation count is negative`
  const positive = bucketFault(h.positiveBuckets)
  if (positive) return `positive side: ${positive}`
  if (!('integer' in h) || !h.integer) return undefined
  const total = (buckets: Float64Array): number => buckets.reduce((sum, count) => sum + count, 0)
  const inBuckets = h.zeroCount + total(h.positiveBuckets) + total(h.negativeBuckets)
  if (Number.isNaN(h.sum)) {
    if (inBuckets > h.count)
      return `${inBuckets} observations found in buckets, but the Count field is ${h.count}: histogram's observation count should be at least the number of observations found in the buckets`
  } else if (inBuckets !== h.count)
    return `${inBuckets} observations found in buckets, but the Count field is ${h.count}: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)`
  return undefined
}

function customFault(h: FloatHistogram): string | undefined {
  const bounds = h.customValues
  for (let i = 0; i < bounds.length; i++) {
    if (Number.isNaN(bounds[i])) return 'custom buckets: histogram custom bounds must not be NaN'
    if (Math.abs(bounds[i]!) === Infinity) return 'custom buckets: histogram custom bounds must be finite'
    if (i > 0 && bounds[i]! <= bounds[i - 1]!)
      return `custom buckets: previous bound is ${bounds[i - 1]} and current is ${bounds[i]}: histogram custom bounds must be in strictly increasing order`
  }
  const fault = spanFault(h.positiveSpans, h.positiveBuckets.length)
  if (fault) return `custom buckets: ${fault}`
  let end = 0
  for (const span of h.positiveSpans) end += span.offset + span.length
  if (end > bounds.length + 1)
    return `custom buckets: only ${bounds.length} custom bounds defined which is insufficient to cover total span length of ${end}: histogram custom bounds are too few`
  if (h.zeroCount !== 0) return 'custom buckets: must have zero count of 0'
  if (h.zeroThreshold !== 0) return 'custom buckets: must have zero threshold of 0'
  if (h.negativeSpans.length > 0) return 'custom buckets: must not have negative spans'
  if (h.negativeBuckets.length > 0) return 'custom buckets: must not have negative buckets'
  return undefined
}

function spanFault(spans: readonly Span[], bucketCount: number): string | undefined {
  let total = 0
  for (let i = 0; i < spans.length; i++) {
    if (i > 0 && spans[i]!.offset < 0)
      return `span number ${i + 1} with offset ${spans[i]!.offset}: histogram has a span whose offset is negative`
    total += spans[i]!.length
  }
  return total === bucketCount
    ? undefined
    : `spans need ${total} buckets, have ${bucketCount} buckets: histogram spans specify different number of buckets than provided`
}

function bucketFault(buckets: Float64Array): string | undefined {
  const bad = buckets.findIndex((count) => count < 0)
  return bad < 0
    ? undefined
    : `bucket number ${bad + 1} has observation count of ${buckets[bad]}: histogram has a bucket whose observation count is negative`
}
