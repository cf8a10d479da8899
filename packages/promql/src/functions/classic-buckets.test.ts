import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClassicBuckets } from './classic-buckets.ts'

function bucketsOf(list: readonly (readonly [number, number])[]): ClassicBuckets {
  const buckets = new ClassicBuckets(list.length)
  for (const [bound, count] of list) buckets.push(bound, count)
  return buckets
}

describe('classic buckets', () => {
  it.each([
    [0.5, 7.5],
    [0.25, 3.75],
    [0.75, 12.5],
    [1, 20],
    [-1, -Infinity],
    [2, Infinity],
    [NaN, NaN],
  ])('give the %d-quantile by linear interpolation', (q, want) => {
    const buckets = bucketsOf([
      [10, 10],
      [20, 15],
      [Infinity, 15],
    ])
    expect(buckets.quantile(q)).toBe(want)
  })

  it('need a bucket without bound, two buckets and observations', () => {
    expect(
      bucketsOf([
        [1, 1],
        [2, 2],
      ]).quantile(0.5),
    ).toBeNaN()
    expect(bucketsOf([[Infinity, 2]]).quantile(0.5)).toBeNaN()
    expect(
      bucketsOf([
        [1, 0],
        [Infinity, 0],
      ]).quantile(0.5),
    ).toBeNaN()
  })

  it('are made monotonic, which is remembered only when it is no rounding error', () => {
    const falling = bucketsOf([
      [1, 10],
      [2, 8],
      [Infinity, 20],
    ])
    falling.quantile(0.9)
    expect([falling.forced, falling.minBucket, falling.maxBucket, falling.maxDiff]).toEqual([true, 2, 2, 2])
    const rounded = bucketsOf([
      [1, 10],
      [2, 10 - 1e-13],
      [Infinity, 20],
    ])
    rounded.quantile(0.9)
    expect(rounded.forced).toBe(false)
  })

  it('have fractions that are the inverse of quantiles', () => {
    const counts = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 3, maxLength: 12 })
    fc.assert(
      fc.property(counts, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (steps, q) => {
        let total = 0
        const list = steps.map((step, i): [number, number] => [
          i === steps.length - 1 ? Infinity : (i + 1) * 10,
          (total += i === steps.length - 1 ? 0 : step),
        ])
        const at = bucketsOf(list).quantile(q)
        expect(bucketsOf(list).fraction(-Infinity, at)).toBeCloseTo(q, 6)
      }),
    )
  })
})
