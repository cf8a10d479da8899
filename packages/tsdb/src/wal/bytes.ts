// Reading and writing the byte forms of WAL records: big-endian words and Go's varints. Data plane: no allocation per number.
// 64-bit integers become JS numbers: references and ms timestamps stay below 2^53.

const TWO32 = 2 ** 32

/** Writes at `position` of a buffer its owner keeps large enough. */
export class ByteWriter {
  bytes: Uint8Array
  position = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  u8(value: number): void {
    this.bytes[this.position++] = value
  }

  be32(value: number): void {
    const { bytes } = this
    const p = this.position
    bytes[p] = value >>> 24
    bytes[p + 1] = value >>> 16
    bytes[p + 2] = value >>> 8
    bytes[p + 3] = value
    this.position = p + 4
  }

  /** A signed or unsigned integer of 64 bits. */
  be64(value: number): void {
    this.be32(Math.floor(value / TWO32) | 0)
    this.be32(value >>> 0)
  }

  uvarint(value: number): void {
    const { bytes } = this
    let p = this.position
    while (value >= 0x80000000) {
      bytes[p++] = (value % 128) | 0x80
      value = Math.floor(value / 128)
    }
    while (value >= 0x80) {
      bytes[p++] = (value & 0x7f) | 0x80
      value >>>= 7
    }
    bytes[p++] = value
    this.position = p
  }

  /** Zigzag. */
  varint(value: number): void {
    this.uvarint(value >= 0 ? value * 2 : -value * 2 - 1)
  }

  /** Length and UTF-8. */
  string(text: string): void {
    const start = this.position
    this.uvarint(text.length)
    let p = this.position
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) {
        this.position = start
        this.#utf8(encoder.encode(text))
        return
      }
      this.bytes[p++] = code
    }
    this.position = p
  }

  #utf8(text: Uint8Array): void {
    this.uvarint(text.length)
    this.bytes.set(text, this.position)
    this.position += text.length
  }
}

const encoder = new TextEncoder()
const word = new Uint32Array(2)
const double = new Float64Array(word.buffer)
const decoder = new TextDecoder()

const RECENT_STRINGS = 16_384
const RECENT_LENGTH_MAX = 64

function equals(text: string, bytes: Uint8Array, at: number, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[at + i]) return false
  return true
}

/** Reads within [position, end); reading past the end sets `failed` and gives 0. */
export class ByteReader {
  bytes: Uint8Array = new Uint8Array(0)
  position = 0
  end = 0
  failed = false
  /** Strings read before, by a hash: labels of a log repeat, and a known string needs no new one. */
  readonly #recent: (string | undefined)[] = new Array<string | undefined>(RECENT_STRINGS)

  reset(bytes: Uint8Array, position: number, end: number): void {
    this.bytes = bytes
    this.position = position
    this.end = end
    this.failed = false
  }

  get left(): number {
    return this.failed ? 0 : this.end - this.position
  }

  u8(): number {
    if (this.position >= this.end) return this.fail()
    return this.bytes[this.position++]!
  }

  be32(): number {
    const p = this.position
    if (p + 4 > this.end) return this.fail()
    this.position = p + 4
    const { bytes } = this
    return ((bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!) >>> 0
  }

  be64(): number {
    const high = this.be32()
    return (high | 0) * TWO32 + this.be32()
  }

  /** For values of which the bits do not matter (not for sample values). */
  float(): number {
    word[1] = this.be32()
    word[0] = this.be32()
    return double[0]!
  }

  uvarint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      if (this.position >= this.end) return this.fail()
      const byte = this.bytes[this.position++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    return this.fail()
  }

  varint(): number {
    const value = this.uvarint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  string(): string {
    const length = this.uvarint()
    const p = this.position
    if (length > this.end - p) {
      this.fail()
      return ''
    }
    this.position = p + length
    const { bytes } = this
    if (length <= RECENT_LENGTH_MAX) {
      let hash = length
      let ascii = 0
      for (let i = p; i < p + length; i++) {
        hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
        ascii |= bytes[i]!
      }
      if (ascii < 0x80) {
        const place = (hash ^ (hash >>> 15)) & (RECENT_STRINGS - 1)
        const known = this.#recent[place]
        if (known !== undefined && equals(known, bytes, p, length)) return known
        let text = ''
        for (let i = p; i < p + length; i++) text += String.fromCharCode(bytes[i]!)
        this.#recent[place] = text
        return text
      }
    }
    return decoder.decode(Uint8Array.prototype.slice.call(bytes, p, p + length))
  }

  fail(): 0 {
    this.failed = true
    this.position = this.end
    return 0
  }
}
