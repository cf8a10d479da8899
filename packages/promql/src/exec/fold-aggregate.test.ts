import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Labels, isStale } from '@watchfire/datamodel'
import { createEngine, type EngineOptions, type QueryResult } from '../index.ts'
import { MemoryStorage } from '../script/storage.ts'

const START = 1_700_000_000_000
const STALE = new Float64Array(new BigUint64Array([0x7ff0000000000002n]).buffer)[0]!

const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 50 }) },
  { weight: 3, arbitrary: fc.double({ noNaN: true, min: -1e9, max: 1e9 }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, -0, 1.7e308, STALE) },
)
const samples = fc.array(fc.tuple(fc.integer({ min: 1, max: 60_000 }), value), { maxLength: 40 })
const storages = fc.array(samples, { maxLength: 6 }).map((all) => {
  const storage = new MemoryStorage()
  all.forEach((list, i) => {
    let timeMs = START
    const rows = list.map(([gap, own]) => [(timeMs += gap), own] as const)
    add(storage, { __name__: 'x_total', group: String(i % 2), series: String(i) }, rows)
  })
  return storage
})
const inner = fc.constantFrom(
  'x_total',
  'rate(x_total[2m])',
  'max_over_time(x_total[1m])',
  'absent_over_time(x_total[1m])',
  'irate(x_total[5m])',
)
const query = fc
  .tuple(
    fc.constantFrom('sum', 'avg', 'min', 'max', 'count', 'group'),
    fc.constantFrom('', 'by (group)', 'without (series)'),
    inner,
  )
  .map(([op, by, of]) => `${op} ${by} (${of})`)

function add(
  storage: MemoryStorage,
  labels: Record<string, string>,
  rows: readonly (readonly [number, number])[],
): void {
  for (const [timeMs, value] of rows)
    storage.append(Labels.from(labels), {
      timeMs,
      value,
      stale: isStale(value),
      histogram: undefined,
      startMs: 0,
    })
}

function run(storage: MemoryStorage, expr: string, options: EngineOptions): QueryResult {
  const span = { startMs: START, endMs: START + 900_000, stepMs: 45_000 }
  return createEngine(options).query(storage, { expr, ...span })
}

describe('aggregations in one go', () => {
  it('give what operators give, counters of samples included', () => {
    fc.assert(
      fc.property(storages, query, (storage, expr) => {
        const fast = run(storage, expr, {})
        const plain = run(storage, expr, { disable: ['fold'] })
        const slow = run(storage, expr, { disable: ['fold', 'window-kernels'] })
        expect(fast.value).toEqual(slow.value)
        expect(fast.value).toEqual(plain.value)
        expect(fast.stats.samples).toEqual(plain.stats.samples)
        expect([fast.infos, fast.warnings]).toEqual([plain.infos, plain.warnings])
      }),
      { numRuns: 300 },
    )
  })

  it('end a query past its samples', () => {
    const storage = new MemoryStorage()
    const rows = Array.from({ length: 60 }, (_, i) => [START + i * 15_000, i] as const)
    add(storage, { __name__: 'x_total' }, rows)
    expect(() => run(storage, 'sum(rate(x_total[5m]))', { samplesMax: 15 })).toThrow(/too many samples/)
  })
})

describe('aggregations in units', () => {
  const storage = new MemoryStorage()
  for (let i = 0; i < 40; i++) {
    const rows = Array.from({ length: 20_000 }, (_, k) => {
      const value = k * (i + 1.1) - (k % 977 === 0 ? 1e7 : 0)
      return [START - 3_000_000 + k * 200, value] as const
    })
    add(storage, { __name__: 'x_total', group: String(i % 3), series: String(i) }, rows)
  }

  it.each(['sum', 'avg', 'min', 'max', 'count'])('%s is that of one unit within the last digits', (op) => {
    const expr = `${op} by (group) (rate(x_total[5m]))`
    const units = run(storage, expr, {}).value
    const one = run(storage, expr, { disable: ['fold-units'] }).value
    if (units.type !== 'matrix' || one.type !== 'matrix') throw new Error('no matrix')
    expect(units.series.length).toBe(3)
    units.series.forEach((series, i) => {
      expect(series.times).toEqual(one.series[i]!.times)
      series.values.forEach((own, k) => {
        const wanted = one.series[i]!.values[k]!
        expect(Math.abs(own - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * 1e-14)
      })
    })
  })
})
