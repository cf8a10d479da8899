// Data plane. Protocol 1: prometheus.WriteRequest. Series with faulty labels are passed over; any refused sample ends the request.
import type { BatchAppender, SeriesRef } from '@watchfire/datamodel'
import { appendExemplar, appendHistogram } from './append.ts'
import { readExemplar } from './exemplar-message.ts'
import { labelsFault, labelsOf, readLabel, type RawLabels } from './label-message.ts'
import { readHistogram } from './histogram-message.ts'
import type { WriteContext } from './write-context.ts'
import { WriteRefused } from './write-result.ts'
import { WIRE, type WireReader } from './wire-reader.ts'

const LABELS_TAG = 0x0a
/** Keeps the fingerprints of this protocol apart. */
const KIND = 1
const SERIES = { labels: 1, samples: 2, exemplars: 3, histograms: 4 } as const

/** Appends a whole request. Throws `WireError` and `WriteRefused`. */
export function writeV1(reader: WireReader, appender: BatchAppender, context: WriteContext): void {
  const { end } = reader
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip()
      continue
    }
    reader.expect(WIRE.bytes, 'Timeseries')
    const length = reader.length()
    reader.end = reader.position + length
    readSeries(reader, appender, context)
    reader.position = reader.end
    reader.end = end
  }
  context.batch.flush()
}

function readSeries(reader: WireReader, appender: BatchAppender, context: WriteContext): void {
  const { batch } = context
  const start = reader.position
  const labelsEnd = passLabels(reader)
  let others = 0
  let scattered = false
  while (reader.next()) {
    if (reader.field === SERIES.samples) {
      reader.expect(WIRE.bytes, 'Samples')
      batch.read(reader)
    } else {
      if (reader.field === SERIES.labels) scattered = true
      else if (reader.field === SERIES.exemplars || reader.field === SERIES.histograms) others++
      reader.skip()
    }
  }
  if (batch.pending === 0 && others === 0) return
  const ref = seriesRef(reader, appender, context, start, scattered ? -1 : labelsEnd)
  if (ref === 0) {
    batch.drop()
    return
  }
  const hasSamples = batch.pending > 0
  batch.take(ref, 0)
  if (others === 0) return
  batch.flush()
  // Prometheus looks at exemplars before histograms: those of a series that begins with a histogram in this request find no series.
  if (context.exemplars && (hasSamples || appender.newest(ref) !== undefined))
    each(reader, start, SERIES.exemplars, () => {
      reader.expect(WIRE.bytes, 'Exemplars')
      // A refused exemplar is no fault of the request.
      appendExemplar(appender, ref, readExemplar(reader), context)
    })
  each(reader, start, SERIES.histograms, () => {
    reader.expect(WIRE.bytes, 'Histograms')
    const fault = appendHistogram(appender, ref, readHistogram(reader), context)
    if (fault !== undefined) throw new WriteRefused(fault)
  })
}

/** Passes over the labels a series begins with; their end. */
function passLabels(reader: WireReader): number {
  const { bytes, end } = reader
  let at = reader.position
  while (at + 1 < end && bytes[at] === LABELS_TAG) {
    const length = bytes[at + 1]!
    if (length >= 0x80) {
      reader.position = at + 1
      const long = reader.length()
      at = reader.position + long
    } else {
      // One that is too long is left to the reader, which complains.
      if (at + 2 + length > end) break
      at += 2 + length
    }
  }
  reader.position = at
  return at
}

/** The series whose message begins at `start`; 0 when it cannot be stored. `labelsEnd` −1: its labels are scattered. */
function seriesRef(
  reader: WireReader,
  appender: BatchAppender,
  context: WriteContext,
  start: number,
  labelsEnd: number,
): SeriesRef {
  const { fingerprint, fingerprinter, cache } = context
  if (labelsEnd >= 0) {
    fingerprinter.bytes(reader.view, start, labelsEnd, KIND, fingerprint)
    const known = cache.find(fingerprint)
    if (known !== 0 && appender.has(known)) return known
  }
  const raw: RawLabels = []
  reader.position = start
  while (reader.next()) {
    if (reader.field !== SERIES.labels) reader.skip()
    else {
      reader.expect(WIRE.bytes, 'Labels')
      readLabel(reader, raw)
    }
  }
  if (labelsFault(raw) !== undefined) {
    context.counters.invalidLabels++
    return 0
  }
  const ref = appender.series(labelsOf(raw))
  if (ref === 0) context.refusedSeries++
  else if (labelsEnd >= 0) cache.set(fingerprint, ref)
  return ref
}

/** Calls back at every field of a kind in the message that begins at `start`. */
function each(reader: WireReader, start: number, field: number, visit: () => void): void {
  reader.position = start
  while (reader.next()) {
    if (reader.field === field) visit()
    else reader.skip()
  }
}
