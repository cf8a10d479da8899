// rate, increase and delta over `anchored` and `smoothed` selectors: edge samples instead of extrapolation.
// `anchored` takes the last sample at or before the range's start, `smoothed` interpolates between the
// samples on both sides of each edge.
import {
  COUNTER_RESET,
  IncompatibleHistogramsError,
  addHistograms,
  compactHistogram,
  detectReset,
  divideHistogram,
  scaleHistogram,
  subHistograms,
  usesCustomBuckets,
  type FloatHistogram,
} from '@watchfire/datamodel'
import { KIND } from '../exec/operator.ts'
import { firstAfter, type SampleColumns } from '../exec/samples.ts'
import type { Annotations } from '../exec/annotations.ts'
import { notes } from './notes.ts'
import { addNoting, subNoting } from './rate-histogram.ts'
import type { RangeResult, RangeWindow } from './range.ts'

/** Value at `time` on the line between two samples; with `counter`, a counter that fell began at 0. */
export function interpolate(
  [time1, value1]: readonly [number, number],
  [time2, value2]: readonly [number, number],
  time: number,
  counter: boolean,
): number {
  const from = counter && value2 < value1 ? 0 : value1
  return from + ((value2 - from) * (time - time1)) / (time2 - time1)
}

/** The edges of a range. */
export type RangeBounds = Pick<RangeWindow, 'rangeStart' | 'rangeEnd' | 'rangeMs' | 'anchored' | 'smoothed'>

/**
 * Indices (into the columns) of the samples that stand at the edges of the range; undefined when it holds
 * none.
 */
function edges(window: RangeBounds, times: ArrayLike<number>, from: number, to: number) {
  const { rangeStart, rangeEnd, smoothed } = window
  let last = to - 1
  const after = Math.min(firstAfter(times, to, rangeStart, from), last)
  const first = Math.max(from, after - 1)
  if (smoothed) last = Math.min(firstAtOrAfter(times, to, rangeEnd, from), last)
  if (times[last]! <= rangeStart || (smoothed && times[first]! > rangeEnd)) return undefined
  return { first, last }
}

export function firstAtOrAfter(times: ArrayLike<number>, count: number, time: number, from: number): number {
  return firstAfter(times, count, time - 1, from) // times are whole milliseconds
}

export function extendedRate(
  window: RangeWindow,
  result: RangeResult,
  counter: boolean,
  perSecond: boolean,
): number {
  const { times, values } = window.columns
  const { rangeStart, rangeEnd } = window
  const edge = edges(window, times, window.from, window.to)
  if (edge === undefined) return KIND.absent
  let { first, last } = edge
  const [left, right] = edgeValues(window, first, last, counter)
  let difference = right - left
  if (counter) {
    if (times[first]! <= rangeStart) first++
    if (times[last]! >= rangeEnd) last--
    let previous = left
    for (let i = first; i <= last; i++) {
      if (values[i]! < previous) difference += previous
      previous = values[i]!
    }
    if (right < previous) difference += previous
  }
  result.value = perSecond ? difference / (window.rangeMs / 1000) : difference
  return KIND.float
}

/** Values at the start and end of the range. */
function edgeValues(
  window: RangeBounds & Pick<RangeWindow, 'columns' | 'from'>,
  first: number,
  last: number,
  counter: boolean,
): [number, number] {
  const { times, values } = window.columns
  const { rangeStart, rangeEnd, smoothed } = window
  const point = (i: number): [number, number] => [times[i]!, values[i]!]
  const left =
    smoothed && times[first]! < rangeStart
      ? interpolate(point(first), point(first + 1), rangeStart, counter)
      : values[first]!
  const right =
    smoothed && last > window.from && times[last]! > rangeEnd
      ? interpolate(point(last - 1), point(last), rangeEnd, counter)
      : values[last]!
  return [left, right]
}

/**
 * The float samples of an anchored or smoothed range as a top-level result shows them: edges set to the
 * range's bounds.
 */
export function extendedSamples(
  columns: SampleColumns,
  bounds: RangeBounds,
): { times: number[]; values: number[] } {
  const { times, values, count } = columns
  const { rangeStart, rangeEnd } = bounds
  const edge = edges(bounds, times, 0, count)
  if (edge === undefined) return { times: [], values: [] }
  let { first, last } = edge
  const [left, right] = edgeValues({ ...bounds, columns, from: 0 }, first, last, false)
  if (times[first]! <= rangeStart) first++
  if (times[last]! >= rangeEnd) last--
  const inner = Math.max(last - first + 1, 0)
  return {
    times: [rangeStart, ...times.subarray(first, first + inner), rangeEnd],
    values: [left, ...values.subarray(first, first + inner), right],
  }
}

/** The histogram at `time` on the line between two; may throw `IncompatibleHistogramsError`. */
export function interpolateHistograms(
  [time1, histogram1]: readonly [number, FloatHistogram],
  [time2, histogram2]: readonly [number, FloatHistogram],
  time: number,
  counter: boolean,
  annotations: Annotations,
  position: number,
): FloatHistogram {
  if (time === time1) return histogram1
  if (time === time2) return histogram2
  const fraction = (time - time1) / (time2 - time1)
  if (counter && detectReset(histogram2, histogram1)) return scaleHistogram(histogram2, fraction)
  const difference = subHistograms(histogram2, histogram1)
  if (difference.boundsReconciled) notes.boundsReconciled(annotations, 'subtraction', position)
  const sum = addHistograms(scaleHistogram(difference.histogram, fraction), histogram1)
  if (sum.boundsReconciled) notes.boundsReconciled(annotations, 'addition', position)
  return sum.histogram
}

export function extendedHistogramRate(
  window: RangeWindow,
  result: RangeResult,
  counter: boolean,
  perSecond: boolean,
): number {
  const { histograms, histogramTimes: times } = window.columns
  const { labels, position } = window
  const { annotations } = window.context
  const edge = edges(window, times, window.histogramFrom, window.histogramTo)
  if (edge === undefined) return KIND.absent
  const { first, last } = edge
  const custom = usesCustomBuckets(histograms[first]!)
  for (let i = first; i <= last; i++) {
    if (usesCustomBuckets(histograms[i]!) !== custom) {
      notes.mixedBuckets(annotations, labels, position)
      return KIND.absent
    }
    if (counter && histograms[i]!.counterResetHint === COUNTER_RESET.gauge)
      notes.notCounter(annotations, labels, position)
  }
  let sides: [FloatHistogram, FloatHistogram]
  try {
    sides = edgeHistograms(window, first, last, counter)
  } catch (error) {
    if (!(error instanceof IncompatibleHistogramsError)) throw error
    notes.mixedBuckets(annotations, labels, position)
    return KIND.absent
  }
  const [left, right] = sides
  const { gauge } = COUNTER_RESET
  if (!counter && (left.counterResetHint !== gauge || right.counterResetHint !== gauge))
    notes.notGauge(annotations, labels, position)
  let difference = subNoting(right, left, window)
  if (difference !== undefined && counter) difference = addLost(window, first, last, left, right, difference)
  if (difference === undefined) return KIND.absent
  if (perSecond) difference = divideHistogram(difference, window.rangeMs / 1000)
  result.histogram = compactHistogram({ ...difference, counterResetHint: gauge })
  return KIND.histogram
}

function edgeHistograms(
  window: RangeWindow,
  first: number,
  last: number,
  counter: boolean,
): [FloatHistogram, FloatHistogram] {
  const { histograms, histogramTimes: times } = window.columns
  const { rangeStart, rangeEnd, smoothed, position } = window
  const { annotations } = window.context
  const point = (i: number): [number, FloatHistogram] => [times[i]!, histograms[i]!]
  const between = (i: number, time: number): FloatHistogram =>
    interpolateHistograms(point(i), point(i + 1), time, counter, annotations, position)
  const left = smoothed && times[first]! < rangeStart ? between(first, rangeStart) : histograms[first]!
  const inside = smoothed && last > window.histogramFrom && times[last]! > rangeEnd
  return [left, inside ? between(last - 1, rangeEnd) : histograms[last]!]
}

/**
 * Adds what was counted before each reset between the edges; resets the interpolation already saw are left
 * out.
 */
function addLost(
  window: RangeWindow,
  firstEdge: number,
  lastEdge: number,
  left: FloatHistogram,
  right: FloatHistogram,
  difference: FloatHistogram,
): FloatHistogram | undefined {
  const { histograms, histogramTimes: times } = window.columns
  let first = firstEdge + 1
  let previous = left
  if (
    window.smoothed &&
    times[firstEdge]! < window.rangeStart &&
    detectReset(histograms[firstEdge + 1]!, histograms[firstEdge]!)
  ) {
    previous = histograms[firstEdge + 1]!
    first++
  }
  if (first > lastEdge) return difference
  let sum: FloatHistogram | undefined = difference
  for (let i = first; i < lastEdge && sum !== undefined; i++) {
    if (detectReset(histograms[i]!, previous)) sum = addNoting(sum, previous, window)
    previous = histograms[i]!
  }
  if (sum !== undefined && detectReset(right, previous)) sum = addNoting(sum, previous, window)
  return sum
}
