// A remote write request (protocol 1) from a text exposition: one sample for every series, and the metadata.
import { METRIC_NAME, compareUtf8, type MetricType } from '@watchfire/datamodel'
import { createArena } from '@watchfire/kernels'
import { TextParser } from '../../../exposition/index.ts'

const METADATA_TYPES: Readonly<Record<MetricType, number>> = {
  unknown: 0,
  counter: 1,
  gauge: 2,
  histogram: 3,
  gaugehistogram: 4,
  summary: 5,
  info: 6,
  stateset: 7,
}
/** Bytes of scratch that the compressor wants. */
const TABLE_BYTES = 32 * 1024
/** For the table, alignment and what cannot be compressed. */
const SLACK_BYTES = 1024 * 1024

/** Bytes of a protocol buffer, written field by field. */
class WireWriter {
  readonly #parts: Buffer[] = []

  /** A nested message, text or bytes. */
  bytes(field: number, value: Uint8Array): void {
    this.#parts.push(varint(BigInt(field * 8 + 2)), varint(BigInt(value.length)), Buffer.from(value))
  }

  text(field: number, value: string): void {
    this.bytes(field, Buffer.from(value, 'utf8'))
  }

  /** An integer; negative ones in 64 bits. */
  int(field: number, value: number): void {
    this.#parts.push(varint(BigInt(field * 8)), varint(BigInt.asUintN(64, BigInt(value))))
  }

  double(field: number, value: number): void {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    this.#parts.push(varint(BigInt(field * 8 + 1)), bytes)
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

/**
 * Encodes all series of a text. Labels of the exposition win over `labels`, except that its `job` becomes
 * `exported_job`. Throws `ExpositionError`.
 */
export function writeRequest(text: string, labels: Readonly<Record<string, string>>, nowMs: number): Buffer {
  const request = new WireWriter()
  const families = new Map<string, { type: MetricType; help: string }>()
  const parser = new TextParser(Buffer.from(text, 'utf8'))
  for (let entry = parser.next(); entry !== undefined; entry = parser.next()) {
    if (entry === 'type' || entry === 'help') {
      const family = families.get(parser.familyName) ?? { type: 'unknown', help: '' }
      const told = entry === 'type' ? { type: parser.type } : { help: parser.help }
      families.set(parser.familyName, { ...family, ...told })
    } else if (entry === 'series') {
      const own = Object.entries(parser.labels().toObject())
      const renamed = own.map(([name, value]) => [name === 'job' ? 'exported_job' : name, value] as const)
      const all = { ...labels, ...Object.fromEntries(renamed) }
      request.bytes(1, series(all, parser.value, parser.timestampMs ?? nowMs))
    }
  }
  for (const [name, { type, help }] of families) {
    const metadata = new WireWriter()
    metadata.int(1, METADATA_TYPES[type])
    metadata.text(2, name)
    metadata.text(4, help)
    request.bytes(3, metadata.finish())
  }
  return request.finish()
}

function series(labels: Readonly<Record<string, string>>, value: number, timeMs: number): Buffer {
  const message = new WireWriter()
  for (const name of Object.keys(labels).sort(compareUtf8)) {
    if (labels[name] === '' && name !== METRIC_NAME) continue
    const label = new WireWriter()
    label.text(1, name)
    label.text(2, labels[name]!)
    message.bytes(1, label.finish())
  }
  const sample = new WireWriter()
  sample.double(1, value)
  sample.int(2, timeMs)
  message.bytes(2, sample.finish())
  return message.finish()
}

/** Snappy block format. */
export function snappy(bytes: Uint8Array): Buffer {
  const arena = createArena(4 * bytes.length + SLACK_BYTES)
  const { kernels } = arena
  const source = arena.alloc(bytes.length)
  const target = arena.alloc(kernels.snappyBound(bytes.length))
  const table = arena.alloc(TABLE_BYTES)
  new Uint8Array(arena.memory.buffer, source, bytes.length).set(bytes)
  const length = kernels.snappyEncode(source, bytes.length, target, table)
  return Buffer.from(new Uint8Array(arena.memory.buffer, target, length))
}
