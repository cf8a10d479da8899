// Values of literals: numbers as Go reads them, strings with Go's escapes, durations.
import { parseDuration } from '@watchfire/datamodel'

/** Value of a number token; throws an Error whose message is that of Go's ParseFloat. */
export function parseNumber(text: string): number {
  const plain = text.replaceAll('_', '')
  if (/^(inf|nan)$/i.test(plain)) return /^i/i.test(plain) ? Infinity : NaN
  if (/^0[xX]/.test(plain)) return parseHex(text, plain)
  if (/^0[0-7]+$/.test(plain)) return wide(Number(`0o${plain}`), plain)
  const value = Number(plain)
  if (Number.isNaN(value) || misplacedUnderscore(text)) throw numberError(text, 'invalid syntax')
  if (!Number.isFinite(value)) throw numberError(text, 'value out of range')
  return value
}

/** Whole numbers go through 64-bit integers first; past them a hexadecimal number would need an exponent. */
function parseHex(text: string, plain: string): number {
  const bits = /^0[xX][0-9a-fA-F]+$/.test(plain) ? BigInt(plain) : undefined
  if (bits === undefined || bits > 0x7fff_ffff_ffff_ffffn || misplacedUnderscore(text))
    throw numberError(text, 'invalid syntax')
  return Number(bits)
}

/** An octal number past 64 bits is read again, as a decimal. */
function wide(octal: number, plain: string): number {
  return octal < 2 ** 63 ? octal : Number(plain)
}

/** Underscores must stand between digits (or after `0x`). */
function misplacedUnderscore(text: string): boolean {
  return /(^|[^0-9a-fA-FxX])_|_($|[^0-9a-fA-F])/.test(text)
}

function numberError(text: string, reason: string): Error {
  return new Error(`error parsing number: strconv.ParseFloat: parsing ${JSON.stringify(text)}: ${reason}`)
}

/** Seconds of a duration token (`1h30m`). Throws an Error with Prometheus's message. */
export function durationSeconds(text: string): number {
  const ms = parseDuration(text)
  // Whole seconds and the rest are added as two floats, as Go's Duration.Seconds does.
  return Math.floor(ms / 1000) + ((ms % 1000) * 1e6) / 1e9
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/**
 * Value of a string token whose escapes the lexer has checked. Bytes that are not UTF-8 (`"\xff"`) become the lone
 * surrogates U+DC80…U+DCFF, so that printing gives them back; they turn into U+FFFD when encoded.
 */
export function unquote(token: string): string {
  const body = token.slice(1, -1)
  if (token[0] === '`' || !body.includes('\\')) return body
  let byteEscapes = false
  const text = body.replace(
    /\\(?:([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gsu,
    (_, octal?: string, hex?: string, short?: string, long?: string, simple?: string) => {
      if (octal ?? hex) {
        const byte = octal ? parseInt(octal, 8) : parseInt(hex!, 16)
        if (byte < 0x80) return String.fromCharCode(byte)
        byteEscapes = true
        return String.fromCharCode(0xdc00 + byte)
      }
      if (short ?? long) return String.fromCodePoint(parseInt((short ?? long)!, 16))
      return SIMPLE_ESCAPES[simple!] ?? simple!
    },
  )
  return byteEscapes ? joinBytes(text) : text
}

const RAW_BYTES = /[\udc80-\udcff]+/gu

/** Joins runs of single bytes to characters where they are valid UTF-8. */
function joinBytes(text: string): string {
  return text.replace(RAW_BYTES, (run) => {
    const bytes = Uint8Array.from(run, (unit) => unit.charCodeAt(0) - 0xdc00)
    let out = ''
    for (let i = 0; i < bytes.length;) {
      const length = bytes[i]! >= 0xf0 ? 4 : bytes[i]! >= 0xe0 ? 3 : 2
      const code = decodeChar(bytes, i, length)
      out += code === undefined ? run.charAt(i) : String.fromCodePoint(code)
      i += code === undefined ? 1 : length
    }
    return out
  })
}

/** The character of `length` bytes at `start`, undefined when they are not the UTF-8 of one. */
function decodeChar(bytes: Uint8Array, start: number, length: number): number | undefined {
  if (start + length > bytes.length || bytes[start]! < 0xc0) return undefined
  let code = bytes[start]! & (0x7f >> length)
  for (let i = start + 1; i < start + length; i++) {
    if ((bytes[i]! & 0xc0) !== 0x80) return undefined
    code = (code << 6) | (bytes[i]! & 0x3f)
  }
  const least = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000
  const surrogate = code >= 0xd800 && code <= 0xdfff
  return bytes[start]! >= 0xf8 || code < least || code > 0x10ffff || surrogate ? undefined : code
}

const LONE_SURROGATE = /\p{Surrogate}/gu

/** True when a string has an encoding in UTF-8, that is no lone surrogates. */
export function isWellFormed(text: string): boolean {
  return text.search(LONE_SURROGATE) < 0
}

/** The string as it comes out of an encoding in UTF-8: lone surrogates become U+FFFD. */
export function toWellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\ufffd')
}
