// Trimming of histograms: `h </ x` keeps observations below x, `h >/ x` those above.
import { usesCustomBuckets } from './bounds.ts'
import { fractionBelow, negativeBuckets, positiveBuckets, zeroBucket, type Bucket } from './buckets.ts'
import { compactHistogram, copyHistogram } from './arithmetic.ts'
import type { FloatHistogram } from './types.ts'

/** The histogram cut at `limit`: buckets it falls into are interpolated, count and sum are estimated anew if anything was cut. */
export function trimHistogram(h: FloatHistogram, limit: number, keepBelow: boolean): FloatHistogram {
  const result = copyHistogram(h)
  const linear = usesCustomBuckets(h)
  let count = 0
  let sum = 0
  let changed = false
  const trimSide = (buckets: Bucket[], counts: Float64Array, positive: boolean): boolean => {
    let populated = false
    buckets.forEach((bucket, i) => {
      if (bucket.count === 0) return
      populated = true
      const whole = keepBelow ? bucket.upper <= limit : bucket.lower >= limit
      const within = keepBelow ? bucket.lower < limit : bucket.upper > limit
      let kept = 0
      let middle = 0
      if (whole) {
        kept = bucket.count
        middle = midpoint(bucket.lower, bucket.upper, positive, linear)
      } else if (within) [kept, middle] = cutBucket(bucket, limit, keepBelow, positive, linear)
      count += kept
      sum += kept === 0 && !within ? 0 : middle * kept
      if (counts[i] !== kept) {
        counts[i] = kept
        changed = true
      }
    })
    return populated
  }
  const hasPositive = trimSide(positiveBuckets(h), result.positiveBuckets, true)
  const hasNegative = trimSide(negativeBuckets(h), result.negativeBuckets, false)
  if (h.zeroCount > 0) {
    const [kept, middle] = cutZeroBucket(zeroBucket(h), limit, keepBelow, hasNegative, hasPositive)
    if (kept !== h.zeroCount) {
      result.zeroCount = kept
      changed = true
    }
    sum += middle * kept
    count += kept
  }
  if (!changed) return result
  result.count = count
  result.sum = sum
  return compactHistogram(result)
}

/** [kept count, midpoint of what is kept] of a bucket that contains the limit. */
function cutBucket(
  b: Bucket,
  limit: number,
  keepBelow: boolean,
  positive: boolean,
  linear: boolean,
): [number, number] {
  if (b.lower === -Infinity || b.upper === Infinity) return cutInfiniteBucket(b, limit, keepBelow)
  const below = limit <= b.lower ? 0 : limit >= b.upper ? b.count : b.count * fractionBelow(b, limit, linear)
  if (keepBelow) return [below, midpoint(b.lower, limit, positive, linear)]
  return [b.count - below, midpoint(limit, b.upper, positive, linear)]
}

/** A bucket without a bound on one side says little about where its observations are: mostly all or nothing is kept. */
function cutInfiniteBucket(b: Bucket, limit: number, keepBelow: boolean): [number, number] {
  const finite = (v: number): number => (Math.abs(v) === Infinity ? 0 : v)
  if (b.lower === -Infinity) {
    const usable = b.upper !== Infinity
    if (keepBelow) {
      if (limit >= b.upper) return [b.count, 0]
      if (limit > 0 && b.upper > 0 && usable) return [(b.count * limit) / b.upper, limit / 2]
      if (b.upper <= 0) return [b.count, limit]
      return [0, finite(b.upper)]
    }
    if (limit <= b.lower) return [b.count, 0]
    if (limit >= 0 && b.upper > limit && usable)
      return [b.count * (1 - limit / b.upper), (limit + b.upper) / 2]
    return [0, finite(b.upper)]
  }
  if (keepBelow) return [0, finite(b.lower)]
  return limit >= b.lower ? [b.count, limit] : [0, finite(b.lower)]
}

function cutZeroBucket(
  b: Bucket,
  limit: number,
  keepBelow: boolean,
  hasNegative: boolean,
  hasPositive: boolean,
): [number, number] {
  const lower = hasPositive && !hasNegative ? 0 : b.lower
  const upper = hasNegative && !hasPositive ? 0 : b.upper
  const middle = (lower + upper) / 2
  if (keepBelow) {
    if (limit <= lower) return [0, 0]
    if (limit >= upper) return [b.count, middle]
    return [b.count * ((limit - lower) / (upper - lower)), (lower + limit) / 2]
  }
  if (limit <= lower) return [b.count, middle]
  if (limit >= upper) return [0, 0]
  return [b.count * ((upper - limit) / (upper - lower)), (limit + upper) / 2]
}

function midpoint(lower: number, upper: number, positive: boolean, linear: boolean): number {
  if (Math.abs(lower) === Infinity) {
    if (Math.abs(upper) === Infinity) return 0
    return upper > 0 ? upper / 2 : upper
  }
  if (Math.abs(upper) === Infinity) return lower
  if (linear) return (lower + upper) / 2
  const geometric = Math.sqrt(Math.abs(lower * upper))
  return positive ? geometric : -geometric
}
