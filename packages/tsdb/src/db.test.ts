import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createArena } from '@watchfire/kernels'
import { APPEND, Labels, Matcher, isStale, setStale } from '@watchfire/datamodel'
import { openDbSync, type Db, type DbOptions } from './index.ts'
import { readAll } from './testing/read-all.ts'

const MEMORY = 64 * 1024 * 1024
let dir: string
let open: Db[] = []

function start(options: Partial<DbOptions> = {}): Db {
  const db = openDbSync({ dir, headMemoryBytesMax: MEMORY, ...options })
  open.push(db)
  return db
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-tsdb-'))
})
afterEach(async () => {
  for (const db of open) await db.close()
  open = []
  rmSync(dir, { recursive: true, force: true })
})

const name = (value: string) => new Matcher('=', '__name__', value)

describe('the database', () => {
  it('returns what was committed, and again after a restart', async () => {
    const db = start()
    const app = db.appender()
    const a = app.series(Labels.from({ __name__: 'up', job: 'a' }))
    const b = app.series(Labels.from({ __name__: 'up', job: 'b' }))
    expect(app.float(a, 1000, 1)).toBe(APPEND.ok)
    expect(app.float(a, 2000, 0.5)).toBe(APPEND.ok)
    expect(app.float(b, 1000, NaN)).toBe(APPEND.ok)
    app.commit()
    const want = [
      {
        labels: '{__name__="up", job="a"}',
        samples: [
          [1000, 1],
          [2000, 0.5],
        ],
      },
      { labels: '{__name__="up", job="b"}', samples: [[1000, NaN]] },
    ]
    expect(readAll(db, [name('up')])).toEqual(want)
    await db.close()
    const again = start()
    expect(readAll(again, [name('up')])).toEqual(want)
    expect(again.stats().walCorruptions).toBe(0)
  })

  it('shows nothing before the commit and nothing after a rollback', () => {
    const db = start()
    const app = db.appender()
    const ref = app.series(Labels.from({ __name__: 'x' }))
    app.float(ref, 1, 1)
    expect(readAll(db, [name('x')])).toEqual([])
    expect(db.reader().querier(0, 10).labelNames([], 0, 10, 0)).toEqual([])
    app.rollback()
    expect(readAll(db, [name('x')])).toEqual([])
    expect(db.stats().seriesCount).toBe(0)
    const next = db.appender()
    expect(next.float(ref, 1, 1)).toBe(APPEND.unknownRef)
    next.rollback()
  })

  it('tells out-of-order, duplicate, out-of-bounds and unknown samples apart, within a commit and across', () => {
    const db = start()
    const app = db.appender()
    const ref = app.series(Labels.from({ __name__: 'x' }))
    const f = (appender: typeof app, time: number, value: number, want: number) =>
      expect(appender.float(ref, time, value)).toBe(want)
    f(app, 10_000_000, 1, APPEND.ok)
    f(app, 10_000_000, 1, APPEND.ok)
    f(app, 10_000_000, 2, APPEND.duplicate)
    f(app, 9_999_999, 2, APPEND.outOfOrder)
    app.commit()
    const next = db.appender()
    f(next, 10_000_000, 1, APPEND.ok)
    f(next, 10_000_000, 2, APPEND.duplicate)
    f(next, 9_999_999, 2, APPEND.outOfOrder)
    f(next, 10_000_000 - 3_600_001, 2, APPEND.outOfBounds)
    f(next, NaN, 2, APPEND.outOfBounds)
    expect(next.float(0, 1, 1)).toBe(APPEND.unknownRef)
    expect(next.float(ref + 1, 1, 1)).toBe(APPEND.unknownRef)
    next.commit()
    expect(readAll(db, [name('x')])).toEqual([{ labels: '{__name__="x"}', samples: [[10_000_000, 1]] }])
  })

  it('keeps the bits of the staleness marker through batches, chunks and the log', async () => {
    let db = start()
    const app = db.appender()
    const ref = app.series(Labels.from({ __name__: 'x' }))
    const values = new Float64Array(2)
    setStale(values, 0)
    const results = new Uint8Array(1)
    app.floats(Float64Array.of(ref), 5, values.subarray(0, 1), results, 1)
    app.commit()
    expect(results[0]).toBe(APPEND.ok)
    for (let round = 0; round < 2; round++) {
      const arena = createArena(1 << 20)
      const selection = db
        .reader()
        .querier(0, 10)
        .select([name('x')], { start: 0, end: 10 }, arena)
      const out = arena.alloc(16)
      const row = new DataView(arena.memory.buffer, selection.chunkTable)
      const n = arena.kernels.xorDecode(row.getUint32(0, true), row.getUint32(4, true), out, out + 8, 1)
      expect(n).toBe(1)
      expect(isStale(new Float64Array(arena.memory.buffer, out + 8, 1)[0]!)).toBe(true)
      await db.close()
      db = start()
    }
  })

  it('cuts chunks near 120 samples and never across two hours', () => {
    const db = start()
    const labels = Labels.from({ __name__: 'x' })
    let ref = 0
    for (let t = 0; t < 6 * 3600; t += 15) {
      const app = db.appender()
      ref = ref || app.series(labels)
      expect(app.float(ref, t * 1000, t)).toBe(APPEND.ok)
      app.commit()
    }
    const [series] = readAll(db, [name('x')])
    expect(series!.samples.length).toBe(1440)
    expect(series!.chunks!.map((chunk) => chunk.count)).toEqual(Array(12).fill(120))
    expect(readAll(db, [name('x')], 3_600_000, 3_700_000)[0]!.chunks!.length).toBe(1)
  })

  it('refuses series past the limit and goes on with the known ones', () => {
    const db = start({ seriesMax: 2 })
    const app = db.appender()
    const refs = ['a', 'b', 'c'].map((job) => app.series(Labels.from({ job })))
    expect(refs[2]).toBe(0)
    expect(app.float(refs[0]!, 1, 1)).toBe(APPEND.ok)
    expect(app.float(refs[2]!, 1, 1)).toBe(APPEND.unknownRef)
    app.commit()
    expect(db.stats().refusedSeries).toBe(1)
    expect(db.stats().seriesCount).toBe(2)
  })

  it('logs exemplars and refuses long ones', async () => {
    const db = start()
    const app = db.appender()
    const ref = app.series(Labels.from({ __name__: 'x' }))
    const exemplar = (value: string) => ({
      labels: Labels.from({ trace_id: value }),
      value: 1,
      timestampMs: 5,
    })
    expect(app.exemplar(ref, exemplar('a'))).toBe(APPEND.ok)
    expect(app.exemplar(ref, exemplar('a'.repeat(121)))).toBe(APPEND.refused)
    expect(app.exemplar(ref + 1, exemplar('a'))).toBe(APPEND.unknownRef)
    app.commit()
    await db.close()
    expect(start().stats().walCorruptions).toBe(0)
  })

  it('locks its directory', async () => {
    const db = start()
    expect(() => openDbSync({ dir, headMemoryBytesMax: MEMORY })).toThrow(/in use by process/)
    await db.close()
    await start().close()
  })

  it('takes over the lock of a process that is gone, or whose id another process has now', async () => {
    for (const stale of ['', '4194303 17\n', `${process.ppid} 1\n`]) {
      writeFileSync(join(dir, 'lock'), stale)
      await start().close()
    }
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 20000)'])
    try {
      writeFileSync(join(dir, 'lock'), `${child.pid}\n`)
      expect(() => openDbSync({ dir, headMemoryBytesMax: MEMORY })).toThrow(`process ${child.pid}`)
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('keeps acknowledged commits of a process that was killed', async () => {
    const db = start()
    const app = db.appender()
    app.float(app.series(Labels.from({ __name__: 'x' })), 1000, 1)
    app.commit()
    const copy = mkdtempSync(join(tmpdir(), 'wf-killed-'))
    cpSync(dir, copy, { recursive: true })
    rmSync(join(copy, 'lock'))
    const killed = openDbSync({ dir: copy, headMemoryBytesMax: MEMORY })
    expect(readAll(killed, [name('x')])[0]!.samples).toEqual([[1000, 1]])
    expect(killed.stats().walCorruptions).toBe(0)
    await killed.close()
    rmSync(copy, { recursive: true })
  })
})
