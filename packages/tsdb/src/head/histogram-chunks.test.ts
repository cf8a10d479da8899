import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  APPEND,
  COUNTER_RESET,
  CUSTOM_BUCKETS_SCHEMA,
  Labels,
  Matcher,
  isStale,
  setStale,
  type HistogramSample,
} from '@watchfire/datamodel'
import { openDbSync, type Db } from '../index.ts'
import { readHistograms } from '../testing/read-histograms.ts'

let dir: string
let db: Db

function start(): void {
  db = openDbSync({ dir, headMemoryBytesMax: 64 * 1024 * 1024 })
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-histogram-'))
  start()
})
afterEach(async () => {
  await db.close()
  rmSync(dir, { recursive: true, force: true })
})

/** An exponential histogram with two positive runs and one negative bucket. */
function sample(k: number, change: Partial<HistogramSample> = {}): HistogramSample {
  const positiveBuckets = Float64Array.of(k, 2 * k, 3 * k)
  const negativeBuckets = Float64Array.of(k + 1)
  return {
    integer: true,
    schema: 3,
    zeroThreshold: 0.001,
    zeroCount: 5,
    count: 5 + 6 * k + k + 1,
    sum: 1.5 * k,
    positiveSpans: [
      { offset: -2, length: 1 },
      { offset: 3, length: 2 },
    ],
    negativeSpans: [{ offset: 0, length: 1 }],
    positiveBuckets,
    negativeBuckets,
    customValues: [],
    counterResetHint: COUNTER_RESET.unknown,
    ...change,
  }
}

function append(time: number, histogram: HistogramSample, want: number = APPEND.ok): void {
  const app = db.appender()
  expect(app.histogram(app.series(Labels.from({ __name__: 'h' })), time, histogram)).toBe(want)
  app.commit()
}

const all = () => readHistograms(db, [new Matcher('=', '__name__', 'h')])
const hints = () => all().map((chunk) => [chunk.hint, chunk.samples.length])

describe('native histograms in the head', () => {
  it('come back whole, also after a restart', async () => {
    const want = Array.from({ length: 300 }, (_, k) => sample(k))
    want.forEach((histogram, k) => append(k * 60_000, histogram))
    for (let round = 0; round < 2; round++) {
      const chunks = all()
      expect(chunks.length).toBeGreaterThan(1)
      expect(chunks.every((chunk) => chunk.encoding === 2)).toBe(true)
      const got = chunks.flatMap((chunk) => chunk.samples)
      expect(got.map(({ time }) => time)).toEqual(want.map((_, k) => k * 60_000))
      got.forEach(({ histogram }, k) =>
        expect(histogram).toEqual({ ...want[k], counterResetHint: histogram.counterResetHint }),
      )
      expect(chunks[0]!.hint).toBe(COUNTER_RESET.unknown)
      expect(chunks.slice(1).every((chunk) => chunk.hint === COUNTER_RESET.notReset)).toBe(true)
      await db.close()
      start()
    }
  })

  it('start a chunk when a counter is reset, when buckets change, and for gauges', () => {
    append(1, sample(5))
    append(2, sample(4))
    expect(hints()).toEqual([
      [COUNTER_RESET.unknown, 1],
      [COUNTER_RESET.reset, 1],
    ])
    append(3, sample(4, { schema: 2 }))
    expect(hints()[2]).toEqual([COUNTER_RESET.unknown, 1])
    append(4, sample(9, { schema: 2, counterResetHint: COUNTER_RESET.gauge }))
    append(5, sample(1, { schema: 2, counterResetHint: COUNTER_RESET.gauge }))
    append(6, sample(1, { schema: 2, integer: false }))
    expect(hints().map(([, n]) => n)).toEqual([1, 1, 1, 2, 1])
    expect(all().map((chunk) => chunk.encoding)).toEqual([2, 2, 2, 2, 3])
    expect(all()[3]!.hint).toBe(COUNTER_RESET.gauge)
  })

  it('keep custom buckets and float counts through the log', async () => {
    const custom = sample(0, {
      integer: false,
      schema: CUSTOM_BUCKETS_SCHEMA,
      zeroThreshold: 0,
      zeroCount: 0,
      count: 2.5,
      positiveSpans: [{ offset: 1, length: 2 }],
      negativeSpans: [],
      positiveBuckets: Float64Array.of(1.25, 1.25),
      negativeBuckets: new Float64Array(0),
      customValues: [0.1, 1, 10],
    })
    append(1, custom)
    append(2, { ...custom, integer: true, count: 4, positiveBuckets: Float64Array.of(1, 3) })
    for (let round = 0; round < 2; round++) {
      const [float, integer] = all()
      expect(float!.samples[0]!.histogram).toEqual(custom)
      expect(integer!.encoding).toBe(2)
      expect([...integer!.samples[0]!.histogram.positiveBuckets]).toEqual([1, 3])
      expect(integer!.samples[0]!.histogram.customValues).toEqual([0.1, 1, 10])
      await db.close()
      start()
    }
  })

  it('take the staleness marker of a float append and start anew after it', async () => {
    append(1, sample(1))
    const app = db.appender()
    const stale = new Float64Array(1)
    setStale(stale, 0)
    const ref = app.series(Labels.from({ __name__: 'h' }))
    app.floats(Float64Array.of(ref), 2, stale, new Uint8Array(1), 1)
    app.commit()
    append(3, sample(1))
    for (let round = 0; round < 2; round++) {
      const chunks = all()
      expect(chunks.map((chunk) => chunk.samples.length)).toEqual([2, 1])
      expect(isStale(chunks[0]!.samples[1]!.histogram.sum)).toBe(true)
      await db.close()
      start()
    }
  })

  it('keep their order among floats of the same series', async () => {
    const app = db.appender()
    const ref = app.series(Labels.from({ __name__: 'h' }))
    app.histogram(ref, 1, sample(1))
    app.float(ref, 2, 7)
    app.histogram(ref, 3, sample(2))
    app.commit()
    for (let round = 0; round < 2; round++) {
      expect(
        readHistograms(db, [new Matcher('=', '__name__', 'h')], true).map((chunk) => chunk.encoding),
      ).toEqual([2, 1, 2])
      await db.close()
      start()
    }
  })

  it('are refused when their parts do not fit together', () => {
    append(1, sample(1, { count: 3 }), APPEND.badHistogram)
    append(1, sample(1, { schema: 9 }), APPEND.badHistogram)
    append(1, sample(1, { positiveSpans: [{ offset: 0, length: 2 }] }), APPEND.badHistogram)
    append(1, sample(1, { zeroCount: 0.5, count: 8.5 }), APPEND.badHistogram)
    append(1, sample(1))
    append(1, sample(1))
    append(1, sample(2), APPEND.duplicate)
    append(0, sample(2), APPEND.outOfOrder)
  })

  it('keep nothing of a stale marker but the marker, so that the log stays readable', async () => {
    const stale = new Float64Array(1)
    setStale(stale, 0)
    append(1, sample(1))
    append(2, sample(1, { sum: stale[0]!, positiveSpans: [{ offset: 0, length: 9 }] }))
    await db.close()
    start()
    expect(db.stats().walCorruptions).toBe(0)
    expect(all()[0]!.samples).toHaveLength(2)
  })
})
