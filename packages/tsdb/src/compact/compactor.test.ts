import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Labels, Matcher } from '@watchfire/datamodel'
import { BlockSource } from '../block/block-source.ts'
import { MergedSource } from '../block/merged-source.ts'
import { OpenBlocks } from '../block/open-blocks.ts'
import { readMeta, writeMeta } from '../block/meta.ts'
import { writeTombstones } from '../block/tombstones.ts'
import { newUlid } from '../block/ulid.ts'
import type { ChunkSource } from '../query/chunk-source.ts'
import { readSource, writeBlock, type PlainSeries } from '../testing/write-block.ts'
import { BlockSet } from './block-set.ts'
import { compactBlocks } from './compactor.ts'
import type { Job } from './jobs.ts'

const WORKER = new URL('../../dist/compact/maintenance.worker.js', import.meta.url)
const START = 1_699_999_200_000
const HOUR = 3_600_000
const ALL = [new Matcher('=~', '__name__', '.+')]
const quiet = () => {}

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-compact-'))
})
afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

/** Values follow from series and time, so that copies of a sample agree. */
function series(ids: readonly number[], fromMs: number, toMs: number, stepMs = 15_000): PlainSeries[] {
  return ids.map((id) => {
    const samples: [number, number][] = []
    for (let t = fromMs; t < toMs; t += stepMs) samples.push([t, id * 1000 + ((t / 1000) % 997)])
    return { labels: Labels.from({ __name__: 'm', id: String(id), job: id % 2 ? 'odd' : 'even' }), samples }
  })
}

function write(all: readonly PlainSeries[], minTime: number, maxTime: number): string {
  const ulid = newUlid(minTime)
  writeBlock(dir, ulid, all, { minTime, maxTime })
  return ulid
}

function read(ulids: readonly string[]): Map<string, [number, number][]> {
  const all = new Map<string, Map<number, number>>()
  for (const ulid of ulids) {
    const block = new BlockSource(join(dir, ulid))
    for (const { labels, samples } of readSource(block, ALL)) {
      const times = all.get(labels) ?? new Map<number, number>()
      for (const [time, value] of samples) times.set(time, value)
      all.set(labels, times)
    }
    block.close()
  }
  return new Map([...all].map(([labels, times]) => [labels, [...times].sort((a, b) => a[0] - b[0])]))
}

/** The blocks of the directory as a querier sees them, without a head. */
function readMerged(): Map<string, [number, number][]> {
  const set = new BlockSet(dir, quiet)
  const none: ChunkSource = {
    minTime: NaN,
    maxTime: NaN,
    select: () => ({ count: 0, labels: () => Labels.EMPTY, chunkStart: new Uint32Array(1), table: 0 }),
    series: () => [],
    labelNames: () => [],
    labelValues: () => [],
  }
  const open = new OpenBlocks(dir, set.list)
  const found = new Map(
    readSource(new MergedSource(none, none, open), ALL).map((each) => [each.labels, each.samples]),
  )
  open.close()
  return found
}

describe('compaction', () => {
  it('keeps every sample of blocks that follow or overlap each other, less what was deleted', () => {
    const part = fc.record({
      ids: fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 8 }),
      from: fc.integer({ min: 0, max: 240 }),
      length: fc.integer({ min: 1, max: 240 }),
      deleted: fc.option(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 100 }))),
    })
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const ulids = parts.map(({ ids, from, length, deleted }) => {
          const [min, max] = [START + from * 30_000, START + (from + length) * 30_000]
          const ulid = write(series(ids, min, max, 30_000), min, max)
          if (deleted) {
            const block = new BlockSource(join(dir, ulid))
            const [ref] = block.index.postings('', '')
            block.close()
            const first = START + deleted[0] * 30_000
            writeTombstones(
              join(dir, ulid),
              new Map([[ref!, [{ minTime: first, maxTime: first + deleted[1] * 30_000 }]]]),
            )
          }
          return ulid
        })
        const before = read(ulids)
        const ulid = newUlid(START + 1)
        const meta = compactBlocks(dir, ulids, ulid)
        if (before.size === 0) expect(meta).toBeUndefined()
        else {
          expect(read([ulid])).toEqual(before)
          let samples = 0
          for (const each of before.values()) samples += each.length
          expect(meta!.stats.numSamples).toBe(samples)
          expect(meta!.stats.numSeries).toBe(before.size)
        }
        for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true })
      }),
      { numRuns: 25 },
    )
  })

  it('names its sources and parents and goes up a level', () => {
    const a = write(series([1, 2], START, START + HOUR), START, START + HOUR)
    const b = write(series([2, 3], START + HOUR, START + 2 * HOUR), START + HOUR, START + 2 * HOUR)
    const meta = compactBlocks(dir, [b, a], newUlid(START))!
    expect(meta.compaction.level).toBe(2)
    expect(meta.compaction.sources).toEqual([a, b].sort())
    expect(meta.compaction.parents.map(({ ulid }) => ulid)).toEqual([a, b])
    expect([meta.minTime, meta.maxTime]).toEqual([START, START + 2 * HOUR])
  })

  it('of damaged blocks fails and leaves nothing behind', () => {
    const a = write(series([1], START, START + HOUR), START, START + HOUR)
    rmSync(join(dir, a, 'chunks', '000001'))
    expect(() => compactBlocks(dir, [a], newUlid(START))).toThrow('chunks')
    expect(readdirSync(dir)).toEqual([a])
  })

  it.skipIf(!existsSync(WORKER))(
    'that is ended at any moment leaves the old blocks or the new one',
    async () => {
      const parts = Array.from({ length: 3 }, (_, i) => {
        const from = START + i * HOUR
        return write(series([1, 2, 3, 4, 5, 6, 7, 8], from, from + HOUR), from, from + HOUR)
      })
      const before = read(parts)
      let finished = 0
      for (let round = 0; round < 12; round++) {
        const ulids = new BlockSet(dir, quiet).metas.map(({ ulid }) => ulid)
        const job: Job = { kind: 'compact', dir, ulids, ulid: newUlid(START + round) }
        const worker = new Worker(WORKER, { execArgv: [], workerData: job })
        const done = new Promise((resolve) => worker.once('message', resolve))
        await (round === 11 ? done : Promise.race([done, sleep(20 + round * 8)]))
        await worker.terminate()
        finished += readdirSync(dir).includes(job.ulid) ? 1 : 0
        expect(readMerged()).toEqual(before)
        expect(readdirSync(dir).filter((name) => name.includes('creation'))).toEqual([])
      }
      expect(finished).toBeGreaterThanOrEqual(1)
    },
    20_000,
  )
})

describe('the set of blocks', () => {
  it('deletes parents of a block, also when that was all a crash left to do', () => {
    const a = write(series([1], START, START + HOUR), START, START + HOUR)
    const b = write(series([1], START + HOUR, START + 2 * HOUR), START + HOUR, START + 2 * HOUR)
    const before = read([a, b])
    const ulid = newUlid(START)
    compactBlocks(dir, [a, b], ulid)
    mkdirSync(join(dir, `${newUlid(START)}.tmp-for-creation`, 'chunks'), { recursive: true })
    mkdirSync(join(dir, `${newUlid(START)}.tmp-for-deletion`))
    const set = new BlockSet(dir, quiet)
    expect(set.metas.map((meta) => meta.ulid)).toEqual([ulid])
    expect(read([ulid])).toEqual(before)
    expect(set.headFrom).toBe(START + 2 * HOUR)
    expect(set.bytes).toBeGreaterThan(1000)
  })

  it('skips a block whose meta.json is broken, and says so', () => {
    const a = write(series([1], START, START + HOUR), START, START + HOUR)
    const b = write(series([1], START + HOUR, START + 2 * HOUR), START + HOUR, START + 2 * HOUR)
    rmSync(join(dir, a, 'meta.json'))
    const messages: string[] = []
    const set = new BlockSet(dir, (_, message) => messages.push(message))
    expect(set.metas.map((meta) => meta.ulid)).toEqual([b])
    expect(messages).toEqual(['Failed to read meta.json for a block during reloadBlocks. Skipping'])
  })

  it('refuses a damaged block', () => {
    const a = write(series([1], START, START + HOUR), START, START + HOUR)
    rmSync(join(dir, a, 'chunks'), { recursive: true })
    expect(() => new BlockSet(dir, quiet)).toThrow(`corrupted block ${a}`)
  })

  it('does not count blocks of late samples when it says from where on the head answers', () => {
    const a = write(series([1], START, START + HOUR), START, START + HOUR)
    const b = write(series([1], START + HOUR, START + 2 * HOUR), START + HOUR, START + 2 * HOUR)
    const meta = readMeta(join(dir, b))
    writeMeta(join(dir, b), { ...meta, compaction: { ...meta.compaction, hints: ['from-out-of-order'] } })
    expect(new BlockSet(dir, quiet).headFrom).toBe(START + HOUR)
    expect([...readMerged().values()].flat().length).toBe(2 * 240)
    expect(a < b).toBe(true)
  })
})
