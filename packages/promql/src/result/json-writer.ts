// A growing buffer of JSON text with the number and string forms of the HTTP API. Data plane: numbers are
// written digit by digit.
import { formatValue } from '@watchfire/datamodel'

const QUOTE = 0x22
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
/** Room that `number` and `timestamp` may need. */
const NUMBER_ROOM = 40
/** Decimals of the fast path; values that need more take the general one. */
const DECIMALS = 6
const SCALE = 10 ** DECIMALS

export class JsonWriter {
  #bytes: Uint8Array
  #length = 0
  readonly #digits = new Uint8Array(24)

  constructor(capacity: number = 4096) {
    this.#bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #ensure(room: number): void {
    const needed = this.#length + room
    if (needed <= this.#bytes.length) return
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
  }

  /** ASCII text as it is. */
  ascii(text: string): void {
    this.#ensure(text.length)
    const bytes = this.#bytes
    let at = this.#length
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
    this.#length = at
  }

  copy(source: Uint8Array, from: number, to: number): void {
    this.#ensure(to - from)
    const bytes = this.#bytes
    let at = this.#length
    for (let i = from; i < to; i++) bytes[at++] = source[i]!
    this.#length = at
  }

  /** A block of bytes, with the platform's copy. */
  block(source: Uint8Array): void {
    this.#ensure(source.length)
    this.#bytes.set(source, this.#length)
    this.#length += source.length
  }

  /** A string in quotes. `html` escapes <, > and & too. */
  string(text: string, html: boolean = false): void {
    if (PLAIN.test(text)) {
      this.ascii('"' + text + '"')
      return
    }
    const encoded = ENCODER.encode('"' + escapeText(text, html) + '"')
    this.copy(encoded, 0, encoded.length)
  }

  /** A sample value in quotes. */
  number(value: number): void {
    this.#ensure(NUMBER_ROOM)
    this.#bytes[this.#length++] = QUOTE
    if (!this.#shortNumber(value)) this.ascii(formatValue(value))
    this.#bytes[this.#length++] = QUOTE
  }

  /** Integers and values with few decimals; false when it is neither. */
  #shortNumber(value: number): boolean {
    const size = value < 0 ? -value : value
    if (!(size < 1e15) || value === 0) return false
    if (size === Math.floor(size)) {
      if (value < 0) this.#bytes[this.#length++] = MINUS
      this.#integer(size)
      return true
    }
    if (!(size < 1e9) || size < 1e-4) return false
    const scaled = Math.round(size * SCALE)
    if (scaled / SCALE !== size) return false
    if (value < 0) this.#bytes[this.#length++] = MINUS
    const whole = Math.floor(scaled / SCALE)
    this.#integer(whole)
    this.#fraction(scaled - whole * SCALE, DECIMALS)
    return true
  }

  #integer(value: number): void {
    const digits = this.#digits
    let n = 0
    // The upper part first: 32-bit arithmetic is much faster.
    while (value > 0x7fffffff) {
      const next = Math.floor(value / 10)
      digits[n++] = value - next * 10
      value = next
    }
    let low = value | 0
    do {
      const next = (low / 10) | 0
      digits[n++] = low - next * 10
      low = next
    } while (low > 0)
    const bytes = this.#bytes
    let at = this.#length
    while (n > 0) bytes[at++] = ZERO + digits[--n]!
    this.#length = at
  }

  /** `.` and `places` digits without trailing zeros; nothing for 0. */
  #fraction(value: number, places: number): void {
    if (value === 0) return
    this.#bytes[this.#length++] = POINT
    while (value % 10 === 0) {
      value = (value / 10) | 0
      places--
    }
    for (let i = places - 1; i >= 0; i--) {
      const next = (value / 10) | 0
      this.#bytes[this.#length + i] = ZERO + (value - next * 10)
      value = next
    }
    this.#length += places
  }

  /** Milliseconds as seconds with up to three decimals. */
  timestamp(ms: number): void {
    this.#ensure(NUMBER_ROOM)
    if (ms < 0) {
      this.#bytes[this.#length++] = MINUS
      ms = -ms
    }
    const seconds = Math.floor(ms / 1000)
    this.#integer(seconds)
    const rest = ms - seconds * 1000
    if (rest === 0) return
    // Milliseconds keep their trailing zeros.
    this.#bytes[this.#length++] = POINT
    this.#bytes[this.#length++] = ZERO + Math.floor(rest / 100)
    this.#bytes[this.#length++] = ZERO + (Math.floor(rest / 10) % 10)
    this.#bytes[this.#length++] = ZERO + (rest % 10)
  }
}

/** Needs no escapes in any mode and is ASCII. */
const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/
const ENCODER = new TextEncoder()
// eslint-disable-next-line no-control-regex
const SPECIAL = /["\\\u0000-\u001f\u2028\u2029<>&]/g
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

function escapeText(text: string, html: boolean): string {
  return text.replace(SPECIAL, (char) => {
    if (!html && (char === '<' || char === '>' || char === '&')) return char
    return SHORT[char] ?? '\\u' + char.charCodeAt(0).toString(16).padStart(4, '0')
  })
}
