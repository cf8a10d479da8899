import { describe, expect, test } from 'vitest'
import { Counter, Gauge, Histogram, Registry, Summary } from '../index.ts'

const PROTO = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited'

/** A message as [field, value] pairs: numbers for varints, 8-byte and nested fields as bytes. */
type Field = [number, number | Uint8Array]

function readVarint(bytes: Uint8Array, at: number): [number, number] {
  let value = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++]!
    value += (byte & 0x7f) * scale
    if (byte < 128) return [value, at]
  }
}

function decode(bytes: Uint8Array): Field[] {
  const fields: Field[] = []
  for (let at = 0; at < bytes.length;) {
    let tag, value
    ;[tag, at] = readVarint(bytes, at)
    if (tag % 8 === 0) {
      ;[value, at] = readVarint(bytes, at)
      fields.push([tag >> 3, value])
      continue
    }
    let length = 8
    if (tag % 8 === 2) [length, at] = readVarint(bytes, at)
    else expect(tag % 8).toBe(1)
    fields.push([tag >> 3, bytes.subarray(at, at + length)])
    at += length
  }
  return fields
}

const all = (fields: Field[], field: number) => fields.filter(([f]) => f === field).map(([, value]) => value)
const nested = (fields: Field[], field: number) => all(fields, field).map((v) => decode(v as Uint8Array))
const text = (fields: Field[], field: number) => Buffer.from(all(fields, field)[0] as Uint8Array).toString()
const double = (fields: Field[], field: number) =>
  Buffer.from(all(fields, field)[0] as Uint8Array).readDoubleLE()
const zigzag = (value: number) => (value % 2 ? -(value + 1) / 2 : value / 2)

function render(registry: Registry): Field[][] {
  const body = registry.render(PROTO).body as Uint8Array
  const families: Field[][] = []
  for (let at = 0; at < body.length;) {
    const [length, start] = readVarint(body, at)
    families.push(decode(body.subarray(start, start + length)))
    at = start + length
  }
  return families
}

describe('protobuf exposition', () => {
  test('a counter, byte for byte', () => {
    const registry = new Registry({ now: () => 5_250 })
    new Counter({ name: 'a_total', help: 'A.', labelNames: ['x'], registers: [registry] }).inc({ x: 'é' }, 2)
    const hex = Buffer.from(registry.render(PROTO).body as Uint8Array).toString('hex')
    const label = '0a07' + '0a0178' + '1202c3a9'
    const counter = '1a12' + '09' + '0000000000000040' + '1a07' + '0805' + '1080e59a77'
    const family =
      '0a07' + Buffer.from('a_total').toString('hex') + '1202' + '412e' + '1800' + '221d' + label + counter
    expect(hex).toBe('2e' + family)
  })

  test('gauge, summary and families without series', () => {
    const registers = [new Registry({ now: () => 1000 })]
    new Gauge({ name: 'g', help: 'G', registers }).set(-0.5)
    new Gauge({ name: 'none', help: 'N', labelNames: ['x'], registers })
    const summary = new Summary({ name: 's_bytes', help: 'S', unit: 'bytes', registers })
    summary.observe(3)
    summary.observe(4)
    const [g, s, ...rest] = render(registers[0]!)
    expect(rest).toEqual([])
    expect([text(g!, 1), all(g!, 3)[0], double(nested(nested(g!, 4)[0]!, 2)[0]!, 1)]).toEqual(['g', 1, -0.5])
    const value = nested(nested(s!, 4)[0]!, 4)[0]!
    expect([text(s!, 1), all(s!, 3)[0], text(s!, 5), all(value, 1)[0], double(value, 2)]).toEqual([
      's_bytes',
      2,
      'bytes',
      2,
      7,
    ])
  })

  test('a histogram carries classic and native buckets, exemplars and its start', () => {
    const registry = new Registry({ now: () => 1_700_000_000_500 })
    const histogram = new Histogram({
      name: 'h',
      help: 'H',
      buckets: [1, 10],
      native: { growthFactor: 2 },
      registers: [registry],
    }).labels()
    for (const value of [0, 0.6, 3, 3.5, 1000, -2]) histogram.observe(value)
    histogram.observe(5, { trace_id: 'abc' })
    const [family] = render(registry)
    const value = nested(nested(family!, 4)[0]!, 7)[0]!
    expect(all(family!, 3)).toEqual([4])
    expect([all(value, 1)[0], double(value, 2)]).toEqual([7, 1010.1])
    const classic = nested(value, 3)
    expect(classic.map((b) => [double(b, 2), all(b, 1)[0]])).toEqual([
      [1, 3],
      [10, 6],
    ])
    expect([zigzag(all(value, 5)[0] as number), double(value, 6), all(value, 7)[0]]).toEqual([
      0,
      2 ** -128,
      1,
    ])
    const spans = (field: number) =>
      nested(value, field).map((s) => [zigzag(all(s, 1)[0] as number), all(s, 2)[0]])
    const deltas = (field: number) => all(value, field).map((d) => zigzag(d as number))
    // 0.6 is in bucket 0, 3 and 3.5 in 2, 5 in 3, 1000 in 10; −2 in negative bucket 1.
    expect([spans(12), deltas(13)]).toEqual([
      [
        [0, 4],
        [6, 1],
      ],
      [1, -1, 2, -1, 0],
    ])
    expect([spans(9), deltas(10)]).toEqual([[[1, 1]], [1]])
    for (const exemplar of [nested(classic[1]!, 3)[0]!, nested(value, 16)[0]!]) {
      const [label] = nested(exemplar, 1)
      expect([text(label!, 1), text(label!, 2), double(exemplar, 2)]).toEqual(['trace_id', 'abc', 5])
      expect(all(nested(exemplar, 3)[0]!, 1)).toEqual([1_700_000_000])
    }
    expect(nested(value, 15)[0]).toEqual([
      [1, 1_700_000_000],
      [2, 500_000_000],
    ])
  })

  test('an empty native histogram with zero threshold 0 has an empty span to be told by', () => {
    const registry = new Registry()
    new Histogram({
      name: 'h',
      help: 'H',
      native: { growthFactor: 2, zeroThreshold: 0 },
      registers: [registry],
    })
    const value = nested(nested(render(registry)[0]!, 4)[0]!, 7)[0]!
    expect(nested(value, 12)).toEqual([[]])
    expect(nested(value, 3)).toEqual([])
  })

  test('native exemplars stay bounded and spread over the values', () => {
    const histogram = new Histogram({
      name: 'h',
      help: 'H',
      native: { growthFactor: 1.1 },
      registers: [],
    }).labels()
    for (let i = 0; i < 10; i++) histogram.observe(2 ** i, { trace_id: String(i) })
    for (let i = 0; i < 50; i++) histogram.observe(1.01, { trace_id: 'again' })
    expect(histogram.nativeExemplars.map((e) => e.value)).toEqual([1.01, 2, 4, 8, 16, 32, 64, 128, 256, 512])
  })

  test('long texts and many series keep every length right', () => {
    const registry = new Registry()
    const gauge = new Gauge({ name: 'g', help: 'x'.repeat(20_000), labelNames: ['a'], registers: [registry] })
    for (let i = 0; i < 3000; i++) gauge.set({ a: 'ü'.repeat(i % 200) + i }, i)
    const [family] = render(registry)
    const metrics = nested(family!, 4)
    expect(text(family!, 2).length).toBe(20_000)
    expect(metrics.map((m) => double(nested(m, 2)[0]!, 1))).toEqual(Array.from({ length: 3000 }, (_, i) => i))
    expect(text(nested(metrics[199]!, 1)[0]!, 2)).toBe('ü'.repeat(199) + '199')
  })
})
