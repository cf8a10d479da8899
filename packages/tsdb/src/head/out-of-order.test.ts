import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { APPEND, Labels, Matcher } from '@watchfire/datamodel'
import { openDbSync, type Db, type DbOptions } from '../index.ts'
import { readAll } from '../testing/read-all.ts'

const MINUTE = 60_000
const WINDOW = 180 * MINUTE
const HALF_RANGE = 60 * MINUTE
const ALL = [new Matcher('=', '__name__', 'm')]
const labelsOf = (i: number) => Labels.from({ __name__: 'm', i: String(i) })
/** A time has one value, so that samples that were sent twice agree. */
const valueOf = (series: number, minute: number) => series + minute / 7

let dir: string
let db: Db

function start(options: Partial<DbOptions> = {}): Db {
  db = openDbSync({
    dir,
    headMemoryBytesMax: 16 * 1024 * 1024,
    outOfOrderWindowMs: WINDOW,
    walSegmentBytes: 32 * 1024,
    maintenance: 'inline',
    ...options,
  })
  return db
}

function append(samples: readonly (readonly [series: number, minute: number])[]): number[] {
  const app = db.appender()
  const results = samples.map(([series, minute]) =>
    app.float(app.series(labelsOf(series)), minute * MINUTE, valueOf(series, minute)),
  )
  app.commit()
  return results
}

/** Minutes of each series; fails on a wrong value. */
function stored(): Map<number, number[]> {
  const found = new Map<number, number[]>()
  for (const { labels, samples } of readAll(db, ALL)) {
    const series = Number(/i="(\d+)"/.exec(labels)![1])
    for (const [time, value] of samples) expect(value).toBe(valueOf(series, time! / MINUTE))
    found.set(
      series,
      [...new Set(samples.map(([time]) => time! / MINUTE))].sort((a, b) => a - b),
    )
  }
  return found
}

async function restart(options: Partial<DbOptions> = {}): Promise<void> {
  await db.close()
  start(options)
}

/** Goes on with the directory as a killed process would leave it. */
async function crash(): Promise<void> {
  const left = mkdtempSync(join(tmpdir(), 'wf-late-'))
  cpSync(dir, left, { recursive: true })
  rmSync(join(left, 'lock'))
  await db.close()
  rmSync(dir, { recursive: true })
  dir = left
  start()
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-late-'))
})
afterEach(async () => {
  await db.close()
  rmSync(dir, { recursive: true, force: true })
})

describe('out-of-order samples', () => {
  it('are taken within the window, and refused as too old before it', () => {
    start()
    expect(append([[0, 1000]])).toEqual([APPEND.ok])
    expect(
      append([
        [0, 990],
        [0, 820],
        [0, 819],
        [1, 821],
        [2, 1],
        [0, 1000],
      ]),
    ).toEqual([APPEND.ok, APPEND.ok, APPEND.tooOld, APPEND.ok, APPEND.tooOld, APPEND.ok])
    expect(Object.fromEntries(stored())).toEqual({ 0: [820, 990, 1000], 1: [821] })
    const { outOfOrderSamplesAppended, tooOldSamples, outOfOrderSamples, outOfBoundSamples } = db.stats()
    expect({ outOfOrderSamplesAppended, tooOldSamples, outOfOrderSamples, outOfBoundSamples }).toEqual({
      outOfOrderSamplesAppended: 3,
      tooOldSamples: 2,
      outOfOrderSamples: 0,
      outOfBoundSamples: 0,
    })
  })

  it('are refused as before without a window, and nothing is made for them', () => {
    start({ outOfOrderWindowMs: 0 })
    append([[0, 1000]])
    expect(
      append([
        [0, 990],
        [0, 100],
      ]),
    ).toEqual([APPEND.outOfOrder, APPEND.outOfBounds])
    expect(readdirSync(dir)).not.toContain('wbl')
  })

  it('stay readable when the window is switched off', async () => {
    start()
    append([[0, 1000]])
    append([[0, 900]])
    await restart({ outOfOrderWindowMs: 0, memoryImage: false })
    expect(stored().get(0)).toEqual([900, 1000])
    await crash()
    expect(stored().get(0)).toEqual([900, 1000])
  })

  it('keep a series whose other samples were truncated', () => {
    start()
    append([[0, 1000]])
    append([[0, 900]])
    append([[1, 2000]])
    db.truncate(1500 * MINUTE)
    while (db.maintain(50));
    expect(stored().get(0)).toEqual([900])
    expect(append([[0, 2001]])).toEqual([APPEND.ok])
    expect(stored().get(0)).toEqual([900, 2001])
  })

  it('fill chunks of 32 samples', () => {
    start()
    append([[0, 1000]])
    append(Array.from({ length: 100 }, (_, k) => [0, 850 + ((k * 37) % 100)] as const))
    const chunks = readAll(db, ALL)[0]!.chunks!
    expect(chunks.map(({ count }) => count).sort((a, b) => a - b)).toEqual([1, 4, 32, 32, 32])
    expect(stored().get(0)).toHaveLength(101)
  })

  it('become blocks of their own that are merged with those of the head', async () => {
    start()
    for (let minute = 0; minute < 400; minute += 10)
      append([
        [0, minute],
        [1, minute],
      ])
    append([
      [0, 255],
      [0, 301],
      [1, 390],
      [1, 333],
      [2, 385],
      [2, 222],
    ])
    const before = stored()
    await db.compact()
    expect(stored()).toEqual(before)
    expect(db.stats().blocks.verticalCompactions).toBeGreaterThan(0)
    expect(readdirSync(join(dir, 'wbl'))).toHaveLength(1)
    append([
      [1, 395],
      [1, 240],
    ])
    before.set(
      1,
      [...before.get(1)!, 240, 395].sort((a, b) => a - b).filter((t, i, all) => t !== all[i - 1]),
    )
    expect(stored()).toEqual(before)
    await crash()
    expect(stored()).toEqual(before)
    await restart()
    expect(db.stats().startedFromImage).toBe(true)
    for (let minute = 400; minute < 900; minute += 10) append([[0, minute]])
    await db.compact()
    for (let minute = 400; minute < 900; minute += 10) before.get(0)!.push(minute)
    expect(stored()).toEqual(before)
    await crash()
    expect(stored()).toEqual(before)
  })

  it('come back as an oracle says through restarts, crashes and compactions', async () => {
    const sample = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: -260, max: 12 }))
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ samples: fc.array(sample, { maxLength: 80 }) }) },
      { weight: 2, arbitrary: fc.record({ restart: fc.boolean() }) },
      {
        weight: 2,
        arbitrary: fc.record({ compacting: fc.boolean(), ticks: fc.integer({ min: 0, max: 12 }) }),
      },
      { weight: 2, arbitrary: fc.constant({ compact: true }) },
    )
    // On a busy machine fewer runs have to do.
    const end = performance.now() + 10_000
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 15 }), async (steps) => {
        if (performance.now() > end) return
        rmSync(dir, { recursive: true, force: true })
        start()
        const oracle = new Map<number, Set<number>>()
        const newest = new Map<number, number>()
        let now = 1000
        let max = NaN
        try {
          for (const one of steps) {
            if ('restart' in one) await restart({ memoryImage: one.restart })
            else if ('ticks' in one) {
              // The process dies at some point of a compaction, too.
              const running = one.compacting ? db.compact().catch(() => undefined) : undefined
              for (let i = 0; i < one.ticks; i++) await new Promise((resolve) => setImmediate(resolve))
              await crash()
              await running
            } else if ('compact' in one) await db.compact()
            else {
              const minutes = one.samples.map(([series, delta]) => [series, now + delta] as const)
              const want = minutes.map(([series, minute]) => {
                const last = newest.get(series) ?? -Infinity
                const isValid = !(minute < max - HALF_RANGE / MINUTE)
                if (isValid && minute >= last) newest.set(series, minute)
                else if (!(minute >= max - WINDOW / MINUTE)) return APPEND.tooOld
                if (!oracle.has(series)) oracle.set(series, new Set())
                oracle.get(series)!.add(minute)
                return APPEND.ok
              })
              // Within the first commit nothing is known to be late; the newest sample counts from the next one on.
              if (Number.isNaN(max)) {
                const refused = want.map((result) => result === APPEND.tooOld)
                expect(append(minutes).map((result) => result !== APPEND.ok)).toEqual(refused)
              } else expect(append(minutes)).toEqual(want)
              for (const last of newest.values()) if (!(max >= last)) max = last
              now += 25
            }
            const got = stored()
            expect([...got.keys()].sort()).toEqual([...oracle.keys()].sort())
            for (const [series, minutes] of oracle)
              expect(got.get(series)).toEqual([...minutes].sort((a, b) => a - b))
            expect(db.stats().walCorruptions).toBe(0)
          }
        } finally {
          await db.close()
        }
      }),
      { numRuns: 40 },
    )
    start()
  })
})
