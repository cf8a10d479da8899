// Parameters of API requests: URL and form body merged, and the texts for times, durations and limits.
import type { FastifyRequest } from 'fastify'
import { parseDuration, quoteString } from '@watchfire/datamodel'

/** Bounds of times that can be asked for, ms; what lies outside is cut. */
export const TIME_MIN_MS = Number.MIN_SAFE_INTEGER
export const TIME_MAX_MS = Number.MAX_SAFE_INTEGER

/** The texts of the first and the last representable time. */
const MIN_TIME_TEXT = '-292273086-05-16T16:47:06Z'
const MAX_TIME_TEXT = '292277025-08-18T07:12:54.999999999Z'

/** Parameters of one request. Values of the body come before those of the URL. */
export class Params {
  readonly #url: URLSearchParams
  readonly #body: URLSearchParams

  constructor(request: FastifyRequest) {
    const { url } = request.raw
    const start = url?.indexOf('?') ?? -1
    this.#url = new URLSearchParams(wellFormed(start < 0 ? '' : url!.slice(start + 1)))
    this.#body = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
  }

  /** First value, '' when there is none. */
  get(name: string): string {
    return this.#body.get(name) ?? this.#url.get(name) ?? ''
  }

  all(name: string): string[] {
    return [...this.#body.getAll(name), ...this.#url.getAll(name)]
  }

  /** First value of the URL alone. */
  url(name: string): string {
    return this.#url.get(name) ?? ''
  }
}

/** Without the pairs whose escapes are broken: they are ignored, as Go does. */
function wellFormed(query: string): string {
  if (!/%(?![0-9a-fA-F]{2})/.test(query)) return query
  return query
    .split('&')
    .filter((pair) => !/%(?![0-9a-fA-F]{2})/.test(pair))
    .join('&')
}

const FLOAT = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/
/** Numbers to Go that are no time; it makes them the first time there is in nanoseconds. */
const NO_TIME = /^[+-]?(?:nan|inf|infinity)$/i
const NO_TIME_MS = -9_223_372_036_854
const RFC3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})([.,][0-9]+)?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/

/** A time in ms from seconds or RFC 3339. Throws with Prometheus's text. */
export function parseTime(text: string): number {
  if (FLOAT.test(text)) {
    const seconds = Number(text)
    // Seconds that no 64-bit integer holds wrap to 0 in Go when they become milliseconds.
    return Math.abs(seconds) >= 2 ** 63 ? 0 : clamp(Math.round(seconds * 1000))
  }
  if (NO_TIME.test(text)) return NO_TIME_MS
  const ms = parseRfc3339(text)
  if (ms !== undefined) return ms
  if (text === MIN_TIME_TEXT) return TIME_MIN_MS
  if (text === MAX_TIME_TEXT) return TIME_MAX_MS
  throw new Error(`cannot parse ${quoteString(text)} to a valid timestamp`)
}

function clamp(ms: number): number {
  return Math.min(TIME_MAX_MS, Math.max(TIME_MIN_MS, ms))
}

function parseRfc3339(text: string): number | undefined {
  const match = RFC3339.exec(text)
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const fraction = Math.floor(Number(`0.${(match[7] ?? '.0').slice(1)}`) * 1000)
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second, fraction)
  const valid =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  if (!valid) return undefined
  const offset = (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0)) * 60_000
  return date.getTime() - (match[8] === '-' ? -offset : offset)
}

/** An optional time parameter. Throws with the parameter's name. */
export function timeParam(params: Params, name: string, fallback: number): number {
  const text = params.get(name)
  if (text === '') return fallback
  try {
    return parseTime(text)
  } catch (error) {
    throw new Error(`invalid time value for '${name}': ${(error as Error).message}`, { cause: error })
  }
}

/** A duration in ms from seconds or `1h30m`. Throws with Prometheus's text. */
export function parseDurationParam(text: string): number {
  // Not a number is a number to Go, and becomes the most negative duration.
  if (/^nan$/i.test(text)) return -Infinity
  if (FLOAT.test(text)) {
    const seconds = Number(text)
    if (Math.abs(seconds) > 9_223_372_036)
      throw new Error(`cannot parse ${quoteString(text)} to a valid duration. It overflows int64`)
    return seconds * 1000
  }
  try {
    return parseDuration(text)
  } catch {
    throw new Error(`cannot parse ${quoteString(text)} to a valid duration`)
  }
}

/** Go's Atoi for the values people send. */
export function parseInteger(text: string, func = 'Atoi'): number {
  const value = Number(text)
  if (!/^[+-]?[0-9]+$/.test(text))
    throw new Error(`strconv.${func}: parsing ${quoteString(text)}: invalid syntax`)
  if (!Number.isSafeInteger(value))
    throw new Error(`strconv.${func}: parsing ${quoteString(text)}: value out of range`)
  return value
}

/** `limit`: 0 = all. */
export function limitParam(params: Params): number {
  const text = params.get('limit')
  if (text === '') return 0
  const limit = parseInteger(text)
  if (limit < 0) throw new Error('limit must be non-negative')
  return limit
}
