// Data plane. A cursor over protocol buffers: no objects for messages, every read bounded by `end`.

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** A body that is not the message it should be; `message` is the answer's text. */
export class WireError extends Error {
  override name = 'WireError'
}

const UNEXPECTED_END = 'unexpected EOF'

export class WireReader {
  bytes: Uint8Array
  view: DataView
  position = 0
  /** End of the message that is read; reads never pass it. */
  end = 0
  /** Number and wire type of the current field. */
  field = 0
  wire = 0

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = bytes
    this.view = viewOf(bytes)
    this.end = bytes.length
  }

  /** Goes on over other bytes. */
  reset(bytes: Uint8Array, position: number, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.view = viewOf(bytes)
    }
    this.position = position
    this.end = end
  }

  /** Moves to the next field; false at the end of the message. */
  next(): boolean {
    if (this.position >= this.end) return false
    const tag = this.uint()
    this.wire = tag & 7
    this.field = Math.floor(tag / 8)
    if (this.field === 0 || this.field > 0x1fffffff)
      throw new WireError(`proto: illegal tag ${this.field} (wire type ${this.wire})`)
    return true
  }

  /** An unsigned varint; exact up to 2^53. */
  uint(): number {
    const { bytes, end } = this
    let at = this.position
    let value = 0
    let scale = 1
    for (let n = 0; n < 10; n++) {
      if (at >= end) throw new WireError(UNEXPECTED_END)
      const byte = bytes[at++]!
      if (byte < 0x80) {
        this.position = at
        return value + byte * scale
      }
      value += (byte & 0x7f) * scale
      scale *= 128
    }
    throw new WireError('proto: integer overflow')
  }

  /** int64: exact within ±2^53. */
  int(): number {
    const start = this.position
    const value = this.uint()
    if (value < 2 ** 53) return value
    return Number(BigInt.asIntN(64, this.big(start)))
  }

  /** sint32 or sint64: exact within ±2^52. */
  sint(): number {
    const start = this.position
    const value = this.uint()
    if (value < 2 ** 53) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    const big = BigInt.asUintN(64, this.big(start))
    return Number((big >> 1n) ^ -(big & 1n))
  }

  double(): number {
    const at = this.position
    this.skipBytes(8)
    return this.view.getFloat64(at, true)
  }

  /** Length of a length-delimited value, which lies within the message; the position is its start then. */
  length(): number {
    const length = this.uint()
    if (length > this.end - this.position) throw new WireError(UNEXPECTED_END)
    return length
  }

  /** Complains when the current field has another wire type; `name` is the field's. */
  expect(wire: number, name: string): void {
    if (this.wire !== wire) throw new WireError(`proto: wrong wireType = ${this.wire} for field ${name}`)
  }

  /** Passes over the value of the current field. */
  skip(): void {
    switch (this.wire) {
      case WIRE.varint:
        this.uint()
        return
      case WIRE.fixed64:
        this.skipBytes(8)
        return
      case WIRE.bytes:
        this.skipBytes(this.length())
        return
      case WIRE.fixed32:
        this.skipBytes(4)
        return
      default:
        throw new WireError(`proto: illegal wireType ${this.wire}`)
    }
  }

  private skipBytes(count: number): void {
    if (count > this.end - this.position) throw new WireError(UNEXPECTED_END)
    this.position += count
  }

  private big(start: number): bigint {
    let value = 0n
    for (let at = start, shift = 0n; at < this.position; at++, shift += 7n)
      value |= BigInt(this.bytes[at]! & 0x7f) << shift
    return value
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
