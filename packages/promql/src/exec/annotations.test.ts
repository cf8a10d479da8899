import { describe, expect, it } from 'vitest'
import { Annotations, OVERLAP, formatG } from './annotations.ts'

describe('annotations', () => {
  it('are told apart by their text; the newest position counts', () => {
    const annotations = new Annotations()
    annotations.warn('odd', 0)
    annotations.warn('odd', 6)
    annotations.info('odd', 0)
    expect(annotations.print('warning', 'sum(\n  x)')).toEqual(['PromQL warning: odd (2:2)'])
    expect(annotations.print('info', 'sum(\n  x)')).toEqual(['PromQL info: odd (1:1)'])
  })

  it('count columns in UTF-8 bytes', () => {
    const annotations = new Annotations()
    annotations.warn('odd', 4)
    expect(annotations.print('warning', '"ü" x')).toEqual(['PromQL warning: odd (1:6)'])
  })

  it('collect what was wrong with buckets', () => {
    const annotations = new Annotations()
    const detail = { minTimeMs: 0, maxTimeMs: 0, minBucket: 1, maxBucket: 2, maxDiff: 0.123 }
    annotations.monotonicity('fixed', 0, detail)
    annotations.monotonicity('fixed', 0, { ...detail, maxTimeMs: 61_500, maxBucket: Infinity, maxDiff: 12 })
    expect(annotations.print('info', 'x')).toEqual([
      'PromQL info: fixed, from buckets 1 to +Inf, with a max diff of 12, over 2 samples ' +
        'from 1970-01-01T00:00:00Z to 1970-01-01T00:01:01Z (1:1)',
    ])
  })

  it('say how often start times overlapped', () => {
    const annotations = new Annotations()
    annotations.warn(`${OVERLAP} for metric "x"`, 0)
    annotations.warn(`${OVERLAP} for metric "x"`, 0)
    expect(annotations.print('warning', 'x')).toEqual([
      `PromQL warning: ${OVERLAP} for metric "x" (2 occurrences) (1:1)`,
    ])
  })
})

describe('%g', () => {
  it.each([
    [1.5, undefined, '1.5'],
    [100_000, undefined, '100000'],
    [1_000_000, undefined, '1e+06'],
    [0.0001, undefined, '0.0001'],
    [0.00001, undefined, '1e-05'],
    [-Infinity, undefined, '-Inf'],
    [NaN, undefined, 'NaN'],
    [0.1234, 2, '0.12'],
    [1234, 2, '1.2e+03'],
    [5, 2, '5'],
  ])('of %d (%s digits) is %s', (value, precision, text) => {
    expect(formatG(value, precision)).toBe(text)
  })
})
