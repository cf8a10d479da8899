// Native histogram chunks the slow and obvious way: images from plain objects and back, and the encoder.
import { histogramImageBytes } from '../contract.ts'
import {
  BitWriter,
  floatBits,
  writeVarbitInt as writeInt,
  writeVarbitUint as writeUint,
  writeXor,
} from './bits.ts'
import { StartWriter } from './starts.ts'

export interface Layout {
  readonly schema: number
  readonly hint: number
  readonly zeroThreshold: number
  /** Positive and negative spans as [offset, length]. */
  readonly spans: readonly [readonly (readonly [number, number])[], readonly (readonly [number, number])[]]
  readonly customValues: readonly number[]
}

export interface HistogramSample {
  readonly t: number
  readonly count: number
  readonly zeroCount: number
  /** Bits of the sum, which may be the stale marker. */
  readonly sum: bigint
  readonly buckets: readonly [readonly number[], readonly number[]]
}

export const STALE_BITS = 0x7ff0000000000002n

export const bucketsOf = (layout: Layout): [number, number] => [
  layout.spans[0].reduce((sum, [, length]) => sum + length, 0),
  layout.spans[1].reduce((sum, [, length]) => sum + length, 0),
]

/** The image of samples, with its scratch. */
export function imageOf(layout: Layout, samples: readonly HistogramSample[]): Uint8Array {
  const [positive, negative] = bucketsOf(layout)
  const spans = [...layout.spans[0], ...layout.spans[1]]
  const size = histogramImageBytes({
    samples: samples.length,
    spans: spans.length,
    buckets: positive + negative,
    customValues: layout.customValues.length,
  })
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, layout.schema, true)
  view.setUint32(4, layout.hint, true)
  view.setFloat64(8, layout.zeroThreshold, true)
  const numbers = [
    samples.length,
    layout.spans[0].length,
    layout.spans[1].length,
    positive,
    negative,
    layout.customValues.length,
  ]
  numbers.forEach((number, i) => view.setUint32(16 + 4 * i, number, true))
  let at = 40
  const float = (value: number) => {
    view.setFloat64(at, value, true)
    at += 8
  }
  for (const [offset, length] of spans) {
    view.setInt32(at, offset, true)
    view.setUint32(at + 4, length, true)
    at += 8
  }
  layout.customValues.forEach(float)
  for (const { t } of samples) float(t)
  for (const { count } of samples) float(count)
  for (const { zeroCount } of samples) float(zeroCount)
  for (const { sum } of samples) {
    view.setBigUint64(at, sum, true)
    at += 8
  }
  for (const side of [0, 1] as const) for (const { buckets } of samples) buckets[side].forEach(float)
  return bytes
}

function writeLayout(out: BitWriter, layout: Layout): void {
  const exponent = Math.log2(layout.zeroThreshold) + 1
  if (layout.zeroThreshold === 0) out.write(0n, 8)
  else if (Number.isInteger(exponent) && exponent >= -242 && exponent <= 11)
    out.write(BigInt(exponent + 243), 8)
  else {
    out.write(255n, 8)
    out.write(floatBits(layout.zeroThreshold), 64)
  }
  writeInt(out, layout.schema)
  for (const spans of layout.spans) {
    writeUint(out, spans.length)
    for (const [offset, length] of spans) {
      writeUint(out, length)
      writeInt(out, offset)
    }
  }
  if (layout.schema !== -53) return
  writeUint(out, layout.customValues.length)
  for (const bound of layout.customValues) {
    const whole = Math.round(bound * 1000)
    if (bound * 1000 >= 0 && bound * 1000 <= 33554430 && whole / 1000 === bound) writeUint(out, whole + 1)
    else {
      out.write(0n, 1)
      out.write(floatBits(bound), 64)
    }
  }
}

const EMPTY: Layout = { schema: 0, hint: 0, zeroThreshold: 0, spans: [[], []], customValues: [] }

/** Keeps values of a field and what is coded against them. */
class Field {
  #value = 0n
  #delta = 0n
  readonly #window = { leading: 255, trailing: 0 }

  first(value: bigint): void {
    this.#value = value
  }

  dod(out: BitWriter, value: bigint): void {
    const delta = value - this.#value
    writeInt(out, delta - this.#delta)
    this.#value = value
    this.#delta = delta
  }

  xor(out: BitWriter, value: bigint): void {
    writeXor(out, value, this.#value, this.#window)
    this.#value = value
  }
}

/**
 * Payload of encoding 2 (integers) or 3, with start timestamps of 5 or 6. After a stale sample there may only
 * be stale ones.
 */
export function encodeHistogramChunk(
  encoding: number,
  layout: Layout,
  samples: readonly HistogramSample[],
  starts?: readonly number[],
): Uint8Array {
  const out = new BitWriter()
  const hint = [0n, 2n, 1n, 3n][layout.hint]!
  if (starts) out.write(hint, 2)
  out.write(BigInt(samples.length), starts ? 14 : 16)
  if (!starts) out.write(hint, 2)
  out.write(0n, starts ? 8 : 6)
  const integers = encoding === 2 || encoding === 5
  const startWriter = new StartWriter(out)
  const [time, count, zero, sum] = [new Field(), new Field(), new Field(), new Field()]
  const fields = bucketsOf(layout).map((n) => Array.from({ length: n }, () => new Field()))
  samples.forEach((sample, i) => {
    const stale = sample.sum === STALE_BITS
    const number = (value: number) => (integers ? BigInt(value) : floatBits(value))
    const [c, z] = stale ? [0n, 0n] : [number(sample.count), number(sample.zeroCount)]
    if (i === 0) {
      writeLayout(out, stale ? EMPTY : layout)
      writeInt(out, sample.t)
      for (const value of [c, z])
        if (integers) writeUint(out, value)
        else out.write(value, 64)
      out.write(sample.sum, 64)
      time.first(BigInt(sample.t))
      count.first(c)
      zero.first(z)
      sum.first(sample.sum)
    } else {
      time.dod(out, BigInt(sample.t))
      if (integers && stale) out.write(0n, 2)
      else if (integers) {
        count.dod(out, c)
        zero.dod(out, z)
      } else {
        count.xor(out, c)
        zero.xor(out, z)
      }
      sum.xor(out, sample.sum)
    }
    if (!stale) writeBuckets(sample, i)
    if (starts) startWriter.write(i, starts[i]!, sample.t, samples[i - 1]?.t ?? 0)
  })
  return out.bytes()

  function writeBuckets(sample: HistogramSample, i: number): void {
    sample.buckets.forEach((buckets, side) =>
      buckets.forEach((bucket, b) => {
        const value = integers ? BigInt(bucket) - BigInt(b === 0 ? 0 : buckets[b - 1]!) : floatBits(bucket)
        const field = fields[side]![b]!
        if (i > 0) return integers ? field.dod(out, value) : field.xor(out, value)
        field.first(value)
        if (integers) writeInt(out, value)
        else out.write(value, 64)
      }),
    )
  }
}
