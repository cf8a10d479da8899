// The messages of io.prometheus.client, decoded one metric at a time: a family keeps only where its metrics lie.
import { Labels, type Span } from '@watchfire/datamodel'
import { ProtobufReader } from './protobuf-reader.ts'
import { sortedLabels } from './series-labels.ts'
import { ExpositionError, type ParsedExemplar } from './types.ts'

/** `MetricType` of the schema. */
export const FAMILY_TYPE = {
  counter: 0,
  gauge: 1,
  summary: 2,
  untyped: 3,
  histogram: 4,
  gaugeHistogram: 5,
} as const

export interface Family {
  readonly name: string
  readonly help: string
  readonly type: number
  readonly unit: string
  /** Where the metrics lie. */
  readonly metrics: readonly { readonly start: number; readonly end: number }[]
}

export interface Bucket {
  readonly bound: number
  readonly cumulative: number
  readonly exemplar: ParsedExemplar | undefined
}

export interface HistogramMessage {
  count: number
  countFloat: number
  sum: number
  buckets: Bucket[]
  startMs: number
  schema: number
  zeroThreshold: number
  zeroCount: number
  zeroCountFloat: number
  negativeSpans: Span[]
  negativeDeltas: number[]
  negativeCounts: number[]
  positiveSpans: Span[]
  positiveDeltas: number[]
  positiveCounts: number[]
  exemplars: ParsedExemplar[]
}

export interface SummaryMessage {
  count: number
  sum: number
  quantiles: { readonly quantile: number; readonly value: number }[]
  startMs: number
}

export interface Metric {
  readonly pairs: [string, string][]
  /** Value of a counter, gauge or untyped metric, by its field. */
  counter: number
  gauge: number
  untyped: number
  exemplar: ParsedExemplar | undefined
  startMs: number
  summary: SummaryMessage
  histogram: HistogramMessage
  /** 0 = none. */
  timestampMs: number
}

/** Reads the next family of a delimited stream and moves the reader past it; undefined at the end. */
export function readFamily(stream: ProtobufReader): Family | undefined {
  const rest = stream.end - stream.position
  if (rest === 0) return undefined
  const start = stream.position
  let length: number
  try {
    length = stream.varint()
  } catch {
    throw new ExpositionError('clientpb: invalid varint encountered')
  }
  const header = stream.position - start
  if (header > 5) throw new ExpositionError('clientpb: invalid varint encountered')
  if (header + length > rest)
    throw new ExpositionError(
      `clientpb: insufficient length of buffer, expected at least ${header + length} bytes, got ${rest} bytes`,
    )
  const reader = new ProtobufReader(stream.bytes, stream.position, stream.position + length)
  stream.position += length
  let name = ''
  let help = ''
  let type = 0
  let unit = ''
  const metrics: { start: number; end: number }[] = []
  while (reader.next()) {
    if (reader.field === 1) name = reader.text((shown) => `invalid metric name: ${shown}`)
    else if (reader.field === 2) help = reader.text((shown) => `invalid help for metric "${name}": ${shown}`)
    else if (reader.field === 3) type = reader.uint()
    else if (reader.field === 4) metrics.push(reader.span())
    else if (reader.field === 5) unit = reader.text((shown) => `invalid unit for metric "${name}": ${shown}`)
    else reader.skip()
  }
  return { name, help, type, unit, metrics }
}

export function readMetric(reader: ProtobufReader): Metric {
  const metric: Metric = {
    pairs: [],
    counter: 0,
    gauge: 0,
    untyped: 0,
    exemplar: undefined,
    startMs: 0,
    summary: { count: 0, sum: 0, quantiles: [], startMs: 0 },
    histogram: emptyHistogram(),
    timestampMs: 0,
  }
  while (reader.next()) {
    if (reader.field === 1) metric.pairs.push(readLabel(reader.message()))
    else if (reader.field === 2) metric.gauge = readValue(reader.message())
    else if (reader.field === 3) readCounter(reader.message(), metric)
    else if (reader.field === 4) readSummary(reader.message(), metric.summary)
    else if (reader.field === 5) metric.untyped = readValue(reader.message())
    else if (reader.field === 6) metric.timestampMs = reader.int()
    else if (reader.field === 7) readHistogram(reader.message(), metric.histogram)
    else reader.skip()
  }
  return metric
}

function emptyHistogram(): HistogramMessage {
  return {
    count: 0,
    countFloat: 0,
    sum: 0,
    buckets: [],
    startMs: 0,
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    zeroCountFloat: 0,
    negativeSpans: [],
    negativeDeltas: [],
    negativeCounts: [],
    positiveSpans: [],
    positiveDeltas: [],
    positiveCounts: [],
    exemplars: [],
  }
}

function readLabel(reader: ProtobufReader): [string, string] {
  let name = ''
  let value = ''
  while (reader.next()) {
    if (reader.field === 1) name = reader.text((shown) => `invalid label name: ${shown}`)
    else if (reader.field === 2) value = reader.text((shown) => `invalid label value: ${shown}`)
    else reader.skip()
  }
  if (name === '') throw new ExpositionError('invalid label name: ')
  return [name, value]
}

function readValue(reader: ProtobufReader): number {
  let value = 0
  while (reader.next()) {
    if (reader.field === 1) value = reader.double()
    else reader.skip()
  }
  return value
}

function readCounter(reader: ProtobufReader, metric: Metric): void {
  while (reader.next()) {
    if (reader.field === 1) metric.counter = reader.double()
    else if (reader.field === 2) metric.exemplar = readExemplar(reader.message())
    else if (reader.field === 3) metric.startMs = readTimestamp(reader.message())
    else reader.skip()
  }
}

function readSummary(reader: ProtobufReader, summary: SummaryMessage): void {
  while (reader.next()) {
    if (reader.field === 1) summary.count = reader.uint()
    else if (reader.field === 2) summary.sum = reader.double()
    else if (reader.field === 3) summary.quantiles.push(readQuantile(reader.message()))
    else if (reader.field === 4) summary.startMs = readTimestamp(reader.message())
    else reader.skip()
  }
}

function readQuantile(reader: ProtobufReader): { quantile: number; value: number } {
  const result = { quantile: 0, value: 0 }
  while (reader.next()) {
    if (reader.field === 1) result.quantile = reader.double()
    else if (reader.field === 2) result.value = reader.double()
    else reader.skip()
  }
  return result
}

function readHistogram(reader: ProtobufReader, into: HistogramMessage): void {
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        into.count = reader.uint()
        break
      case 2:
        into.sum = reader.double()
        break
      case 3:
        into.buckets.push(readBucket(reader.message()))
        break
      case 4:
        into.countFloat = reader.double()
        break
      case 5:
        into.schema = reader.sint()
        break
      case 6:
        into.zeroThreshold = reader.double()
        break
      case 7:
        into.zeroCount = reader.uint()
        break
      case 8:
        into.zeroCountFloat = reader.double()
        break
      case 9:
        into.negativeSpans.push(readSpan(reader.message()))
        break
      case 10:
        reader.sints(into.negativeDeltas)
        break
      case 11:
        reader.doubles(into.negativeCounts)
        break
      case 12:
        into.positiveSpans.push(readSpan(reader.message()))
        break
      case 13:
        reader.sints(into.positiveDeltas)
        break
      case 14:
        reader.doubles(into.positiveCounts)
        break
      case 15:
        into.startMs = readTimestamp(reader.message())
        break
      case 16:
        into.exemplars.push(readExemplar(reader.message()))
        break
      default:
        reader.skip()
    }
  }
}

function readBucket(reader: ProtobufReader): Bucket {
  let count = 0
  let countFloat = 0
  let bound = 0
  let exemplar: ParsedExemplar | undefined
  while (reader.next()) {
    if (reader.field === 1) count = reader.uint()
    else if (reader.field === 2) bound = reader.double()
    else if (reader.field === 3) exemplar = readExemplar(reader.message())
    else if (reader.field === 4) countFloat = reader.double()
    else reader.skip()
  }
  return { bound, cumulative: countFloat === 0 ? count : countFloat, exemplar }
}

function readSpan(reader: ProtobufReader): Span {
  let offset = 0
  let length = 0
  while (reader.next()) {
    if (reader.field === 1) offset = reader.sint()
    else if (reader.field === 2) length = reader.uint()
    else reader.skip()
  }
  return { offset, length }
}

function readExemplar(reader: ProtobufReader): ParsedExemplar {
  const pairs: [string, string][] = []
  let value = 0
  let timestampMs: number | undefined
  while (reader.next()) {
    if (reader.field === 1) pairs.push(readLabel(reader.message()))
    else if (reader.field === 2) value = reader.double()
    else if (reader.field === 3) timestampMs = readTimestamp(reader.message())
    else reader.skip()
  }
  const labels = pairs.length === 0 ? Labels.EMPTY : sortedLabels(pairs)
  return timestampMs === undefined ? { labels, value } : { labels, value, timestampMs }
}

/** google.protobuf.Timestamp to ms. */
function readTimestamp(reader: ProtobufReader): number {
  let seconds = 0
  let nanos = 0
  while (reader.next()) {
    if (reader.field === 1) seconds = reader.int()
    else if (reader.field === 2) nanos = reader.int()
    else reader.skip()
  }
  return seconds * 1000 + Math.trunc(nanos / 1e6)
}
