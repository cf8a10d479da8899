// From cumulative buckets (`le`) or native histograms to rows of counts.
import type { PanelData } from '../data.ts'

export interface BucketRow {
  readonly lower: number
  readonly upper: number
  readonly counts: number[]
}

export interface BucketRows {
  readonly times: readonly number[]
  readonly rows: readonly BucketRow[]
  readonly max: number
}

/** Rows upwards; leading and trailing rows that stay empty are left out. */
export function bucketRows(data: PanelData): BucketRows {
  const count = Math.floor((data.end - data.start) / data.step + 1e-6) + 1
  const times = Array.from({ length: count }, (_, i) => data.start + i * data.step)
  const at = (time: number): number => Math.round((time - data.start) / data.step)
  const classic = data.series
    .filter((one) => one.metric['le'] !== undefined)
    .map((one) => {
      const cumulative = new Array<number>(count).fill(0)
      for (const [time, text] of one.values ?? []) cumulative[at(time)] = Number(text)
      return { upper: Number(one.metric['le']!.replace('+Inf', 'Infinity')), cumulative }
    })
    .filter((one) => !Number.isNaN(one.upper))
    .sort((a, b) => a.upper - b.upper)
  let rows: BucketRow[] = classic.map((one, i) => ({
    lower: i === 0 ? Math.min(0, one.upper) : classic[i - 1]!.upper,
    upper: one.upper,
    counts: one.cumulative.map((value, t) => Math.max(0, value - (classic[i - 1]?.cumulative[t] ?? 0))),
  }))
  if (rows.length === 0) rows = nativeRows(data, count, at)
  const filled = (row: BucketRow): boolean => row.counts.some((value) => value > 0)
  const first = rows.findIndex(filled)
  const last = rows.findLastIndex(filled)
  rows = first < 0 ? [] : rows.slice(first, last + 1)
  let max = 0
  for (const row of rows) for (const value of row.counts) max = Math.max(max, value)
  return { times, rows, max }
}

function nativeRows(data: PanelData, count: number, at: (time: number) => number): BucketRow[] {
  const byBounds = new Map<string, BucketRow>()
  for (const one of data.series)
    for (const [time, histogram] of one.histograms ?? [])
      for (const [, low, high, value] of histogram.buckets ?? []) {
        const key = `${low} ${high}`
        let row = byBounds.get(key)
        if (!row)
          byBounds.set(
            key,
            (row = {
              lower: Number(low),
              upper: Number(high.replace('Inf', 'Infinity')),
              counts: new Array<number>(count).fill(0),
            }),
          )
        row.counts[at(time)] = (row.counts[at(time)] ?? 0) + Number(value)
      }
  return [...byBounds.values()].sort((a, b) => a.upper - b.upper)
}
