import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Labels, Matcher } from '@watchfire/datamodel'
import { openDbSync, type Db, type DbOptions } from '../index.ts'
import { readAll } from '../testing/read-all.ts'
import { IMAGE_NAME } from './memory-image.ts'

const ALL = [new Matcher('=~', '__name__', '.+')]
let dir: string
let db: Db
let messages: string[]

function start(options: Partial<DbOptions> = {}): Db {
  messages = []
  db = openDbSync({
    dir,
    headMemoryBytesMax: 16 * 1024 * 1024,
    log: (_level, message, fields) => messages.push(`${message} ${JSON.stringify(fields ?? {})}`),
    ...options,
  })
  return db
}

/** Samples of 40 series from time `from` on. */
function write(from: number, count = 10): void {
  for (let k = from; k < from + count; k++) {
    const app = db.appender()
    for (let i = 0; i < 40; i++)
      app.float(app.series(Labels.from({ __name__: 'm', i: String(i) })), k * 1000, i + k / 7)
    app.commit()
  }
}

const image = () => join(dir, IMAGE_NAME)
const everything = () => readAll(db, ALL)

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-image-'))
})
afterEach(async () => {
  await db.close()
  rmSync(dir, { recursive: true, force: true })
})

describe('the memory image', () => {
  it('gives the head back, which then goes on', async () => {
    start()
    write(0)
    const before = everything()
    await db.close()
    start()
    expect(db.stats().startedFromImage).toBe(true)
    expect(everything()).toEqual(before)
    write(10)
    expect(everything()[0]!.samples).toHaveLength(20)
    await db.close()
    start({ memoryImage: false })
    expect(everything()[0]!.samples).toHaveLength(20)
  })

  it('is gone before the first append, so that a crash replays the log', async () => {
    start()
    write(0)
    await db.close()
    start()
    expect(existsSync(image())).toBe(true)
    write(10, 1)
    expect(existsSync(image())).toBe(false)
    const left = `${dir}-left`
    cpSync(dir, left, { recursive: true })
    rmSync(join(left, 'lock'))
    await db.close()
    rmSync(dir, { recursive: true })
    dir = left
    start()
    expect(db.stats().startedFromImage).toBe(false)
    expect(everything()[0]!.samples).toHaveLength(11)
  })

  it('stays good through starts that append nothing', async () => {
    start()
    write(0)
    for (let i = 0; i < 3; i++) {
      await db.close()
      start()
      expect(db.stats().startedFromImage).toBe(true)
    }
    expect(everything()[0]!.samples).toHaveLength(10)
  })

  it('is left aside when somebody else wrote to the log since', async () => {
    start()
    write(0)
    await db.close()
    const kept = readFileSync(image())
    start()
    write(10, 5)
    await db.close()
    writeFileSync(image(), kept)
    start()
    expect(db.stats().startedFromImage).toBe(false)
    expect(messages.join()).toContain('the log is at another place')
    expect(everything()[0]!.samples).toHaveLength(15)
  })

  it('is neither written nor read when it is switched off', async () => {
    start({ memoryImage: false })
    write(0)
    await db.close()
    expect(existsSync(image())).toBe(false)
    start()
    await db.close()
    start({ memoryImage: false })
    expect(db.stats().startedFromImage).toBe(false)
    expect(everything()[0]!.samples).toHaveLength(10)
  })

  it('is left aside when the memory is smaller than it', async () => {
    start({ headMemoryBytesMax: 32 * 1024 * 1024 })
    for (let t = 0; t < 50; t++) {
      const app = db.appender()
      for (let i = 0; i < 400; i++)
        app.float(app.series(Labels.from({ __name__: `${t}-${i}`, x: 'y'.repeat(500) + i + t })), 1000, i)
      app.commit()
    }
    await db.close()
    expect(statSync(image()).size).toBeGreaterThan(10 * 1024 * 1024)
    start({ headMemoryBytesMax: 4 * 1024 * 1024 })
    expect(messages.join()).toContain('does not fit')
    expect(db.stats().startedFromImage).toBe(false)
    expect(db.stats().seriesCount).toBeGreaterThan(100)
  })

  it('finishes a truncation that was under way, so that no dead series are in it', async () => {
    start()
    write(0)
    db.truncate(9_000_000)
    await db.close()
    start()
    expect(db.stats().startedFromImage).toBe(true)
    expect(db.stats().seriesCount).toBe(0)
    expect(everything()).toEqual([])
  })

  it('leaves nothing but itself in the directory', async () => {
    start()
    write(0)
    await db.close()
    expect(readdirSync(dir).sort()).toEqual(
      [IMAGE_NAME, 'lock', 'wal'].filter((n) => existsSync(join(dir, n))),
    )
  })

  it('is ignored wherever it is damaged, and the log is replayed', async () => {
    start()
    write(0)
    const want = everything()
    await db.close()
    const whole = readFileSync(image())
    const check = (bytes: Uint8Array) => {
      writeFileSync(image(), bytes)
      start()
      expect(everything()).toEqual(want)
      return db.stats().startedFromImage
    }
    const damage = fc.oneof(
      fc.record({
        at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        xor: fc.integer({ min: 1, max: 255 }),
      }),
      fc.record({ cut: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) }),
      fc.record({ fromEnd: fc.integer({ min: 1, max: 2000 }), xor: fc.integer({ min: 1, max: 255 }) }),
    )
    await fc.assert(
      fc.asyncProperty(damage, async (one) => {
        const bytes = Uint8Array.from(whole)
        if ('cut' in one) {
          expect(check(bytes.subarray(0, Math.floor(one.cut * bytes.length)))).toBe(false)
        } else {
          const at = 'at' in one ? Math.floor(one.at * bytes.length) : bytes.length - one.fromEnd
          bytes[at]! ^= one.xor
          // The first page is for people and programs that look what the file is.
          if (check(bytes)) expect(at).toBeLessThan(4096)
          else expect(messages.join()).toContain('memory image is not used')
        }
        rmSync(image(), { force: true })
        await db.close()
      }),
      { numRuns: 60 },
    )
  })
})
