// Quantiles and fractions of classic histograms: cumulative counts by upper bound.

/** Relative differences below this between neighbouring counts are rounding errors. */
const TOLERANCE = 1e-12
const SMALLEST_NORMAL = 2.2250738585072014e-308

/** The buckets of one histogram at one time, ascending by bound; reused from step to step. */
export class ClassicBuckets {
  readonly bounds: Float64Array
  readonly counts: Float64Array
  length = 0
  /** Outcome of the last `makeMonotonic`. */
  forced = false
  minBucket = Infinity
  maxBucket = -Infinity
  maxDiff = 0

  constructor(capacity: number) {
    this.bounds = new Float64Array(capacity)
    this.counts = new Float64Array(capacity)
  }

  clear(): void {
    this.length = 0
  }

  /** Bounds must come in ascending order; equal ones are added up. */
  push(bound: number, count: number): void {
    if (this.length > 0 && this.bounds[this.length - 1] === bound) this.counts[this.length - 1]! += count
    else {
      this.bounds[this.length] = bound
      this.counts[this.length++] = count
    }
  }

  get #endsInfinite(): boolean {
    return this.length > 0 && this.bounds[this.length - 1] === Infinity
  }

  /** Makes counts grow with the bounds and remembers what that changed beyond rounding errors. */
  #makeMonotonic(): void {
    this.forced = false
    this.minBucket = Infinity
    this.maxBucket = -Infinity
    this.maxDiff = 0
    let previous = this.counts[0]!
    for (let i = 1; i < this.length; i++) {
      const count = this.counts[i]!
      if (count === previous) continue
      if (almostEqual(previous, count)) {
        this.counts[i] = previous
        continue
      }
      if (!(count < previous)) {
        previous = count
        continue
      }
      this.counts[i] = previous
      this.forced = true
      this.minBucket = Math.min(this.minBucket, this.bounds[i]!)
      this.maxBucket = Math.max(this.maxBucket, this.bounds[i]!)
      this.maxDiff = Math.max(this.maxDiff, previous - count)
    }
  }

  quantile(q: number): number {
    this.forced = false
    if (q !== q) return NaN
    if (q < 0) return -Infinity
    if (q > 1) return Infinity
    if (!this.#endsInfinite) return NaN
    this.#makeMonotonic()
    const { bounds, counts, length } = this
    if (length < 2) return NaN
    const observations = counts[length - 1]!
    if (observations === 0) return NaN
    let rank = q * observations
    let b = 0
    while (b < length - 1 && !(counts[b]! >= rank)) b++
    if (b === length - 1) return bounds[length - 2]!
    if (b === 0 && bounds[0]! <= 0) return bounds[0]!
    let start = 0
    let count = counts[b]!
    if (b > 0) {
      start = bounds[b - 1]!
      count -= counts[b - 1]!
      rank -= counts[b - 1]!
    }
    return start + (bounds[b]! - start) * (rank / count)
  }

  /** Estimated share of observations between two bounds. */
  fraction(lower: number, upper: number): number {
    if (!this.#endsInfinite) return NaN
    const { bounds, counts, length } = this
    const count = counts[length - 1]!
    if (count === 0 || lower !== lower || upper !== upper) return NaN
    if (lower >= upper) return 0
    let rank = 0
    let lowerRank: number | undefined
    let upperRank: number | undefined
    for (let i = 0; i < length && (lowerRank === undefined || upperRank === undefined); i++) {
      const from = i > 0 ? bounds[i - 1]! : bounds[0]! <= 0 ? -Infinity : 0
      const to = bounds[i]!
      const own = counts[i]!
      const rankAt = (v: number): number => {
        if (from >= v) return rank
        return from === -Infinity ? own : rank + ((own - rank) * (v - from)) / (to - from)
      }
      if (lowerRank === undefined && (from >= lower || to > lower)) lowerRank = rankAt(lower)
      if (upperRank === undefined && (from >= upper || to > upper)) upperRank = rankAt(upper)
      rank = own
    }
    const cut = (value: number | undefined): number => (value === undefined || value > count ? count : value)
    return (cut(upperRank) - cut(lowerRank)) / count
  }
}

function almostEqual(a: number, b: number): boolean {
  if (a !== a && b !== b) return true
  if (a === b) return true
  const sum = Math.abs(a) + Math.abs(b)
  const difference = Math.abs(a - b)
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < TOLERANCE * SMALLEST_NORMAL
  return difference / Math.min(sum, Number.MAX_VALUE) < TOLERANCE
}
