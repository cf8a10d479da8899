import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { APPEND, Labels, Matcher } from '@watchfire/datamodel'
import { openDbSync } from '../index.ts'
import { readAll } from '../testing/read-all.ts'
import { MemoryGovernor, memoryBytesDefault } from './memory-governor.ts'

describe('the memory governor', () => {
  it('has a share of the machine or of its cgroup as default', () => {
    expect(memoryBytesDefault()).toBeGreaterThan(0)
    expect(memoryBytesDefault()).toBeLessThanOrEqual(totalmem() * 0.75)
  })

  it('is near its budget a little before it is used up, and measures now and then', () => {
    let used = 900
    let now = 0
    let measured = 0
    const governor = new MemoryGovernor(
      1000,
      () => {
        measured++
        return used
      },
      () => now,
    )
    expect(governor.isNear).toBe(false)
    used = 960
    expect(governor.isNear).toBe(false)
    now = 300
    expect(governor.isNear).toBe(true)
    expect(governor.isNear).toBe(true)
    expect(measured).toBe(2)
  })

  it('refuses new series near the budget, and takes samples of those that are known', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'wf-governor-'))
    const messages: string[] = []
    let used = 0
    let db = openDbSync({
      dir,
      memoryBytesMax: 64 * 1024 * 1024,
      memoryBytesUsed: () => used,
      log: (_level, message) => messages.push(message),
    })
    try {
      let app = db.appender()
      const known = app.series(Labels.from({ __name__: 'known' }))
      app.float(known, 1000, 1)
      app.commit()
      expect(db.stats().memoryBytesMax).toBe(64 * 1024 * 1024)
      expect(db.stats().headBytesMax).toBeLessThan(64 * 1024 * 1024)

      used = 2 ** 40
      await new Promise((resolve) => setTimeout(resolve, 300))
      app = db.appender()
      expect(app.series(Labels.from({ __name__: 'new' }))).toBe(0)
      expect(app.float(app.series(Labels.from({ __name__: 'known' })), 2000, 2)).toBe(APPEND.ok)
      app.commit()
      expect(db.stats().refusedSeries).toBe(1)
      expect(messages.join()).toContain('new series are refused')

      // A log is read back whole, whatever the memory.
      await db.close()
      db = openDbSync({
        dir,
        memoryBytesMax: 64 * 1024 * 1024,
        memoryBytesUsed: () => used,
        memoryImage: false,
      })
      expect(readAll(db, [new Matcher('=', '__name__', 'known')])[0]!.samples).toHaveLength(2)
    } finally {
      await db.close()
      rmSync(dir, { recursive: true })
    }
  })
})
