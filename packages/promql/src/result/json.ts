// A query's result as the HTTP API's JSON, straight into bytes.
import { allBuckets, type FloatHistogram, type Labels } from '@watchfire/datamodel'
import { QueryError } from '../contract.ts'
import type { MatrixSeries, QueryResult, QueryStats, QueryValue, VectorSample } from '../contract.ts'
import { JsonWriter } from './json-writer.ts'
import { gridOf, writePoints, type PointGrid } from './points.ts'

export interface JsonOptions {
  /** Most series of a vector or matrix, 0 = all. */
  readonly limit?: number
  /** Adds the query's statistics. */
  readonly stats?: boolean
  /** Most bytes of the answer, default 1 GiB. */
  readonly bytesMax?: number
  /** Warnings of the request, added to those of the result. */
  readonly warnings?: readonly string[]
}

const BYTES_MAX = 2 ** 30

/** Most warnings and most infos of an answer; a last one tells how many more there were. */
const ANNOTATIONS_MAX = 10

/**
 * The whole body: `{"status":"success","data":{…},"warnings":[…],"infos":[…]}`. Throws `QueryError` when it
 * gets too big.
 */
export function resultToJson(result: QueryResult, options: JsonOptions = {}): Uint8Array {
  const writer = new JsonWriter()
  const { value, truncated } = truncate(result.value, options.limit ?? 0)
  writer.ascii('{"status":"success","data":{"resultType":"')
  writer.ascii(value.type)
  writer.ascii('","result":')
  writeValue(writer, value, options.bytesMax ?? BYTES_MAX)
  if (options.stats === true) writeStats(writer, result.stats)
  writer.ascii('}')
  const warnings = [...(options.warnings ?? []), ...result.warnings]
  if (truncated) warnings.unshift('results truncated due to limit')
  writeTexts(writer, 'warnings', 'warning', warnings)
  writeTexts(writer, 'infos', 'info', result.infos)
  writer.ascii('}')
  return writer.finish()
}

function truncate(value: QueryValue, limit: number): { value: QueryValue; truncated: boolean } {
  if (limit > 0 && value.type === 'vector' && value.samples.length > limit)
    return { value: { ...value, samples: value.samples.slice(0, limit) }, truncated: true }
  if (limit > 0 && value.type === 'matrix' && value.series.length > limit)
    return { value: { ...value, series: value.series.slice(0, limit) }, truncated: true }
  return { value, truncated: false }
}

function writeTexts(writer: JsonWriter, field: string, kind: string, texts: readonly string[]): void {
  if (texts.length === 0) return
  writer.ascii(`,"${field}":[`)
  const shown = texts.slice(0, ANNOTATIONS_MAX)
  const omitted = texts.length - shown.length
  if (omitted > 0) shown.push(`${omitted} more ${kind} annotations omitted`)
  shown.forEach((text, i) => {
    if (i > 0) writer.ascii(',')
    writer.string(text, true)
  })
  writer.ascii(']')
}

function writeValue(writer: JsonWriter, value: QueryValue, bytesMax: number): void {
  switch (value.type) {
    case 'vector':
      writer.ascii('[')
      value.samples.forEach((sample, i) => {
        if (i > 0) writer.ascii(',')
        writeSample(writer, sample)
        checkSize(writer, bytesMax)
      })
      writer.ascii(']')
      return
    case 'matrix':
      writeMatrix(writer, value.series, bytesMax)
      return
    case 'scalar':
      writer.ascii('[')
      writer.ascii(String(value.timeMs / 1000))
      writer.ascii(',')
      writer.number(value.value)
      writer.ascii(']')
      return
    case 'string':
      writer.ascii('[')
      writer.ascii(String(value.timeMs / 1000))
      writer.ascii(',')
      writer.string(value.value, true)
      writer.ascii(']')
  }
}

function writeLabels(writer: JsonWriter, labels: Labels): void {
  const { pairs } = labels
  writer.ascii('{"metric":{')
  for (let i = 0; i < pairs.length; i += 2) {
    if (i > 0) writer.ascii(',')
    writer.string(pairs[i]!)
    writer.ascii(':')
    writer.string(pairs[i + 1]!)
  }
  writer.ascii('}')
}

function writeSample(writer: JsonWriter, sample: VectorSample): void {
  writeLabels(writer, sample.labels)
  writer.ascii(sample.histogram ? ',"histogram":[' : ',"value":[')
  writer.timestamp(sample.timeMs)
  writer.ascii(',')
  if (sample.histogram) writeHistogram(writer, sample.histogram)
  else writer.number(sample.value)
  writer.ascii(']}')
}

function writeMatrix(writer: JsonWriter, series: readonly MatrixSeries[], bytesMax: number): void {
  let longest: Float64Array = new Float64Array(0)
  for (const { times } of series) if (times.length > longest.length) longest = times
  const grid = gridOf(longest)
  writer.ascii('[')
  for (let i = 0; i < series.length; i++) {
    if (i > 0) writer.ascii(',')
    const { labels, times, values, histograms } = series[i]!
    writeLabels(writer, labels)
    if (histograms === undefined) writeFloats(writer, grid, times, values)
    else writeMixed(writer, times, values, histograms)
    writer.ascii('}')
    checkSize(writer, bytesMax)
  }
  writer.ascii(']')
}

function checkSize(writer: JsonWriter, bytesMax: number): void {
  if (writer.length > bytesMax)
    throw new QueryError(
      'execution',
      `the answer is bigger than ${bytesMax} bytes: ask for less or set a limit`,
    )
}

function writeFloats(
  writer: JsonWriter,
  grid: PointGrid | undefined,
  times: Float64Array,
  values: Float64Array,
): void {
  if (times.length === 0) return
  writer.ascii(',"values":[')
  if (grid === undefined || !writePoints(writer, grid, times, values))
    for (let i = 0; i < times.length; i++) {
      writer.ascii(i === 0 ? '[' : ',[')
      writer.timestamp(times[i]!)
      writer.ascii(',')
      writer.number(values[i]!)
      writer.ascii(']')
    }
  writer.ascii(']')
}

/** First the floats, then the histograms. */
function writeMixed(
  writer: JsonWriter,
  times: Float64Array,
  values: Float64Array,
  histograms: readonly (FloatHistogram | undefined)[],
): void {
  for (const wanted of ['values', 'histograms'] as const) {
    let count = 0
    for (let i = 0; i < times.length; i++) {
      const histogram = histograms[i]
      if ((histogram !== undefined) !== (wanted === 'histograms')) continue
      writer.ascii(count++ === 0 ? `,"${wanted}":[[` : ',[')
      writer.timestamp(times[i]!)
      writer.ascii(',')
      if (histogram) writeHistogram(writer, histogram)
      else writer.number(values[i]!)
      writer.ascii(']')
    }
    if (count > 0) writer.ascii(']')
  }
}

/** Populated buckets with a number that tells which of their bounds belong to them. */
function writeHistogram(writer: JsonWriter, histogram: FloatHistogram): void {
  writer.ascii('{"count":')
  writer.number(histogram.count)
  writer.ascii(',"sum":')
  writer.number(histogram.sum)
  let count = 0
  for (const bucket of allBuckets(histogram)) {
    if (bucket.count === 0) continue
    const { lowerInclusive, upperInclusive } = bucket
    const rule = lowerInclusive ? (upperInclusive ? 3 : 1) : upperInclusive ? 0 : 2
    writer.ascii(`${count++ === 0 ? ',"buckets":[' : ','}[${rule},`)
    writer.number(bucket.lower)
    writer.ascii(',')
    writer.number(bucket.upper)
    writer.ascii(',')
    writer.number(bucket.count)
    writer.ascii(']')
  }
  writer.ascii(count > 0 ? ']}' : '}')
}

function writeStats(writer: JsonWriter, stats: QueryStats): void {
  const { timings, samples } = stats
  const perStep = samples.totalQueryableSamplesPerStep
  const text = JSON.stringify({
    timings: {
      evalTotalTime: timings.evalTotalTime,
      resultSortTime: timings.resultSortTime,
      queryPreparationTime: timings.queryPreparationTime,
      innerEvalTime: timings.innerEvalTime,
      execQueueTime: timings.execQueueTime,
      execTotalTime: timings.execTotalTime,
    },
    samples: {
      ...(perStep && perStep.length > 0 ? { totalQueryableSamplesPerStep: perStep } : {}),
      totalQueryableSamples: samples.totalQueryableSamples,
      samplesRead: samples.samplesRead,
      peakSamples: samples.peakSamples,
    },
  })
  writer.ascii(`,"stats":${text}`)
}
