// Relative and absolute ranges as dashboards and addresses name them: `now-30m` … `now`, or milliseconds.
import { parseDuration } from '@watchfire/datamodel'
import { formatTime } from '../api/format.ts'

export interface TimeRange {
  readonly from: string
  readonly to: string
}

export const QUICK_RANGES: readonly { readonly label: string; readonly from: string }[] = [
  ['5 minutes', '5m'],
  ['15 minutes', '15m'],
  ['30 minutes', '30m'],
  ['1 hour', '1h'],
  ['3 hours', '3h'],
  ['6 hours', '6h'],
  ['12 hours', '12h'],
  ['24 hours', '24h'],
  ['2 days', '2d'],
  ['7 days', '7d'],
  ['15 days', '15d'],
].map(([label, back]) => ({ label: `Last ${label}`, from: `now-${back}` }))

/** Milliseconds of a point in time; undefined when it cannot be read. */
export function resolveTime(text: string, now: number): number | undefined {
  const relative = /^now(?:-(\w+))?$/.exec(text)
  if (relative) {
    if (relative[1] === undefined) return now
    try {
      return now - parseDuration(relative[1])
    } catch {
      return undefined
    }
  }
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  return Number.isFinite(ms) ? ms : undefined
}

export function rangeLabel(range: TimeRange): string {
  const quick = QUICK_RANGES.find((one) => one.from === range.from)
  if (range.to === 'now' && quick) return quick.label
  const show = (text: string): string => (/^\d+$/.test(text) ? formatTime(Number(text)) : text)
  return `${show(range.from)} – ${show(range.to)}`
}

const NICE_STEPS_S = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
]

/** Grafana's `$__interval`: the range over the points that fit, rounded to a usual step; seconds. */
export function intervalSeconds(rangeMs: number, points: number, minSeconds: number): number {
  const ideal = rangeMs / 1000 / Math.max(1, points)
  const nice = NICE_STEPS_S.find((step) => step >= ideal * 0.75) ?? 86_400
  return Math.max(minSeconds, nice)
}
