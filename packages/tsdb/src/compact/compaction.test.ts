import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { APPEND, CHUNK_ENCODING, Labels, Matcher, type HistogramSample } from '@watchfire/datamodel'
import { createArena } from '@watchfire/kernels'
import { NO_STATS, readMeta, writeMeta } from '../block/meta.ts'
import { isUlid, newUlid } from '../block/ulid.ts'
import { openDbSync, type Db, type DbOptions } from '../index.ts'
import { readAll } from '../testing/read-all.ts'
import { writeBlock } from '../testing/write-block.ts'

const START = 1_699_999_200_000
const HOUR = 3_600_000
const MINUTE = 60_000

let dir: string
let db: Db

function start(options: Partial<DbOptions> = {}): void {
  db = openDbSync({ dir, headMemoryBytesMax: 64 * 1024 * 1024, maintenance: 'inline', ...options })
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-cut-'))
})
afterEach(async () => {
  await db.close()
  rmSync(dir, { recursive: true, force: true })
})

/** A commit a minute of `count` series in [from, to). */
function scrape(from: number, to: number, count = 5): void {
  for (let t = from; t < to; t += MINUTE) {
    const app = db.appender()
    for (let i = 0; i < count; i++)
      app.float(app.series(Labels.from({ __name__: 'm', i: String(i) })), t, i * 1e6 + (t - START) / MINUTE)
    app.commit()
  }
}

const blocks = (): string[] => readdirSync(dir).filter(isUlid).sort()
/** Chunks of head and blocks may overlap where a chunk reaches over the edge of a block. */
function read(matcher: Matcher, from?: number, to?: number) {
  return readAll(db, [matcher], from, to).map(({ labels, samples }) => ({
    labels,
    samples: [...new Map(samples.map(([t, v]) => [t!, v!]))].sort((a, b) => a[0] - b[0]),
  }))
}
const all = () => read(new Matcher('=', '__name__', 'm'))
const ranges = (): number[][] =>
  blocks()
    .map((ulid) => readMeta(join(dir, ulid)))
    .map(({ minTime, maxTime }) => [(minTime - START) / HOUR, (maxTime - START) / HOUR])
    .sort((a, b) => a[0]! - b[0]!)

describe('a head that grows', () => {
  it('is cut into blocks of two hours once it spans three, and answers as before', async () => {
    start()
    scrape(START, START + 3 * HOUR)
    await db.compact()
    expect(blocks()).toEqual([])
    scrape(START + 3 * HOUR, START + 5.5 * HOUR)
    const before = all()
    await db.compact()
    expect(ranges()).toEqual([
      [0, 2],
      [2, 4],
    ])
    expect(all()).toEqual(before)
    const stats = db.stats()
    expect(stats.minTime).toBe(START + 4 * HOUR)
    expect(stats.blocks.loaded).toBe(2)
    expect(stats.blocks.compactions).toBe(2)
    expect(stats.seriesCount).toBe(5)
    await db.close()
    start({ memoryImage: false })
    expect(all()).toEqual(before)
    expect(db.stats().minTime).toBe(START + 4 * HOUR)
    await db.close()
    start()
    expect(all()).toEqual(before)
  })

  it('refuses samples that belong into a block', async () => {
    start()
    scrape(START, START + 3.5 * HOUR)
    await db.compact()
    const app = db.appender()
    const ref = app.series(Labels.from({ __name__: 'late' }))
    expect(app.float(ref, START + HOUR, 1)).toBe(APPEND.outOfBounds)
    expect(app.float(ref, START + 3 * HOUR, 1)).toBe(APPEND.ok)
    app.commit()
  })

  it('cuts chunks at the edge of a block when blocks are short', async () => {
    start({ blockRangeMs: 10 * MINUTE, blockRangeMsMax: 30 * MINUTE })
    scrape(START, START + 2 * HOUR)
    const before = all()
    await db.compact()
    expect(all()).toEqual(before)
    expect(read(new Matcher('=', 'i', '3'), START + 5 * MINUTE, START + 95 * MINUTE)[0]!.samples).toEqual(
      before[3]!.samples.filter(([t]) => t! >= START + 5 * MINUTE && t! <= START + 95 * MINUTE),
    )
    const lengths = new Set(ranges().map(([from, to]) => Math.round((to! - from!) * 60)))
    expect(lengths).toEqual(new Set([30, 10]))
    await db.close()
    start({ memoryImage: false })
    expect(all()).toEqual(before)
  })

  it('lists series, names and values of blocks and head together', async () => {
    start()
    const app = db.appender()
    app.float(app.series(Labels.from({ __name__: 'old', only: 'block' })), START, 1)
    app.commit()
    scrape(START, START + 3.5 * HOUR)
    await db.compact()
    const reader = db.reader()
    const querier = reader.querier(START - HOUR, START + 5 * HOUR)
    const [from, to] = [START - HOUR, START + 5 * HOUR]
    expect(querier.labelNames([], from, to, 0)).toEqual(['__name__', 'i', 'only'])
    expect(querier.labelValues('__name__', [], from, to, 0)).toEqual(['m', 'old'])
    expect(querier.labelValues('__name__', [], START + 3 * HOUR, to, 0)).toEqual(['m'])
    const named = [new Matcher('=~', '__name__', '.+')]
    expect(querier.series([named], from, to, 0).map(String)).toEqual([
      ...[0, 1, 2, 3, 4].map((i) => `{__name__="m", i="${i}"}`),
      '{__name__="old", only="block"}',
    ])
    expect(querier.select(named, { start: from, end: to, limit: 2 }, createArena(1 << 20)).count).toBe(2)
    reader.close()
    expect(db.stats().seriesCount).toBe(5)
  })

  it('keeps native histograms and stale markers bit for bit', async () => {
    start()
    const histogram = (n: number): HistogramSample => ({
      integer: true,
      schema: 1,
      zeroThreshold: 0.001,
      zeroCount: n,
      count: 3 * n,
      sum: n / 2,
      positiveSpans: [{ offset: 0, length: 2 }],
      negativeSpans: [],
      positiveBuckets: Float64Array.of(n, n),
      negativeBuckets: new Float64Array(0),
      customValues: [],
      counterResetHint: 0,
    })
    for (let i = 0; i <= 210; i++) {
      const app = db.appender()
      const ref = app.series(Labels.from({ __name__: 'h' }))
      expect(app.histogram(ref, START + i * MINUTE, histogram(i + 1))).toBe(APPEND.ok)
      app.commit()
    }
    const select = () => {
      const arena = createArena(1 << 22)
      const reader = db.reader()
      const range = { start: START, end: START + 5 * HOUR }
      const selection = reader
        .querier(range.start, range.end)
        .select([new Matcher('=', '__name__', 'h')], range, arena)
      const view = new DataView(arena.memory.buffer, selection.chunkTable)
      const rows = Array.from({ length: selection.chunkStart[1]! }, (_, row) => {
        const [address, length, encoding, samples] = [0, 4, 8, 12].map((at) =>
          view.getUint32(row * 48 + at, true),
        )
        return { encoding, samples, bytes: Buffer.from(arena.bytes().slice(address!, address! + length!)) }
      })
      reader.close()
      return rows
    }
    const before = select()
    expect(before.every(({ encoding }) => encoding === CHUNK_ENCODING.histogram)).toBe(true)
    await db.compact()
    expect(blocks()).toHaveLength(1)
    expect(readMeta(join(dir, blocks()[0]!)).stats.numHistogramSamples).toBe(120)
    expect(select()).toEqual(before)
  })
})

describe('blocks', () => {
  it('are merged into larger ones and go by age', async () => {
    start({ retentionMs: 200 * HOUR })
    for (let hour = 0; hour < 60; hour += 2) {
      scrape(START + hour * HOUR, START + (hour + 2) * HOUR, 1)
      await db.compact()
    }
    const lengths = ranges().map(([from, to]) => to! - from!)
    expect(Math.max(...lengths)).toBe(18)
    const before = all()
    expect(before[0]!.samples).toHaveLength(60 * 60)
    await db.close()
    start({ retentionMs: 20 * HOUR })
    await db.compact()
    const newest = Math.max(...ranges().map(([, to]) => to!))
    expect(ranges().every(([, to]) => newest - to! < 20)).toBe(true)
    expect(db.stats().blocks.timeRetentions).toBe(1)
    const oldest = START + ranges()[0]![0]! * HOUR
    expect(all()[0]!.samples).toEqual(before[0]!.samples.filter(([t]) => t! >= oldest))
  })

  it('go by size, the oldest first', async () => {
    start({ retentionBytes: 1 })
    scrape(START, START + 5.5 * HOUR)
    await db.compact()
    expect(blocks()).toEqual([])
    expect(db.stats().blocks.sizeRetentions).toBe(1)
    expect(all()[0]!.samples).toHaveLength(90)
  })

  it('that somebody else puts there do not hide what the head has of their time', async () => {
    start()
    scrape(START, START + HOUR)
    const other = newUlid(START)
    const sample = { labels: Labels.from({ __name__: 'backfilled' }), samples: [[START, 7]] as const }
    writeBlock(dir, other, [sample], { minTime: START, maxTime: START + 2 * HOUR })
    const before = all()
    await db.compact()
    expect(db.stats().blocks.loaded).toBe(1)
    expect(all()).toEqual(before)
    expect(read(new Matcher('=', '__name__', 'backfilled'))[0]!.samples).toEqual([[START, 7]])
    scrape(START + HOUR, START + 3.5 * HOUR)
    await db.compact()
    expect(ranges()).toEqual([[0, 2]])
    expect(all()[0]!.samples).toHaveLength(210)
    expect(db.stats().blocks.verticalCompactions).toBe(1)
  })

  it('that are damaged and put there while the database runs stay out of the way', async () => {
    const logged: string[] = []
    start({ log: (level, message) => level === 'error' && logged.push(message) })
    scrape(START, START + 3.5 * HOUR)
    const ulid = '01KDW7ZCW00000000000000000'
    mkdirSync(join(dir, ulid))
    writeMeta(join(dir, ulid), {
      ulid,
      minTime: START,
      maxTime: START + HOUR,
      stats: NO_STATS,
      compaction: { level: 1, sources: [], deletable: false, parents: [], failed: false, hints: [] },
    })
    const before = all()
    await db.compact()
    expect(new Set(logged)).toEqual(new Set(['reloading blocks failed']))
    expect(db.stats().blocks).toMatchObject({ loaded: 1, headCuts: 1, reloadFailures: 2 })
    expect(all()).toEqual(before)
    rmSync(join(dir, ulid), { recursive: true })
  })

  it('are cut and merged in a thread of their own while commits and queries go on', async () => {
    start({ maintenance: 'worker', blockRangeMs: 10 * MINUTE, blockRangeMsMax: 90 * MINUTE })
    scrape(START, START + 3 * HOUR, 50)
    const running = db.compact()
    let next = START + 3 * HOUR
    let over = false
    const done = running.finally(() => (over = true))
    while (!over && next < START + 4.5 * HOUR) {
      scrape(next, next + MINUTE, 50)
      next += MINUTE
      const found = all()
      expect(found).toHaveLength(50)
      expect(found[7]!.samples).toHaveLength((next - START) / MINUTE)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await done
    expect(blocks().length).toBeGreaterThan(1)
    expect(db.stats().blocks.compactionsFailed).toBe(0)
    expect(all()[49]!.samples.map(([t]) => t)).toEqual(
      Array.from({ length: (next - START) / MINUTE }, (_, i) => START + i * MINUTE),
    )
  })
})
