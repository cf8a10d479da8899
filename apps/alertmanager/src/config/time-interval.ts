// Time intervals of mute and active schedules: ranges of times of day, weekdays, days of month, months and years in a
// location. Within a field any range suffices, all fields together must hold.
import type { YamlCursor } from './yaml-cursor.ts'

/** Inclusive bounds. */
export interface Range {
  readonly first: number
  readonly last: number
}

/** A field that is undefined holds always, an empty list never. */
export interface TimeInterval {
  /** Minutes of the day; the last minute is not part of it. */
  readonly times: readonly Range[] | undefined
  /** 0 = Sunday. */
  readonly weekdays: readonly Range[] | undefined
  /** 1…31, or −31…−1 counted from the end of the month. */
  readonly daysOfMonth: readonly Range[] | undefined
  readonly months: readonly Range[] | undefined
  readonly years: readonly Range[] | undefined
  /** IANA name, '' = UTC. */
  readonly location: string
}

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]
const FIELDS = ['times', 'weekdays', 'days_of_month', 'months', 'years', 'location'] as const

/** Reads one element of `time_intervals`. */
export function readTimeInterval(cursor: YamlCursor): TimeInterval {
  const at = cursor.mapping('timeinterval.TimeInterval', FIELDS)
  const location = at.location.string()
  if (location !== '') formatterOf(location, at.location)
  return {
    times: ranges(at.times, readTimes),
    weekdays: ranges(at.weekdays, (c) => readNamed(c, WEEKDAYS, 0, 'weekday', 'day')),
    daysOfMonth: ranges(at.days_of_month, readDays),
    months: ranges(at.months, (c) => readNamed(c, MONTHS, 1, 'month', 'month')),
    years: ranges(at.years, readYears),
    location,
  }
}

function ranges(cursor: YamlCursor, read: (item: YamlCursor) => Range): Range[] | undefined {
  return cursor.present ? cursor.items().map(read) : undefined
}

function readTimes(cursor: YamlCursor): Range {
  const at = cursor.mapping('timeinterval.yamlTimeRange', ['start_time', 'end_time'])
  if (!at.start_time.present || !at.end_time.present) cursor.fail('both start and end times must be provided')
  const first = minutes(at.start_time)
  const last = minutes(at.end_time)
  if (first >= last) cursor.fail('start time cannot be equal or greater than end time')
  return { first, last }
}

function minutes(cursor: YamlCursor): number {
  const text = cursor.string()
  const match = /^(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)$/.exec(text)
  if (!match) return cursor.fail(`couldn't parse timestamp ${text}, invalid format`)
  return match[1] === undefined ? 1440 : Number(match[1]) * 60 + Number(match[2])
}

function readNamed(c: YamlCursor, names: readonly string[], base: number, kind: string, unit: string): Range {
  const text = c.string().toLowerCase()
  const parts = text.split(':')
  if (parts.length > 2) c.fail(`invalid input for range: ${text}`)
  const [first, last] = [parts[0]!, parts.at(-1)!].map((name) => {
    const index = names.indexOf(name)
    if (index >= 0) return index + base
    // Numbers of months that do not exist are accepted, and never come.
    if (kind === 'month' && /^\d+$/.test(name)) return Number(name)
    return c.fail(`${name} is not a valid ${kind}`)
  })
  if (last! < first!)
    c.fail(
      unit === 'day'
        ? 'start day cannot be before end day'
        : `end month ${parts.at(-1)} is before start month ${parts[0]}`,
    )
  return { first: first!, last: last! }
}

function readDays(c: YamlCursor): Range {
  const [first, last] = readNumbers(c)
  for (const day of [first, last])
    if (day === 0 || day < -31 || day > 31) c.fail(`${day} is not a valid day of the month: out of range`)
  if (first < 0 && last > 0) c.fail('end day must be negative if start day is negative')
  // A month has at least 28 days, so mixed signs are compared as in the longest month.
  const onLine = (day: number) => (day > 0 ? day : 31 + day + 1)
  if (onLine(last) < onLine(first)) c.fail(`end day ${last} is always before start day ${first}`)
  return { first, last }
}

function readYears(c: YamlCursor): Range {
  const [first, last] = readNumbers(c)
  if (last < first) c.fail(`end year ${last} is before start year ${first}`)
  return { first, last }
}

function readNumbers(c: YamlCursor): [number, number] {
  const parts = c.string().split(':')
  if (parts.length > 2 || !parts.every((part) => /^[+-]?\d+$/.test(part)))
    c.fail(
      `strconv.Atoi: parsing ${JSON.stringify(parts.find((part) => !/^[+-]?\d+$/.test(part)) ?? c.string())}: invalid syntax`,
    )
  return [Number(parts[0]), Number(parts.at(-1))]
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatterOf(location: string, cursor?: YamlCursor): Intl.DateTimeFormat | undefined {
  if (location === '' || location === 'UTC') return undefined
  let formatter = formatters.get(location)
  if (formatter) return formatter
  try {
    formatter = new Intl.DateTimeFormat('en-US', {
      ...(location === 'Local' ? {} : { timeZone: location }),
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    })
  } catch {
    cursor?.fail(`unknown time zone ${location}`)
    return undefined
  }
  formatters.set(location, formatter)
  return formatter
}

/** True when the instant (ms) lies in the interval. */
export function inTimeInterval(interval: TimeInterval, timeMs: number): boolean {
  const { year, month, day, weekday, minute } = wallClock(interval.location, timeMs)
  const some = (ranges: readonly Range[] | undefined, value: number) =>
    ranges === undefined || ranges.some(({ first, last }) => value >= first && value <= last)
  const inTimes = interval.times?.some((range) => minute >= range.first && minute < range.last) ?? true
  if (!inTimes || !some(interval.weekdays, weekday) || !some(interval.months, month)) return false
  if (!some(interval.years, year)) return false
  if (interval.daysOfMonth === undefined) return true
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return interval.daysOfMonth.some((range) => {
    const first = range.first < 0 ? days + range.first + 1 : range.first
    const last = Math.min(range.last < 0 ? days + range.last + 1 : range.last, days)
    return first <= days && day >= first && day <= last
  })
}

function wallClock(location: string, timeMs: number) {
  const formatter = formatterOf(location)
  let local = new Date(timeMs)
  if (formatter) {
    const parts: Record<string, number> = {}
    for (const part of formatter.formatToParts(local)) parts[part.type] = Number(part.value)
    local = new Date(Date.UTC(parts.year!, parts.month! - 1, parts.day, parts.hour, parts.minute))
  }
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    weekday: local.getUTCDay(),
    minute: local.getUTCHours() * 60 + local.getUTCMinutes(),
  }
}
