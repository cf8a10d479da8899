import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { COUNTER_RESET, Labels, Matcher, setStale, type HistogramSample } from '@watchfire/datamodel'
import { openDbSync, type Db } from '../index.ts'
import { readAll } from '../testing/read-all.ts'
import { readHistograms } from '../testing/read-histograms.ts'
import { RecordEncoder } from '../wal/record-encoder.ts'
import { SegmentWriter } from '../wal/segment-writer.ts'

let dir: string
let db: Db

const start = () => {
  db = openDbSync({ dir, headMemoryBytesMax: 16 * 1024 * 1024, memoryImage: false, outOfOrderWindowMs: 1e9 })
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-delete-'))
  start()
})
afterEach(async () => {
  await db.close()
  rmSync(dir, { recursive: true, force: true })
})

function sample(k: number, change: Partial<HistogramSample> = {}): HistogramSample {
  return {
    integer: true,
    schema: 2,
    zeroThreshold: 0.5,
    zeroCount: k,
    count: 7 * k,
    sum: k / 3,
    positiveSpans: [{ offset: 1, length: 2 }],
    negativeSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(k, 2 * k),
    negativeBuckets: Float64Array.of(3 * k),
    customValues: [],
    counterResetHint: COUNTER_RESET.unknown,
    ...change,
  }
}

function append(times: readonly number[], of: (time: number) => HistogramSample | number): void {
  for (const time of times) {
    const app = db.appender()
    const ref = app.series(Labels.from({ __name__: 'h' }))
    const value = of(time)
    if (typeof value === 'number') app.float(ref, time, value)
    else app.histogram(ref, time, value)
    app.commit()
  }
}

/** Logs a deletion of the only series, as Prometheus does, and replays. */
async function deleteRange(minTime: number, maxTime: number): Promise<void> {
  await db.close()
  const wal = join(dir, 'wal')
  const writer = new SegmentWriter(wal, readdirSync(wal).length)
  new RecordEncoder(writer).tombstones([{ ref: 1, minTime, maxTime }])
  writer.close()
  start()
}

const named = [new Matcher('=', '__name__', 'h')]
const samples = () => readHistograms(db, named, true).flatMap((chunk) => chunk.samples)
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

describe('deleted samples of the log', () => {
  it('do not come back in series of native histograms', async () => {
    append(range(1, 200), (k) => sample(k))
    const before = samples()
    await deleteRange(50, 149)
    const after = samples()
    expect(after.map(({ time }) => time)).toEqual([...range(1, 50), ...range(150, 200)])
    for (const { time, histogram } of after)
      expect({ ...histogram, counterResetHint: 0 }).toEqual({
        ...before.find((each) => each.time === time)!.histogram,
        counterResetHint: 0,
      })
    expect(db.stats().chunkCount).toBe(readHistograms(db, named).length)
  })

  it('leave resets, gauges and stale markers as they were', async () => {
    const stale = new Float64Array(1)
    setStale(stale, 0)
    append(range(1, 60), (k) => {
      if (k === 30) return sample(k, { sum: stale[0]! })
      if (k > 40) return sample(k, { counterResetHint: COUNTER_RESET.gauge })
      return sample(k > 20 ? k - 20 : k)
    })
    const hints = () => readHistograms(db, named).map(({ hint, samples: all }) => [hint, all[0]!.time])
    expect(hints()).toContainEqual([COUNTER_RESET.reset, 21])
    await deleteRange(5, 10)
    expect(samples().map(({ time }) => time)).toEqual([...range(1, 5), ...range(11, 60)])
    expect(hints()).toContainEqual([COUNTER_RESET.reset, 21])
    expect(hints()).toContainEqual([COUNTER_RESET.gauge, 41])
  })

  it('go from series with floats and histograms, and the series goes on', async () => {
    append(range(1, 40), (k) => (k % 10 < 5 ? k : sample(k, { integer: false })))
    const floats = readHistograms(db, named, true).filter(({ encoding }) => encoding === 1).length
    expect(floats).toBeGreaterThan(2)
    await deleteRange(1, 34)
    expect(samples().map(({ time }) => time)).toEqual(range(35, 40))
    append([40], (k) => sample(k, { integer: false }))
    expect(samples().map(({ time }) => time)).toEqual(range(35, 41))
  })

  it('include those that came out of order', async () => {
    append([100, 50, 20, 70], (time) => time / 2)
    await deleteRange(40, 60)
    expect(
      readAll(db, named)[0]!
        .samples.map(([time]) => time)
        .sort((a, b) => a! - b!),
    ).toEqual([20, 70, 100])
  })
})
