// The contract of functions over range vectors: one window of one series in, at most one sample out.
import type { FloatHistogram, Labels } from '@watchfire/datamodel'
import type { WindowFunction } from '@watchfire/kernels'
import type { QueryContext } from '../exec/context.ts'
import type { SampleColumns } from '../exec/samples.ts'

/**
 * Samples of one series with rangeStart < time ≤ rangeEnd, as index ranges into columns; reused from step to
 * step.
 */
export interface RangeWindow {
  columns: SampleColumns
  from: number
  /** Exclusive. */
  to: number
  histogramFrom: number
  histogramTo: number
  rangeStart: number
  rangeEnd: number
  /** Time of the step. */
  evalTime: number
  readonly rangeMs: number
  readonly anchored: boolean
  readonly smoothed: boolean
  labels: Labels
  /** Values of the scalar arguments at this step, in order. */
  readonly scalars: Float64Array
  /** Where annotations point. */
  readonly position: number
  readonly context: QueryContext
}

/** Where a function puts its sample. */
export interface RangeResult {
  value: number
  histogram: FloatHistogram | undefined
}

/** Returns the KIND of the result. `result.histogram` must be set when that is KIND.histogram. */
export type RangeFunction = (window: RangeWindow, result: RangeResult) => number

export interface RangeSpec {
  readonly compute: RangeFunction
  /** Kernel that does the same for series with floats only. */
  readonly kernel?: WindowFunction
  /** Keeps the metric's name. */
  readonly keepsName?: boolean
  /** Start timestamps change the result (with the feature on). */
  readonly usesStarts?: boolean
  /** Extended selectors it can take. */
  readonly anchored?: boolean
  readonly smoothed?: boolean
  /** Expects counters: says so when the name looks like something else. */
  readonly wantsCounter?: boolean
}
