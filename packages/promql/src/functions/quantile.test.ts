import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quantileOf } from './quantile.ts'

/** By sorting, NaN first. */
function sorted(q: number, list: readonly number[]): number {
  const order = [...list].sort((a, b) => (a !== a ? -1 : b !== b ? 1 : a - b))
  const rank = q * (order.length - 1)
  const lower = Math.max(0, Math.floor(rank))
  const upper = Math.min(order.length - 1, lower + 1)
  const weight = rank - Math.floor(rank)
  return order[lower]! * (1 - weight) + order[upper]! * weight
}

describe('quantiles', () => {
  it('are found by selection as by sorting', () => {
    const value = fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: 0, max: 5 }), fc.constant(NaN))
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (list, q) => {
          expect(quantileOf(q, Float64Array.from(list)) + 0).toEqual(sorted(q, list) + 0)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('are infinite outside 0 to 1 and NaN of nothing', () => {
    const values = Float64Array.of(1, 2)
    expect([quantileOf(-0.1, values), quantileOf(1.1, values)]).toEqual([-Infinity, Infinity])
    expect(quantileOf(NaN, values)).toBeNaN()
    expect(quantileOf(0.5, new Float64Array(0))).toBeNaN()
  })
})
