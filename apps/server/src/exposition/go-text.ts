// Small pieces of text handling in which the exposition formats follow Go: quoting of bytes in errors, floats, escapes.
import { formatGo, quoteString } from '@watchfire/datamodel'
import { ExpositionError } from './types.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes UTF-8, undefined when it is not valid. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** A view of bytes as a latin1 string: equal bytes, equal strings. */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end)
}

/** UTF-8 text of a range; bytes that are not valid become U+FFFD. */
export function utf8(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, end)
}

/** Bytes in double quotes as Go's `%q` prints them; bytes outside UTF-8 become `\xNN`. */
export function quoteBytes(source: Uint8Array): string {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.length)
  const whole = decodeUtf8(bytes)
  if (whole !== undefined) return quoteString(whole)
  let out = '"'
  let i = 0
  while (i < bytes.length) {
    const length = sequenceLength(bytes, i)
    if (length === 0) out += '\\x' + bytes[i++]!.toString(16).padStart(2, '0')
    else {
      out += quoteString(utf8(bytes, i, i + length)).slice(1, -1)
      i += length
    }
  }
  return out + '"'
}

/** Length of the valid UTF-8 sequence at `i`, 0 when there is none. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i]!
  const length =
    first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (length === 0 || i + length > bytes.length) return 0
  return decodeUtf8(bytes.subarray(i, i + length)) === undefined ? 0 : length
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const INFINITY = /^([+-]?)(?:inf|infinity)$/i

/** Go's ParseFloat without hexadecimal and underscores, as the text formats use it. Throws with Go's message. */
export function parseFloatText(text: string): number {
  if (/[pP_]/.test(text)) throw new ExpositionError('unsupported character in float')
  const value = goFloat(text)
  if (value === undefined)
    throw new ExpositionError(`strconv.ParseFloat: parsing ${quoteLatin1(text)}: invalid syntax`)
  if (!Number.isFinite(value) && DECIMAL.test(text))
    throw new ExpositionError(`strconv.ParseFloat: parsing ${quoteLatin1(text)}: value out of range`)
  return value
}

/** The value of a Go float literal (decimal, Inf, NaN), undefined when it is none. */
export function goFloat(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text)
  const infinity = INFINITY.exec(text)
  if (infinity) return infinity[1] === '-' ? -Infinity : Infinity
  return /^nan$/i.test(text) ? NaN : undefined
}

/** `%q` of text that was cut from a body as latin1. */
export function quoteLatin1(text: string): string {
  return quoteBytes(Buffer.from(text, 'latin1'))
}

/** Label values `le` and `quantile` in OpenMetrics form: always with a dot or an exponent. */
export function formatOpenMetricsFloat(value: number): string {
  if (value !== value) return 'NaN'
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  const text = formatGo(value)
  return /[e.]/.test(text) ? text : text + '.0'
}

/** Undoes `\"`, `\\` and `\n` of label values and names. */
export function unescapeLabel(text: string): string {
  return text.includes('\\') ? text.replace(/\\(["\\n])/g, (_, c: string) => (c === 'n' ? '\n' : c)) : text
}

/** Undoes `\\` and `\n` of help texts (text format). */
export function unescapeHelp(text: string): string {
  return text.includes('\\') ? text.replace(/\\([\\n])/g, (_, c: string) => (c === 'n' ? '\n' : c)) : text
}
