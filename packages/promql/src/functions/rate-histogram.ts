// rate, increase, delta, irate and idelta over native histograms.
import {
  COUNTER_RESET,
  IncompatibleHistogramsError,
  addHistograms,
  divideHistogram,
  reduceResolution,
  subHistograms,
  usesCustomBuckets,
  type FloatHistogram,
} from '@watchfire/datamodel'
import { KIND } from '../exec/operator.ts'
import { compacted, resetBetween, sameLayout, subtractSame, wasReset } from './histogram-layout.ts'
import { notes } from './notes.ts'
import { isStartReset, noteOverlap, startsOverlap } from './rate.ts'
import type { RangeResult, RangeWindow } from './range.ts'

/** a + b with its annotations; undefined when the two do not go together. */
export function addNoting(
  a: FloatHistogram,
  b: FloatHistogram,
  window: RangeWindow,
): FloatHistogram | undefined {
  return combineNoting(addHistograms, 'addition', a, b, window)
}

/** a − b with its annotations; undefined when the two do not go together. */
export function subNoting(
  a: FloatHistogram,
  b: FloatHistogram,
  window: RangeWindow,
): FloatHistogram | undefined {
  return combineNoting(subHistograms, 'subtraction', a, b, window)
}

function combineNoting(
  combine: typeof addHistograms,
  operation: 'addition' | 'subtraction',
  a: FloatHistogram,
  b: FloatHistogram,
  window: RangeWindow,
): FloatHistogram | undefined {
  const { annotations } = window.context
  try {
    const { histogram, boundsReconciled } = combine(a, b)
    if (boundsReconciled) notes.boundsReconciled(annotations, operation, window.position)
    return histogram
  } catch (error) {
    if (!(error instanceof IncompatibleHistogramsError)) throw error
    notes.mixedBuckets(annotations, window.labels, window.position)
    return undefined
  }
}

/**
 * The increase (or, of gauges, difference) over the window's histograms, at least two; undefined (with an
 * annotation) when their buckets do not go together.
 */
export function histogramIncrease(window: RangeWindow, counter: boolean): FloatHistogram | undefined {
  const { columns, histogramFrom: from, histogramTo: to, position, labels } = window
  const { annotations } = window.context
  const { histograms } = columns
  const gauge = COUNTER_RESET.gauge
  let first = histograms[from]!
  const last = histograms[to - 1]!
  const mixed = (): undefined => notes.mixedBuckets(annotations, labels, position) as undefined
  if (counter && (first.counterResetHint === gauge || last.counterResetHint === gauge))
    notes.notCounter(annotations, labels, position)
  // After a reset the first sample does not matter, whatever its buckets are.
  if (counter && isReset(window, from + 1, first)) first = emptyLike(histograms[from + 1]!)
  const custom = usesCustomBuckets(first)
  if (usesCustomBuckets(last) !== custom) return mixed()
  let schema = Math.min(last.schema, first.schema)
  if (counter)
    for (let i = from + 1; i < to - 1; i++) {
      const histogram = histograms[i]!
      if (histogram.counterResetHint === gauge) notes.notCounter(annotations, labels, position)
      schema = Math.min(schema, histogram.schema)
      if (usesCustomBuckets(histogram) !== custom) return mixed()
    }
  let increase =
    schema === last.schema && sameLayout(last, first)
      ? subtractSame(last, first)
      : subNoting(custom ? last : reduceResolution(last, schema), first, window)
  if (increase === undefined) return undefined
  if (counter) {
    increase = addLost(window, increase, first)
    if (increase === undefined) return undefined
  } else if (histograms[from]!.counterResetHint !== gauge || last.counterResetHint !== gauge)
    notes.notGauge(annotations, labels, position)
  return compacted({ ...increase, counterResetHint: gauge })
}

/** Adds what was counted before each reset. */
function addLost(
  window: RangeWindow,
  increase: FloatHistogram,
  first: FloatHistogram,
): FloatHistogram | undefined {
  const { columns, histogramFrom: from, histogramTo: to } = window
  const { histograms, histogramTimes: times, histogramStarts: starts } = columns
  let previous = first
  let overlap = false
  for (let i = from + 1; i < to; i++) {
    if (starts !== undefined) overlap ||= startsOverlap(starts[i - 1]!, times[i - 1]!, starts[i]!)
    if (isReset(window, i, previous)) {
      const sum = addNoting(increase, previous, window)
      if (sum === undefined) return undefined
      increase = sum
    }
    previous = histograms[i]!
  }
  if (overlap) noteOverlap(window)
  return increase
}

/** Counting began anew between samples i − 1 and i. */
function isReset(window: RangeWindow, i: number, previous: FloatHistogram): boolean {
  const { histograms, histogramTimes: times, histogramStarts: starts } = window.columns
  if (starts !== undefined && isStartReset(starts[i - 1]!, times[i - 1]!, starts[i]!, times[i]!)) return true
  if (previous === histograms[i - 1]) return resetBetween(histograms, i)
  return wasReset(histograms[i]!, previous)
}

function emptyLike(histogram: FloatHistogram): FloatHistogram {
  return {
    schema: histogram.schema,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 0,
    sum: 0,
    positiveSpans: [],
    negativeSpans: [],
    positiveBuckets: new Float64Array(0),
    negativeBuckets: new Float64Array(0),
    customValues: histogram.customValues,
    counterResetHint: COUNTER_RESET.unknown,
  }
}

/** irate and idelta over the last two histograms. */
export function histogramInstantRate(window: RangeWindow, result: RangeResult, perSecond: boolean): number {
  const { columns, histogramTo: to, position, labels } = window
  const { annotations } = window.context
  const { histograms, histogramTimes: times } = columns
  const last = histograms[to - 1]!
  const previous = histograms[to - 2]!
  const interval = times[to - 1]! - times[to - 2]!
  if (interval === 0) return KIND.absent
  const { gauge } = COUNTER_RESET
  const gauges = [last, previous].filter(({ counterResetHint }) => counterResetHint === gauge).length
  if (perSecond && gauges > 0) notes.notCounter(annotations, labels, position)
  if (!perSecond && gauges < 2) notes.notGauge(annotations, labels, position)
  let difference: FloatHistogram | undefined = last
  if (!perSecond || !isReset(window, to - 1, previous)) difference = subNoting(last, previous, window)
  if (difference === undefined) return KIND.absent
  difference = compacted({ ...difference, counterResetHint: gauge })
  result.histogram = perSecond ? divideHistogram(difference, interval / 1000) : difference
  return KIND.histogram
}
