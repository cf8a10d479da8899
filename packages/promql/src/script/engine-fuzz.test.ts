// Random queries against the engine: each ends in a result or a QueryError, and an instant query gives what the same
// query gives as a step of a range query.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QueryError, createEngine, type QueryResult, type QueryValue } from '../index.ts'
import { expressions } from '../parser/queries.fuzz.ts'
import {
  MemoryStorage,
  almostEqual,
  almostEqualHistograms,
  load,
  parseScript,
  type LoadCommand,
} from './index.ts'

const DATA = `load 30s
  up{job="x", le="1"} 0+1x20
  up{job="y", le="2"} 5 4 stale _ _ 3 2 1x9
  up{job="y", le="+Inf"} NaN Inf -Inf 0 -0 1x9
  a{job="x", a="1"} {{schema:1 count:4 sum:2 z_bucket:1 z_bucket_w:0.01 buckets:[1 2]}}+{{schema:1 count:2 sum:1 buckets:[1 1]}}x12
  a{job="x", a="2"} 1 2 {{count:1 buckets:[1]}} 3 {{schema:-53 custom_values:[1 2] count:3 buckets:[1 2]}}x3 stale 7x9
  job:rate:sum{d="a"} -3+0.5x20
  sum{e="b"} 1e300x20
`
const NO_REPEAT = /start\(\)|end\(\)|range\(\)|step\(\)|sort|topk|bottomk|limit/i
const STEP_MS = 60_000

function loaded(): MemoryStorage {
  const storage = new MemoryStorage()
  for (const command of parseScript(DATA)) load(storage, command as LoadCommand)
  return storage
}

const engine = createEngine({
  samplesMax: 100_000,
  memoryBytesMax: 64 * 2 ** 20,
  features: {
    experimentalFunctions: true,
    durationExpressions: true,
    extendedRangeSelectors: true,
    binopFillModifiers: true,
    delayedNameRemoval: true,
  },
})
const storage = loaded()

/** The result, or undefined for a QueryError other than a bug; anything else is thrown. */
function attempt(expr: string, startMs: number, endMs: number): QueryResult | undefined {
  try {
    const deadline = performance.now() + 5000
    return engine.query(storage, {
      expr,
      startMs,
      endMs,
      ...(endMs > startMs && { stepMs: STEP_MS }),
      deadline,
    })
  } catch (error) {
    if (error instanceof QueryError && error.kind !== 'internal') return undefined
    throw error
  }
}

/** Points of a vector, or of one step of a matrix, by label set. */
function pointsAt(value: QueryValue, timeMs: number) {
  const points = new Map<string, { value: number; histogram: unknown }>()
  if (value.type === 'vector')
    for (const { labels, value: float, histogram } of value.samples)
      points.set(labels.key(), { value: float, histogram })
  if (value.type === 'scalar') points.set('', { value: value.value, histogram: undefined })
  if (value.type === 'matrix')
    for (const { labels, times, values, histograms } of value.series) {
      const i = times.indexOf(timeMs)
      if (i >= 0) points.set(labels.key(), { value: values[i]!, histogram: histograms?.[i] })
    }
  return points
}

function samePoint(
  a: { value: number; histogram: unknown },
  b: { value: number; histogram: unknown } | undefined,
): boolean {
  if (!b || (a.histogram === undefined) !== (b.histogram === undefined)) return false
  if (a.histogram === undefined) return almostEqual(a.value, b.value)
  type H = Parameters<typeof almostEqualHistograms>[0]
  return almostEqualHistograms(a.histogram as H, b.histogram as H, false)
}

describe('random queries', () => {
  it('end in a result that is the same in an instant and in a range query', () => {
    let compared = 0
    fc.assert(
      fc.property(
        fc.oneof(expressions.vector, expressions.scalar),
        fc.constantFrom(0, 90_000, 300_000, 900_000),
        (expr, atMs) => {
          const instant = attempt(expr, atMs, atMs)
          const range = attempt(expr, atMs - STEP_MS, atMs + STEP_MS)
          if (!instant || !range || NO_REPEAT.test(expr)) return
          const wanted = pointsAt(instant.value, atMs)
          const got = pointsAt(range.value, atMs)
          expect([...got.keys()].sort()).toEqual([...wanted.keys()].sort())
          for (const [key, point] of wanted)
            if (!samePoint(point, got.get(key))) expect(got.get(key)).toEqual(point)
          compared++
        },
      ),
      { numRuns: 800, interruptAfterTimeLimit: 4000, markInterruptAsFailure: false },
    )
    expect(compared).toBeGreaterThan(50)
  }, 30_000)

  it('give a matrix at an instant or a QueryError', () => {
    fc.assert(
      fc.property(expressions.matrix, (expr) => {
        expect(attempt(expr, 300_000, 300_000)?.value.type ?? 'matrix').toBe('matrix')
      }),
      { numRuns: 300, interruptAfterTimeLimit: 2000, markInterruptAsFailure: false },
    )
  }, 30_000)
})
