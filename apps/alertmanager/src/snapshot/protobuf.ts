// Just enough of the protobuf wire format for the two snapshot files: varints, 64-bit values, length-delimited fields.
// Values are plain numbers where they fit 53 bits; fingerprints stay hex text.

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Builds one message. */
export class ProtoWriter {
  readonly #bytes: number[] = []

  /** Unsigned; negative numbers are written as 64-bit two's complement. */
  varint(value: number): this {
    let rest = BigInt.asUintN(64, BigInt(value))
    while (rest > 0x7fn) {
      this.#bytes.push(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.#bytes.push(Number(rest))
    return this
  }

  uint(field: number, value: number): this {
    return value === 0 ? this : this.varint(field << 3).varint(value)
  }

  bytes(field: number, value: Uint8Array | string): this {
    const bytes = typeof value === 'string' ? encoder.encode(value) : value
    this.varint((field << 3) | 2).varint(bytes.length)
    for (const byte of bytes) this.#bytes.push(byte)
    return this
  }

  text(field: number, value: string): this {
    return value === '' ? this : this.bytes(field, value)
  }

  message(field: number, fill: (writer: ProtoWriter) => void): this {
    const inner = new ProtoWriter()
    fill(inner)
    return this.bytes(field, inner.finish())
  }

  /** google.protobuf.Timestamp. */
  time(field: number, timeMs: number): this {
    const seconds = Math.floor(timeMs / 1000)
    return this.message(field, (w) => w.uint(1, seconds).uint(2, Math.round((timeMs - seconds * 1000) * 1e6)))
  }

  /** Packed varints of 64-bit hex texts. */
  packedHex(field: number, values: readonly string[]): this {
    if (values.length === 0) return this
    return this.message(field, (w) => {
      for (const value of values) {
        let rest = BigInt(`0x${value}`)
        while (rest > 0x7fn) {
          w.#bytes.push(Number(rest & 0x7fn) | 0x80)
          rest >>= 7n
        }
        w.#bytes.push(Number(rest))
      }
    })
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}

/** One field of a message. */
export interface ProtoField {
  readonly number: number
  /** Of varint and fixed fields. */
  readonly value: bigint
  /** Of length-delimited fields. */
  readonly bytes: Uint8Array
}

const EMPTY = new Uint8Array(0)

/** Walks over the fields of a message; throws on damaged bytes. */
export function* protoFields(bytes: Uint8Array): Generator<ProtoField> {
  const at = { offset: 0 }
  while (at.offset < bytes.length) {
    const tag = readVarint(bytes, at)
    const number = Number(tag >> 3n)
    switch (Number(tag & 7n)) {
      case 0:
        yield { number, value: readVarint(bytes, at), bytes: EMPTY }
        break
      case 1:
        yield { number, value: readFixed(bytes, at, 8), bytes: EMPTY }
        break
      case 2:
        yield { number, value: 0n, bytes: readDelimited(bytes, at) }
        break
      case 5:
        yield { number, value: readFixed(bytes, at, 4), bytes: EMPTY }
        break
      default:
        throw new Error('unknown wire type')
    }
  }
}

/** The messages of a file in which a varint length precedes each. */
export function* delimitedMessages(bytes: Uint8Array): Generator<Uint8Array> {
  const at = { offset: 0 }
  while (at.offset < bytes.length) yield readDelimited(bytes, at)
}

export function protoText(field: ProtoField): string {
  return decoder.decode(field.bytes)
}

export function protoTime(field: ProtoField): number {
  let seconds = 0
  let nanos = 0
  for (const part of protoFields(field.bytes)) {
    if (part.number === 1) seconds = Number(BigInt.asIntN(64, part.value))
    if (part.number === 2) nanos = Number(BigInt.asIntN(32, part.value))
  }
  return seconds * 1000 + Math.floor(nanos / 1e6)
}

/** Values of a repeated 64-bit field, packed or not, as hex texts. */
export function protoHexes(field: ProtoField): string[] {
  if (field.bytes === EMPTY) return [hex(field.value)]
  const values: string[] = []
  const at = { offset: 0 }
  while (at.offset < field.bytes.length) values.push(hex(readVarint(field.bytes, at)))
  return values
}

function hex(value: bigint): string {
  return value.toString(16).padStart(16, '0')
}

function readVarint(bytes: Uint8Array, at: { offset: number }): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = bytes[at.offset++]
    if (byte === undefined) throw new Error('unexpected end')
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return BigInt.asUintN(64, value)
  }
  throw new Error('varint is too long')
}

function readFixed(bytes: Uint8Array, at: { offset: number }, size: number): bigint {
  if (bytes.length - at.offset < size) throw new Error('unexpected end')
  let value = 0n
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at.offset + i]!)
  at.offset += size
  return value
}

function readDelimited(bytes: Uint8Array, at: { offset: number }): Uint8Array {
  const length = Number(readVarint(bytes, at))
  if (length > bytes.length - at.offset) throw new Error('unexpected end')
  const part = bytes.subarray(at.offset, at.offset + length)
  at.offset += length
  return part
}
