import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Histogram,
  NativeBuckets,
  NativeLayout,
  Registry,
  bucketBound,
  bucketIndex,
  schemaOfGrowthFactor,
} from '../index.ts'
import { spansOf } from './buckets.ts'

describe('schema', () => {
  const cases: [number, number][] = [
    [65536, -4],
    [256, -3],
    [16, -2],
    [4, -1],
    [2, 0],
    [1.5, 1],
    [1.1, 3],
    [1.05, 4],
    [1.01, 7],
    [1.003, 8],
    [1.00001, 8],
    [1e9, -4],
  ]
  test.each(cases)('growth factor %d gives schema %d', (factor, schema) => {
    expect(schemaOfGrowthFactor(factor)).toBe(schema)
  })

  test('a growth factor of 1 or less is refused', () => {
    for (const factor of [1, 0.5, NaN]) expect(() => schemaOfGrowthFactor(factor)).toThrow('is not above 1')
  })
})

describe('bucket arithmetic', () => {
  // Subnormal bounds are rounded too coarsely to lie between neighbours.
  const values = fc.double({ min: 2 ** -1021, max: Number.MAX_VALUE, noNaN: true })
  const schemas = fc.integer({ min: -4, max: 8 })

  test('the bound of bucket i is 2^(i·2^−s)', () => {
    for (let schema = -4; schema <= 8; schema++)
      for (let i = -500; i <= 500; i += 7) {
        const want = 2 ** (i * 2 ** -schema)
        if (want === 0 || want === Infinity) continue
        expect(Math.abs(bucketBound(i, schema) / want - 1)).toBeLessThan(1e-13)
      }
    expect(bucketBound(1, 1)).toBe(Math.SQRT2)
    expect(bucketBound(8, 3)).toBe(2)
    expect(bucketBound(1024, 0)).toBe(Number.MAX_VALUE)
  })

  test('a value lies above the bound before its bucket and not above its own', () => {
    fc.assert(
      fc.property(values, schemas, (value, schema) => {
        const index = bucketIndex(value, schema)
        expect(value <= bucketBound(index, schema)).toBe(true)
        const below = bucketBound(index - 1, schema)
        // The largest finite number stands for 2^1024, which has no double.
        expect(value > below || below === Number.MAX_VALUE).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  test('a bound itself belongs to its bucket, the next double to the one after', () => {
    for (let schema = -4; schema <= 8; schema++)
      for (const i of [-700, -33, -8, -1, 0, 1, 2, 7, 40, 900]) {
        const bound = bucketBound(i, schema)
        if (bound === 0 || bound === Infinity || bound < 1e-300) continue
        expect(bucketIndex(bound, schema)).toBe(i)
        expect(bucketIndex(bound * (1 + 2 ** -52), schema)).toBe(i + 1)
      }
  })

  test('subnormal values have buckets below all others', () => {
    expect([5e-324, 2 ** -1073, 2 ** -1022].map((v) => bucketIndex(v, 0))).toEqual([-1074, -1073, -1022])
    expect(bucketIndex(3 * 2 ** -1074, 1)).toBe(-2144)
  })

  test('infinity lies one bucket above the largest number', () => {
    for (let schema = -4; schema <= 8; schema++)
      expect(bucketIndex(Infinity, schema)).toBe(bucketIndex(Number.MAX_VALUE, schema) + 1)
  })

  test('halving the resolution gives the buckets the lower schema would have', () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 60 }), (observed) => {
        const native = new NativeBuckets(
          new NativeLayout('h', { growthFactor: 1.1, maxBuckets: 4, zeroThreshold: 0 }),
        )
        for (const value of observed) if (native.observe(value)) native.limit()
        const want = new Map<number, number>()
        for (const value of observed) {
          const index = bucketIndex(value, native.schema)
          want.set(index, (want.get(index) ?? 0) + 1)
        }
        expect([...native.positive].sort()).toEqual([...want].sort())
        expect(native.positive.size <= 4 || native.schema === -4).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

describe('limits', () => {
  const registers: Registry[] = []

  test('the zero bucket widens first where that is allowed', () => {
    const histogram = new Histogram({
      name: 'h',
      help: '',
      native: { growthFactor: 2, maxBuckets: 3, maxZeroThreshold: 1 },
      registers,
    })
    for (const value of [0.3, -0.3, 3, 30, 0]) histogram.observe(value)
    const native = histogram.labels().native!
    expect(native).toMatchObject({ schema: 0, zeroThreshold: 0.5, zeroCount: 3 })
    expect([...native.positive]).toEqual([
      [2, 1],
      [5, 1],
    ])
    expect(native.negative.size).toBe(0)
  })

  test('an old enough histogram starts anew and keeps the last value', () => {
    let now = 1000
    const registry = new Registry({ now: () => now })
    const histogram = new Histogram({
      name: 'h',
      help: '',
      native: { growthFactor: 2, maxBuckets: 2, minResetDurationMs: 60_000 },
      registers: [registry],
    })
    for (const value of [1, 2]) histogram.observe(value)
    now += 60_000
    histogram.observe(100)
    expect(histogram.labels()).toMatchObject({ count: 1, sum: 100, startMs: now })
    expect([...histogram.labels().native!.positive]).toEqual([[7, 1]])
  })

  test('unusable options are refused', () => {
    expect(
      () => new Histogram({ name: 'h', help: '', native: { growthFactor: 2, zeroThreshold: -1 }, registers }),
    ).toThrow('metric h: native.zeroThreshold is -1')
  })
})

describe('spans', () => {
  test('gaps of one or two buckets are filled with zeros, larger ones begin a new span', () => {
    const side = new Map([
      [5, 2],
      [-3, 1],
      [-2, 4],
      [1, 3],
      [6, 2],
    ])
    expect(spansOf(side)).toEqual({ offsets: [-3, 3], lengths: [5, 2], deltas: [1, 3, -4, 0, 3, -1, 0] })
    expect(
      spansOf(
        new Map([
          [0, 1],
          [3, 1],
        ]),
      ),
    ).toEqual({ offsets: [0], lengths: [4], deltas: [1, -1, 0, 1] })
    expect(spansOf(new Map())).toEqual({ offsets: [], lengths: [], deltas: [] })
  })
})
