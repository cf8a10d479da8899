// Native histograms on their way into storage: dropping empty buckets, checking, lowering the resolution. Prometheus's rules
// and error texts. Bucket counts are absolute here, also those of integer histograms.
import { CUSTOM_BUCKETS_SCHEMA, type HistogramSample, type Span } from '@watchfire/datamodel'

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

/** What is wrong with a histogram, undefined when nothing is. */
export function histogramProblem(histogram: HistogramSample): string | undefined {
  const { schema, positiveSpans, positiveBuckets, negativeSpans, negativeBuckets } = histogram
  if (schema === CUSTOM_BUCKETS_SCHEMA) {
    const problem = customProblem(histogram)
    if (problem !== undefined) return problem
  } else if (schema >= SCHEMA_MIN && schema <= SCHEMA_MAX) {
    const positive = spansProblem(positiveSpans, positiveBuckets.length)
    if (positive !== undefined) return `positive side: ${positive}`
    const negative = spansProblem(negativeSpans, negativeBuckets.length) ?? bucketsProblem(negativeBuckets)
    if (negative !== undefined) return `negative side: ${negative}`
    if (histogram.zeroCount < 0)
      return `zero bucket has observation count of ${histogram.zeroCount}: ${NEGATIVE_BUCKET}`
    if (histogram.customValues.length > 0)
      return 'histogram with exponential schema must not have custom bounds'
  } else
    return (
      `histogram has an invalid schema, which must be between ${SCHEMA_MIN} and ${SCHEMA_MAX} for exponential buckets, ` +
      `or ${CUSTOM_BUCKETS_SCHEMA} for custom buckets, got schema ${schema}`
    )
  const buckets = bucketsProblem(positiveBuckets)
  if (buckets !== undefined) return `positive side: ${buckets}`
  if (histogram.count < 0)
    return `observation count is  ${histogram.count}: histogram's observation count is negative`
  return histogram.integer ? countProblem(histogram) : undefined
}

const NEGATIVE_BUCKET = 'histogram has a bucket whose observation count is negative'

function bucketsProblem(counts: Float64Array): string | undefined {
  const at = counts.findIndex((count) => count < 0)
  return at < 0
    ? undefined
    : `bucket number ${at + 1} has observation count of ${counts[at]}: ${NEGATIVE_BUCKET}`
}

function spansProblem(spans: readonly Span[], buckets: number): string | undefined {
  let needed = 0
  for (const [n, span] of spans.entries()) {
    if (n > 0 && span.offset < 0) return negativeOffset(n, span)
    needed += span.length
  }
  return needed === buckets ? undefined : spansMismatch(needed, buckets)
}

function negativeOffset(n: number, span: Span): string {
  return `span number ${n + 1} with offset ${span.offset}: histogram has a span whose offset is negative`
}

function spansMismatch(needed: number, buckets: number): string {
  return `spans need ${needed} buckets, have ${buckets} buckets: histogram spans specify different number of buckets than provided`
}

function customProblem(histogram: HistogramSample): string | undefined {
  const bounds = histogram.customValues
  for (const [i, bound] of bounds.entries()) {
    if (Number.isNaN(bound)) return 'custom buckets: histogram custom bounds must not be NaN'
    const before = bounds[i - 1]
    if (before !== undefined && bound <= before)
      return (
        `custom buckets: previous bound is ${before.toFixed(6)} and current is ${bound.toFixed(6)}: ` +
        'histogram custom bounds must be in strictly increasing order'
      )
  }
  if (bounds.at(-1) === Infinity)
    return 'custom buckets: last +Inf bound must not be explicitly defined: histogram custom bounds must be finite'
  let needed = 0
  let reach = 0
  for (const [n, span] of histogram.positiveSpans.entries()) {
    if (span.offset < 0) return `custom buckets: ${negativeOffset(n, span)}`
    needed += span.length
    reach += span.length + span.offset
  }
  const have = histogram.positiveBuckets.length
  if (needed !== have) return `custom buckets: ${spansMismatch(needed, have)}`
  if (bounds.length + 1 < reach)
    return (
      `custom buckets: only ${bounds.length} custom bounds defined which is insufficient to cover total span length of ${reach}: ` +
      'histogram custom bounds are too few'
    )
  if (histogram.zeroCount !== 0) return 'custom buckets: must have zero count of 0'
  if (histogram.zeroThreshold !== 0) return 'custom buckets: must have zero threshold of 0'
  if (histogram.negativeSpans.length > 0) return 'custom buckets: must not have negative spans'
  if (histogram.negativeBuckets.length > 0) return 'custom buckets: must not have negative buckets'
  return undefined
}

function countProblem(histogram: HistogramSample): string | undefined {
  let found = histogram.zeroCount
  for (const count of histogram.positiveBuckets) found += count
  for (const count of histogram.negativeBuckets) found += count
  const said = `${found} observations found in buckets, but the Count field is ${histogram.count}`
  if (Number.isNaN(histogram.sum)) {
    if (found <= histogram.count) return undefined
    return `${said}: histogram's observation count should be at least the number of observations found in the buckets`
  }
  if (found === histogram.count) return undefined
  return `${said}: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)`
}
