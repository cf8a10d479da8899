// From the API's matrix to columns on one time axis: [times in seconds, values of series 0, of series 1 …]; null = no point.
import type { MatrixItem } from '../api/client.ts'

export type Columns = (number | null)[][]

/** Lays series out on the axis start, start+step … end (seconds). Values that are not finite become gaps, as they have no place on an axis. */
export function toColumns(items: readonly MatrixItem[], start: number, end: number, step: number): Columns {
  const count = Math.floor((end - start) / step + 1e-6) + 1
  const times = Array.from({ length: count }, (_, i) => start + i * step)
  const columns: Columns = [times]
  for (const item of items) {
    const column = new Array<number | null>(count).fill(null)
    for (const [time, text] of item.values ?? []) {
      const index = Math.round((time - start) / step)
      const value = Number(text.replace('Inf', 'Infinity'))
      if (index >= 0 && index < count && Number.isFinite(value)) column[index] = value
    }
    for (const [time, histogram] of item.histograms ?? []) {
      const index = Math.round((time - start) / step)
      const value = Number(histogram.count)
      if (index >= 0 && index < count && Number.isFinite(value)) column[index] = value
    }
    columns.push(column)
  }
  return columns
}

/** Running sums from the last series to the first, so that the first lies on top. Hidden series do not count. */
export function stackColumns(columns: Columns, hidden?: ReadonlySet<number>): Columns {
  const times = columns[0] ?? []
  const sums = new Array<number>(times.length).fill(0)
  const drawn = times.map((_, t) =>
    columns.some((column, i) => i > 0 && !hidden?.has(i - 1) && column[t] !== null),
  )
  const stacked: Columns = [times]
  for (let i = columns.length - 1; i >= 1; i--) {
    const column = columns[i]!
    if (hidden?.has(i - 1)) {
      stacked[i] = column
      continue
    }
    // A series without a point is a layer without height: a gap would tear the layers around it.
    stacked[i] = column.map((value, t) => (drawn[t] ? (sums[t] = sums[t]! + (value ?? 0)) : null))
  }
  return stacked
}

/** Last, smallest, largest and mean of a column; undefined when it has no points. */
export function summarize(
  column: readonly (number | null)[],
): { last: number; min: number; max: number; mean: number } | undefined {
  let last: number | undefined
  let min = Infinity
  let max = -Infinity
  let sum = 0
  let count = 0
  for (const value of column) {
    if (value === null) continue
    last = value
    min = Math.min(min, value)
    max = Math.max(max, value)
    sum += value
    count++
  }
  return last === undefined ? undefined : { last, min, max, mean: sum / count }
}
