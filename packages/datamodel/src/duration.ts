// Prometheus durations: `1h30m`, units y w d h m s ms, descending, each once.

const UNITS_MS = {
  y: 31_536_000_000,
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
} as const
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/

/** Largest duration of the field in ms: 2^63 − 1 ns. */
const MAX_MS = 9_223_372_036_854

/** Parses a Prometheus duration; ms. Throws an Error whose message is Prometheus's. */
export function parseDuration(text: string): number {
  if (text === '0') return 0
  if (text === '') throw new Error('empty duration string')
  const match = DURATION.exec(text)
  if (!match) throw new Error(`not a valid duration string: ${JSON.stringify(text)}`)
  let sum = 0
  Object.values(UNITS_MS).forEach((unit, i) => (sum += Number(match[i + 1] ?? 0) * unit))
  if (sum > MAX_MS) throw new Error('duration out of range')
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
