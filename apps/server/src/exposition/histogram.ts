// Native histograms on their way into storage: dropping empty buckets, lowering the resolution by Prometheus's
// rules. Bucket counts are absolute here, also those of integer histograms.
import type { HistogramSample, Span } from '@watchfire/datamodel'

/** Schemas that are stored. */
const SCHEMA_MIN = -4
export const SCHEMA_MAX = 8
/** Schemas that are understood and reduced on the way in. */
const SCHEMA_MIN_RESERVED = -9
const SCHEMA_MAX_RESERVED = 52

/** One side of a histogram. */
export interface Buckets {
  readonly spans: readonly Span[]
  readonly counts: Float64Array
}

/** Calls back with index and count of every bucket; stops where spans want more buckets than there are. */
function forEachBucket({ spans, counts }: Buckets, visit: (index: number, count: number) => void): void {
  let index = 0
  let k = 0
  for (const span of spans) {
    index += span.offset
    for (let j = 0; j < span.length && k < counts.length; j++) visit(index++, counts[k++] ?? 0)
  }
}

/** Collects buckets in rising order of index into spans. */
class BucketBuilder {
  readonly #spans: { offset: number; length: number }[] = []
  readonly #counts: number[] = []
  #next = 0

  add(index: number, count: number): void {
    const last = this.#spans.at(-1)
    if (last !== undefined && index === this.#next - 1) {
      this.#counts[this.#counts.length - 1] = (this.#counts.at(-1) ?? 0) + count
      return
    }
    if (last !== undefined && index === this.#next) last.length++
    else this.#spans.push({ offset: index - this.#next, length: 1 })
    this.#counts.push(count)
    this.#next = index + 1
  }

  /** Empty buckets up to `index`, if there are at most `gapMax` of them. */
  fill(index: number, gapMax: number): void {
    if (this.#spans.length === 0 || index - this.#next > gapMax) return
    while (this.#next < index) this.add(this.#next, 0)
  }

  finish(): Buckets {
    return { spans: this.#spans, counts: Float64Array.from(this.#counts) }
  }
}

/** Without empty buckets, except gaps of at most `gapMax` between others. */
export function compactBuckets(buckets: Buckets, gapMax: number): Buckets {
  const builder = new BucketBuilder()
  forEachBucket(buckets, (index, count) => {
    if (count === 0) return
    builder.fill(index, gapMax)
    builder.add(index, count)
  })
  return builder.finish()
}

/** In place. */
export function compactHistogram(histogram: HistogramSample, gapMax: number): HistogramSample {
  const positive = compactBuckets(
    { spans: histogram.positiveSpans, counts: histogram.positiveBuckets },
    gapMax,
  )
  const negative = compactBuckets(
    { spans: histogram.negativeSpans, counts: histogram.negativeBuckets },
    gapMax,
  )
  histogram.positiveSpans = positive.spans
  histogram.positiveBuckets = positive.counts
  histogram.negativeSpans = negative.spans
  histogram.negativeBuckets = negative.counts
  return histogram
}

/** Merges buckets until the histogram has the coarser `schema`. In place; exponential schemas only. */
export function reduceResolution(histogram: HistogramSample, schema: number): void {
  const shift = histogram.schema - schema
  const reduce = (buckets: Buckets): Buckets => {
    const builder = new BucketBuilder()
    forEachBucket(buckets, (index, count) => builder.add(coarserIndex(index, shift), count))
    return builder.finish()
  }
  const positive = reduce({ spans: histogram.positiveSpans, counts: histogram.positiveBuckets })
  const negative = reduce({ spans: histogram.negativeSpans, counts: histogram.negativeBuckets })
  histogram.positiveSpans = positive.spans
  histogram.positiveBuckets = positive.counts
  histogram.negativeSpans = negative.spans
  histogram.negativeBuckets = negative.counts
  histogram.schema = schema
}

/** Index of the coarser bucket that holds bucket `index` after halving the resolution `shift` times. */
function coarserIndex(index: number, shift: number): number {
  return Math.ceil(index / 2 ** shift)
}

export const BUCKET_LIMIT_ERROR = 'histogram bucket limit exceeded'

/** Limits on histograms of a scrape. */
export interface HistogramLimits {
  /** Most buckets of both sides, 0 = any number. */
  readonly bucketsMax: number
  /** Finest schema to keep. */
  readonly schemaMax: number
}

/** Lowers the resolution until the limits hold. False when they cannot. */
export function limitHistogram(histogram: HistogramSample, limits: HistogramLimits): boolean {
  const { schema } = histogram
  if (schema >= SCHEMA_MIN_RESERVED && schema <= SCHEMA_MAX_RESERVED && schema > limits.schemaMax)
    reduceResolution(histogram, limits.schemaMax)
  if (limits.bucketsMax === 0) return true
  const count = (): number => histogram.positiveBuckets.length + histogram.negativeBuckets.length
  while (count() > limits.bucketsMax) {
    if (histogram.schema <= SCHEMA_MIN || histogram.schema > SCHEMA_MAX) return false
    reduceResolution(histogram, histogram.schema - 1)
  }
  return true
}

/** Finest schema whose bucket growth is at least `factor` (`native_histogram_min_bucket_factor`). */
export function schemaForFactor(factor: number): number {
  const floor = Math.floor(-Math.log2(Math.log2(factor <= 1 ? 1.00271 : factor)))
  return Math.min(SCHEMA_MAX, Math.max(SCHEMA_MIN, floor))
}
