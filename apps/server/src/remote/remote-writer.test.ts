import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Matcher } from '@watchfire/datamodel'
import { openDb, type Db } from '@watchfire/tsdb'
import { RemoteWriter } from './remote-writer.ts'
import { bytes, double, label, packed, sint, snappy, text, varint } from './testing/messages.ts'

const NOW = 1_800_000_000_000
let dir = ''
let db: Db
let writer: RemoteWriter

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'remote-writer-'))
  db = await openDb({ dir, headMemoryBytesMax: 64 * 1024 * 1024 })
  writer = new RemoteWriter({ appender: () => db.appender(), now: () => NOW, bodyBytesMax: 1_000_000 })
})
afterEach(async () => {
  await db.close()
  rmSync(dir, { recursive: true, force: true })
})

const sample = (value: number, timeMs: number) => bytes(2, [...double(1, value), ...varint(2, timeMs)])
const series = (labels: Record<string, string>, ...fields: number[][]) =>
  bytes(1, [...Object.entries(labels).flatMap(([name, value]) => label(name, value)), ...fields.flat()])
const v1 = (...all: number[][]) => writer.write(snappy(all.flat()), 1)

function stored(): string[] {
  const reader = db.reader()
  const found = reader
    .querier(-Infinity, Infinity)
    .series([[new Matcher('=~', '__name__', '.+')]], -Infinity, Infinity, 0)
  reader.close()
  return found.map(String)
}

describe('protocol 1', () => {
  it('stores samples of new and known series', () => {
    expect(
      v1(series({ __name__: 'a', job: 'x' }, sample(1, NOW)), series({ __name__: 'b' }, sample(2, NOW))),
    ).toEqual({
      status: 204,
      text: '',
      samples: 2,
      histograms: 0,
      exemplars: 0,
    })
    expect(v1(series({ __name__: 'a', job: 'x' }, sample(3, NOW + 1), sample(4, NOW + 2))).samples).toBe(2)
    expect(stored()).toEqual(['{__name__="a", job="x"}', '{__name__="b"}'])
    expect(db.stats().samplesAppended.float).toBe(4)
  })

  it('finds a series again whose labels come in another order or scattered', () => {
    v1(series({ __name__: 'a', x: '1', y: '2' }, sample(1, NOW)))
    v1(series({ y: '2', __name__: 'a', x: '1' }, sample(2, NOW + 1)))
    v1(bytes(1, [...label('__name__', 'a'), ...sample(3, NOW + 2), ...label('x', '1'), ...label('y', '2')]))
    expect(stored()).toHaveLength(1)
    expect(db.stats().samplesAppended.float).toBe(3)
  })

  it('keeps nothing of a request with a refused sample', () => {
    v1(series({ __name__: 'a' }, sample(1, NOW)))
    const refused = (value: number, timeMs: number) =>
      v1(series({ __name__: 'new' }, sample(1, NOW)), series({ __name__: 'a' }, sample(value, timeMs)))
    expect(refused(2, NOW)).toMatchObject({
      status: 400,
      text: `duplicate sample for timestamp ${NOW}; overrides not allowed: existing 1, new value 2`,
    })
    expect(refused(2, NOW - 1)).toMatchObject({ status: 400, text: 'out of order sample' })
    expect(refused(2, NOW - 4_000_000)).toMatchObject({ status: 400, text: 'out of bounds' })
    expect(refused(2, NOW + 600_001)).toMatchObject({
      status: 400,
      text: 'out of bounds: timestamp is too far in the future',
    })
    expect(stored()).toEqual(['{__name__="a"}'])
    expect(refused(1, NOW).status).toBe(204)
  })

  it('passes over series with faulty labels', () => {
    const invalid = [0x0a, 3, 0xff, 0xfe, 0xfd]
    const result = v1(
      series({ job: 'x' }, sample(1, NOW)),
      series({ __name__: '' }, sample(1, NOW)),
      bytes(1, [...label('__name__', 'a'), ...label('x', '1'), ...label('x', '2'), ...sample(1, NOW)]),
      bytes(1, [...label('__name__', 'a'), ...bytes(1, [...invalid, ...text(2, 'v')]), ...sample(1, NOW)]),
      series({ __name__: 'good', empty: '' }, sample(1, NOW)),
    )
    expect(result).toMatchObject({ status: 204, samples: 1 })
    expect(stored()).toEqual(['{__name__="good"}'])
    expect(writer.counters.invalidLabels).toBe(4)
  })

  it('stores histograms, too fine ones in a lower resolution, and refuses inconsistent ones', () => {
    const histogram = (count: number, schema: number) =>
      bytes(4, [
        ...varint(1, count),
        ...double(3, 5),
        ...sint(4, schema),
        ...bytes(11, [...sint(1, 0), ...varint(2, 2)]),
        ...packed(12, [1, 1]),
        ...varint(15, NOW),
      ])
    expect(v1(series({ __name__: 'h' }, histogram(3, 0)))).toMatchObject({ status: 204, histograms: 1 })
    expect(v1(series({ __name__: 'fine' }, histogram(3, 20)))).toMatchObject({ status: 204, histograms: 1 })
    const bad = v1(series({ __name__: 'bad' }, histogram(9, 0)))
    expect(bad.status).toBe(400)
    expect(bad.text).toContain('3 observations found in buckets, but the Count field is 9')
    expect(db.stats().samplesAppended.histogram).toBe(2)
  })

  it('refuses bodies that are damaged or too long', () => {
    expect(writer.write(Buffer.from('garbage'), 1)).toMatchObject({ status: 400, text: 's2: corrupt input' })
    expect(writer.write(snappy([0x0a, 5, 1]), 1)).toMatchObject({ status: 400, text: 'unexpected EOF' })
    expect(writer.write(snappy([0x08, 1]), 1).text).toBe('proto: wrong wireType = 0 for field Timeseries')
    expect(writer.write(Buffer.from([0xff, 0xff, 0xff, 0x7f, 0]), 1).text).toContain('exceeds the limit')
  })
})

describe('protocol 2', () => {
  const symbols = ['', '__name__', 'a', 'b'].map((symbol) => text(4, symbol)).flat()
  const timeseries = (refs: number[], ...fields: number[][]) =>
    bytes(5, [...bytes(1, refs), ...fields.flat()])
  const v2 = (...all: number[][]) => writer.write(snappy([...symbols, ...all.flat()]), 2)

  it('keeps what it can and lists the rest in order', () => {
    const result = v2(
      timeseries([1, 2], sample(1, NOW)),
      timeseries([1], sample(1, NOW)),
      timeseries([1, 9], sample(1, NOW)),
      timeseries([2, 3], sample(1, NOW)),
      timeseries([1, 3]),
      timeseries([1, 3], sample(1, NOW + 700_000), sample(1, NOW)),
    )
    expect(result).toMatchObject({ status: 400, samples: 2 })
    expect(result.text.split('\n')).toEqual([
      'parsing labels for series [1]: invalid labelRefs length 1',
      'parsing labels for series [1 9]: labelRefs 1 (name) = 9 (value) outside of symbols table (size 4)',
      'invalid metric name or labels, got {a="b"}',
      'TimeSeries must contain at least one sample or histogram for series {__name__="b"}',
      'out of bounds: timestamp is too far in the future for series {__name__="b"}',
    ])
    expect(stored()).toEqual(['{__name__="a"}', '{__name__="b"}'])
  })

  it('finds the series of protocol 1, and of other symbol tables', () => {
    v1(series({ __name__: 'a' }, sample(1, NOW)))
    expect(v2(timeseries([1, 2], sample(2, NOW + 1))).status).toBe(204)
    expect(v2(timeseries([1, 2], sample(2, NOW + 2))).status).toBe(204)
    expect(stored()).toHaveLength(1)
  })
})

describe('any bytes', () => {
  it('are answered, and the database goes on', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.boolean(),
        fc.constantFrom(1 as const, 2 as const),
        (body, packedBody, protocol) => {
          const { status } = writer.write(packedBody ? snappy([...body]) : body, protocol)
          expect([204, 400]).toContain(status)
        },
      ),
      { numRuns: 300 },
    )
    expect(v1(series({ __name__: 'after' }, sample(1, NOW))).status).toBe(204)
  })

  it('cut from a request anywhere leave nothing half written', () => {
    const whole = [...series({ __name__: 'a' }, sample(1, NOW)), ...series({ __name__: 'b' }, sample(1, NOW))]
    const first = series({ __name__: 'a' }, sample(1, NOW)).length
    for (let length = 1; length < whole.length; length++)
      expect(writer.write(snappy(whole.slice(0, length)), 1).status).toBe(length === first ? 204 : 400)
    expect(stored()).toEqual(['{__name__="a"}'])
  })
})
