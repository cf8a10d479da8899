import { describe, expect, it } from 'vitest'
import { stackColumns, summarize, toColumns } from './columns.ts'

describe('columns of a chart', () => {
  it('lay series on one time axis, with gaps for what is missing or has no place on an axis', () => {
    const items = [
      {
        metric: {},
        values: [
          [10, '1'],
          [20, 'NaN'],
          [30, '+Inf'],
          [40, '-2.5'],
        ] as [number, string][],
      },
      {
        metric: {},
        values: [
          [20, '7'],
          [99, '1'],
        ] as [number, string][],
      },
    ]
    expect(toColumns(items, 10, 40, 10)).toEqual([
      [10, 20, 30, 40],
      [1, null, null, -2.5],
      [null, 7, null, null],
    ])
  })

  it('are stacked from the last series upwards; a missing point is a layer without height', () => {
    const columns = [
      [1, 2, 3],
      [1, 1, null],
      [null, 2, null],
      [3, 3, null],
    ]
    expect(stackColumns(columns)).toEqual([
      [1, 2, 3],
      [4, 6, null],
      [3, 5, null],
      [3, 3, null],
    ])
    expect(stackColumns(columns, new Set([2]))[1]).toEqual([1, 3, null])
  })

  it('are summed up by last, least, greatest and mean', () => {
    expect(summarize([null, 1, 5, 3, null])).toEqual({ last: 3, min: 1, max: 5, mean: 3 })
    expect(summarize([null])).toBeUndefined()
  })
})
