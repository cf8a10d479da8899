// rate, increase, delta, irate and idelta over floats; histograms and extended selectors have files of their
// own.
import { scaleHistogram } from '@watchfire/datamodel'
import { WINDOW } from '@watchfire/kernels'
import { KIND } from '../exec/operator.ts'
import { OVERLAP } from '../exec/annotations.ts'
import { extendedHistogramRate, extendedRate } from './extended-rate.ts'
import { addNoting, histogramIncrease, histogramInstantRate } from './rate-histogram.ts'
import { scaled } from './histogram-layout.ts'
import { notes, quoteText } from './notes.ts'
import type { RangeFunction, RangeResult, RangeSpec, RangeWindow } from './range.ts'

export const RATE_FUNCTIONS: ReadonlyMap<string, RangeSpec> = new Map([
  ['rate', { ...counterSpec(true), kernel: WINDOW.rate }],
  ['increase', { ...counterSpec(false), kernel: WINDOW.increase }],
  ['delta', { compute: extrapolated(false, false), kernel: WINDOW.delta, anchored: true, smoothed: true }],
  ['irate', { compute: instantRate(true), kernel: WINDOW.irate, usesStarts: true }],
  ['idelta', { compute: instantRate(false), kernel: WINDOW.idelta }],
])

function counterSpec(perSecond: boolean): RangeSpec {
  const compute = extrapolated(true, perSecond)
  return { compute, usesStarts: true, anchored: true, smoothed: true, wantsCounter: true }
}

/**
 * True when the start timestamp says that counting began anew between two samples. 0 is unknown, one at or
 * after its own sample is not valid; one that equals the sample before it counts only if that one's own start
 * is known (delta series).
 */
export function isStartReset(
  previousStart: number,
  previousTime: number,
  start: number,
  time: number,
): boolean {
  if (start === 0 || start >= time || start < previousTime) return false
  if (start > previousTime) return true
  return previousStart !== 0 && previousStart < previousTime
}

/** A start timestamp that lies before the sample before it and differs from that one's start. */
export function startsOverlap(previousStart: number, previousTime: number, start: number): boolean {
  return start !== 0 && start < previousTime && start !== previousStart
}

export function noteOverlap(window: RangeWindow): void {
  const name = quoteText(window.labels.metricName)
  window.context.annotations.warn(`${OVERLAP} for metric ${name}`, window.position)
}

function extrapolated(counter: boolean, perSecond: boolean): RangeFunction {
  return (window, result) => {
    const floats = window.to - window.from
    const histograms = window.histogramTo - window.histogramFrom
    if (floats > 0 && histograms > 0) {
      notes.mixedSamples(window.context.annotations, window.labels, window.position)
      return KIND.absent
    }
    if (window.anchored || window.smoothed)
      return histograms > 0
        ? extendedHistogramRate(window, result, counter, perSecond)
        : extendedRate(window, result, counter, perSecond)
    return histograms > 0
      ? histogramRate(window, result, counter, perSecond)
      : floatRate(window, result, counter, perSecond)
  }
}

function floatRate(window: RangeWindow, result: RangeResult, counter: boolean, perSecond: boolean): number {
  const { columns, from, to } = window
  const { times, values } = columns
  const last = to - 1
  let increase = values[last]! - values[from]!
  if (counter) increase = withResets(window, increase)
  const extrapolation: Extrapolation = {
    firstTime: times[from]!,
    lastTime: times[last]!,
    intervals: last - from,
    start: counter && columns.starts ? columns.starts[from]! : 0,
    // A counter is not extrapolated below zero.
    zeroShare: counter && increase > 0 && values[from]! >= 0 ? values[from]! / increase : undefined,
  }
  const factor = extrapolationFactor(window, extrapolation, perSecond)
  if (factor === undefined) return KIND.absent
  if (usesStart(window, extrapolation)) increase += values[from]!
  result.value = increase * factor
  return KIND.float
}

/** Adds what resets took away to an increase, one after the other. */
function withResets(window: RangeWindow, increase: number): number {
  const { columns, from, to } = window
  const { times, values, starts } = columns
  let total = increase
  let overlap = false
  for (let i = from + 1; i < to; i++) {
    let reset = values[i]! < values[i - 1]!
    if (starts !== undefined) {
      overlap ||= startsOverlap(starts[i - 1]!, times[i - 1]!, starts[i]!)
      reset ||= isStartReset(starts[i - 1]!, times[i - 1]!, starts[i]!, times[i]!)
    }
    if (reset) total += values[i - 1]!
  }
  if (overlap) noteOverlap(window)
  return total
}

function histogramRate(
  window: RangeWindow,
  result: RangeResult,
  counter: boolean,
  perSecond: boolean,
): number {
  const { columns, histogramFrom: from, histogramTo: to } = window
  const first = columns.histograms[from]!
  const intervals = to - 1 - from
  let increase = intervals > 0 ? histogramIncrease(window, counter) : undefined
  if (intervals > 0 && increase === undefined) return KIND.absent
  const extrapolation: Extrapolation = {
    firstTime: columns.histogramTimes[from]!,
    lastTime: columns.histogramTimes[to - 1]!,
    intervals,
    start: counter && columns.histogramStarts ? columns.histogramStarts[from]! : 0,
    zeroShare:
      counter && increase !== undefined && increase.count > 0 && first.count >= 0
        ? first.count / increase.count
        : undefined,
  }
  const factor = extrapolationFactor(window, extrapolation, perSecond)
  if (factor === undefined) return KIND.absent
  if (usesStart(window, extrapolation)) {
    increase = increase === undefined ? first : addNoting(increase, first, window)
    if (increase === undefined) return KIND.absent
  }
  result.histogram = factor >= 0 ? scaled(increase!, factor) : scaleHistogram(increase!, factor)
  return KIND.histogram
}

interface Extrapolation {
  readonly firstTime: number
  readonly lastTime: number
  /** Samples less one. */
  readonly intervals: number
  /** Start timestamp of the first sample, 0 = none. */
  readonly start: number
  /** Value of the first sample as a share of the increase; undefined when zero does not bound it. */
  readonly zeroShare: number | undefined
}

/** The first sample's counting began within the range: the increase from zero is known, not guessed. */
function usesStart(window: RangeWindow, of: Extrapolation): boolean {
  return of.start !== 0 && of.start > window.rangeStart && of.start < of.firstTime
}

/** What the increase between first and last sample is multiplied with; undefined when nothing can be said. */
function extrapolationFactor(window: RangeWindow, of: Extrapolation, perSecond: boolean): number | undefined {
  let toStart = (of.firstTime - window.rangeStart) / 1000
  let toEnd = (window.rangeEnd - of.lastTime) / 1000
  let sampled = (of.lastTime - of.firstTime) / 1000
  const average = of.intervals > 0 ? sampled / of.intervals : 0
  const threshold = average * 1.1
  if (usesStart(window, of)) {
    toStart = 0
    sampled = (of.lastTime - of.start) / 1000
  } else if (of.intervals === 0) return undefined
  else {
    if (toStart >= threshold) toStart = average / 2
    if (of.zeroShare !== undefined) {
      const toZero = sampled * of.zeroShare
      if (toZero < toStart) toStart = toZero
    }
  }
  if (toEnd >= threshold) toEnd = average / 2
  const factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled
  return perSecond ? factor / (window.rangeMs / 1000) : factor
}

/** irate and idelta: from the last two samples alone. */
function instantRate(perSecond: boolean): RangeFunction {
  return (window, result) => {
    const { columns, from, to, histogramFrom, histogramTo } = window
    const floats = to - from
    const histograms = histogramTo - histogramFrom
    if (floats + histograms < 2) return KIND.absent
    const { times, histogramTimes } = columns
    // The two newest samples of either kind.
    let float = to - 1
    let histogram = histogramTo - 1
    const isFloat: boolean[] = []
    for (let i = 0; i < 2; i++) {
      const floatTime = float >= from ? times[float]! : -Infinity
      const histogramTime = histogram >= histogramFrom ? histogramTimes[histogram]! : -Infinity
      isFloat.push(floatTime > histogramTime)
      if (floatTime > histogramTime) float--
      else histogram--
    }
    if (isFloat[0] !== isFloat[1]) {
      notes.mixedSamples(window.context.annotations, window.labels, window.position)
      return KIND.absent
    }
    return isFloat[0]
      ? floatInstantRate(window, result, perSecond)
      : histogramInstantRate(window, result, perSecond)
  }
}

function floatInstantRate(window: RangeWindow, result: RangeResult, perSecond: boolean): number {
  const { times, values, starts } = window.columns
  const last = window.to - 1
  const interval = times[last]! - times[last - 1]!
  if (interval === 0) return KIND.absent
  const began =
    starts !== undefined && isStartReset(starts[last - 1]!, times[last - 1]!, starts[last]!, times[last]!)
  const reset = perSecond && (values[last]! < values[last - 1]! || began)
  const difference = reset ? values[last]! : values[last]! - values[last - 1]!
  result.value = perSecond ? difference / (interval / 1000) : difference
  return KIND.float
}
