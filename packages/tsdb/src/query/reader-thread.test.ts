import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Labels, Matcher } from '@watchfire/datamodel'
import { createArena } from '@watchfire/kernels'
import { openDbSync, openReader, releaseReaders, type Db } from '../index.ts'
import { checkCommits, type CommitCheck } from '../testing/commit-check.ts'

// Workers cannot load TypeScript: they run the built file.
const WORKER = new URL('../../dist/testing/commit-check.worker.js', import.meta.url)
let dir: string
let db: Db

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-threads-'))
  db = openDbSync({ dir, headMemoryBytesMax: 64 * 1024 * 1024 })
})
afterEach(async () => {
  await db.close()
  rmSync(dir, { recursive: true, force: true })
})

/** One commit that sets all of the first `count` series to `value`, with churn in between. */
function commit(value: number, count: number): void {
  const app = db.appender()
  const time = 1_700_000_000_000 + value * 60_000
  for (let i = 0; i < count; i++)
    app.float(app.series(Labels.from({ __name__: 'm', i: String(i) })), time, value)
  app.float(app.series(Labels.from({ __name__: 'churn', run: String(value) })), time, value)
  app.commit()
}

describe('a reader in another thread', () => {
  it.skipIf(!existsSync(WORKER))(
    'sees commits whole while chunks are cut and series come and go',
    async () => {
      const UNTIL = 800
      commit(0, 200)
      const workers = [0, 1].map(
        () => new Worker(WORKER, { execArgv: [], workerData: { handle: db.handle, until: UNTIL } }),
      )
      const answers = workers.map(
        (worker) =>
          new Promise<{ ok?: CommitCheck; error?: string }>((resolve, reject) => {
            worker.once('message', resolve)
            worker.once('error', reject)
          }),
      )
      for (let value = 1; value <= UNTIL; value++) {
        commit(value, 200)
        if (value % 200 === 0) db.truncate(1_700_000_000_000 + (value - 100) * 60_000)
        if (value % 20 === 0) {
          db.maintain(2)
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      for (const { ok, error } of await Promise.all(answers)) {
        expect(error).toBeUndefined()
        expect(ok!.last).toBe(UNTIL)
        expect(ok!.distinct).toBeGreaterThan(2)
      }
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  )

  it('is checked by a check that fails on half a commit', () => {
    commit(1, 10)
    expect(checkCommits(db.handle, 1).last).toBe(1)
    const app = db.appender()
    app.float(app.series(Labels.from({ __name__: 'm', i: '3' })), 1_700_000_000_000 + 300_000, 5)
    app.commit()
    expect(() => checkCommits(db.handle, 5)).toThrow('half a commit')
  })
})

describe('readers', () => {
  it('keep what they pin until they are released, also for a thread that is gone', () => {
    commit(1, 10)
    const before = db.stats().headBytesUsed
    const reader = openReader(db.handle)
    const arena = createArena(1 << 20)
    const selection = reader
      .querier(0, 2 ** 50)
      .select([new Matcher('=', '__name__', 'm')], { start: 0, end: 2 ** 50 }, arena)
    expect(selection.count).toBe(10)
    reader.close()
    expect(db.stats().headBytesUsed).toBe(before)
    releaseReaders(db.handle, 0)
  })

  it('are limited in number and free their place when closed', () => {
    const readers = Array.from({ length: 256 }, () => openReader(db.handle))
    expect(() => openReader(db.handle)).toThrow('too many readers')
    readers[7]!.close()
    openReader(db.handle)
    releaseReaders(db.handle, 0)
    openReader(db.handle).close()
  })

  it('name the labels of a reference while its series lives', () => {
    const app = db.appender()
    const labels = Labels.from({ __name__: 'x', a: 'b' })
    const ref = app.series(labels)
    app.float(ref, 1000, 1)
    expect(db.reader().seriesLabels(ref)).toBeUndefined()
    app.commit()
    expect(db.reader().seriesLabels(ref)!.equals(labels)).toBe(true)
    db.truncate(5000)
    while (db.maintain(50));
    expect(db.reader().seriesLabels(ref)).toBeUndefined()
    expect(db.stats().seriesCount).toBe(0)
    expect(db.stats().labelPairCount).toBe(0)
    releaseReaders(db.handle, 0)
  })
})
