// resets and changes: how often neighbouring samples differ, over floats and histograms mixed.
import { detectReset, equalHistograms, type FloatHistogram } from '@watchfire/datamodel'
import { WINDOW } from '@watchfire/kernels'
import { KIND } from '../exec/operator.ts'
import { firstAfter } from '../exec/samples.ts'
import { isStartReset } from './rate.ts'
import type { RangeFunction, RangeSpec, RangeWindow } from './range.ts'

export const COUNTING_FUNCTIONS: ReadonlyMap<string, RangeSpec> = new Map<string, RangeSpec>([
  ['resets', { compute: counting(isReset), kernel: WINDOW.resets, usesStarts: true, anchored: true }],
  ['changes', { compute: counting(isChange), kernel: WINDOW.changes, anchored: true }],
])

interface Point {
  time: number
  value: number
  start: number
  histogram: FloatHistogram | undefined
}

function isReset(previous: Point, current: Point): boolean {
  if ((previous.histogram === undefined) !== (current.histogram === undefined)) return true
  if (isStartReset(previous.start, previous.time, current.start, current.time)) return true
  if (current.histogram === undefined) return current.value < previous.value
  return detectReset(current.histogram, previous.histogram!)
}

function isChange(previous: Point, current: Point): boolean {
  if ((previous.histogram === undefined) !== (current.histogram === undefined)) return true
  if (current.histogram !== undefined) return !equalHistograms(current.histogram, previous.histogram!)
  const bothNaN = current.value !== current.value && previous.value !== previous.value
  return current.value !== previous.value && !bothNaN
}

function counting(differs: (previous: Point, current: Point) => boolean): RangeFunction {
  return (window, result) => {
    const begin = window.anchored ? anchor(window) : { float: window.from, histogram: window.histogramFrom }
    if (begin === undefined) return KIND.absent
    const { times, values, starts, histogramTimes, histograms, histogramStarts } = window.columns
    let { float, histogram } = begin
    let previous: Point | undefined
    let count = 0
    while (float < window.to || histogram < window.histogramTo) {
      let current: Point
      if (
        histogram >= window.histogramTo ||
        (float < window.to && times[float]! < histogramTimes[histogram]!)
      ) {
        const start = starts ? starts[float]! : 0
        current = { time: times[float]!, value: values[float]!, start, histogram: undefined }
        float++
      } else {
        const start = histogramStarts ? histogramStarts[histogram]! : 0
        current = { time: histogramTimes[histogram]!, value: 0, start, histogram: histograms[histogram] }
        histogram++
      }
      if (previous !== undefined && differs(previous, current)) count++
      previous = current
    }
    result.value = count
    return KIND.float
  }
}

/**
 * An anchored range begins with the newest sample at or before its start, of either kind; undefined when none
 * comes after.
 */
function anchor(window: RangeWindow): { float: number; histogram: number } | undefined {
  const { columns, rangeStart } = window
  const { times, histogramTimes } = columns
  const float = firstAfter(times, window.to, rangeStart, window.from)
  const histogram = firstAfter(histogramTimes, window.histogramTo, rangeStart, window.histogramFrom)
  if (float >= window.to && histogram >= window.histogramTo) return undefined
  const floatBefore = float > window.from ? times[float - 1]! : -Infinity
  const histogramBefore = histogram > window.histogramFrom ? histogramTimes[histogram - 1]! : -Infinity
  if (floatBefore === -Infinity && histogramBefore === -Infinity)
    return { float: window.from, histogram: window.histogramFrom }
  return floatBefore >= histogramBefore
    ? { float: float - 1, histogram }
    : { float, histogram: histogram - 1 }
}
