// Buckets one by one, with their bounds.
import { bucketBound, expandSpans, usesCustomBuckets } from './bounds.ts'
import type { FloatHistogram } from './types.ts'

/** One bucket; `index` within schema and side, 0 for the zero bucket. */
export interface Bucket {
  lower: number
  upper: number
  lowerInclusive: boolean
  upperInclusive: boolean
  count: number
  index: number
}

/** Positive buckets upwards (for custom buckets: all of them). */
export function positiveBuckets(h: FloatHistogram): Bucket[] {
  const custom = usesCustomBuckets(h)
  const indices = expandSpans(h.positiveSpans)
  const buckets: Bucket[] = []
  const n = Math.min(indices.length, h.positiveBuckets.length)
  for (let i = 0; i < n; i++) {
    const index = indices[i]!
    const upper = bucketBound(index, h.schema, h.customValues)
    const lower = bucketBound(index - 1, h.schema, h.customValues)
    buckets.push({
      lower,
      upper,
      lowerInclusive: custom ? index === 0 : lower < 0,
      upperInclusive: custom ? true : upper > 0,
      count: h.positiveBuckets[i]!,
      index,
    })
  }
  return buckets
}

/** Negative buckets downwards, from zero. */
export function negativeBuckets(h: FloatHistogram): Bucket[] {
  const indices = expandSpans(h.negativeSpans)
  const buckets: Bucket[] = []
  const n = Math.min(indices.length, h.negativeBuckets.length)
  for (let i = 0; i < n; i++) {
    const index = indices[i]!
    const lower = -bucketBound(index, h.schema, h.customValues)
    const upper = -bucketBound(index - 1, h.schema, h.customValues)
    buckets.push({
      lower,
      upper,
      lowerInclusive: lower < 0,
      upperInclusive: upper > 0,
      count: h.negativeBuckets[i]!,
      index,
    })
  }
  return buckets
}

/** The zero bucket. Exponential schemas only. */
export function zeroBucket(h: FloatHistogram): Bucket {
  return {
    lower: -h.zeroThreshold,
    upper: h.zeroThreshold,
    lowerInclusive: true,
    upperInclusive: true,
    count: h.zeroCount,
    index: 0,
  }
}

/** All buckets upwards; the zero bucket only when it is populated. Neighbours of the zero bucket are cut at its threshold. */
export function allBuckets(h: FloatHistogram): Bucket[] {
  const buckets = negativeBuckets(h).reverse()
  if (h.zeroCount > 0 && !usesCustomBuckets(h)) buckets.push(zeroBucket(h))
  buckets.push(...positiveBuckets(h))
  if (h.zeroThreshold > 0)
    for (const bucket of buckets) {
      if (bucket.upper < 0 && bucket.upper > -h.zeroThreshold) bucket.upper = -h.zeroThreshold
      else if (bucket.lower > 0 && bucket.lower < h.zeroThreshold) bucket.lower = h.zeroThreshold
    }
  return buckets
}

/**
 * Share of a bucket's width below `v`, which lies within its finite bounds: linear, or linear on a logarithmic scale
 * (mirrored for negative buckets).
 */
export function fractionBelow(bucket: Bucket, v: number, linear: boolean): number {
  if (linear) return (v - bucket.lower) / (bucket.upper - bucket.lower)
  const logLower = Math.log2(Math.abs(bucket.lower))
  const logUpper = Math.log2(Math.abs(bucket.upper))
  const logV = Math.log2(Math.abs(v))
  if (v > 0) return (logV - logLower) / (logUpper - logLower)
  return 1 - (logV - logUpper) / (logLower - logUpper)
}
