// Takes the rows of the top operator and makes the values that a query returns. With delayed name removal
// names go here.
import type { FloatHistogram } from '@watchfire/datamodel'
import type { MatrixSeries, QueryValue, VectorSample } from '../contract.ts'
import { duplicateLabelsError, executionError, type QueryContext } from '../exec/context.ts'
import { dropMetadata } from '../exec/labels.ts'
import {
  KIND,
  countPresent,
  createRow,
  type Grid,
  type Operator,
  type Row,
  type SeriesMeta,
} from '../exec/operator.ts'
import type { RangeSource } from '../exec/range-source.ts'
import { histogramSize, type SampleColumns } from '../exec/samples.ts'
import { UniqueSeries } from '../exec/unique.ts'
import { extendedSamples } from '../functions/extended-rate.ts'

/** Removes the names that were kept only for the query's duration. */
class NameRemoval implements Operator {
  readonly #inner: Operator

  constructor(inner: Operator) {
    this.#inner = inner
  }

  open(): readonly SeriesMeta[] {
    return this.#inner.open().map(finalMeta)
  }

  next(row: Row): void {
    this.#inner.next(row)
  }
}

function finalMeta(meta: SeriesMeta): SeriesMeta {
  return meta.dropName ? { labels: dropMetadata(meta.labels), dropName: false } : meta
}

function finalOperator(operator: Operator, context: QueryContext, grid: Grid): Operator {
  if (!context.delayedNames) return new UniqueSeries(operator, context, grid)
  return new UniqueSeries(new NameRemoval(operator), context, grid)
}

/** An instant vector, in the operator's order. */
export function collectVector(operator: Operator, context: QueryContext, grid: Grid): VectorSample[] {
  const final = finalOperator(operator, context, grid)
  const samples: VectorSample[] = []
  const row = createRow(1)
  for (const { labels } of final.open()) {
    final.next(row)
    if (row.kinds[0] === KIND.absent) continue
    const sample = { labels, timeMs: grid.startMs, value: row.values[0]! }
    samples.push(
      row.kinds[0] === KIND.histogram ? { ...sample, value: 0, histogram: row.histograms[0]! } : sample,
    )
  }
  context.chargeHeap(samples.length * 100)
  return samples
}

export function collectScalar(operator: Operator, grid: Grid): number {
  const row = createRow(grid.steps)
  operator.open()
  operator.next(row)
  return row.values[0]!
}

/** The series of a range query, not sorted; those without samples are left out. */
export function collectRange(operator: Operator, context: QueryContext, grid: Grid): MatrixSeries[] {
  if (grid.steps === 0) return []
  const final = finalOperator(operator, context, grid)
  const result: MatrixSeries[] = []
  const row = createRow(grid.steps)
  const { startMs, stepMs, steps } = grid
  const allTimes = Float64Array.from({ length: steps }, (_, i) => startMs + i * stepMs)
  for (const { labels } of final.open()) {
    final.next(row)
    const count = countPresent(row)
    if (count === 0) continue
    context.chargeHeap(count * 16 + 200)
    if (count === steps && !row.hasHistograms)
      result.push({ labels, times: allTimes, values: row.values.slice() })
    else result.push({ labels, ...presentSamples(row, allTimes, count) })
  }
  return result
}

function presentSamples(row: Row, allTimes: Float64Array, count: number): Omit<MatrixSeries, 'labels'> {
  const times = new Float64Array(count)
  const values = new Float64Array(count)
  const histograms: (FloatHistogram | undefined)[] = []
  let n = 0
  for (let i = 0; i < row.kinds.length; i++) {
    if (row.kinds[i] === KIND.absent) continue
    times[n] = allTimes[i]!
    if (row.kinds[i] === KIND.histogram) histograms[n] = row.histograms[i]
    else values[n] = row.values[i]!
    n++
  }
  if (histograms.length === 0) return { times, values }
  return { times, values, histograms: Array.from({ length: count }, (_, i) => histograms[i]) }
}

/** A range vector at the top: samples with their own times. */
export function collectMatrix(source: RangeSource, context: QueryContext, grid: Grid): MatrixSeries[] {
  const result: MatrixSeries[] = []
  const keys = new Set<string>()
  const end = (source.shift.atMs ?? grid.startMs) - source.shift.offsetMs
  for (const meta of source.open()) {
    const columns = source.next()
    const series = matrixSeries(source, columns, meta, context, end)
    if (series === undefined) continue
    if (keys.has(series.labels.key())) throw duplicateLabelsError()
    keys.add(series.labels.key())
    result.push(series)
  }
  return result
}

function matrixSeries(
  source: RangeSource,
  columns: SampleColumns,
  meta: SeriesMeta,
  context: QueryContext,
  end: number,
): MatrixSeries | undefined {
  const { labels } = context.delayedNames ? finalMeta(meta) : meta
  let floats = {
    times: columns.times.slice(0, columns.count),
    values: columns.values.slice(0, columns.count),
  }
  if (source.anchored || source.smoothed) {
    const modifier = source.anchored ? 'anchored' : 'smoothed'
    if (columns.histograms.length > 0)
      throw executionError(`${modifier} modifier is not supported with histograms`)
    if (columns.count === 0) return undefined
    const { anchored, smoothed, rangeMs } = source
    const bounds = { rangeStart: end - rangeMs, rangeEnd: end, rangeMs, anchored, smoothed }
    const { times, values } = extendedSamples(columns, bounds)
    floats = { times: Float64Array.from(times), values: Float64Array.from(values) }
  }
  const size = floats.times.length + columns.histograms.reduce((sum, h) => sum + histogramSize(h), 0)
  if (size === 0) return undefined
  context.counters.queryable += size
  if (!source.derived) context.counters.read += size
  context.addLive(size)
  context.chargeHeap(size * 16)
  if (columns.histograms.length === 0) return { labels, ...floats }
  return { labels, ...mergeKinds(floats, columns) }
}

/** Floats and histograms of one series in order of time. */
function mergeKinds(
  floats: { times: Float64Array; values: Float64Array },
  { histogramTimes, histograms }: SampleColumns,
): Omit<MatrixSeries, 'labels'> {
  const count = floats.times.length + histograms.length
  const times = new Float64Array(count)
  const values = new Float64Array(count)
  const merged: (FloatHistogram | undefined)[] = []
  let f = 0
  let h = 0
  for (let i = 0; i < count; i++) {
    const isFloat =
      h >= histograms.length || (f < floats.times.length && floats.times[f]! < histogramTimes[h]!)
    times[i] = isFloat ? floats.times[f]! : histogramTimes[h]!
    values[i] = isFloat ? floats.values[f++]! : 0
    merged.push(isFloat ? undefined : histograms[h++])
  }
  return { times, values, histograms: merged }
}

/** Series of a matrix in the order of their labels. */
export function sortSeries(value: QueryValue): QueryValue {
  if (value.type !== 'matrix') return value
  return { type: 'matrix', series: [...value.series].sort((a, b) => a.labels.compare(b.labels)) }
}
