// Numbers for people: the humanize functions of Prometheus, four significant digits.
import { FunctionError } from './errors.ts'
import { toInt64 } from './duration.ts'
import { GoTime } from './time.ts'
import { formatFloat } from './values.ts'

const short = (value: number) => formatFloat(value, 'g', 4)
const LARGE = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']
const SMALL = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y']

export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return short(value)
  return Math.abs(value) >= 1 ? scaleUp(value, 1000, LARGE) : scaleDown(value)
}

function scaleUp(value: number, base: number, prefixes: readonly string[]): string {
  let prefix = ''
  for (const next of prefixes) {
    if (Math.abs(value) < base) break
    prefix = next
    value /= base
  }
  return short(value) + prefix
}

function scaleDown(value: number): string {
  let prefix = ''
  for (const next of SMALL) {
    if (Math.abs(value) >= 1) break
    prefix = next
    value *= 1000
  }
  return short(value) + prefix
}

export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return short(value)
  return scaleUp(
    value,
    1024,
    LARGE.map((prefix) => `${prefix}i`),
  )
}

/** Seconds as `1d 2h 3m 4s`. */
export function humanizeDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return short(seconds)
  if (seconds === 0) return `${short(seconds)}s`
  if (Math.abs(seconds) < 1) return `${scaleDown(seconds)}s`
  const sign = seconds < 0 ? '-' : ''
  const size = Math.abs(seconds)
  const whole = toInt64(size)
  const [days, hours, minutes, rest] = [
    whole / 86_400n,
    (whole / 3600n) % 24n,
    (whole / 60n) % 60n,
    whole % 60n,
  ]
  if (days !== 0n) return `${sign}${days}d ${hours}h ${minutes}m ${rest}s`
  if (hours !== 0n) return `${sign}${hours}h ${minutes}m ${rest}s`
  if (minutes !== 0n) return `${sign}${minutes}m ${rest}s`
  return `${sign}${short(size)}s`
}

/** A ratio as a percentage. */
export function humanizePercentage(value: number): string {
  return `${short(value * 100)}%`
}

/** Seconds since the epoch as a time in UTC, to the millisecond. Throws `FunctionError` beyond int64 nanoseconds. */
export function toTime(seconds: number): GoTime {
  const ns = seconds * 1e9
  if (!(Math.abs(ns) <= 2 ** 63))
    throw new FunctionError(
      `${formatFloat(seconds, 'g', -1)} cannot be represented as a nanoseconds timestamp since it overflows int64`,
    )
  return new GoTime((toInt64(ns) / 1_000_000n) * 1_000_000n)
}

export function humanizeTimestamp(seconds: number): string {
  return Number.isFinite(seconds) ? toTime(seconds).format() : short(seconds)
}
