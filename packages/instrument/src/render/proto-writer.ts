// A growing buffer that writes protobuf fields. A nested message reserves one byte for its length; where the length needs
// more, the bytes written move up once. Data plane: nothing but the buffer is allocated.

const encoder = new TextEncoder()

export class ProtoWriter {
  #bytes = new Uint8Array(512)
  #view = new DataView(this.#bytes.buffer)
  #at = 0

  /** What was written so far; the writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  /** Opens a message in `field`; pass the result to `end`. */
  begin(field: number): number {
    this.#reserve(6)
    this.#tag(field, 2)
    return this.#at++
  }

  /** Opens a message without field number, as in a delimited stream. */
  beginDelimited(): number {
    this.#reserve(1)
    return this.#at++
  }

  /** Closes the innermost open message. */
  end(start: number): void {
    const length = this.#at - start - 1
    let extra = 0
    for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 128)) extra++
    if (extra > 0) {
      this.#reserve(extra)
      this.#bytes.copyWithin(start + 1 + extra, start + 1, this.#at)
    }
    this.#at = start
    this.#varint(length)
    this.#at += length
  }

  string(field: number, text: string): void {
    this.#reserve(12 + text.length * 3)
    const start = this.begin(field)
    this.#at += encoder.encodeInto(text, this.#bytes.subarray(this.#at)).written
    this.end(start)
  }

  /** Bytes as they are: fields encoded before. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  double(field: number, value: number): void {
    this.#reserve(14)
    this.#tag(field, 1)
    this.#view.setFloat64(this.#at, value, true)
    this.#at += 8
  }

  /** Whole number ≥ 0 up to 2^53. */
  varintField(field: number, value: number): void {
    this.#reserve(16)
    this.#tag(field, 0)
    this.#varint(value)
  }

  /** Whole number of either sign, zigzag. */
  signedField(field: number, value: number): void {
    this.varintField(field, value < 0 ? -value * 2 - 1 : value * 2)
  }

  /** google.protobuf.Timestamp of milliseconds since the epoch ≥ 0. */
  timestamp(field: number, ms: number): void {
    const message = this.begin(field)
    const seconds = Math.floor(ms / 1000)
    this.varintField(1, seconds)
    this.varintField(2, Math.round((ms - seconds * 1000) * 1e6))
    this.end(message)
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType)
  }

  #varint(value: number): void {
    while (value > 0x7f) {
      this.#bytes[this.#at++] = (value % 128) | 0x80
      value = Math.floor(value / 128)
    }
    this.#bytes[this.#at++] = value
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count))
    grown.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}
