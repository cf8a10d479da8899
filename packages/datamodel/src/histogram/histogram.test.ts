import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import {
  HistogramSum,
  addHistograms,
  allBuckets,
  compactHistogram,
  detectReset,
  equalHistograms,
  expandSpans,
  exponentialBound,
  histogramFraction,
  histogramFault,
  histogramLiteral,
  histogramQuantile,
  histogramToString,
  reduceResolution,
  scaleHistogram,
  spansOf,
  subHistograms,
  trimHistogram,
  type FloatHistogram,
} from '../index.ts'

function make(
  fields: Partial<Omit<FloatHistogram, 'positiveBuckets' | 'negativeBuckets'>> & {
    buckets?: number[]
    nBuckets?: number[]
  },
): FloatHistogram {
  const { buckets = [], nBuckets = [], ...rest } = fields
  return {
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    count: [...buckets, ...nBuckets].reduce((a, b) => a + b, 0) + (fields.zeroCount ?? 0),
    sum: 0,
    positiveSpans: buckets.length ? [{ offset: 0, length: buckets.length }] : [],
    negativeSpans: nBuckets.length ? [{ offset: 0, length: nBuckets.length }] : [],
    positiveBuckets: Float64Array.from(buckets),
    negativeBuckets: Float64Array.from(nBuckets),
    customValues: [],
    counterResetHint: 0,
    ...rest,
  }
}

const arbitrary = fc
  .record({
    schema: fc.integer({ min: -2, max: 4 }),
    offset: fc.integer({ min: -6, max: 6 }),
    buckets: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 }),
    nBuckets: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 }),
    zeroCount: fc.integer({ min: 0, max: 5 }),
    // Below every bucket that can occur, as in a consistent histogram.
    zeroThreshold: fc.constantFrom(0, 2 ** -40, 2 ** -30),
  })
  .map((r) =>
    make({ ...r, positiveSpans: [{ offset: r.offset, length: r.buckets.length }], sum: r.buckets.length }),
  )

describe('bucket bounds', () => {
  it('are exact powers of two at whole octaves and ordered between', () => {
    expect(exponentialBound(0, 0)).toBe(1)
    expect(exponentialBound(8, 3)).toBe(2)
    expect(exponentialBound(-1, 0)).toBe(0.5)
    expect(exponentialBound(1, 1)).toBe(1.414213562373095) // as Prometheus rounds the root of 2
    expect(exponentialBound(1, -1)).toBe(4)
    expect(exponentialBound(1024, 0)).toBe(Number.MAX_VALUE)
    expect(exponentialBound(1025, 0)).toBe(Infinity)
    for (let i = -300; i < 300; i++) {
      expect(exponentialBound(i, 8)).toBeLessThan(exponentialBound(i + 1, 8))
      expect(exponentialBound(i, 8)).toBeCloseTo(2 ** (i / 256), 12)
    }
  })

  it('survive the way through spans', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: -50, max: 50 })), (list) => {
        const indices = list.sort((a, b) => a - b)
        expect([...expandSpans(spansOf(indices))]).toEqual(indices)
      }),
    )
  })
})

describe('arithmetic', () => {
  it('adds what the buckets add', () => {
    fc.assert(
      fc.property(arbitrary, arbitrary, (a, b) => {
        const sum = addHistograms(a, b).histogram
        expect(sum.count).toBe(a.count + b.count)
        const total = allBuckets(sum).reduce((n, bucket) => n + bucket.count, 0)
        expect(total).toBeCloseTo(a.count + b.count, 9)
        const other = addHistograms(b, a).histogram
        expect(histogramToString(compactHistogram(sum))).toBe(histogramToString(compactHistogram(other)))
      }),
    )
  })

  it('takes away what it added when the layout is one', () => {
    const a = make({ buckets: [1, 2, 3], zeroCount: 1 })
    const b = make({ buckets: [4, 0, 1], zeroCount: 2 })
    expect(equalHistograms(subHistograms(addHistograms(a, b).histogram, b).histogram, a)).toBe(true)
  })

  it('leaves its arguments alone', () => {
    const a = make({ buckets: [1, 2] })
    new HistogramSum(a).add(make({ buckets: [5, 5] }))
    scaleHistogram(a, 7)
    expect([...a.positiveBuckets]).toEqual([1, 2])
  })

  it('widens the zero bucket over populated buckets of the other histogram', () => {
    const fine = make({ buckets: [1, 2, 4] }) // (0.5,1] (1,2] (2,4]
    const coarse = make({
      zeroThreshold: 1.5,
      zeroCount: 10,
      positiveSpans: [{ offset: 2, length: 1 }],
      buckets: [1],
    })
    const { histogram } = addHistograms(fine, coarse)
    expect(histogram.zeroThreshold).toBe(2)
    expect(histogram.zeroCount).toBe(13)
    expect(histogram.count).toBe(18)
    expect(histogramToString(histogram)).toContain('(2,4]:5')
  })

  it('reconciles custom bounds to the common ones', () => {
    const a = make({ schema: -53, customValues: [1, 2, 3], buckets: [1, 1, 1, 1] })
    const b = make({ schema: -53, customValues: [1, 3], buckets: [1, 2, 3] })
    const { histogram, boundsReconciled } = addHistograms(a, b)
    expect(boundsReconciled).toBe(true)
    expect(histogram.customValues).toEqual([1, 3])
    expect([...histogram.positiveBuckets]).toEqual([2, 4, 4])
  })

  it('refuses to mix exponential and custom buckets', () => {
    expect(() => addHistograms(make({}), make({ schema: -53 }))).toThrow('mix of exponential and custom')
  })

  it('keeps all observations at a lower resolution', () => {
    fc.assert(
      fc.property(arbitrary, (h) => {
        const low = reduceResolution(h, -4)
        const total = (x: FloatHistogram) => allBuckets(x).reduce((n, bucket) => n + bucket.count, 0)
        expect(total(low)).toBe(total(h))
      }),
    )
  })

  it('sees resets in counts and buckets', () => {
    const before = make({ buckets: [1, 2] })
    expect(detectReset(make({ buckets: [1, 3] }), before)).toBe(false)
    expect(detectReset(make({ buckets: [2, 1] }), before)).toBe(true)
    expect(detectReset(make({ buckets: [5] }), before)).toBe(true)
    expect(detectReset(make({ buckets: [5, 5], schema: 1 }), before)).toBe(true)
  })
})

describe('quantiles', () => {
  it('interpolate exponentially within a bucket', () => {
    const h = make({ buckets: [0, 4] }) // (1, 2]
    expect(histogramQuantile(0.5, h).value).toBeCloseTo(Math.SQRT2, 12)
    expect(histogramFraction(-Infinity, Math.SQRT2, h).value).toBeCloseTo(0.5, 12)
  })

  it('are monotonic in φ', () => {
    fc.assert(
      fc.property(arbitrary, (h) => {
        if (h.count === 0) return
        let last = -Infinity
        for (let q = 0; q <= 1; q += 0.1) {
          const { value } = histogramQuantile(q, h)
          expect(value).toBeGreaterThanOrEqual(last - Math.abs(last) * 1e-9 - 1e-9)
          last = value
        }
      }),
    )
  })
})

describe('text, trimming and validation', () => {
  it('prints as the field does', () => {
    const h = make({ buckets: [1, 0, 2], zeroCount: 1, zeroThreshold: 0.5, sum: 1.5 })
    expect(histogramToString(h)).toBe('{count:4, sum:1.5, [-0.5,0.5]:1, (0.5,1]:1, (2,4]:2}')
    expect(histogramLiteral(h)).toBe('{{count:4 sum:1.5 z_bucket:1 z_bucket_w:0.5 buckets:[1 0 2]}}')
  })

  it('trims from either end', () => {
    const h = make({ buckets: [1, 2, 3] })
    expect(trimHistogram(h, 2, true).count).toBe(3)
    expect(trimHistogram(h, 2, false).count).toBe(3)
    expect(trimHistogram(h, 100, true).count).toBe(6)
  })

  it('names what is inconsistent', () => {
    expect(histogramFault(make({ buckets: [1] }))).toBeUndefined()
    expect(histogramFault(make({ buckets: [1], positiveSpans: [{ offset: 0, length: 2 }] }))).toContain(
      'spans need 2 buckets',
    )
    expect(histogramFault(make({ schema: 99 }))).toContain('invalid schema')
    expect(histogramFault(make({ schema: -53, customValues: [2, 1] }))).toContain('strictly increasing')
  })
})
