import {
  compactHistogram,
  detectReset,
  subHistograms,
  type CounterResetHint,
  type FloatHistogram,
} from '@watchfire/datamodel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compacted, resetBetween, sameLayout, subtractSame, wasReset } from './histogram-layout.ts'

const counts = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 4 })
const histogram: fc.Arbitrary<FloatHistogram> = fc
  .record({
    positive: counts,
    negative: counts,
    zeroCount: fc.integer({ min: 0, max: 3 }),
    zeroThreshold: fc.constantFrom(0.001, 0.002),
    gap: fc.integer({ min: 0, max: 1 }),
    hint: fc.constantFrom<CounterResetHint[]>(0, 0, 0, 1, 2, 3),
  })
  .map(({ positive, negative, zeroCount, zeroThreshold, gap, hint }) => ({
    schema: 0,
    zeroThreshold,
    zeroCount,
    count: [...positive, ...negative, zeroCount].reduce((sum, count) => sum + count, 0),
    sum: positive[0]!,
    positiveSpans: [
      { offset: 0, length: 2 },
      { offset: gap, length: 2 },
    ],
    negativeSpans: [{ offset: 1, length: 4 }],
    positiveBuckets: Float64Array.from(positive),
    negativeBuckets: Float64Array.from(negative),
    customValues: [],
    counterResetHint: hint,
  }))

describe('shortcuts for histograms of one layout', () => {
  it('find the resets that the general way finds', () => {
    fc.assert(
      fc.property(histogram, histogram, (a, b) => {
        expect(wasReset(a, b)).toBe(detectReset(a, b))
        expect(resetBetween([b, a], 1)).toBe(detectReset(a, b))
      }),
      { numRuns: 500 },
    )
  })

  it('subtract and compact as the general way does', () => {
    fc.assert(
      fc.property(histogram, histogram, (a, b) => {
        expect(compacted(a)).toEqual(compactHistogram(a))
        if (!sameLayout(a, b)) return
        const general = compactHistogram(subHistograms(a, b).histogram)
        expect({ ...compacted(subtractSame(a, b)), counterResetHint: 0 }).toEqual({
          ...general,
          counterResetHint: 0,
        })
      }),
      { numRuns: 500 },
    )
  })
})
