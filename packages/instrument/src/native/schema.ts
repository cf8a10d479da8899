// Bucket arithmetic of native histograms: schema s splits each power of two into 2^s buckets; bucket i ends at 2^(i·2^−s)
// and holds what is above the bound of bucket i−1. Data plane: nothing is allocated.

export const SCHEMA_MIN = -4
export const SCHEMA_MAX = 8

/** Smallest schema whose buckets grow by no more than `factor` (> 1), within −4…8. */
export function schemaOfGrowthFactor(factor: number): number {
  if (!(factor > 1)) throw new Error(`growth factor ${factor} of a native histogram is not above 1`)
  const schema = 0 - Math.floor(Math.log2(Math.log2(factor)))
  return Math.min(SCHEMA_MAX, Math.max(SCHEMA_MIN, schema))
}

const FRACTION_BITS = 128n

function integerSquareRoot(n: bigint): bigint {
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1)
  for (;;) {
    const next = (x + n / x) >> 1n
    if (next >= x) return x
    x = next
  }
}

/** fractions[s][k] = 2^(k·2^−s − 1), in [0.5, 1), each the nearest double (from 128-bit roots, so no error adds up). */
const fractions: readonly Float64Array[] = (() => {
  const finest = 1 << SCHEMA_MAX
  const roots: bigint[] = []
  let root = 2n << FRACTION_BITS
  for (let j = 0; j < SCHEMA_MAX; j++) roots.push((root = integerSquareRoot(root << FRACTION_BITS)))
  const table = new Float64Array(finest)
  for (let k = 0; k < finest; k++) {
    let product = 1n << FRACTION_BITS
    for (let j = 0; j < SCHEMA_MAX; j++)
      if (k & (finest >> (j + 1))) product = (product * roots[j]!) >> FRACTION_BITS
    table[k] = Number((product + (1n << 75n)) >> 76n) / 2 ** 53
  }
  return Array.from({ length: SCHEMA_MAX + 1 }, (_, schema) =>
    table.filter((_value, k) => k % (finest >> schema) === 0),
  )
})()

/** Upper bound of positive bucket `index`. */
export function bucketBound(index: number, schema: number): number {
  if (schema < 0) {
    const exponent = index * 2 ** -schema
    return exponent === 1024 ? Number.MAX_VALUE : 2 ** exponent
  }
  const perOctave = 1 << schema
  const octave = Math.floor(index / perOctave)
  const fraction = fractions[schema]![index - octave * perOctave]!
  if (fraction === 0.5 && octave === 1024) return Number.MAX_VALUE // the bucket above holds +Inf
  return octave > 1022 ? fraction * 2 * 2 ** 1022 * 2 ** (octave - 1022) : fraction * 2 ** (octave + 1)
}

const scratch = new Float64Array(1)
const words = new Uint32Array(scratch.buffer)
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0
const TWO_54 = 2 ** 54

/** Index of the bucket that holds `value` > 0. +Inf lies one bucket above the largest finite number. */
export function bucketIndex(value: number, schema: number): number {
  if (value === Infinity) return bucketIndex(Number.MAX_VALUE, schema) + 1
  scratch[0] = value
  let exponent = (words[HIGH]! >>> 20) - 1022
  if (exponent === -1022) {
    scratch[0] = value * TWO_54 // subnormal
    exponent = (words[HIGH]! >>> 20) - 1022 - 54
  }
  words[HIGH] = (words[HIGH]! & 0xfffff) | 0x3fe00000
  const fraction = scratch[0]! // value = fraction · 2^exponent, fraction in [0.5, 1)
  if (schema <= 0) {
    const power = fraction === 0.5 ? exponent - 1 : exponent
    return (power + (1 << -schema) - 1) >> -schema
  }
  const bounds = fractions[schema]!
  let low = 0
  let high = bounds.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (bounds[middle]! < fraction) low = middle + 1
    else high = middle
  }
  return low + (exponent - 1) * bounds.length
}

/** Index of the same bucket in the next lower resolution. */
export function coarserIndex(index: number): number {
  return (index + 1) >> 1
}
