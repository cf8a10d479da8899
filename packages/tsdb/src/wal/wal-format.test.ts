import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { COUNTER_RESET, CUSTOM_BUCKETS_SCHEMA, Labels, type HistogramSample } from '@watchfire/datamodel'
import { ByteReader, ByteWriter } from './bytes.ts'
import { RecordDecoder, type RecordSink } from './record-decoder.ts'
import { RecordEncoder } from './record-encoder.ts'
import { SegmentReader } from './segment-reader.ts'
import { SegmentWriter } from './segment-writer.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-wal-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Everything a decoder gives, as plain values. */
function collector(): { sink: RecordSink; out: unknown[] } {
  const out: unknown[] = []
  const sink: RecordSink = {
    series: (ref, labels) => out.push(['series', ref, labels.toString()]),
    floats: ({ refs, times, words, count }) => {
      const values = new Float64Array(words.slice(0, count * 2).buffer)
      for (let i = 0; i < count; i++) out.push(['float', refs[i], times[i], values[i]])
    },
    histogram: (ref, time, histogram) => out.push(['histogram', ref, time, histogram]),
    tombstone: (...args) => out.push(['tombstone', ...args]),
    exemplar: (ref, time, value, labels) => out.push(['exemplar', ref, time, value, labels.toString()]),
    metadata: (ref, metadata) => out.push(['metadata', ref, metadata]),
  }
  return { sink, out }
}

function log(write: (encoder: RecordEncoder) => void, compression: 'none' | 'snappy' = 'none'): Buffer {
  const writer = new SegmentWriter(dir, 0, { compression })
  write(new RecordEncoder(writer))
  writer.close()
  return readFileSync(join(dir, '00000000'))
}

function readBack(): unknown[] {
  const { sink, out } = collector()
  const decoder = new RecordDecoder()
  new SegmentReader().read(join(dir, '00000000'), {
    record: (bytes, start, end) => expect(decoder.decode(bytes, start, end, sink)).toBe('ok'),
    damage: ({ reason }) => expect(reason).toBeUndefined(),
  })
  return out
}

const custom: HistogramSample = {
  integer: true,
  schema: CUSTOM_BUCKETS_SCHEMA,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 5,
  sum: 2.5,
  positiveSpans: [{ offset: 0, length: 2 }],
  negativeSpans: [],
  positiveBuckets: Float64Array.of(3, 2),
  negativeBuckets: new Float64Array(0),
  customValues: [0.5],
  counterResetHint: COUNTER_RESET.unknown,
}
const exponential: HistogramSample = {
  ...custom,
  integer: false,
  schema: -1,
  zeroThreshold: 1e-9,
  zeroCount: 0.5,
  negativeSpans: [{ offset: -3, length: 1 }],
  negativeBuckets: Float64Array.of(7.25),
  customValues: [],
}

describe('WAL bytes', () => {
  it('are those of Prometheus', () => {
    const bytes = log((encoder) => {
      encoder.series([{ ref: 1, labels: Labels.from({ a: 'bc' }) }])
      encoder.floats(
        Float64Array.of(1, 2),
        Float64Array.of(1000, 1001),
        new Uint32Array(Float64Array.of(1, -2).buffer),
        0,
        2,
      )
    })
    expect(bytes.toString('hex')).toBe(
      // Fragment: type full, length 15, CRC-32C; record: series, ref 1, one label.
      '01000f' +
        'b044c7cb' +
        '01' +
        '0000000000000001' +
        '01' +
        '0161' +
        '026263' +
        // Record: samples, first ref and time, then per sample the differences and the value.
        '010025' +
        '7ed474c9' +
        '02' +
        '0000000000000001' +
        '00000000000003e8' +
        '0000' +
        '3ff0000000000000' +
        '0202' +
        'c000000000000000',
    )
  })

  it('round-trip all record types, compressed or not', () => {
    for (const compression of ['none', 'snappy'] as const) {
      rmSync(join(dir, '00000000'), { force: true })
      log((encoder) => {
        encoder.series([
          { ref: 1, labels: Labels.from({ __name__: 'é', x: 'y'.repeat(300) }) },
          { ref: 2 ** 40, labels: Labels.from({ z: '\u{1f600}' }) },
        ])
        encoder.histograms([
          { ref: 5, timeMs: -5, histogram: custom },
          { ref: 4, timeMs: 7, histogram: exponential },
        ])
        encoder.exemplars([{ ref: 3, timeMs: 9, value: 0.25, labels: Labels.from({ trace: 'q' }) }])
        encoder.tombstones([{ ref: 8, minTime: -9, maxTime: 2 ** 50 }])
        encoder.metadata([{ ref: 300, metadata: { type: 'gaugehistogram', unit: 's', help: 'H' } }])
      }, compression)
      expect(readBack()).toEqual([
        ['series', 1, `{__name__="é", x="${'y'.repeat(300)}"}`],
        ['series', 2 ** 40, '{z="\u{1f600}"}'],
        ['histogram', 5, -5, custom],
        ['histogram', 4, 7, exponential],
        ['exemplar', 3, 9, 0.25, '{trace="q"}'],
        ['tombstone', 8, -9, 2 ** 50],
        ['metadata', 300, { type: 'gaugehistogram', unit: 's', help: 'H' }],
      ])
    }
  })

  it('round-trip any number of samples over pages and records', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.boolean(), (n, snappy) => {
        rmSync(join(dir, '00000000'), { force: true })
        const refs = Float64Array.from({ length: n }, (_, i) => (i * 7919) % 10_007)
        const times = Float64Array.from({ length: n }, (_, i) => 1_700_000_000_000 + (i % 5) * 1e7)
        const values = Float64Array.from({ length: n }, (_, i) => Math.sin(i))
        log(
          (encoder) => encoder.floats(refs, times, new Uint32Array(values.buffer), 0, n),
          snappy ? 'snappy' : 'none',
        )
        expect(readBack()).toEqual(Array.from(refs, (ref, i) => ['float', ref, times[i], values[i]]))
      }),
      { numRuns: 12 },
    )
  })

  it('of version 2 are read, unknown types are told apart', () => {
    const out = new ByteWriter(new Uint8Array(100))
    out.u8(11)
    for (const number of [7, 1000, 0]) out.varint(number)
    const value = (v: number) =>
      [...new Uint8Array(Float64Array.of(v).buffer)].reverse().forEach((byte) => out.u8(byte))
    value(1.5)
    out.varint(-2)
    out.varint(15)
    out.u8(2)
    out.varint(3)
    value(2.5)
    const { sink, out: got } = collector()
    const decoder = new RecordDecoder()
    expect(decoder.decode(out.bytes, 0, out.position, sink)).toBe('ok')
    expect(got).toEqual([
      ['float', 7, 1000, 1.5],
      ['float', 5, 1015, 2.5],
    ])
    expect(decoder.decode(out.bytes, 0, out.position - 1, sink)).toBe('damaged')
    expect(decoder.decode(Uint8Array.of(99, 1), 0, 2, sink)).toBe('unknown')
  })

  it('never make the decoder throw', () => {
    const decoder = new RecordDecoder()
    const { sink } = collector()
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 13 }), fc.uint8Array({ maxLength: 200 }), (type, bytes) => {
        decoder.decode(Uint8Array.of(type, ...bytes), 0, bytes.length + 1, sink)
      }),
      { numRuns: 2000 },
    )
    writeFileSync(join(dir, '00000000'), Uint8Array.of(1, 0, 3, 0, 0, 0, 0, 1, 2, 3))
    const reasons: string[] = []
    new SegmentReader().read(join(dir, '00000000'), {
      record: () => expect.unreachable(),
      damage: ({ reason }) => reasons.push(reason),
    })
    expect(reasons).toHaveLength(1)
  })

  it('carry varints of all sizes', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (number) => {
        const half = Math.trunc(number / 2)
        const writer = new ByteWriter(new Uint8Array(32))
        writer.varint(half)
        writer.be64(number)
        const reader = new ByteReader()
        reader.reset(writer.bytes, 0, writer.position)
        expect([reader.varint(), reader.be64(), reader.left]).toEqual([half === 0 ? 0 : half, number, 0])
      }),
    )
  })
})
