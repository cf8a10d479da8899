import { COUNTER_RESET, Labels, Matcher, isStale, type SelectHints } from '@watchfire/datamodel'
import { createArena } from '@watchfire/kernels'
import { describe, expect, it } from 'vitest'
import { MemoryStorage, load, parseScript, type LoadCommand } from './index.ts'

const EVERYTHING: SelectHints = { start: -Infinity, end: Infinity }
const ROW_WORDS = 12

function loaded(text: string): MemoryStorage {
  const storage = new MemoryStorage()
  for (const command of parseScript(text)) load(storage, command as LoadCommand)
  return storage
}

/** The selected series, a list of `encoding:count` each. */
function chunksOf(storage: MemoryStorage, matcher: Matcher, hints = EVERYTHING) {
  const arena = createArena(1 << 20)
  const selection = storage.querier(-Infinity, Infinity).select([matcher], hints, arena)
  const rows = selection.chunkStart[selection.count]!
  const words = new Uint32Array(arena.memory.buffer, selection.chunkTable, rows * ROW_WORDS)
  const word = (row: number, i: number): number => words[row * ROW_WORDS + i]!
  return Array.from({ length: selection.count }, (_, i) => ({
    labels: selection.labels(i).toString(),
    chunks: Array.from({ length: selection.chunkStart[i + 1]! - selection.chunkStart[i]! }, (_, k) => {
      const row = selection.chunkStart[i]! + k
      return { address: word(row, 0), encoding: word(row, 2), count: word(row, 3) }
    }),
    buffer: arena.memory.buffer,
  }))
}

function hintsOf(text: string): number[] {
  const [series] = chunksOf(loaded(`load 1m\n  h ${text}`), new Matcher('=', '__name__', 'h'))
  return series!.chunks.map(({ address }) => new Uint32Array(series!.buffer, address, 2)[1]!)
}

describe('the storage of scripts', () => {
  it('gives floats as RAW chunks with start timestamps, sorted by labels', () => {
    const storage = loaded(
      'load 1m\n  up{b="2"} 3\n  up{a="1"}@st _ -30s _ _\n  up{a="1"} 1 2 _ stale\n  down 9',
    )
    const series = chunksOf(storage, new Matcher('=~', '__name__', 'u.*'))
    expect(series.map(({ labels }) => labels)).toEqual(['{__name__="up", a="1"}', '{__name__="up", b="2"}'])
    const [chunk] = series[0]!.chunks
    expect(chunk).toMatchObject({ encoding: 255, count: 3 })
    const columns = new Float64Array(series[0]!.buffer, chunk!.address, 9)
    expect(Array.from(columns.subarray(0, 5))).toEqual([0, 60_000, 180_000, 1, 2])
    expect(isStale(columns[5]!)).toBe(true)
    expect(Array.from(columns.subarray(6))).toEqual([0, 30_000, 0])
  })

  it('gives histograms one by one as images, with floats between them', () => {
    const [series] = chunksOf(
      loaded('load 1m\n  h 1 2 {{count:1}} {{count:2}} 3'),
      new Matcher('=', '__name__', 'h'),
    )
    expect(series!.chunks.map(({ encoding, count }) => `${encoding}:${count}`)).toEqual([
      '255:2',
      '254:1',
      '254:1',
      '255:1',
    ])
  })

  it('leaves out what lies outside of the time range', () => {
    const storage = loaded('load 1m\n  up 1 2 3\n  down 1')
    const series = chunksOf(storage, new Matcher('!=', '__name__', ''), { start: 60_000, end: 60_000 })
    expect(series.map(({ labels, chunks }) => [labels, chunks[0]!.count])).toEqual([['{__name__="up"}', 1]])
  })

  it('gives counter reset hints by the place in a chunk', () => {
    const { unknown, notReset, gauge } = COUNTER_RESET
    const h = (count: number, rest = '') => `{{schema:0 count:${count} buckets:[${count}] ${rest}}}`
    expect(hintsOf(`${h(1)} ${h(2)} ${h(1)} ${h(2)}`)).toEqual([unknown, notReset, unknown, notReset])
    expect(hintsOf(`${h(1)} ${h(2, 'counter_reset_hint:reset')}`)).toEqual([unknown, unknown])
    expect(hintsOf(`${h(1, 'counter_reset_hint:gauge')} ${h(2)}`)).toEqual([gauge, unknown])
    expect(hintsOf(`${h(1)} stale ${h(2)}`)).toEqual([unknown, notReset, unknown])
    expect(hintsOf(`${h(1)} ${h(2, 'z_bucket_w:1')}`)).toEqual([unknown, unknown])
  })

  it('takes a sample twice, but no other one of the same time and none before', () => {
    const storage = loaded('load 1m\n  up 1 2')
    const append = (timeMs: number, value: number) =>
      storage.append(Labels.from({ __name__: 'up' }), {
        timeMs,
        value,
        stale: false,
        histogram: undefined,
        startMs: 0,
      })
    append(60_000, 2)
    expect(() => append(60_000, 3)).toThrow('duplicate sample')
    expect(() => append(0, 1)).toThrow('out of order sample')
    append(60_001, 4)
  })

  it('lists names and values', () => {
    const querier = loaded('load 1m\n  up{job="b"} 1\n  up{job="a",x="y"} 1').querier(0, 1)
    expect(querier.labelNames([], 0, 1, 0)).toEqual(['__name__', 'job', 'x'])
    expect(querier.labelValues('job', [[new Matcher('=', '__name__', 'up')]], 0, 1, 0)).toEqual(['a', 'b'])
    expect(querier.series([[new Matcher('=', 'x', 'y')]], 0, 1, 0).map(String)).toEqual([
      '{__name__="up", job="a", x="y"}',
    ])
  })

  it('converts classic histograms to custom buckets', () => {
    const storage = loaded(
      'load_with_nhcb 1m\n  d_bucket{le="1"} 2\n  d_bucket{le="5"} 3\n  d_bucket{le="+Inf"} 4\n  d_sum 7\n  d_count 4',
    )
    const [series] = chunksOf(storage, new Matcher('=', '__name__', 'd'))
    expect(series!.chunks.map(({ encoding }) => encoding)).toEqual([254])
    const { address } = series!.chunks[0]!
    expect(Array.from(new Int32Array(series!.buffer, address, 10)).slice(4)).toEqual([1, 1, 0, 3, 0, 2])
    // After header and span: bounds, time, count, zero count, sum, buckets.
    expect(Array.from(new Float64Array(series!.buffer, address + 48, 9))).toEqual([1, 5, 0, 4, 0, 7, 2, 1, 1])
    expect(() => loaded('load_with_nhcb 1m\n  d_bucket{le="1"} 2\n  d_bucket{le="+Inf"} 1')).toThrow(
      'cumulative',
    )
  })
})
