// Samples and the bits of special values. Sample values never pass through `number[]`: a plain array may turn the
// staleness marker's NaN into another NaN; typed arrays keep the bits.

/** High and low word of the staleness marker 0x7ff0000000000002. */
export const STALE_HIGH = 0x7ff00000
export const STALE_LOW = 2

const word = new DataView(new ArrayBuffer(8))

/** The staleness marker. Compare with `isStale`, never with `===`. */
export function staleMarker(): number {
  word.setUint32(0, STALE_HIGH)
  word.setUint32(4, STALE_LOW)
  return word.getFloat64(0)
}

/** True for the staleness marker's bits, false for any other NaN. */
export function isStale(value: number): boolean {
  if (value === value) return false
  word.setFloat64(0, value)
  return word.getUint32(4) === STALE_LOW && word.getUint32(0) === STALE_HIGH
}

/** Writes the staleness marker into a column without passing through a JS number. */
export function setStale(column: Float64Array, index: number): void {
  const words = new Uint32Array(column.buffer, column.byteOffset + index * 8, 2)
  words[0] = STALE_LOW
  words[1] = STALE_HIGH
}

/** Formats a sample value as Prometheus's JSON does: shortest decimal, exponent only below 1e-6 and from 1e21. */
export function formatValue(value: number): string {
  if (value !== value) return 'NaN'
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const text = String(value)
  const exponent = text.indexOf('e')
  if (exponent < 0) return text
  const digits = text.slice(exponent + 2)
  const sign = text[exponent + 1]!
  return `${text.slice(0, exponent)}e${sign}${digits.padStart(2, '0')}`
}

/** Formats a float as Go's `%v` and `%g` do: shortest digits, exponent form below 1e-4 and from 1e+06 on. */
export function formatGo(value: number): string {
  if (value !== value) return 'NaN'
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa, exponentText] = value.toExponential().split('e') as [string, string]
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= 6)
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  return formatValue(value)
}
