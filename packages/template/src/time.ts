// Go's time.Time: an instant in nanoseconds and a location, with Go's layouts ("2006-01-02 15:04:05").
import { GoDuration } from './duration.ts'
import { TemplateObject, type Callable, type Value } from './values.ts'

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
/** Seconds from the year 1 to 1970. */
const ZERO_SECONDS = -62_135_596_800n

/** A Go layout's parts, longest first where one begins another. */
export const LAYOUT =
  /January|Jan|Monday|Mon|MST|2006|Z07:00:00|Z070000|Z07:00|Z0700|Z07|-07:00:00|-070000|-07:00|-0700|-07|[.,]0+(?![0-9])|[.,]9+(?![0-9])|002|01|02|03|04|05|06|15|PM|pm|__2|_2|1|2|3|4|5/g

interface Wall {
  readonly date: Date
  readonly ns: bigint
  readonly offsetSeconds: number
  readonly zone: string
}

export class GoTime extends TemplateObject {
  readonly goType = 'time.Time'
  readonly ns: bigint
  /** IANA name or UTC. */
  readonly location: string

  constructor(ns: bigint, location = 'UTC') {
    super()
    this.ns = ns
    this.location = location
  }

  static fromMs(timeMs: number, location = 'UTC'): GoTime {
    return new GoTime(BigInt(Math.round(timeMs * 1000)) * 1000n, location)
  }

  /** Go's zero time, the year 1. */
  static readonly ZERO = new GoTime(ZERO_SECONDS * 1_000_000_000n)

  override format(): string {
    return this.layout('2006-01-02 15:04:05.999999999 -0700 MST')
  }

  /** Shows the time by a Go layout. */
  layout(layout: string): string {
    const wall = this.#wall()
    return layout.replace(LAYOUT, (part) => showPart(part, wall))
  }

  #wall(): Wall {
    const seconds = this.ns >= 0n ? this.ns / 1_000_000_000n : -((-this.ns + 999_999_999n) / 1_000_000_000n)
    const ns = this.ns - seconds * 1_000_000_000n
    const timeMs = Number(seconds) * 1000
    const { offsetSeconds, zone } = zoneOf(timeMs, this.location)
    return { date: new Date(timeMs + offsetSeconds * 1000), ns, offsetSeconds, zone }
  }

  override method(name: string): Callable | undefined {
    const date = () => this.#wall().date
    const value = (call: () => Value): Callable => ({ params: [], call })
    const compare = (test: (other: bigint) => boolean): Callable => ({
      params: ['time.Time'],
      call: ([other]) => test((other as GoTime).ns),
    })
    switch (name) {
      case 'Format':
        return { params: ['string'], call: ([layout]) => this.layout(layout as string) }
      case 'String':
        return value(() => this.format())
      case 'Unix':
        return value(() => floorDiv(this.ns, 1_000_000_000n))
      case 'UnixMilli':
        return value(() => floorDiv(this.ns, 1_000_000n))
      case 'UnixMicro':
        return value(() => floorDiv(this.ns, 1000n))
      case 'UnixNano':
        return value(() => this.ns)
      case 'Year':
        return value(() => BigInt(date().getUTCFullYear()))
      case 'Month':
        return value(() => new NamedNumber('time.Month', MONTHS[date().getUTCMonth()]!))
      case 'Weekday':
        return value(() => new NamedNumber('time.Weekday', DAYS[date().getUTCDay()]!))
      case 'Day':
        return value(() => BigInt(date().getUTCDate()))
      case 'Hour':
        return value(() => BigInt(date().getUTCHours()))
      case 'Minute':
        return value(() => BigInt(date().getUTCMinutes()))
      case 'Second':
        return value(() => BigInt(date().getUTCSeconds()))
      case 'Nanosecond':
        return value(() => this.#wall().ns)
      case 'YearDay':
        return value(() => BigInt(yearDay(date())))
      case 'IsZero':
        return value(() => this.ns === GoTime.ZERO.ns)
      case 'UTC':
        return value(() => new GoTime(this.ns))
      case 'Local':
        return value(() => new GoTime(this.ns, Intl.DateTimeFormat().resolvedOptions().timeZone))
      case 'Add':
        return {
          params: ['time.Duration'],
          call: ([duration]) => new GoTime(this.ns + (duration as GoDuration).ns, this.location),
        }
      case 'Sub':
        return { params: ['time.Time'], call: ([other]) => new GoDuration(this.ns - (other as GoTime).ns) }
      case 'After':
        return compare((other) => this.ns > other)
      case 'Before':
        return compare((other) => this.ns < other)
      case 'Equal':
        return compare((other) => this.ns === other)
    }
    return undefined
  }
}

/** A Go number type that prints as a word. */
class NamedNumber extends TemplateObject {
  readonly goType: string
  readonly #name: string

  constructor(goType: string, name: string) {
    super()
    this.goType = goType
    this.#name = name
  }

  override format(): string {
    return this.#name
  }

  override method(name: string): Callable | undefined {
    return name === 'String' ? { params: [], call: () => this.#name } : undefined
  }
}

function floorDiv(a: bigint, b: bigint): bigint {
  return a >= 0n ? a / b : -((-a + b - 1n) / b)
}

function yearDay(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1
}

const formatters = new Map<string, Intl.DateTimeFormat>()

/** True for a location the machine knows. */
export function isLocation(location: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: location })
    return true
  } catch {
    return false
  }
}

function zoneOf(timeMs: number, location: string): { offsetSeconds: number; zone: string } {
  if (location === 'UTC' || location === '') return { offsetSeconds: 0, zone: 'UTC' }
  let formatter = formatters.get(location)
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: location,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      timeZoneName: 'short',
    })
    formatters.set(location, formatter)
  }
  const parts: Record<string, string> = {}
  for (const part of formatter.formatToParts(timeMs)) parts[part.type] = part.value
  const local = Date.UTC(
    Number(parts.year),
    Number(parts.month) - 1,
    Number(parts.day),
    Number(parts.hour),
    Number(parts.minute),
    Number(parts.second),
  )
  const offsetSeconds = Math.round((local - timeMs) / 1000)
  const named = parts.timeZoneName ?? ''
  return { offsetSeconds, zone: /^[A-Z]{3,5}$/.test(named) ? named : offsetText(offsetSeconds, '') }
}

function offsetText(seconds: number, separator: string): string {
  const minutes = Math.abs(Math.trunc(seconds / 60))
  const two = (n: number) => String(n).padStart(2, '0')
  return `${seconds < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${separator}${two(minutes % 60)}`
}

function showPart(part: string, { date, ns, offsetSeconds, zone }: Wall): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const year = date.getUTCFullYear()
  const month = date.getUTCMonth()
  const day = date.getUTCDate()
  const hour = date.getUTCHours()
  if (/^[.,][09]/.test(part)) {
    const digits = String(ns)
      .padStart(9, '0')
      .slice(0, part.length - 1)
    const shown = part[1] === '9' ? digits.replace(/0+$/, '') : digits
    return shown === '' ? '' : part[0] + shown
  }
  if (part.startsWith('Z') && offsetSeconds === 0) return 'Z'
  switch (part) {
    case 'January':
      return MONTHS[month]!
    case 'Jan':
      return MONTHS[month]!.slice(0, 3)
    case 'Monday':
      return DAYS[date.getUTCDay()]!
    case 'Mon':
      return DAYS[date.getUTCDay()]!.slice(0, 3)
    case 'MST':
      return zone
    case '2006':
      return String(year).padStart(4, '0')
    case '06':
      return two(year % 100)
    case '01':
      return two(month + 1)
    case '1':
      return String(month + 1)
    case '02':
      return two(day)
    case '_2':
      return String(day).padStart(2, ' ')
    case '__2':
      return String(yearDay(date)).padStart(3, ' ')
    case '002':
      return String(yearDay(date)).padStart(3, '0')
    case '2':
      return String(day)
    case '15':
      return two(hour)
    case '03':
      return two(hour % 12 || 12)
    case '3':
      return String(hour % 12 || 12)
    case '04':
      return two(date.getUTCMinutes())
    case '4':
      return String(date.getUTCMinutes())
    case '05':
      return two(date.getUTCSeconds())
    case '5':
      return String(date.getUTCSeconds())
    case 'PM':
      return hour >= 12 ? 'PM' : 'AM'
    case 'pm':
      return hour >= 12 ? 'pm' : 'am'
    case 'Z07:00':
    case '-07:00':
      return offsetText(offsetSeconds, ':')
    case 'Z07':
    case '-07':
      return offsetText(offsetSeconds, '').slice(0, 3)
    case 'Z07:00:00':
    case '-07:00:00':
      return `${offsetText(offsetSeconds, ':')}:00`
    case 'Z070000':
    case '-070000':
      return `${offsetText(offsetSeconds, '')}00`
    default:
      return offsetText(offsetSeconds, '')
  }
}
