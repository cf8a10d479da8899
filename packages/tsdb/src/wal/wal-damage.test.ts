import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Labels, Matcher } from '@watchfire/datamodel'
import { openDbSync, type Db, type DbOptions } from '../index.ts'
import { readAll } from '../testing/read-all.ts'

const ALL = [new Matcher('=~', '__name__', '.+')]
const COMMITS = 40
let dir: string
let db: Db | undefined

function start(options: Partial<DbOptions> = {}): Db {
  db = openDbSync({
    dir,
    headMemoryBytesMax: 16 * 1024 * 1024,
    walSegmentBytes: 128 * 1024,
    memoryImage: false,
    ...options,
  })
  return db
}

async function stop(): Promise<void> {
  await db?.close()
  db = undefined
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-damage-'))
})
afterEach(async () => {
  await stop()
  rmSync(dir, { recursive: true, force: true })
})

/** Value of series i in commit k: every sample has its own. */
const value = (i: number, k: number) => i * 1000.25 + k

interface Written {
  readonly seriesCount: number
  /** Bytes of segment 0 after each commit. */
  readonly ends: number[]
}

/** Commits of `seriesCount` samples each; new series appear in commits 0 and 20. */
async function write(seriesCount: number, compression: 'none' | 'snappy'): Promise<Written> {
  const database = start({ walCompression: compression, walSegmentBytes: 128 * 1024 * 1024 })
  const ends: number[] = []
  for (let k = 0; k < COMMITS; k++) {
    const app = database.appender()
    for (let i = 0; i < seriesCount * (k < 20 ? 1 : 2); i++)
      app.float(app.series(Labels.from({ __name__: 'm', i: String(i) })), 1000 + k, value(i, k))
    app.commit()
    ends.push(database.stats().walBytes)
  }
  await stop()
  return { seriesCount, ends }
}

/** Times found per series; fails on a sample that was never written. */
function found(): Map<number, number[]> {
  const result = new Map<number, number[]>()
  for (const { labels, samples } of readAll(db!, ALL)) {
    const i = Number(/i="(\d+)"/.exec(labels)![1])
    for (const [t, v] of samples) expect(v).toBe(value(i, t! - 1000))
    result.set(
      i,
      samples.map(([t]) => t!),
    )
  }
  return result
}

function expectCommits(written: Written, from: number, to: number): void {
  const got = found()
  for (let i = 0; i < written.seriesCount * 2; i++) {
    const want: number[] = []
    for (let k = Math.max(from, i < written.seriesCount ? 0 : 20); k < to; k++) want.push(1000 + k)
    expect(got.get(i) ?? []).toEqual(expect.arrayContaining(want))
  }
}

/** Opens, appends one more commit, and opens again: the log must be whole by then. */
async function expectGoesOn(): Promise<void> {
  const before = found()
  const app = db!.appender()
  app.float(app.series(Labels.from({ __name__: 'm', i: '0' })), 1000 + COMMITS, value(0, COMMITS))
  app.commit()
  await stop()
  start()
  expect(db!.stats().walCorruptions).toBe(0)
  const after = found()
  for (const [i, times] of before) expect(after.get(i)).toEqual(i === 0 ? [...times, 1000 + COMMITS] : times)
}

const segment = (index: number) => join(dir, 'wal', String(index).padStart(8, '0'))

describe('a damaged WAL', () => {
  for (const compression of ['none', 'snappy'] as const) {
    it(`keeps every commit before a cut at any byte, ${compression}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 25 }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          async (n, at) => {
            rmSync(dir, { recursive: true, force: true })
            const written = await write(n, compression)
            const size = Math.floor(at * written.ends.at(-1)!)
            truncateSync(segment(0), size)
            start({ walCompression: compression })
            const whole = written.ends.filter((end) => end <= size).length
            expectCommits(written, 0, whole)
            const times = [...found().values()].flat()
            if (times.length > 0) expect(Math.max(...times)).toBeLessThanOrEqual(1000 + whole)
            await expectGoesOn()
            await stop()
          },
        ),
        { numRuns: 12 },
      )
    })

    it(`loses only what a flipped byte hit, ${compression}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 25 }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          fc.integer({ min: 1, max: 255 }),
          async (n, at, mask) => {
            rmSync(dir, { recursive: true, force: true })
            const written = await write(n, compression)
            const bytes = readFileSync(segment(0))
            const offset = Math.min(bytes.length - 1, Math.floor(at * bytes.length))
            bytes[offset]! ^= mask
            writeFileSync(segment(0), bytes)
            start({ walCompression: compression })
            const hit = written.ends.findIndex((end) => end > offset)
            expectCommits(written, 0, hit)
            // Behind the page of the damage everything is there again, unless series records were hit.
            const next = (Math.floor(offset / 32_768) + 1) * 32_768
            const resumed = written.ends.findIndex((_, k) => k > 0 && written.ends[k - 1]! >= next)
            const seriesHit = hit === 0 || hit === 20
            if (resumed >= 0 && !seriesHit) expectCommits(written, resumed, COMMITS)
            await expectGoesOn()
            await stop()
          },
        ),
        { numRuns: 12 },
      )
    })
  }

  it('goes on after arbitrary bytes at the end, in the middle and instead of a segment', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 70_000 }),
        fc.integer({ min: 0, max: 2 }),
        async (junk, where) => {
          rmSync(dir, { recursive: true, force: true })
          const written = await write(5, 'none')
          const bytes = readFileSync(segment(0))
          const parts = where === 0 ? [bytes, junk] : where === 1 ? [bytes.subarray(0, 3000), junk] : [junk]
          writeFileSync(segment(0), Buffer.concat(parts))
          start()
          if (where === 0) expectCommits(written, 0, COMMITS)
          else if (where === 1) expectCommits(written, 0, written.ends.filter((end) => end <= 3000).length)
          await expectGoesOn()
          await stop()
        },
      ),
      { numRuns: 10 },
    )
  })

  it('survives the loss of a whole segment', async () => {
    const database = start({ walCompression: 'none', walSegmentBytes: 32 * 1024 })
    for (let k = 0; k < 200; k++) {
      const app = database.appender()
      for (let i = 0; i < 50; i++)
        app.float(app.series(Labels.from({ __name__: 'm', i: String(i) })), 1000 + k, value(i, k))
      app.commit()
    }
    await stop()
    expect(readdirSync(join(dir, 'wal')).length).toBeGreaterThan(3)
    rmSync(segment(1))
    start()
    expect(db!.stats().walCorruptions).toBe(1)
    expect(found().get(0)!.length).toBeGreaterThan(100)
    // An empty segment takes its place, so that the log is sequential again.
    await stop()
    start()
    expect(db!.stats().walCorruptions).toBe(0)
    expect(found().get(0)!.length).toBeGreaterThan(100)
  })
})
