// Wire format of protocol buffers, as much of it as io.prometheus.client needs. Every read is bounded by its message.
import { decodeUtf8 } from './go-text.ts'
import { ExpositionError } from './types.ts'

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

const UNEXPECTED_END = 'unexpected EOF'
const scratch = new DataView(new ArrayBuffer(8))

/** Reads one message: `next()` moves to a field, then exactly one read or `skip()` takes its value. */
export class ProtobufReader {
  readonly bytes: Uint8Array
  position: number
  readonly end: number
  /** Number and wire type of the current field. */
  field = 0
  wire = 0

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  /** False at the end of the message. */
  next(): boolean {
    if (this.position >= this.end) return false
    const tag = this.varint()
    this.field = Math.floor(tag / 8)
    this.wire = tag % 8
    if (this.field === 0) throw new ExpositionError(`proto: illegal tag ${this.field} (wire type ${tag})`)
    return true
  }

  /** An unsigned number; exact up to 2^53. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let n = 0; n < 10; n++) {
      if (this.position >= this.end) throw new ExpositionError(UNEXPECTED_END)
      const byte = this.bytes[this.position++] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    throw new ExpositionError('proto: integer overflow')
  }

  /** 64 bits as two's complement. */
  bigVarint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.position >= this.end) throw new ExpositionError(UNEXPECTED_END)
      const byte = this.bytes[this.position++] ?? 0
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new ExpositionError('proto: integer overflow')
  }

  uint(): number {
    this.expect(WIRE.varint)
    return this.varint()
  }

  /** int64; exact within ±2^53. */
  int(): number {
    this.expect(WIRE.varint)
    const start = this.position
    const value = this.varint()
    if (value < 2 ** 53) return value
    this.position = start
    return Number(BigInt.asIntN(64, this.bigVarint()))
  }

  /** A zigzag number of type sint32 or sint64. */
  sint(): number {
    this.expect(WIRE.varint)
    return this.zigzag()
  }

  double(): number {
    this.expect(WIRE.fixed64)
    return this.fixed64()
  }

  /** Start and end of a length-delimited value, which is passed over. */
  span(): { start: number; end: number } {
    this.expect(WIRE.bytes)
    const length = this.varint()
    const start = this.position
    if (length > this.end - start) throw new ExpositionError(UNEXPECTED_END)
    this.position = start + length
    return { start, end: this.position }
  }

  message(): ProtobufReader {
    const { start, end } = this.span()
    return new ProtobufReader(this.bytes, start, end)
  }

  /** Text; `invalid` makes the error for bytes that are not UTF-8 from what can be shown of them. */
  text(invalid: (shown: string) => string): string {
    const { start, end } = this.span()
    const bytes = this.bytes.subarray(start, end)
    const text = decodeUtf8(bytes)
    if (text === undefined) throw new ExpositionError(invalid(Buffer.from(bytes).toString('utf8')))
    return text
  }

  /** Adds the value or values (packed) of a repeated sint64 field. */
  sints(into: number[]): void {
    if (this.wire === WIRE.varint) {
      into.push(this.zigzag())
      return
    }
    const packed = this.message()
    while (packed.position < packed.end) into.push(packed.zigzag())
  }

  /** Adds the value or values (packed) of a repeated double field. */
  doubles(into: number[]): void {
    if (this.wire === WIRE.fixed64) {
      into.push(this.fixed64())
      return
    }
    const packed = this.message()
    while (packed.position < packed.end) into.push(packed.fixed64())
  }

  skip(): void {
    switch (this.wire) {
      case WIRE.varint:
        this.varint()
        return
      case WIRE.fixed64:
        this.fixed(8)
        return
      case WIRE.bytes:
        this.span()
        return
      case WIRE.fixed32:
        this.fixed(4)
        return
      default:
        throw new ExpositionError(`proto: illegal wireType ${this.wire}`)
    }
  }

  private zigzag(): number {
    const start = this.position
    const value = this.varint()
    if (value < 2 ** 53) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    this.position = start
    const big = this.bigVarint()
    return Number((big >> 1n) ^ -(big & 1n))
  }

  private fixed64(): number {
    const at = this.fixed(8)
    for (let k = 0; k < 8; k++) scratch.setUint8(k, this.bytes[at + k] ?? 0)
    return scratch.getFloat64(0, true)
  }

  private fixed(size: number): number {
    if (size > this.end - this.position) throw new ExpositionError(UNEXPECTED_END)
    this.position += size
    return this.position - size
  }

  private expect(wire: number): void {
    if (this.wire !== wire)
      throw new ExpositionError(`proto: wrong wireType = ${this.wire} for field ${this.field}`)
  }
}
