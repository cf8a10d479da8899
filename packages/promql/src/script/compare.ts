// Compares the value of a query with what a script expects. All functions give the first difference as a text, or
// undefined when there is none.
import {
  compactHistogram,
  formatValue,
  histogramLiteral,
  isStale,
  type FloatHistogram,
  type Span,
} from '@watchfire/datamodel'
import type { MatrixSeries, QueryValue, VectorSample } from '../contract.ts'
import type { SeriesValue } from '../parser/index.ts'
import type { EvalCommand, ExpectedSeries } from './commands.ts'

const EPSILON = 1e-6
const SMALLEST_NORMAL = 2 ** -1022

/** Equal up to a relative error of 1e-6. NaN equals NaN, and the staleness marker only itself. */
export function almostEqual(a: number, b: number): boolean {
  if (isStale(a) || isStale(b)) return isStale(a) && isStale(b)
  if (Number.isNaN(a) && Number.isNaN(b)) return true
  if (a === b) return true
  const size = Math.abs(a) + Math.abs(b)
  const difference = Math.abs(a - b)
  if (a === 0 || b === 0 || size < SMALLEST_NORMAL) return difference < EPSILON * SMALLEST_NORMAL
  return difference / Math.min(size, Number.MAX_VALUE) < EPSILON
}

/** Equal counts up to a small error in the same layout, empty buckets aside. */
export function almostEqualHistograms(
  wanted: FloatHistogram,
  got: FloatHistogram,
  compareHint: boolean,
): boolean {
  const a = compactHistogram(wanted)
  const b = compactHistogram(got)
  return (
    a.schema === b.schema &&
    almostEqual(a.count, b.count) &&
    almostEqual(a.sum, b.sum) &&
    a.zeroThreshold === b.zeroThreshold &&
    almostEqual(a.zeroCount, b.zeroCount) &&
    sameList(a.customValues, b.customValues, Object.is) &&
    sameList(a.positiveSpans, b.positiveSpans, sameSpan) &&
    sameList(a.negativeSpans, b.negativeSpans, sameSpan) &&
    sameList(a.positiveBuckets, b.positiveBuckets, almostEqual) &&
    sameList(a.negativeBuckets, b.negativeBuckets, almostEqual) &&
    (!compareHint || a.counterResetHint === b.counterResetHint)
  )
}

function sameList<T>(a: ArrayLike<T>, b: ArrayLike<T>, same: (x: T, y: T) => boolean): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!same(a[i]!, b[i]!)) return false
  return true
}

function sameSpan(a: Span, b: Span): boolean {
  return a.offset === b.offset && a.length === b.length
}

/** The first difference between a value and the expectation. */
export function compareValue(command: EvalCommand, value: QueryValue): string | undefined {
  const { expected } = command
  switch (value.type) {
    case 'matrix':
      if (expected.ordered) return 'expected ordered result, but query returned a matrix'
      if (expected.scalar !== undefined) return 'expected scalar result, but got a matrix'
      return unsorted(value.series) ?? compareMatrix(command, value.series)
    case 'vector':
      if (expected.scalar !== undefined) return 'expected scalar result, but got a vector'
      return compareVector(command, value.samples)
    case 'scalar':
      if (expected.scalar === undefined)
        return `expected vector or matrix result, but got scalar ${formatValue(value.value)}`
      return almostEqual(expected.scalar, value.value)
        ? undefined
        : `expected scalar ${formatValue(expected.scalar)} but got ${formatValue(value.value)}`
    case 'string':
      return (expected.string ?? '') === value.value
        ? undefined
        : `expected string ${JSON.stringify(expected.string ?? '')} but got ${JSON.stringify(value.value)}`
  }
}

/** Series of a matrix stand in the order of their labels. */
export function unsorted(series: readonly MatrixSeries[]): string | undefined {
  for (let i = 1; i < series.length; i++) {
    const [before, after] = [series[i - 1]!.labels, series[i]!.labels]
    if (before.compare(after) > 0)
      return `matrix results should always be sorted by labels, but ${after.toString()} comes after ${before.toString()}`
  }
  return undefined
}

function compareVector(command: EvalCommand, samples: readonly VectorSample[]): string | undefined {
  const { ordered, series } = command.expected
  const seen = new Set<string>()
  for (const [i, sample] of samples.entries()) {
    const { labels } = sample
    const wanted = series.get(labels.key())
    if (!wanted) return `unexpected metric ${labels.toString()} in result, has value ${showSample(sample)}`
    if (ordered && wanted.position !== i + 1)
      return `expected metric ${labels.toString()} at position ${wanted.position} but was at ${i + 1}`
    const first = wanted.values[0] ?? { kind: 'omitted' }
    if (!sameValue(first, sample))
      return `expected ${show(first)} for ${labels.toString()} but got ${showSample(sample)}`
    seen.add(labels.key())
  }
  return missing(series, seen)
}

function missing(series: ReadonlyMap<string, ExpectedSeries>, seen: ReadonlySet<string>): string | undefined {
  for (const [key, { labels, values }] of series)
    if (!seen.has(key))
      return `expected metric ${labels.toString()} with ${values.map(show).join(' ')} not found`
  return undefined
}

function sameValue(
  wanted: SeriesValue,
  got: { value: number; histogram?: FloatHistogram | undefined },
): boolean {
  switch (wanted.kind) {
    case 'histogram':
      return (
        got.histogram !== undefined && almostEqualHistograms(wanted.histogram, got.histogram, wanted.hintSet)
      )
    case 'stale':
      return got.histogram === undefined && isStale(got.value)
    case 'float':
      return got.histogram === undefined && almostEqual(wanted.value, got.value)
    case 'omitted':
      return false
  }
}

function compareMatrix(command: EvalCommand, result: readonly MatrixSeries[]): string | undefined {
  const seen = new Set<string>()
  for (const got of result) {
    const wanted = command.expected.series.get(got.labels.key())
    if (!wanted) return `unexpected metric ${got.labels.toString()} in result, has ${showSeries(got)}`
    seen.add(got.labels.key())
    const difference = compareSeries(command, wanted, got)
    if (difference) return `${difference} (result has ${showSeries(got)})`
  }
  return missing(command.expected.series, seen)
}

function compareSeries(command: EvalCommand, wanted: ExpectedSeries, got: MatrixSeries): string | undefined {
  const { startMs, endMs, stepMs } = command
  const name = wanted.labels.toString()
  let at = 0
  for (const [i, value] of wanted.values.entries()) {
    const timeMs = startMs + i * stepMs
    if (timeMs > endMs)
      return `expected ${wanted.values.length} points for ${name}, but query time range cannot return this many points`
    if (value.kind === 'omitted') continue
    if (at >= got.times.length || got.times[at] !== timeMs)
      return `expected ${show(value)} for ${name} at ${timeMs}, but there is ${at < got.times.length ? `a point at ${got.times[at]}` : 'no point'}`
    const point = { value: got.values[at]!, histogram: got.histograms?.[at] }
    if (!sameValue(value, point))
      return `expected value at index ${at} (t=${timeMs}) for ${name} to be ${show(value)}, but got ${showSample(point)}`
    at++
  }
  return at < got.times.length ? `expected ${at} points for ${name}, but got ${got.times.length}` : undefined
}

function show(value: SeriesValue): string {
  switch (value.kind) {
    case 'omitted':
      return '_'
    case 'stale':
      return 'stale'
    case 'float':
      return formatValue(value.value)
    case 'histogram':
      return histogramLiteral(value.histogram)
  }
}

function showSample(sample: { value: number; histogram?: FloatHistogram | undefined }): string {
  if (sample.histogram) return histogramLiteral(sample.histogram)
  return isStale(sample.value) ? 'stale' : formatValue(sample.value)
}

/** The points of a series in short, at most 20 of them. */
function showSeries(series: MatrixSeries): string {
  const shown = Array.from(series.times.subarray(0, 20), (timeMs, i) => {
    const point = { value: series.values[i]!, histogram: series.histograms?.[i] }
    return `${showSample(point)} @[${timeMs}]`
  })
  return `[${shown.join(' ')}${series.times.length > 20 ? ' …' : ''}]`
}
