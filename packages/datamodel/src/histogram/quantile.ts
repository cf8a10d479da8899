// Quantiles and fractions of native histograms.
import { allBuckets, fractionBelow } from './buckets.ts'
import { usesCustomBuckets } from './bounds.ts'
import type { FloatHistogram } from './types.ts'

/** What the sum of a histogram says about NaN observations. */
export type NanNote = 'none' | 'resultIsNan' | 'skewed' | 'excluded'

/**
 * The φ-quantile: exponential interpolation within buckets, linear in custom buckets and the zero bucket. `note` is 'resultIsNan'
 * when it falls among NaN observations, 'skewed' when such exist above it.
 */
export function histogramQuantile(q: number, h: FloatHistogram): { value: number; note: NanNote } {
  const plain = (value: number): { value: number; note: NanNote } => ({ value, note: 'none' })
  if (q < 0) return plain(-Infinity)
  if (q > 1) return plain(Infinity)
  if (h.count === 0 || Number.isNaN(q)) return plain(NaN)
  const forward = Number.isNaN(h.sum) || q < 0.5
  const buckets = allBuckets(h)
  if (!forward) buckets.reverse()
  let rank = forward ? q * h.count : (1 - q) * h.count
  let count = 0
  let at = -1
  for (let i = 0; i < buckets.length; i++) {
    at = i
    if (buckets[i]!.count === 0) continue
    count += buckets[i]!.count
    if (count >= rank) break
  }
  const bucket = at < 0 ? { lower: 0, upper: 0, count: 0 } : { ...buckets[at]! }
  const custom = usesCustomBuckets(h)
  if (custom) {
    if (bucket.lower === -Infinity) {
      if (bucket.upper <= 0) return plain(bucket.upper)
      bucket.lower = 0
    } else if (bucket.upper === Infinity) return plain(bucket.lower)
  } else if (bucket.lower < 0 && bucket.upper > 0) {
    if (h.negativeBuckets.length === 0 && h.positiveBuckets.length > 0) bucket.lower = 0
    else if (h.positiveBuckets.length === 0 && h.negativeBuckets.length > 0) bucket.upper = 0
  }
  count = Math.min(count, h.count) // rounding may have lifted it above
  if (count < rank) return { value: NaN, note: Number.isNaN(h.sum) ? 'resultIsNan' : 'none' }
  rank = forward ? rank - (count - bucket.count) : count - rank
  let note: NanNote = 'none'
  if (Number.isNaN(h.sum)) {
    let all = count
    for (let i = at + 1; i < buckets.length; i++) all += buckets[i]!.count
    if (all < h.count) note = 'skewed'
  }
  const fraction = rank / bucket.count
  if (custom || (bucket.lower <= 0 && bucket.upper >= 0))
    return { value: bucket.lower + (bucket.upper - bucket.lower) * fraction, note }
  const logLower = Math.log2(Math.abs(bucket.lower))
  const logUpper = Math.log2(Math.abs(bucket.upper))
  if (bucket.lower > 0) return { value: 2 ** (logLower + (logUpper - logLower) * fraction), note }
  return { value: -(2 ** (logUpper + (logLower - logUpper) * (1 - fraction))), note }
}

/** Estimated share of observations between two bounds; `note` 'excluded' when NaN observations lie in no bucket. */
export function histogramFraction(
  lower: number,
  upper: number,
  h: FloatHistogram,
): { value: number; note: NanNote } {
  if (h.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return { value: NaN, note: 'none' }
  if (lower >= upper) return { value: 0, note: 'none' }
  const custom = usesCustomBuckets(h)
  const buckets = allBuckets(h)
  let rank = 0
  let lowerRank: number | undefined
  let upperRank: number | undefined
  for (const bucket of buckets) {
    const b = { ...bucket }
    let zero = false
    if (b.lower <= 0 && b.upper >= 0) {
      zero = true
      if (h.negativeBuckets.length === 0 && h.positiveBuckets.length > 0) b.lower = 0
      else if (h.positiveBuckets.length === 0 && h.negativeBuckets.length > 0) b.upper = 0
    }
    if (lowerRank === undefined && b.lower >= lower) lowerRank = rank
    if (upperRank === undefined && b.lower >= upper) upperRank = rank
    if (lowerRank !== undefined && upperRank !== undefined) break
    const rankAt = (v: number): number => {
      const linear = custom || zero
      if (linear && b.lower === -Infinity) return b.count
      return rank + b.count * fractionBelow(b, v, linear)
    }
    if (lowerRank === undefined && b.lower < lower && b.upper > lower) lowerRank = rankAt(lower)
    if (upperRank === undefined && b.lower < upper && b.upper > upper) upperRank = rankAt(upper)
    if (lowerRank !== undefined && upperRank !== undefined) break
    rank += b.count
  }
  let count = h.count
  let note: NanNote = 'none'
  if (Number.isNaN(h.sum)) {
    count = buckets.reduce((sum, b) => sum + b.count, 0)
    if (count < h.count) note = 'excluded'
  }
  if (lowerRank === undefined || lowerRank > count) lowerRank = count
  if (upperRank === undefined || upperRank > count) upperRank = count
  return { value: (upperRank - lowerRank) / h.count, note }
}
