// Protobuf exposition: io.prometheus.client.MetricFamily messages, each preceded by its length (varint). The only format
// that carries native histograms. Field numbers are those of Prometheus's metrics.proto; repeated numbers are not packed,
// as Go's client sends them.
import type { HistogramSeries } from '../histogram.ts'
import type { Series } from '../metric.ts'
import { spansOf } from '../native/buckets.ts'
import type { NativeBuckets } from '../native/buckets.ts'
import type { Exemplar } from '../types.ts'
import type { AnyMetric } from './family.ts'
import { ProtoWriter } from './proto-writer.ts'

const TYPES = { counter: 0, gauge: 1, summary: 2, histogram: 4 } as const

/** Delimited MetricFamily messages; families without series are left out. */
export function renderProtobuf(metrics: Iterable<AnyMetric>): Uint8Array {
  const out = new ProtoWriter()
  for (const metric of metrics) {
    if (metric.series.length === 0) continue
    const family = out.beginDelimited()
    out.string(1, metric.name)
    out.string(2, metric.help)
    out.varintField(3, TYPES[metric.type])
    writeSeries(out, metric)
    if (metric.unit) out.string(5, metric.unit)
    out.end(family)
  }
  return out.finish()
}

function writeSeries(out: ProtoWriter, metric: AnyMetric): void {
  switch (metric.type) {
    case 'counter':
      for (const s of metric.series) {
        const [outer, inner] = begin(out, metric.labelNames, s, 3)
        out.double(1, s.value)
        if (s.exemplar) writeExemplar(out, 2, s.exemplar)
        out.timestamp(3, s.startMs)
        out.end(inner)
        out.end(outer)
      }
      break
    case 'gauge':
      for (const s of metric.series) {
        const [outer, inner] = begin(out, metric.labelNames, s, 2)
        out.double(1, s.value)
        out.end(inner)
        out.end(outer)
      }
      break
    case 'summary':
      for (const s of metric.series) {
        const [outer, inner] = begin(out, metric.labelNames, s, 4)
        out.varintField(1, s.count)
        out.double(2, s.sum)
        out.timestamp(4, s.startMs)
        out.end(inner)
        out.end(outer)
      }
      break
    case 'histogram':
      for (const s of metric.series) {
        const [outer, inner] = begin(out, metric.labelNames, s, 7)
        writeHistogram(out, s)
        out.end(inner)
        out.end(outer)
      }
  }
}

/** Opens the Metric message (field 4 of the family), writes its labels, opens the value message. */
function begin(out: ProtoWriter, names: readonly string[], s: Series, field: number): [number, number] {
  const outer = out.begin(4)
  s.proto ??= encodeLabels(names, s.labelValues)
  out.bytes(s.proto)
  return [outer, out.begin(field)]
}

function encodeLabels(names: readonly string[], values: readonly string[]): Uint8Array {
  const out = new ProtoWriter()
  for (let i = 0; i < names.length; i++) writePair(out, names[i]!, values[i]!)
  return out.finish()
}

function writePair(out: ProtoWriter, name: string, value: string): void {
  const pair = out.begin(1)
  out.string(1, name)
  out.string(2, value)
  out.end(pair)
}

function writeHistogram(out: ProtoWriter, s: HistogramSeries): void {
  out.varintField(1, s.count)
  out.double(2, s.sum)
  let cumulative = 0
  for (let i = 0; i < s.counts.length; i++) {
    cumulative += s.counts[i]!
    const exemplar = s.exemplars?.[i]
    const isLast = i === s.bounds.length
    // +Inf says what the count says; it is written only where there is an exemplar to carry, or nothing else to tell
    // a classic histogram by.
    if (isLast && exemplar === undefined && (s.native !== undefined || s.bounds.length > 0)) continue
    const bucket = out.begin(3)
    out.varintField(1, cumulative)
    out.double(2, isLast ? Infinity : s.bounds[i]!)
    if (exemplar) writeExemplar(out, 3, exemplar)
    out.end(bucket)
  }
  if (s.native !== undefined) writeNative(out, s, s.native)
  out.timestamp(15, s.startMs)
}

function writeNative(out: ProtoWriter, s: HistogramSeries, native: NativeBuckets): void {
  out.signedField(5, native.schema)
  out.double(6, native.zeroThreshold)
  out.varintField(7, native.zeroCount)
  writeSide(out, 9, 10, native.negative)
  writeSide(out, 12, 13, native.positive)
  if (
    native.zeroThreshold === 0 &&
    native.zeroCount === 0 &&
    native.positive.size + native.negative.size === 0
  )
    out.end(out.begin(12)) // an empty span tells it from a classic histogram
  for (const exemplar of s.nativeExemplars) writeExemplar(out, 16, exemplar)
}

function writeSide(out: ProtoWriter, spanField: number, deltaField: number, side: Map<number, number>): void {
  const spans = spansOf(side)
  for (let i = 0; i < spans.offsets.length; i++) {
    const span = out.begin(spanField)
    out.signedField(1, spans.offsets[i]!)
    out.varintField(2, spans.lengths[i]!)
    out.end(span)
  }
  for (const delta of spans.deltas) out.signedField(deltaField, delta)
}

function writeExemplar(out: ProtoWriter, field: number, exemplar: Exemplar): void {
  const message = out.begin(field)
  for (const name of Object.keys(exemplar.labels)) writePair(out, name, exemplar.labels[name]!)
  out.double(2, exemplar.value)
  out.timestamp(3, exemplar.timestampMs)
  out.end(message)
}
