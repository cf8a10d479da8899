import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { daysBefore, momentOf } from './calendar.ts'

describe('the calendar', () => {
  it('agrees with Date where that reaches', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8.64e12, max: 8.64e12 }), (seconds) => {
        const date = new Date(seconds * 1000)
        const moment = momentOf(seconds)
        expect(moment.date).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
        })
        expect(moment.second).toBe(
          date.getUTCHours() * 3600 + date.getUTCMinutes() * 60 + date.getUTCSeconds(),
        )
        const { year, month, day } = moment.date
        expect(daysBefore(year, month) + day - 1).toBe(moment.day)
      }),
      { numRuns: 1000 },
    )
  })

  it('wraps around for what is no 64-bit number of seconds', () => {
    for (const seconds of [NaN, Infinity, -Infinity, 1e19])
      expect(momentOf(seconds)).toMatchObject({
        second: 55_808,
        date: { year: 292_277_026_596, month: 12, day: 4 },
      })
  })
})
