// The whole database against a map of arrays: random commits, rollbacks, clean restarts, crashes, truncations.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { APPEND, Labels, Matcher } from '@watchfire/datamodel'
import { openDbSync, type Db } from './index.ts'
import { readAll } from './testing/read-all.ts'

type Step =
  | { kind: 'commit' | 'rollback'; samples: { series: number; step: number; value: number }[] }
  | { kind: 'restart'; memoryImage: boolean }
  | { kind: 'crash' }
  | { kind: 'truncate'; share: number }

const sample = fc.record({
  series: fc.integer({ min: 0, max: 30 }),
  step: fc.integer({ min: -2, max: 40 }),
  value: fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: 0, max: 9 })),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constantFrom('commit' as const, 'commit' as const, 'commit' as const, 'rollback' as const),
      samples: fc.array(sample, { maxLength: 60 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('restart' as const), memoryImage: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('truncate' as const),
      share: fc.double({ min: 0, max: 1.2, noNaN: true }),
    }),
  },
)

const labelsOf = (series: number) => Labels.from({ __name__: `m${series % 4}`, i: String(series), job: 'x' })

class Oracle {
  readonly samples = new Map<number, [number, number][]>()
  /** Samples before this may be gone; they may come back from the log with a restart. */
  horizon = -Infinity
  /** Samples before this are refused until the next restart. */
  minValid = -Infinity
  maxTime = -Infinity

  /** Starts over from what the database holds now. */
  reset(db: Db): void {
    this.samples.clear()
    this.minValid = -Infinity
    this.maxTime = -Infinity
    for (const { labels, samples } of everything(db)) {
      this.samples.set(Number(/i="(\d+)"/.exec(labels)![1]), samples as [number, number][])
      this.maxTime = Math.max(this.maxTime, samples.at(-1)![0]!)
    }
  }

  append(series: number, time: number, value: number, minValid: number): number {
    if (time < minValid) return APPEND.outOfBounds
    const list = this.samples.get(series) ?? []
    this.samples.set(series, list)
    const last = list.at(-1)
    if (last && time < last[0]) return APPEND.outOfOrder
    if (last && time === last[0]) return Object.is(last[1], value) ? APPEND.ok : APPEND.duplicate
    list.push([time, value])
    return APPEND.ok
  }
}

const everything = (db: Db) => readAll(db, [new Matcher('=', 'job', 'x')])

function check(db: Db, oracle: Oracle): void {
  const got = new Map(everything(db).map((s) => [s.labels, s.samples]))
  for (const [series, list] of oracle.samples) {
    const labels = labelsOf(series).toString()
    const samples = got.get(labels) ?? []
    // What is older than the horizon may go, but only from the front and in whole chunks.
    expect(samples).toEqual(list.slice(list.length - samples.length))
    expect(samples.length).toBeGreaterThanOrEqual(list.filter(([t]) => t >= oracle.horizon).length)
    got.delete(labels)
  }
  expect([...got.keys()]).toEqual([])
}

describe('the database against an oracle', () => {
  it('returns what was appended through commits, rollbacks, restarts, crashes and truncations', async () => {
    // On a busy machine fewer runs have to do.
    const end = performance.now() + 10_000
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 40 }),
        fc.boolean(),
        async (steps, snappy) => {
          if (performance.now() > end) return
          let dir = mkdtempSync(join(tmpdir(), 'wf-oracle-'))
          let memoryImage = true
          const open = () =>
            openDbSync({
              dir,
              headMemoryBytesMax: 16 * 1024 * 1024,
              walCompression: snappy ? 'snappy' : 'none',
              walSegmentBytes: 32 * 1024,
              memoryImage,
            })
          let db = open()
          /** The directory as the killed process leaves it becomes the directory. */
          const crash = async () => {
            const left = mkdtempSync(join(tmpdir(), 'wf-oracle-'))
            cpSync(dir, left, { recursive: true })
            rmSync(join(left, 'lock'))
            await db.close()
            rmSync(dir, { recursive: true })
            dir = left
            db = open()
          }
          const oracle = new Oracle()
          let now = 1_700_000_000_000
          try {
            for (const one of steps) {
              if (one.kind === 'restart') {
                const written = memoryImage
                memoryImage = one.memoryImage
                await db.close()
                db = open()
                // An older image may still be good.
                if (written || !memoryImage) expect(db.stats().startedFromImage).toBe(memoryImage)
                expect(db.stats().walCorruptions).toBe(0)
              } else if (one.kind === 'crash') {
                await crash()
                expect(db.stats().walCorruptions).toBe(0)
              } else if (one.kind === 'truncate') {
                const first = Math.min(
                  ...[...oracle.samples.values()].flatMap((list) => list.slice(0, 1)).map(([t]) => t!),
                )
                if (!Number.isFinite(first)) continue
                // Newer truncations are forgotten by a replay, what they refuse would then be taken.
                const time = Math.min(
                  Math.floor(first + (now - first) * one.share),
                  oracle.maxTime - 3_600_000,
                )
                oracle.horizon = oracle.minValid = Math.max(oracle.minValid, time)
                db.truncate(time)
                while (db.maintain(50));
              } else {
                const app = db.appender()
                const scratch = new Oracle()
                const minValid = Math.max(oracle.minValid, oracle.maxTime - 3_600_000)
                const commit = one.kind === 'commit'
                for (const [series, list] of oracle.samples) scratch.samples.set(series, [...list])
                for (const { series, step: delta, value } of one.samples) {
                  const time = now + delta * 15_000
                  const want = scratch.append(series, time, value, minValid)
                  expect(app.float(app.series(labelsOf(series)), time, value)).toBe(want)
                }
                if (commit) {
                  app.commit()
                  for (const [series, list] of scratch.samples) {
                    if (list.length === 0) continue
                    oracle.samples.set(series, list)
                    oracle.maxTime = Math.max(oracle.maxTime, list.at(-1)![0])
                  }
                } else app.rollback()
                now += 600_000
              }
              check(db, oracle)
            }
            await db.close()
            db = open()
            expect(db.stats().walCorruptions).toBe(0)
          } finally {
            await db.close()
            rmSync(dir, { recursive: true, force: true })
          }
        },
      ),
      { numRuns: 50 },
    )
  })
})
