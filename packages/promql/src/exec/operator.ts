// The contract between physical operators: an operator announces its series, then gives their rows one after
// the other, in that order, each into a row that the caller owns. Rows are columns over the steps of the
// grid.
import type { FloatHistogram, Labels } from '@watchfire/datamodel'

/** The evaluation times startMs + i·stepMs, 0 ≤ i < steps. An instant query has one. */
export interface Grid {
  readonly startMs: number
  /** Never 0. */
  readonly stepMs: number
  readonly steps: number
}

/** What a row holds at a step. */
export const KIND = { absent: 0, float: 1, histogram: 2 } as const

/** One announced series. */
export interface SeriesMeta {
  readonly labels: Labels
  /** The name is still there but goes at the end (delayed name removal). */
  readonly dropName: boolean
}

/** Values of one series at all steps. Histograms are shared: whoever changes one copies it first. */
export interface Row {
  readonly values: Float64Array
  /** `KIND` of each step. */
  readonly kinds: Uint8Array
  /** Only positions with KIND.histogram count, the others may be left from earlier use. */
  readonly histograms: (FloatHistogram | undefined)[]
  /** False promises that no kind is KIND.histogram. */
  hasHistograms: boolean
}

export interface Operator {
  /** Announces the series. A blocking operator does its work here. Called once. */
  open(): readonly SeriesMeta[]
  /** Fills all steps of the row with the next series. Called at most once per announced series. */
  next(row: Row): void
  /** After `open`: true promises that no two announced series have equal labels. */
  readonly distinct?: boolean
}

export function createRow(steps: number): Row {
  return {
    values: new Float64Array(steps),
    kinds: new Uint8Array(steps),
    histograms: [],
    hasHistograms: false,
  }
}

/** The steps that hold something. */
export function countPresent(row: Row): number {
  const { kinds } = row
  let count = 0
  for (let i = 0; i < kinds.length; i++) if (kinds[i] !== 0) count++
  return count
}

export function copyRow(from: Row, to: Row): void {
  to.values.set(from.values)
  to.kinds.set(from.kinds)
  to.hasHistograms = from.hasHistograms
  if (!from.hasHistograms) return
  for (let i = 0; i < from.kinds.length; i++)
    if (from.kinds[i] === KIND.histogram) to.histograms[i] = from.histograms[i]
}

/** Makes a row empty. */
export function clearRow(row: Row): void {
  row.kinds.fill(KIND.absent)
  row.hasHistograms = false
}
