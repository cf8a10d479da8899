// Numbers, durations and labels as people read them.
import type { LabelSet } from './client.ts'

const PLAIN_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const PLAIN_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** A series as PromQL writes it: `name{a="b"}`; names with other characters are quoted: `{"a name", a="b"}`. */
export function seriesName(metric: LabelSet): string {
  const { __name__: name = '', ...labels } = metric
  const plain = name === '' || PLAIN_NAME.test(name)
  const parts = Object.entries(labels).map(
    ([key, value]) => `${PLAIN_LABEL.test(key) ? key : JSON.stringify(key)}=${JSON.stringify(value)}`,
  )
  if (!plain) parts.unshift(JSON.stringify(name))
  return parts.length === 0 && name !== '' ? name : `${plain ? name : ''}{${parts.join(', ')}}`
}

/** Names by the labels that tell these series apart; the whole name where none does. */
export function differingNames(metrics: readonly LabelSet[]): string[] {
  const first = metrics[0] ?? {}
  const shared = new Set(
    Object.keys(first).filter((name) => metrics.every((metric) => metric[name] === first[name])),
  )
  return metrics.map((metric) => {
    const differing = Object.entries(metric).filter(([name]) => !shared.has(name))
    return seriesName(metrics.length < 2 || differing.length === 0 ? metric : Object.fromEntries(differing))
  })
}

/** Seconds as `1h 30m`, `12.3s`, `4.5ms`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–'
  if (seconds === 0) return '0s'
  const abs = Math.abs(seconds)
  if (abs < 1e-3) return `${trim(seconds * 1e6)}µs`
  if (abs < 1) return `${trim(seconds * 1e3)}ms`
  if (abs < 60) return `${trim(seconds)}s`
  const units: [string, number][] = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ]
  let rest = Math.round(abs)
  const parts: string[] = []
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0 && parts.length < 2) parts.push(`${count}${unit}`)
  }
  return (seconds < 0 ? '-' : '') + parts.join(' ')
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)))
}

/** How long ago an RFC 3339 time was; 'never' for the zero time. */
export function ago(time: string, now: number = Date.now()): string {
  const at = Date.parse(time)
  if (!(at > 0)) return 'never'
  return `${formatSeconds(Math.max(0, Math.round((now - at) / 100) / 10))} ago`
}

/** `2026-01-31 13:45:10` in the reader's time zone, as everywhere on the pages. */
export function formatTime(ms: number): string {
  const date = new Date(ms)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

const SI: [number, string][] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]

/** A short number for axes and statistics. */
export function shortNumber(value: number, decimals?: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  const abs = Math.abs(value)
  for (const [size, suffix] of SI) if (abs >= size) return `${fixed(value / size, decimals)}${suffix}`
  if (abs !== 0 && abs < 1e-4) return value.toExponential(2)
  return fixed(value, decimals)
}

function fixed(value: number, decimals?: number): string {
  return decimals === undefined ? String(Number(value.toPrecision(4))) : value.toFixed(decimals)
}

/** Grafana's units that the shipped dashboards and most others use; anything else is shown as a short number. */
export function formatUnit(value: number, unit: string, decimals?: number): string {
  switch (unit) {
    case 's':
      return formatSeconds(value)
    case 'ms':
      return formatSeconds(value / 1000)
    case 'percentunit':
      return `${fixed(value * 100, decimals)}%`
    case 'percent':
      return `${fixed(value, decimals)}%`
    case 'bytes':
    case 'decbytes':
      return formatBytes(value, unit === 'bytes' ? 1024 : 1000, decimals)
    case 'Bps':
      return `${formatBytes(value, 1000, decimals)}/s`
    case 'reqps':
      return `${shortNumber(value, decimals)} req/s`
    case 'ops':
      return `${shortNumber(value, decimals)} ops/s`
    default:
      return shortNumber(value, decimals)
  }
}

function formatBytes(value: number, base: number, decimals?: number): string {
  const units = base === 1024 ? ['B', 'KiB', 'MiB', 'GiB', 'TiB'] : ['B', 'kB', 'MB', 'GB', 'TB']
  let i = 0
  let rest = value
  while (Math.abs(rest) >= base && i < units.length - 1) {
    rest /= base
    i++
  }
  return `${fixed(rest, decimals)} ${units[i]}`
}
