// The native (exponential) side of one histogram series, with the same three ways to stay within `maxBuckets` as Go's
// client: start anew if the last start is long enough ago, widen the zero bucket up to a limit, halve the resolution.
// Data plane: an observation in a known bucket allocates nothing.
import { SCHEMA_MIN, bucketBound, bucketIndex, coarserIndex, schemaOfGrowthFactor } from './schema.ts'

/** 2^−128: what is nearer to zero counts as zero. */
export const DEFAULT_ZERO_THRESHOLD = 2 ** -128

export interface NativeOptions {
  /** Most a bucket may grow over the one before (> 1); 1.1 gives schema 3 (8 buckets a power of two). */
  growthFactor: number
  /** Half-width of the zero bucket, ≥ 0. */
  zeroThreshold?: number
  /** Buckets of one series above which resolution is given up; 0 = no limit. Default 160. */
  maxBuckets?: number
  /** Rather than lose resolution, start at zero again if the series is at least this old; 0 (default) = never. */
  minResetDurationMs?: number
  /** Rather than lose resolution, widen the zero bucket up to this; 0 (default) = never. */
  maxZeroThreshold?: number
}

export const DEFAULT_MAX_BUCKETS = 160

/** Runs of neighbouring buckets: offset from the end of the run before (first: absolute index), and length. */
export interface NativeSpans {
  offsets: number[]
  lengths: number[]
  /** Count of each bucket minus the count of the one before. */
  deltas: number[]
}

/** The checked options, shared by all series of a metric. */
export class NativeLayout {
  readonly schema: number
  readonly zeroThreshold: number
  readonly maxBuckets: number
  readonly minResetDurationMs: number
  readonly maxZeroThreshold: number

  constructor(metric: string, options: NativeOptions) {
    this.schema = schemaOfGrowthFactor(options.growthFactor)
    this.zeroThreshold = options.zeroThreshold ?? DEFAULT_ZERO_THRESHOLD
    this.maxBuckets = options.maxBuckets ?? DEFAULT_MAX_BUCKETS
    this.minResetDurationMs = options.minResetDurationMs ?? 0
    this.maxZeroThreshold = options.maxZeroThreshold ?? 0
    for (const [name, value] of Object.entries(this))
      if (name !== 'schema' && !(value >= 0)) throw new Error(`metric ${metric}: native.${name} is ${value}`)
  }
}

export class NativeBuckets {
  readonly layout: NativeLayout
  schema: number
  zeroThreshold: number
  zeroCount = 0
  readonly positive = new Map<number, number>()
  readonly negative = new Map<number, number>()

  constructor(layout: NativeLayout) {
    this.layout = layout
    this.schema = layout.schema
    this.zeroThreshold = layout.zeroThreshold
  }

  /** Counts a value that is not NaN. True: there are more buckets than allowed, call `limit`. */
  observe(value: number): boolean {
    const magnitude = value < 0 ? -value : value
    if (magnitude <= this.zeroThreshold) {
      this.zeroCount++
      return false
    }
    const side = value < 0 ? this.negative : this.positive
    const index = bucketIndex(magnitude, this.schema)
    const count = side.get(index)
    if (count !== undefined) {
      side.set(index, count + 1)
      return false
    }
    side.set(index, 1)
    const { maxBuckets } = this.layout
    return maxBuckets > 0 && this.positive.size + this.negative.size > maxBuckets
  }

  /** Widens the zero bucket or halves the resolution until the buckets fit, or neither helps any more. */
  limit(): void {
    const { maxBuckets } = this.layout
    while (this.positive.size + this.negative.size > maxBuckets) {
      if (this.#widenZeroBucket()) continue
      if (this.schema === SCHEMA_MIN) return
      this.schema--
      halve(this.positive)
      halve(this.negative)
    }
  }

  /** Empty, at the first resolution. */
  reset(): void {
    this.schema = this.layout.schema
    this.zeroThreshold = this.layout.zeroThreshold
    this.zeroCount = 0
    this.positive.clear()
    this.negative.clear()
  }

  #widenZeroBucket(): boolean {
    let nearest = Infinity
    for (const index of this.positive.keys()) nearest = Math.min(nearest, index)
    for (const index of this.negative.keys()) nearest = Math.min(nearest, index)
    const threshold = bucketBound(nearest, this.schema)
    if (!(threshold > this.zeroThreshold && threshold <= this.layout.maxZeroThreshold)) return false
    this.zeroThreshold = threshold
    for (const side of [this.positive, this.negative]) {
      this.zeroCount += side.get(nearest) ?? 0
      side.delete(nearest)
    }
    return true
  }
}

function halve(side: Map<number, number>): void {
  const before = [...side]
  side.clear()
  for (const [index, count] of before) {
    const coarser = coarserIndex(index)
    side.set(coarser, (side.get(coarser) ?? 0) + count)
  }
}

/** Gaps of up to this many empty buckets are filled with zeros: cheaper than another span. */
const GAP_FILLED = 2

/** Spans and deltas of one side, in order of index. */
export function spansOf(side: ReadonlyMap<number, number>): NativeSpans {
  const spans: NativeSpans = { offsets: [], lengths: [], deltas: [] }
  let next = 0
  let previous = 0
  for (const index of [...side.keys()].sort((a, b) => a - b)) {
    const gap = index - next
    if (spans.offsets.length === 0 || gap > GAP_FILLED) {
      spans.offsets.push(gap)
      spans.lengths.push(0)
    } else {
      for (let i = 0; i < gap; i++) {
        spans.deltas.push(0 - previous)
        previous = 0
      }
      spans.lengths[spans.lengths.length - 1]! += gap
    }
    const count = side.get(index)!
    spans.deltas.push(count - previous)
    spans.lengths[spans.lengths.length - 1]! += 1
    previous = count
    next = index + 1
  }
  return spans
}
