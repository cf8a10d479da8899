// Reads a time by a Go layout. What the layout does not name is that of the year 0 (as Go's time.Parse has it).
import { FunctionError } from './errors.ts'
import { DAYS, GoTime, LAYOUT, MONTHS } from './time.ts'

type Parts = Record<string, string>

const NUMBER_PARTS: Readonly<Record<string, readonly [string, string]>> = {
  '2006': ['year', '\\d{4}'],
  '06': ['shortYear', '\\d{2}'],
  '01': ['month', '\\d{2}'],
  '1': ['month', '\\d{1,2}'],
  '02': ['day', '\\d{2}'],
  _2: ['day', ' ?\\d{1,2}'],
  '2': ['day', '\\d{1,2}'],
  '002': ['yearDay', '\\d{3}'],
  __2: ['yearDay', ' {0,2}\\d{1,3}'],
  '15': ['hour', '\\d{2}'],
  '03': ['hour', '\\d{2}'],
  '3': ['hour', '\\d{1,2}'],
  '04': ['minute', '\\d{2}'],
  '4': ['minute', '\\d{1,2}'],
  '05': ['second', '\\d{2}'],
  '5': ['second', '\\d{1,2}'],
  MST: ['zone', '[A-Z]{3,4}'],
  PM: ['half', 'AM|PM'],
  pm: ['half', 'am|pm'],
  January: ['monthName', MONTHS.join('|')],
  Jan: ['monthName', MONTHS.map((name) => name.slice(0, 3)).join('|')],
  Monday: ['dayName', DAYS.join('|')],
  Mon: ['dayName', DAYS.map((name) => name.slice(0, 3)).join('|')],
}

/** Throws `FunctionError` with Go's text when the text does not fit the layout. */
export function parseTime(layout: string, text: string): GoTime {
  const fail = () => {
    throw new FunctionError(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse`)
  }
  const names: string[] = []
  let pattern = ''
  let at = 0
  for (const found of layout.matchAll(LAYOUT)) {
    pattern += quote(layout.slice(at, found.index))
    const [name, part] = partOf(found[0])
    names.push(name)
    pattern += `(${part})`
    // Seconds may be followed by a fraction that the layout does not show.
    if (name === 'second' && !/^[.,][09]/.test(layout.slice(found.index + found[0].length))) {
      names.push('fraction')
      pattern += '([.,]\\d{1,9})?'
    }
    at = found.index + found[0].length
  }
  const match = new RegExp(`^${pattern}${quote(layout.slice(at))}$`, 'i').exec(text)
  if (!match) return fail()
  const parts: Parts = {}
  names.forEach((name, i) => (parts[name] = match[i + 1] ?? ''))
  return timeOf(parts) ?? fail()
}

function quote(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function partOf(part: string): readonly [string, string] {
  if (/^[.,]/.test(part))
    return ['fraction', part[1] === '9' ? '(?:[.,]\\d{1,9})?' : `[.,]\\d{${part.length - 1}}`]
  if (part.startsWith('Z')) return ['offset', 'Z|[+-]\\d{2}(?::?\\d{2}){0,2}']
  if (part.startsWith('-')) return ['offset', '[+-]\\d{2}(?::?\\d{2}){0,2}']
  return NUMBER_PARTS[part]!
}

function timeOf(parts: Parts): GoTime | undefined {
  const number = (name: string, fallback: number) => (parts[name] ? Number(parts[name]) : fallback)
  const short = number('shortYear', -1)
  const year = short >= 0 ? short + (short >= 69 ? 1900 : 2000) : number('year', 0)
  const named = MONTHS.findIndex(
    (name) => parts.monthName && name.slice(0, 3).toLowerCase() === parts.monthName.slice(0, 3).toLowerCase(),
  )
  const month = named >= 0 ? named + 1 : number('month', 1)
  let hour = number('hour', 0)
  const half = parts.half?.toLowerCase()
  if (half === 'pm' && hour < 12) hour += 12
  if (half === 'am' && hour === 12) hour = 0
  const day = parts.yearDay ? 1 : number('day', 1)
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || day < 1) return undefined
  if (parts.yearDay) date.setUTCDate(number('yearDay', 1))
  const [minute, second] = [number('minute', 0), number('second', 0)]
  if (hour > 23 || minute > 59 || second > 59) return undefined
  date.setUTCHours(hour, minute, second)
  const fraction = BigInt((parts.fraction ?? '').slice(1, 10).padEnd(9, '0'))
  const ns =
    BigInt(date.getTime()) * 1_000_000n + fraction - BigInt(offsetSeconds(parts.offset)) * 1_000_000_000n
  return new GoTime(ns)
}

function offsetSeconds(text = ''): number {
  const match = /^([+-])(\d{2}):?(\d{2})?:?(\d{2})?$/.exec(text)
  if (!match) return 0
  const seconds = Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0)
  return match[1] === '-' ? -seconds : seconds
}
