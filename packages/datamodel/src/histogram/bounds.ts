// Bucket bounds. Exponential schemas −4…8: bucket i of schema s ends at 2^(i·2^−s); schema −53 has its bounds listed.
import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram, type Span } from './types.ts'

export const EXPONENTIAL_SCHEMA_MIN = -4
export const EXPONENTIAL_SCHEMA_MAX = 8

/** True for a schema of exponential buckets. */
export function isExponentialSchema(schema: number): boolean {
  return schema >= EXPONENTIAL_SCHEMA_MIN && schema <= EXPONENTIAL_SCHEMA_MAX
}

/** True for a histogram with listed bounds (NHCB). */
export function usesCustomBuckets(histogram: FloatHistogram): boolean {
  return histogram.schema === CUSTOM_BUCKETS_SCHEMA
}

const STEPS = 1 << EXPONENTIAL_SCHEMA_MAX

/**
 * 2^(k/256) for k in 0…255, as Prometheus's table has it: products of the roots of 2 from the largest down, where √2 is rounded
 * down. Some differ from the nearest double in the last bit; bounds are printed, so they must be the same.
 */
const powers: Float64Array = (() => {
  const factors = [1.414213562373095] // factors[j] = 2^(1/2^(j+1))
  for (let root = Math.sqrt(Math.SQRT2); factors.length < EXPONENTIAL_SCHEMA_MAX; root = Math.sqrt(root))
    factors.push(root)
  return Float64Array.from({ length: STEPS }, (_, k) =>
    factors.reduce((product, factor, j) => (k & (STEPS >> (j + 1)) ? product * factor : product), 1),
  )
})()

/** Upper bound of positive bucket `index` (the lower bound is that of `index − 1`). */
export function exponentialBound(index: number, schema: number): number {
  if (schema < 0) {
    const exponent = index * 2 ** -schema
    return exponent === 1024 ? Number.MAX_VALUE : 2 ** exponent
  }
  const perOctave = 1 << schema
  const fraction = ((index % perOctave) + perOctave) % perOctave
  const exponent = Math.floor(index / perOctave)
  if (fraction === 0 && exponent === 1024) return Number.MAX_VALUE // the bucket above holds ±Inf
  const power = powers[fraction * (STEPS >> schema)]!
  return exponent > 1023 ? power * 2 ** 1023 * 2 ** (exponent - 1023) : power * 2 ** exponent
}

/** Upper bound of bucket `index` of a schema; −1 and the count of `customValues` give −Inf and +Inf for schema −53. */
export function bucketBound(index: number, schema: number, customValues: readonly number[]): number {
  if (schema !== CUSTOM_BUCKETS_SCHEMA) return exponentialBound(index, schema)
  if (index < 0) return -Infinity
  return index >= customValues.length ? Infinity : customValues[index]!
}

/** Bucket index in a lower resolution. */
export function reducedIndex(index: number, schema: number, targetSchema: number): number {
  return Math.floor((index - 1) / 2 ** (schema - targetSchema)) + 1
}

/** Absolute bucket indices of spans. */
export function expandSpans(spans: readonly Span[]): Int32Array {
  let total = 0
  for (const span of spans) total += span.length
  const indices = new Int32Array(total)
  let index = 0
  let at = 0
  for (const span of spans) {
    index += span.offset
    for (let i = 0; i < span.length; i++) indices[at++] = index++
  }
  return indices
}

/** The fewest spans for ascending indices. */
export function spansOf(indices: ArrayLike<number>): Span[] {
  const spans: { offset: number; length: number }[] = []
  let next = 0
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!
    if (spans.length > 0 && index === next) spans[spans.length - 1]!.length++
    else spans.push({ offset: index - (spans.length > 0 ? next : 0), length: 1 })
    next = index + 1
  }
  return spans
}
