// Prometheus durations: `1h30m`, units y w d h m s ms, descending, each once.
import { quoteString } from './labels.ts'

const UNITS_MS = {
  y: 31_536_000_000,
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
} as const

const UNIT_NAMES = Object.keys(UNITS_MS)

/** Largest duration of the field in ms: 2^63 − 1 ns. */
const MAX_MS = 9_223_372_036_854

/** Parses a Prometheus duration; ms. Throws an Error whose message is Prometheus's. */
export function parseDuration(text: string): number {
  if (text === '0') return 0
  if (text === '') throw new Error('empty duration string')
  const invalid = (): Error => new Error(`not a valid duration string: ${quoteString(text)}`)
  if (!/^[0-9]/.test(text)) throw invalid()
  let sum = 0
  let lastRank = -1
  for (const [, count, unit] of text.matchAll(/([0-9]+)([^0-9]*)/g)) {
    if (unit === '') throw invalid()
    const rank = UNIT_NAMES.indexOf(unit!)
    if (rank < 0) throw new Error(`unknown unit ${quoteString(unit!)} in duration ${quoteString(text)}`)
    // Units go from the biggest to the smallest.
    if (rank <= lastRank) throw invalid()
    lastRank = rank
    sum += Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS]
    if (sum > MAX_MS) throw new Error('duration out of range')
  }
  return sum
}

/** Prints ms the shortest way that `parseDuration` reads; weeks and years only when they divide exactly. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  const sign = ms < 0 ? '-' : ''
  let rest = Math.abs(ms)
  let out = ''
  for (const [unit, size] of Object.entries(UNITS_MS)) {
    if ((unit === 'y' || unit === 'w') && rest % size !== 0) continue
    const count = Math.floor(rest / size)
    if (count > 0) out += `${count}${unit}`
    rest -= count * size
  }
  return sign + out
}
