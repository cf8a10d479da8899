import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { APPEND, COUNTER_RESET, Labels, Matcher, type HistogramSample } from '@watchfire/datamodel'
import { openDbSync, type Db, type DbOptions } from '../index.ts'
import { readAll } from '../testing/read-all.ts'
import { readHistograms } from '../testing/read-histograms.ts'

let dir: string
let db: Db

function start(options: Partial<DbOptions> = {}): Db {
  db = openDbSync({ dir, headMemoryBytesMax: 32 * 1024 * 1024, walSegmentBytes: 32 * 1024, ...options })
  return db
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-truncate-'))
})
afterEach(async () => {
  await db.close()
  rmSync(dir, { recursive: true, force: true })
})

const wal = () => readdirSync(join(dir, 'wal')).sort()
const named = (name: string) => [new Matcher('=', '__name__', name)]
const histogram: HistogramSample = {
  integer: true,
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 1,
  count: 1,
  sum: 0,
  positiveSpans: [],
  negativeSpans: [],
  positiveBuckets: new Float64Array(0),
  negativeBuckets: new Float64Array(0),
  customValues: [],
  counterResetHint: COUNTER_RESET.unknown,
}

/** Scrapes of 20 lasting series and one short-lived series each, a minute apart. */
function scrape(from: number, to: number): void {
  for (let k = from; k < to; k++) {
    const app = db.appender()
    for (let i = 0; i < 20; i++)
      app.float(app.series(Labels.from({ __name__: 'm', i: String(i) })), k * 60_000, k + i / 7)
    app.float(app.series(Labels.from({ __name__: 'short', k: String(k) })), k * 60_000, k)
    app.histogram(app.series(Labels.from({ __name__: 'h' })), k * 60_000, histogram)
    app.commit()
  }
}

function finish(): void {
  while (db.maintain(1000));
}

describe('truncation', () => {
  it('drops old chunks and dead series, and replaces old segments by a checkpoint that replays', async () => {
    start()
    scrape(0, 600)
    const before = wal().length
    const memory = db.stats().headBytesUsed
    db.truncate(500 * 60_000)
    finish()
    expect(db.stats().seriesCount).toBe(20 + 100 + 1)
    expect(db.stats().seriesRemoved).toBe(500)
    expect(db.stats().walTruncations).toBe(1)
    expect(db.stats().headBytesUsed).toBeLessThan(memory)
    expect(db.stats().minTime).toBeLessThanOrEqual(500 * 60_000)
    expect(db.stats().minTime).toBeGreaterThan(300 * 60_000)
    expect(wal().length).toBeLessThan(before)
    expect(wal().at(-1)).toMatch(/^checkpoint\.\d{8}$/)
    scrape(600, 650)
    const memoryOf = () => [
      readAll(db, named('m'), 500 * 60_000),
      readAll(db, named('short'), 500 * 60_000),
      readHistograms(db, named('h')).flatMap((chunk) =>
        chunk.samples.filter(({ time }) => time >= 500 * 60_000),
      ).length,
    ]
    const want = memoryOf()
    expect((want[0] as unknown[]).length).toBe(20)
    expect((want[1] as unknown[]).length).toBe(150)
    await db.close()
    start()
    expect(db.stats().walCorruptions).toBe(0)
    expect(memoryOf()).toEqual(want)
    // Again, on top of the first checkpoint.
    db.truncate(640 * 60_000)
    finish()
    expect(wal().filter((name) => name.startsWith('checkpoint'))).toHaveLength(1)
    await db.close()
    start()
    expect(readAll(db, named('m'), 640 * 60_000)).toHaveLength(20)
  })

  it('refuses samples older than it, and references of dead series', () => {
    start()
    let app = db.appender()
    const old = app.series(Labels.from({ __name__: 'old' }))
    app.float(old, 1000, 1)
    app.float(app.series(Labels.from({ __name__: 'new' })), 10_000, 1)
    app.commit()
    db.truncate(5000)
    finish()
    app = db.appender()
    expect(app.float(old, 6000, 1)).toBe(APPEND.unknownRef)
    const again = app.series(Labels.from({ __name__: 'old' }))
    expect(again).not.toBe(old)
    expect(app.float(again, 4000, 1)).toBe(APPEND.outOfBounds)
    expect(app.float(again, 6000, 1)).toBe(APPEND.ok)
    app.commit()
    expect(readAll(db, named('old'))[0]!.samples).toEqual([[6000, 1]])
  })

  it('ignores a checkpoint that a crash left unfinished', async () => {
    start()
    scrape(0, 10)
    await db.close()
    const half = join(dir, 'wal', 'checkpoint.00000007.tmp')
    mkdirSync(half)
    writeFileSync(join(half, '00000000'), 'half')
    start()
    expect(existsSync(half)).toBe(false)
    expect(readAll(db, named('m'))[0]!.samples).toHaveLength(10)
    // One that is stopped in the middle leaves the segments.
    scrape(10, 300)
    db.truncate(100 * 60_000)
    for (let step = 0; step < 4; step++) db.maintain(0)
    await db.close()
    start()
    expect(wal().filter((name) => name.endsWith('.tmp'))).toEqual([])
    expect(readAll(db, named('m'), 100 * 60_000)[0]!.samples).toHaveLength(200)
  })

  it('takes old samples from the log whatever the clock says: the retention counts from the newest block', async () => {
    start()
    scrape(0, 100)
    await db.close()
    start({ retentionMs: 10 * 60_000, now: () => 9999 * 60_000, memoryImage: false })
    expect(readAll(db, named('m'))[0]!.samples).toHaveLength(100)
  })
})

describe('a full memory', () => {
  it('refuses new series first, then gives up the oldest chunks, and never fails a commit', () => {
    const warnings: string[] = []
    start({
      headMemoryBytesMax: 8 * 1024 * 1024,
      walSegmentBytes: 1 << 27,
      log: (_, message) => warnings.push(message),
    })
    const refs: number[] = []
    const values = new Float64Array(100_000)
    const results = new Uint8Array(100_000)
    let app = db.appender()
    for (let i = 0; i < 20_000; i++) {
      const ref = app.series(Labels.from({ __name__: 'm', i: String(i) }))
      if (ref !== 0) refs.push(ref)
    }
    app.commit()
    expect(db.stats().refusedSeries).toBeGreaterThan(0)
    expect(refs.length).toBeGreaterThan(1000)
    const few = Float64Array.from(refs.slice(0, 500))
    let last = 0
    for (let k = 0; k < 2000; k++) {
      for (let i = 0; i < few.length; i++) values[i] = Math.sin(k * i)
      app = db.appender()
      app.floats(few, (last = k * 60_000), values, results, few.length)
      app.commit()
      while (db.maintain(100));
    }
    expect(warnings.join()).toContain('oldest chunks are dropped')
    const newest = readAll(db, named('m'), last, last)
    expect(newest).toHaveLength(500)
    expect(db.stats().droppedSamples).toBeLessThan(2000 * 500 * 0.01)
  })
})
