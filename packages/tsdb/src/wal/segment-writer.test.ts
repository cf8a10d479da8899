import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Labels, Matcher } from '@watchfire/datamodel'
import { openDbSync } from '../index.ts'
import { readAll } from '../testing/read-all.ts'
import { SegmentReader } from './segment-reader.ts'
import { SegmentWriter } from './segment-writer.ts'

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>()
  return { ...real, writeSync: vi.fn(real.writeSync) }
})

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-segment-'))
})
afterEach(() => {
  vi.mocked(fs.writeSync).mockClear()
  rmSync(dir, { recursive: true, force: true })
})

function records(file: string): number[] {
  const lengths: number[] = []
  new SegmentReader().read(file, {
    record: (_, start, end) => lengths.push(end - start),
    damage: ({ reason }) => expect(reason).toBeUndefined(),
  })
  return lengths
}

describe('the segment writer', () => {
  it('fills pages to the end and never lets a record cross a segment', () => {
    for (const first of [32_761, 32_760, 32_754, 32_753, 32_747, 32_740, 1, 0]) {
      const writer = new SegmentWriter(dir, 0, { compression: 'none', segmentBytes: 64 * 1024 })
      const lengths = [first, 10, 40_000, 0, 5]
      for (const length of lengths) {
        writer.recordBytes().fill(7, 0, length)
        writer.log(length)
        writer.flush()
      }
      writer.close()
      const files = Array.from({ length: writer.segment + 1 }, (_, i) =>
        join(dir, String(i).padStart(8, '0')),
      )
      expect(files.flatMap(records)).toEqual(lengths)
      for (const file of files) expect(statSync(file).size).toBeLessThanOrEqual(64 * 1024)
      for (const file of files) rmSync(file)
    }
  })

  it('refuses a commit the disk refuses, and goes on when there is room again', async () => {
    const db = openDbSync({ dir, headMemoryBytesMax: 16 * 1024 * 1024 })
    const commit = (time: number) => {
      const app = db.appender()
      app.float(app.series(Labels.from({ a: String(time) })), time, time)
      app.commit()
    }
    commit(1)
    const segment = join(dir, 'wal', '00000000')
    const before = readFileSync(segment)
    vi.mocked(fs.writeSync).mockImplementationOnce((fd, data) => {
      // Half of it gets through.
      fs.ftruncateSync(fd as number, before.length + Math.floor((data as unknown as Uint8Array).length / 2))
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    })
    expect(() => commit(2)).toThrow('ENOSPC')
    expect(readFileSync(segment).equals(before)).toBe(true)
    expect(db.stats().seriesCount).toBe(1)
    commit(3)
    await db.close()
    const again = openDbSync({ dir, headMemoryBytesMax: 16 * 1024 * 1024 })
    expect(again.stats().walCorruptions).toBe(0)
    expect(readAll(again, [new Matcher('=~', 'a', '.+')]).map(({ labels }) => labels)).toEqual([
      '{a="1"}',
      '{a="3"}',
    ])
    await again.close()
  })
})
