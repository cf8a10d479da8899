import { describe, expect, it } from 'vitest'
import { Labels } from '@watchfire/datamodel'
import { ExemplarStore } from './exemplar-store.ts'

const exemplar = (timestampMs: number, value: number) => ({
  labels: Labels.from({ trace_id: String(value) }),
  value,
  timestampMs,
})
const values = (store: ExemplarStore, start = -Infinity, end = Infinity) =>
  [...store.between(start, end)].map(([ref, list]) => [ref, list.map(({ value }) => value)])

describe('ExemplarStore', () => {
  it('keeps the newest of all series', () => {
    const store = new ExemplarStore(3)
    store.add(1, exemplar(10, 1))
    store.add(2, exemplar(10, 2))
    store.add(1, exemplar(20, 3))
    expect(values(store)).toEqual([
      [1, [1, 3]],
      [2, [2]],
    ])
    store.add(2, exemplar(30, 4))
    store.add(3, exemplar(30, 5))
    expect(values(store)).toEqual([
      [1, [3]],
      [2, [4]],
      [3, [5]],
    ])
    expect(store.size).toBe(3)
    expect(values(store, 30, 30)).toEqual([
      [2, [4]],
      [3, [5]],
    ])
  })

  it('takes no older and no equal exemplars of a series', () => {
    const store = new ExemplarStore(10)
    store.add(1, exemplar(10, 5))
    expect(store.check(1, exemplar(10, 5))).toBe('duplicate')
    expect(store.check(1, exemplar(9, 6))).toBe('outOfOrder')
    expect(store.check(1, exemplar(10, 4))).toBe('outOfOrder')
    expect(store.check(1, exemplar(10, 6))).toBe('ok')
    store.add(1, exemplar(9, 6))
    store.add(1, exemplar(10, 5))
    expect(values(store)).toEqual([[1, [5]]])
  })
})
