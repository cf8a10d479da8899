// Shortcuts for histograms whose buckets lie at the same places, as those of one chunk do: no merging of
// layouts, bucket by bucket. The results are those of datamodel's general functions.
import {
  COUNTER_RESET,
  compactHistogram,
  detectReset,
  type FloatHistogram,
  type Span,
} from '@watchfire/datamodel'

/** Bucket i of one is bucket i of the other. */
export function sameLayout(a: FloatHistogram, b: FloatHistogram): boolean {
  if (a.schema !== b.schema || a.zeroThreshold !== b.zeroThreshold) return false
  if (!sameSpans(a.positiveSpans, b.positiveSpans) || !sameSpans(a.negativeSpans, b.negativeSpans))
    return false
  if (a.customValues === b.customValues) return true
  return (
    a.customValues.length === b.customValues.length && a.customValues.every((v, i) => v === b.customValues[i])
  )
}

function sameSpans(a: readonly Span[], b: readonly Span[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++)
    if (a[i]!.offset !== b[i]!.offset || a[i]!.length !== b[i]!.length) return false
  return true
}

/** a − b of one layout; the hint is a's. */
export function subtractSame(a: FloatHistogram, b: FloatHistogram): FloatHistogram {
  return {
    ...a,
    zeroCount: a.zeroCount - b.zeroCount,
    count: a.count - b.count,
    sum: a.sum - b.sum,
    positiveBuckets: subtract(a.positiveBuckets, b.positiveBuckets),
    negativeBuckets: subtract(a.negativeBuckets, b.negativeBuckets),
  }
}

function subtract(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length)
  for (let i = 0; i < out.length; i++) out[i] = a[i]! - b[i]!
  return out
}

/** scaleHistogram for a factor that is not negative. */
export function scaled(histogram: FloatHistogram, factor: number): FloatHistogram {
  return {
    ...histogram,
    zeroCount: histogram.zeroCount * factor,
    count: histogram.count * factor,
    sum: histogram.sum * factor,
    positiveBuckets: scale(histogram.positiveBuckets, factor),
    negativeBuckets: scale(histogram.negativeBuckets, factor),
  }
}

function scale(counts: Float64Array, factor: number): Float64Array {
  const out = new Float64Array(counts.length)
  for (let i = 0; i < out.length; i++) out[i] = counts[i]! * factor
  return out
}

/** detectReset with the shortcut. */
export function wasReset(current: FloatHistogram, previous: FloatHistogram): boolean {
  if (current.counterResetHint === COUNTER_RESET.reset) return true
  if (current.counterResetHint === COUNTER_RESET.notReset) return false
  if (!sameLayout(current, previous)) return detectReset(current, previous)
  return (
    current.count < previous.count ||
    current.zeroCount < previous.zeroCount ||
    anyBelow(current.positiveBuckets, previous.positiveBuckets) ||
    anyBelow(current.negativeBuckets, previous.negativeBuckets)
  )
}

function anyBelow(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i]! < b[i]!) return true
  return false
}

/** compactHistogram, which is the histogram itself when there is nothing to leave out. */
export function compacted(histogram: FloatHistogram): FloatHistogram {
  const { positiveSpans, negativeSpans, positiveBuckets, negativeBuckets } = histogram
  const tight = tightSpans(positiveSpans) && tightSpans(negativeSpans)
  if (tight && !positiveBuckets.includes(0) && !negativeBuckets.includes(0)) return histogram
  return compactHistogram(histogram)
}

function tightSpans(spans: readonly Span[]): boolean {
  for (let i = 0; i < spans.length; i++)
    if (spans[i]!.length === 0 || (i > 0 && spans[i]!.offset === 0)) return false
  return true
}

/** Resets between neighbours of a list of histograms, found once: windows overlap and ask again. */
const known = new WeakMap<readonly FloatHistogram[], Int8Array>()

/** True when counting began anew between histograms i − 1 and i of the list. */
export function resetBetween(histograms: readonly FloatHistogram[], i: number): boolean {
  let answers = known.get(histograms)
  if (answers === undefined) {
    answers = new Int8Array(histograms.length).fill(-1)
    known.set(histograms, answers)
  }
  if (answers[i] === -1) answers[i] = wasReset(histograms[i]!, histograms[i - 1]!) ? 1 : 0
  return answers[i] === 1
}
