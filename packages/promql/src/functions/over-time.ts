// The *_over_time family over floats; sums and means of histograms are in a file of their own.
import { WINDOW } from '@watchfire/kernels'
import { KIND } from '../exec/operator.ts'
import { KahanMean, KahanSum } from './kahan.ts'
import { notes } from './notes.ts'
import { averageHistogram, sumHistogram } from './over-time-histogram.ts'
import { quantileOf } from './quantile.ts'
import type { RangeFunction, RangeResult, RangeSpec, RangeWindow } from './range.ts'

export const OVER_TIME_FUNCTIONS: ReadonlyMap<string, RangeSpec> = new Map<string, RangeSpec>([
  ['sum_over_time', { compute: totalOverTime(sumFloats, sumHistogram), kernel: WINDOW.sumOverTime }],
  ['avg_over_time', { compute: totalOverTime(averageFloats, averageHistogram), kernel: WINDOW.avgOverTime }],
  ['min_over_time', { compute: floatsOnly(extreme(less, false)), kernel: WINDOW.minOverTime }],
  ['max_over_time', { compute: floatsOnly(extreme(greater, false)), kernel: WINDOW.maxOverTime }],
  ['count_over_time', { compute: countOverTime, kernel: WINDOW.countOverTime }],
  ['present_over_time', { compute: presentOverTime, kernel: WINDOW.presentOverTime }],
  ['absent_over_time', { compute: presentOverTime, kernel: WINDOW.presentOverTime }],
  ['first_over_time', { compute: firstOverTime, kernel: WINDOW.firstOverTime, keepsName: true }],
  ['last_over_time', { compute: lastOverTime, kernel: WINDOW.lastOverTime, keepsName: true }],
  ['stdvar_over_time', { compute: floatsOnly(variance), kernel: WINDOW.stdvarOverTime }],
  ['stddev_over_time', { compute: floatsOnly((w) => Math.sqrt(variance(w))), kernel: WINDOW.stddevOverTime }],
  ['quantile_over_time', { compute: quantileOverTime }],
  ['mad_over_time', { compute: floatsOnly(medianDeviation) }],
  ['ts_of_first_over_time', { compute: timeOfFirst }],
  ['ts_of_last_over_time', { compute: timeOfLast }],
  ['ts_of_min_over_time', { compute: floatsOnly(extreme((a, b) => a <= b, true)) }],
  ['ts_of_max_over_time', { compute: floatsOnly(extreme((a, b) => a >= b, true)) }],
])

function hasFloats(window: RangeWindow): boolean {
  return window.to > window.from
}

function hasHistograms(window: RangeWindow): boolean {
  return window.histogramTo > window.histogramFrom
}

/** Needs floats; histograms beside them are passed over with a note. */
function floatsOnly(compute: (window: RangeWindow) => number): RangeFunction {
  return (window, result) => {
    if (!hasFloats(window)) return KIND.absent
    if (hasHistograms(window))
      notes.histogramsIgnored(window.context.annotations, window.labels, window.position)
    result.value = compute(window)
    return KIND.float
  }
}

/** Floats or histograms, not both. */
function totalOverTime(
  floats: (window: RangeWindow) => number,
  histograms: typeof sumHistogram,
): RangeFunction {
  return (window, result) => {
    if (hasFloats(window) && hasHistograms(window)) {
      notes.mixedSamples(window.context.annotations, window.labels, window.position)
      return KIND.absent
    }
    if (hasHistograms(window)) {
      result.histogram = histograms(window)
      return result.histogram === undefined ? KIND.absent : KIND.histogram
    }
    result.value = floats(window)
    return KIND.float
  }
}

const total = new KahanSum()
const mean = new KahanMean()

function sumFloats({ columns: { values }, from, to }: RangeWindow): number {
  total.reset()
  for (let i = from; i < to; i++) total.add(values[i]!)
  return Math.abs(total.sum) === Infinity ? total.sum : total.value
}

function averageFloats({ columns: { values }, from, to }: RangeWindow): number {
  mean.reset()
  for (let i = from; i < to; i++) mean.add(values[i]!)
  return mean.value
}

function less(value: number, best: number): boolean {
  return value < best
}

function greater(value: number, best: number): boolean {
  return value > best
}

/**
 * The extreme value, or the time in seconds of its (for `<=`, `>=`: last) sample. NaN loses to any number.
 */
function extreme(better: (value: number, best: number) => boolean, wantTime: boolean) {
  return ({ columns: { times, values }, from, to }: RangeWindow): number => {
    let best = values[from]!
    let at = from
    for (let i = from; i < to; i++) {
      if (!better(values[i]!, best) && best === best) continue
      best = values[i]!
      at = i
    }
    return wantTime ? times[at]! / 1000 : best
  }
}

const deviationMean = new KahanSum()
const squares = new KahanSum()

function variance({ columns: { values }, from, to }: RangeWindow): number {
  deviationMean.reset()
  squares.reset()
  for (let i = from; i < to; i++) {
    const delta = values[i]! - deviationMean.value
    deviationMean.add(delta / (i - from + 1))
    squares.add(delta * (values[i]! - deviationMean.value))
  }
  return squares.value / (to - from)
}

function medianDeviation({ columns: { values }, from, to }: RangeWindow): number {
  const own = values.slice(from, to)
  if (own.some((value) => value !== value)) return NaN
  const median = quantileOf(0.5, own)
  for (let i = 0; i < own.length; i++) own[i] = Math.abs(own[i]! - median)
  return quantileOf(0.5, own)
}

function countOverTime(window: RangeWindow, result: RangeResult): number {
  result.value = window.to - window.from + window.histogramTo - window.histogramFrom
  return KIND.float
}

function presentOverTime(_window: RangeWindow, result: RangeResult): number {
  result.value = 1
  return KIND.float
}

function quantileOverTime(window: RangeWindow, result: RangeResult): number {
  if (!hasFloats(window)) return KIND.absent
  const { annotations } = window.context
  const q = window.scalars[0]!
  if (!(q >= 0 && q <= 1)) notes.invalidQuantile(annotations, q, window.position)
  if (hasHistograms(window)) notes.histogramsIgnored(annotations, window.labels, window.position)
  result.value = quantileOf(q, window.columns.values.slice(window.from, window.to))
  return KIND.float
}

function firstOverTime(window: RangeWindow, result: RangeResult): number {
  const { columns, from, histogramFrom } = window
  if (
    hasFloats(window) &&
    !(hasHistograms(window) && columns.histogramTimes[histogramFrom]! <= columns.times[from]!)
  ) {
    result.value = columns.values[from]!
    return KIND.float
  }
  result.histogram = columns.histograms[histogramFrom]
  return KIND.histogram
}

function lastOverTime(window: RangeWindow, result: RangeResult): number {
  const { columns, to, histogramTo } = window
  const float = to - 1
  const histogram = histogramTo - 1
  if (
    hasFloats(window) &&
    !(hasHistograms(window) && columns.histogramTimes[histogram]! >= columns.times[float]!)
  ) {
    result.value = columns.values[float]!
    return KIND.float
  }
  result.histogram = columns.histograms[histogram]
  return KIND.histogram
}

function timeOfFirst(window: RangeWindow, result: RangeResult): number {
  const { columns, from, histogramFrom } = window
  const float = hasFloats(window) ? columns.times[from]! : Infinity
  const histogram = hasHistograms(window) ? columns.histogramTimes[histogramFrom]! : Infinity
  result.value = Math.min(float, histogram) / 1000
  return KIND.float
}

function timeOfLast(window: RangeWindow, result: RangeResult): number {
  const { columns, to, histogramTo } = window
  const float = hasFloats(window) ? columns.times[to - 1]! : 0
  const histogram = hasHistograms(window) ? columns.histogramTimes[histogramTo - 1]! : 0
  result.value = Math.max(float, histogram) / 1000
  return KIND.float
}
