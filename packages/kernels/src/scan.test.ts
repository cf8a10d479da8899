import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KERNEL_ERROR, SCAN, SCAN_ROW_BYTES } from './index.ts'
import { crc32c } from './oracle/crc32c.ts'
import { PLACES, Room, type Place } from './oracle/room.ts'
import { scanText, type CachedSeries, type ScannedLine } from './oracle/scan.ts'

const STALE = 0x7ff0000000000002n
const GUARD = 32

function run(place: Place, text: string, cache: readonly CachedSeries[], flags: number, capacity: number) {
  const room = new Room(place)
  const bytes = Buffer.from(text, 'latin1')
  const address = room.buffer(bytes.length + GUARD, 0x22)
  room.bytes.set(bytes, address)
  const rows = room.buffer(cache.length * SCAN_ROW_BYTES)
  cache.forEach(({ text: series, id }, i) => {
    room.view.setUint32(rows + i * 16, room.put(Buffer.from(series, 'latin1')), true)
    room.view.setUint32(rows + i * 16 + 4, series.length, true)
    room.view.setUint32(rows + i * 16 + 8, id, true)
  })
  const [ids, offsets] = [room.buffer(capacity * 4), room.buffer(capacity * 4)]
  const [values, times] = [room.buffer(capacity * 8), room.buffer(capacity * 8)]
  const hash = room.buffer(4)
  const count = room.kernels.scanText(
    address,
    bytes.length,
    rows,
    cache.length,
    ids,
    offsets,
    values,
    times,
    capacity,
    flags,
    hash,
  )
  room.check()
  const words = (at: number) => new Uint32Array(room.get(at, capacity * 4).buffer)
  const timeBits = room.bits(times, capacity)
  const lines: ScannedLine[] = []
  for (let i = 0; i < count; i++)
    lines.push({
      id: words(ids)[i]!,
      offset: words(offsets)[i]!,
      value: room.floats(values, capacity)[i]!,
      time: timeBits[i] === STALE ? undefined : room.floats(times, capacity)[i]!,
    })
  return { count, lines, hash: room.view.getUint32(hash, true) }
}

const SERIES = [
  'up',
  'upper',
  'a{b="c"}',
  'a{b="c d"}',
  'a{b="\\"}\\\\"}',
  'a{b="x\ny"}',
  'http_request_duration_seconds_bucket{handler="/api/v1/query",method="GET",le="0.1"}',
  'http_request_duration_seconds_bucket{handler="/api/v1/query",method="GET",le="0.5"}',
  '{"x.y",z="#"}',
]
const series = fc.constantFrom(...SERIES)
const cacheOf = fc.array(
  fc.record({ text: series, id: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 32 - 1 })) }),
  { maxLength: 14 },
)
const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        series,
        fc.constantFrom(' ', ' ', ' ', '  ', '\t', ''),
        fc.oneof(
          fc.integer().map(String),
          fc.double().map(String),
          fc.constantFrom('+Inf', 'NaN', '1e400', 'x', ''),
        ),
        fc.constantFrom(
          '',
          '',
          '',
          ' ',
          ' 1700000000000',
          ' 1700000000.123',
          ' -5',
          ' NaN',
          '  12 ',
          ' # {t="\n"} 1',
          '\r',
        ),
      )
      .map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom('', '# HELP up "x', '# EOF', '#', ' ', ' up 1', 'up"', 'a{b="') },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }).map((text) => Buffer.from(text).toString('latin1')) },
)
const exposition = fc
  .tuple(fc.array(line, { maxLength: 16 }), fc.constantFrom('\n', '\n', ''))
  .map(([lines, last]) => lines.join('\n') + last)

describe.each(PLACES)('scanText $name', (place) => {
  it('sees what the oracle sees', () => {
    fc.assert(
      fc.property(exposition, cacheOf, fc.boolean(), (text, cache, strict) => {
        const want = scanText(text, cache, strict)
        const flags = strict ? SCAN.openMetrics : 0
        const { lines } = run(place, text, cache, flags, want.length)
        expect(lines).toEqual(want)
        if (want.length > 0)
          expect(run(place, text, cache, flags, want.length - 1).count).toBe(KERNEL_ERROR.noRoom)
      }),
      { numRuns: 1500 },
    )
  })

  it('recognises all lines of an exposition that came before', () => {
    fc.assert(
      fc.property(fc.uniqueArray(series), fc.nat(), (texts, seed) => {
        const cache = texts.map((text, i) => ({ text, id: i + 1 }))
        const gone = seed % (texts.length + 1)
        const kept = cache.filter(({ id }) => id !== gone)
        const text = kept.map(({ text: name, id }) => `# HELP\n${name} ${id / 4}\n`).join('')
        const { lines } = run(place, text, cache, 0, kept.length)
        expect(lines.map(({ id, value }) => [id, value])).toEqual(kept.map(({ id }) => [id, id / 4]))
      }),
    )
  })
})

describe('scanText', () => {
  it('hashes the comments', () => {
    const text = '# HELP a b\na 1\n# TYPE a gauge\na 2\n# EOF'
    const want = crc32c(Buffer.from('# HELP a b\n# TYPE a gauge\n# EOF'))
    expect(run(PLACES[0]!, text, [], 0, 2).hash).toBe(want)
  })

  it('reads timestamps as milliseconds or, in OpenMetrics, seconds', () => {
    const cache = [{ text: 'a', id: 9 }]
    const f = (text: string, flags: number, want: Partial<ScannedLine>) =>
      expect(run(PLACES[0]!, text, cache, flags, 1).lines[0]).toMatchObject(want)
    f('a 1 1700000000123\n', 0, { id: 9, time: 1_700_000_000_123 })
    f('a 1 1700000000.123\n', SCAN.openMetrics, { id: 9, time: 1_700_000_000_123 })
    f('a 1 1700000000.123\n', 0, { id: 0 })
    f('a 1', 0, { id: 9, value: 1 })
    f('a 1', SCAN.openMetrics, { id: 0 })
    f('a 1 # {trace_id="x"} 1\n', SCAN.openMetrics, { id: 0 })
    f('a 1\r\n', 0, { id: 0 })
  })
})
