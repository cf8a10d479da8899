import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WINDOW, type WindowFunction } from './index.ts'
import { PLACES, Room, type Place } from './oracle/room.ts'
import { windowAt, type Sample } from './oracle/window.ts'

interface Steps {
  readonly start: number
  readonly step: number
  readonly steps: number
  readonly range: number
}

function run(place: Place, func: WindowFunction, samples: readonly Sample[], at: Steps) {
  const room = new Room(place)
  const times = room.column(samples.map(({ t }) => t))
  const values = room.column(samples.map(({ v }) => v))
  const out = room.buffer(at.steps * 8, 0xff)
  const present = room.buffer(at.steps, 0xff)
  const scratch = room.buffer(samples.length * 32)
  const { start, step, steps, range } = at
  room.kernels.windowFloats(
    func,
    times,
    values,
    samples.length,
    start,
    step,
    steps,
    range,
    out,
    present,
    scratch,
  )
  room.check()
  const floats = room.floats(out, steps)
  return [...room.get(present, steps)].map((found, i) => (found ? floats[i] : undefined))
}

const value = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(0, -0) },
  { weight: 6, arbitrary: fc.integer({ min: -5, max: 30 }) },
  { weight: 3, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, 1.7e308, -1.7e308, -0) },
)
const column = fc
  .array(fc.tuple(fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 40_000 })), value), {
    maxLength: 60,
  })
  .map((rows) => {
    let t = 1_700_000_000_000
    return rows.map(([gap, v]) => ({ t: (t += gap), v }))
  })
const grid = fc.record({
  start: fc.integer({ min: -100_000, max: 900_000 }).map((offset) => 1_700_000_000_000 + offset),
  step: fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 200_000 })),
  steps: fc.integer({ min: 0, max: 30 }),
  range: fc.oneof(fc.constant(60_000), fc.integer({ min: 1, max: 400_000 })),
})

describe.each(PLACES)('window functions $name', (place) => {
  it.each(Object.entries(WINDOW))('%s equals a plain walk over each window', (_, func) => {
    fc.assert(
      fc.property(column, grid, (samples, at) => {
        const want = Array.from({ length: at.steps }, (_, i) =>
          windowAt(func, samples, at.start + i * at.step, at.range),
        )
        expect(run(place, func, samples, at)).toEqual(want)
      }),
      { numRuns: 100 },
    )
  })
})

describe('window functions', () => {
  const every15s = (...values: number[]): Sample[] => values.map((v, i) => ({ t: i * 15_000, v }))
  const at = (end: number, range: number): Steps => ({ start: end, step: 0, steps: 1, range })
  const f = (func: WindowFunction, samples: Sample[], steps: Steps, want: number | undefined) =>
    expect(run(PLACES[0]!, func, samples, steps)).toEqual([want])

  it('leave the left end of the window out', () => {
    f(WINDOW.countOverTime, every15s(1, 2, 3, 4, 5), at(60_000, 60_000), 4)
    f(WINDOW.firstOverTime, every15s(1, 2, 3, 4, 5), at(60_000, 60_000), 2)
    f(WINDOW.sumOverTime, every15s(1, 2), at(100_000, 60_000), undefined)
  })

  it('extrapolate to the ends of the window when samples are near', () => {
    // 4 samples, 45 s of 60 s: the increase of 30 becomes 40.
    f(WINDOW.increase, every15s(100, 110, 120, 130, 140), at(60_000, 60_000), 40)
    f(WINDOW.rate, every15s(100, 110, 120, 130, 140), at(60_000, 60_000), 40 / 60)
  })

  it('do not extrapolate a counter below zero', () => {
    // From 15 s on: 1 → 31 in 45 s, zero would have been 1.5 s before; the end is met.
    f(WINDOW.increase, every15s(0, 1, 11, 21, 31), at(60_000, 60_000), 30 * ((45 + 1.5) / 45))
    f(WINDOW.delta, every15s(0, 1, 11, 21, 31), at(60_000, 60_000), 40)
  })

  it('add what a counter had before each reset', () => {
    f(WINDOW.increase, every15s(0, 100, 110, 5, 15), at(60_000, 60_000), 25 * (60 / 45))
    f(WINDOW.resets, every15s(3, 2, 2, 1, 5), at(60_000, 120_000), 2)
    f(WINDOW.changes, every15s(3, 2, 2, NaN, NaN), at(60_000, 120_000), 2)
    f(WINDOW.irate, every15s(9, 5), at(20_000, 60_000), 5 / 15)
    f(WINDOW.idelta, every15s(9, 5), at(20_000, 60_000), -4)
  })

  it('average values whose sum overflows', () => {
    f(WINDOW.avgOverTime, every15s(1.7e308, 1.7e308, 1.7e308), at(30_000, 60_000), 1.7e308)
    f(WINDOW.sumOverTime, every15s(1e100, 1, -1e100), at(30_000, 60_000), 1)
    f(WINDOW.deriv, every15s(0, 30, 60), at(30_000, 60_000), 2)
  })
})
