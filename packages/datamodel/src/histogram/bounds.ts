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

const FRACTION_BITS = 128n
const STEPS = 1 << EXPONENTIAL_SCHEMA_MAX

function integerSquareRoot(n: bigint): bigint {
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1)
  for (;;) {
    const y = (x + n / x) >> 1n
    if (y >= x) return x
    x = y
  }
}

/** 2^(k/256) for k in 0…255, each the nearest double: made once from 128-bit fixed-point roots of 2. */
const powers: Float64Array = (() => {
  const roots: bigint[] = [] // roots[j] = 2^(1/2^(j+1))
  let root = 2n << FRACTION_BITS
  for (let j = 0; j < EXPONENTIAL_SCHEMA_MAX; j++)
    roots.push((root = integerSquareRoot(root << FRACTION_BITS)))
  const table = new Float64Array(STEPS)
  for (let k = 0; k < STEPS; k++) {
    let product = 1n << FRACTION_BITS
    for (let j = 0; j < EXPONENTIAL_SCHEMA_MAX; j++)
      if (k & (STEPS >> (j + 1))) product = (product * roots[j]!) >> FRACTION_BITS
    // 53 significant bits of a number in [1, 2): round to 52 fraction bits.
    table[k] = Number((product + (1n << 75n)) >> 76n) / 2 ** 52
  }
  return table
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
