import { describe, expect, it } from 'vitest'
import { NO_STATS, type BlockMeta } from '../block/meta.ts'
import { blockRanges, planCompaction, rangeEnd } from './plan.ts'
import { pastSize, pastTime } from './retention.ts'

const RANGES = [20, 60, 180, 540, 1620]

function meta(minTime: number, maxTime: number, more: Partial<BlockMeta['compaction']> = {}): BlockMeta {
  return {
    ulid: `${minTime}-${maxTime}`,
    minTime,
    maxTime,
    stats: { ...NO_STATS, numSeries: 100 },
    compaction: { level: 1, sources: [], deletable: false, parents: [], failed: false, hints: [], ...more },
  }
}

function plan(blocks: readonly BlockMeta[]): string[] {
  return planCompaction(blocks, RANGES).map(({ ulid }) => ulid)
}

describe('block ranges', () => {
  it('are three times the one before, up to the largest', () => {
    const hour = 3_600_000
    expect(blockRanges(2 * hour, 31 * 24 * hour).map((range) => range / hour)).toEqual([
      2, 6, 18, 54, 162, 486,
    ])
    expect(blockRanges(2 * hour, hour)).toEqual([2 * hour])
  })

  it('are aligned, before 1970 too', () => {
    expect(rangeEnd(0, 20)).toBe(20)
    expect(rangeEnd(19, 20)).toBe(20)
    expect(rangeEnd(-1, 20)).toBe(0)
  })
})

describe('the plan', () => {
  it('leaves the newest block and ranges that may still fill', () => {
    expect(plan([])).toEqual([])
    expect(plan([meta(0, 20)])).toEqual([])
    expect(plan([meta(0, 20), meta(20, 40)])).toEqual([])
    expect(plan([meta(0, 20), meta(20, 40), meta(40, 60)])).toEqual([])
  })

  it('merges blocks that fill a range', () => {
    const blocks = [meta(0, 20), meta(20, 40), meta(40, 60), meta(60, 80)]
    expect(plan(blocks)).toEqual(['0-20', '20-40', '40-60'])
  })

  it('merges a range with gaps once newer blocks follow', () => {
    expect(plan([meta(0, 20), meta(40, 60), meta(60, 80), meta(80, 100)])).toEqual(['0-20', '40-60'])
    expect(plan([meta(0, 20), meta(20, 40), meta(60, 80), meta(80, 100)])).toEqual(['0-20', '20-40'])
  })

  it('takes the smallest range that is full, then the larger', () => {
    const blocks = [meta(0, 60), meta(60, 120), meta(120, 180), meta(180, 200), meta(200, 220)]
    expect(plan(blocks)).toEqual(['0-60', '60-120', '120-180'])
  })

  it('leaves alone what failed', () => {
    const failed = [meta(0, 20), meta(20, 40, { failed: true }), meta(40, 60), meta(60, 80)]
    expect(plan(failed)).toEqual([])
  })

  it('merges overlapping blocks first', () => {
    expect(plan([meta(0, 20), meta(10, 30), meta(30, 50)])).toEqual(['0-20', '10-30'])
    expect(plan([meta(0, 20), meta(20, 40), meta(20, 40), meta(35, 50), meta(60, 80)])).toEqual([
      '20-40',
      '20-40',
      '35-50',
    ])
  })

  it('rewrites a large block of which much was deleted, or one deleted whole', () => {
    const large = meta(0, 540)
    const deleted = { ...large, stats: { ...large.stats, numTombstones: 10 } }
    expect(plan([deleted, meta(540, 560)])).toEqual(['0-540'])
    expect(plan([{ ...large, stats: { ...large.stats, numTombstones: 4 } }, meta(540, 560)])).toEqual([])
    const small = meta(0, 20)
    expect(plan([{ ...small, stats: { ...small.stats, numTombstones: 100 } }, meta(20, 40)])).toEqual([
      '0-20',
    ])
    expect(plan([{ ...small, stats: { ...small.stats, numTombstones: 50 } }, meta(20, 40)])).toEqual([])
  })

  it('never merges blocks of some series with blocks of all', () => {
    const stale = { hints: ['from-stale-series'] }
    expect(plan([meta(0, 20), meta(0, 20, stale), meta(20, 40)])).toEqual([])
    expect(plan([meta(0, 20), meta(0, 20, stale), meta(10, 40, stale)])).toEqual(['0-20', '10-40'])
  })
})

describe('retention', () => {
  const blocks = [meta(0, 20), meta(20, 40), meta(40, 60)]

  it('by time counts from the newest block', () => {
    expect(pastTime(blocks, 0)).toEqual([])
    expect(pastTime(blocks, 41)).toEqual([])
    expect(pastTime(blocks, 40).map(({ ulid }) => ulid)).toEqual(['0-20'])
    expect(pastTime(blocks, 1).map(({ ulid }) => ulid)).toEqual(['20-40', '0-20'].sort())
  })

  it('by size drops the oldest until the rest fits', () => {
    const gone = (other: number, limit: number): string[] =>
      pastSize(blocks, () => 10, other, limit).map(({ ulid }) => ulid)
    expect(gone(0, 0)).toEqual([])
    expect(gone(0, 30)).toEqual([])
    expect(gone(0, 29)).toEqual(['0-20'])
    expect(gone(15, 29)).toEqual(['20-40', '0-20'])
    expect(gone(50, 29)).toEqual(['40-60', '20-40', '0-20'])
  })
})
