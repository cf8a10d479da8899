// The Gregorian calendar (UTC) for any 64-bit number of seconds, far beyond what Date knows.

/** A point in time: days since 1970-01-01, seconds within the day, and the date. */
export interface Moment {
  readonly day: number
  readonly second: number
  readonly date: { readonly year: number; readonly month: number; readonly day: number }
}

const DAY_SECONDS = 86_400
/** What does not fit into 64 bits becomes the smallest number of seconds, which wraps around to 2^63. */
const OVERFLOW_DAY = 106_751_991_167_300
const OVERFLOW_SECOND = 55_808
const ERA_DAYS = 146_097
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_DAYS = 719_468

/** Seconds since the epoch, cut to whole ones. */
export function momentOf(seconds: number): Moment {
  if (!(Math.abs(seconds) < 2 ** 63))
    return { day: OVERFLOW_DAY, second: OVERFLOW_SECOND, date: dateOf(OVERFLOW_DAY) }
  const whole = Math.trunc(seconds)
  const day = Math.floor(whole / DAY_SECONDS)
  return { day, second: whole - day * DAY_SECONDS, date: dateOf(day) }
}

/** Years run from March here, so that the leap day is their last; 400 of them are an era. */
function dateOf(day: number): Moment['date'] {
  const shifted = day + EPOCH_DAYS
  const era = Math.floor(shifted / ERA_DAYS)
  const ofEra = shifted - era * ERA_DAYS
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  )
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * ofYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return { year, month, day: ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1 }
}

/** Days from 1970-01-01 to the first of a month. */
export function daysBefore(year: number, month: number): number {
  const ofMarch = month <= 2 ? year - 1 : year
  const era = Math.floor(ofMarch / 400)
  const yearOfEra = ofMarch - era * 400
  const fromMarch = month > 2 ? month - 3 : month + 9
  const ofYear = Math.floor((153 * fromMarch + 2) / 5)
  const ofEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + ofYear
  return era * ERA_DAYS + ofEra - EPOCH_DAYS
}
