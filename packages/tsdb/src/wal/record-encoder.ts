// Encodes records as Prometheus does, splitting long ones, and hands each to the segment writer. Data plane for float samples.
import {
  CUSTOM_BUCKETS_SCHEMA,
  type HistogramSample,
  type Labels,
  type MetricMetadata,
  type Span,
} from '@watchfire/datamodel'
import { ByteWriter } from './bytes.ts'
import { RECORD } from './format.ts'
import { RECORD_BYTES_TARGET, RECORD_ROOM_BYTES, type SegmentWriter } from './segment-writer.ts'

/** Most bytes one item (a series, a histogram, an exemplar) may take: what is left of the room when a record is nearly full. */
export const RECORD_ITEM_BYTES_MAX = RECORD_ROOM_BYTES - RECORD_BYTES_TARGET - 64

/** Longest encoding of a float sample: two varints and the value. */
const SAMPLE_BYTES_MAX = 28

const METRIC_TYPES = {
  unknown: 0,
  counter: 1,
  gauge: 2,
  histogram: 3,
  gaugehistogram: 4,
  summary: 5,
  info: 6,
  stateset: 7,
} as const

const word = new Uint32Array(2)
const double = new Float64Array(word.buffer)

export interface HistogramEntry {
  readonly ref: number
  readonly timeMs: number
  readonly histogram: HistogramSample
}

export interface ExemplarEntry {
  readonly ref: number
  readonly timeMs: number
  readonly value: number
  readonly labels: Labels
}

export class RecordEncoder {
  readonly #log: SegmentWriter
  readonly #out = new ByteWriter(new Uint8Array(0))

  constructor(log: SegmentWriter) {
    this.#log = log
  }

  series(entries: readonly { readonly ref: number; readonly labels: Labels }[]): void {
    this.#each(RECORD.series, entries, ({ ref, labels }) => {
      this.#out.be64(ref)
      this.#labels(labels)
    })
  }

  /** Float samples [from, to) of columns; `words` are the values as pairs (low, high). */
  floats(refs: Float64Array, times: Float64Array, words: Uint32Array, from: number, to: number): void {
    const out = this.#out
    while (from < to) {
      this.#begin(RECORD.samples)
      const ref = refs[from]!
      const time = times[from]!
      out.be64(ref)
      out.be64(time)
      while (from < to && out.position < RECORD_BYTES_TARGET - SAMPLE_BYTES_MAX) {
        out.varint(refs[from]! - ref)
        out.varint(times[from]! - time)
        out.be32(words[2 * from + 1]!)
        out.be32(words[2 * from]!)
        from++
      }
      this.#end()
    }
  }

  /** Splits by kind: integer or float, custom buckets or not. */
  histograms(entries: readonly HistogramEntry[]): void {
    for (const integer of [true, false]) {
      for (const custom of [false, true]) {
        const type = integer
          ? custom
            ? RECORD.customHistograms
            : RECORD.histograms
          : custom
            ? RECORD.customFloatHistograms
            : RECORD.floatHistograms
        const some = entries.filter(
          ({ histogram }) =>
            histogram.integer === integer && (histogram.schema === CUSTOM_BUCKETS_SCHEMA) === custom,
        )
        this.#based(type, some, ({ histogram }) => this.#histogram(histogram))
      }
    }
  }

  exemplars(entries: readonly ExemplarEntry[]): void {
    this.#based(RECORD.exemplars, entries, ({ value, labels }) => {
      this.#float(value)
      this.#labels(labels)
    })
  }

  tombstones(
    entries: readonly { readonly ref: number; readonly minTime: number; readonly maxTime: number }[],
  ): void {
    this.#each(RECORD.tombstones, entries, ({ ref, minTime, maxTime }) => {
      this.#out.be64(ref)
      this.#out.varint(minTime)
      this.#out.varint(maxTime)
    })
  }

  metadata(entries: readonly { readonly ref: number; readonly metadata: MetricMetadata }[]): void {
    this.#each(RECORD.metadata, entries, ({ ref, metadata }) => {
      const out = this.#out
      out.uvarint(ref)
      out.u8(METRIC_TYPES[metadata.type])
      out.uvarint(2)
      for (const text of ['UNIT', metadata.unit, 'HELP', metadata.help]) out.string(text)
    })
  }

  #begin(type: number): void {
    this.#out.bytes = this.#log.recordBytes()
    this.#out.position = 0
    this.#out.u8(type)
  }

  #end(): void {
    this.#log.log(this.#out.position)
  }

  #each<T>(type: number, entries: readonly T[], encode: (entry: T) => void): void {
    for (let i = 0; i < entries.length;) {
      this.#begin(type)
      while (i < entries.length && this.#out.position < RECORD_BYTES_TARGET) encode(entries[i++]!)
      this.#end()
    }
  }

  /** Entries whose references and times are written as differences to the first one's. */
  #based<T extends { readonly ref: number; readonly timeMs: number }>(
    type: number,
    entries: readonly T[],
    encode: (entry: T) => void,
  ): void {
    const out = this.#out
    for (let i = 0; i < entries.length;) {
      const first = entries[i]!
      this.#begin(type)
      out.be64(first.ref)
      out.be64(first.timeMs)
      while (i < entries.length && out.position < RECORD_BYTES_TARGET) {
        const entry = entries[i++]!
        out.varint(entry.ref - first.ref)
        out.varint(entry.timeMs - first.timeMs)
        encode(entry)
      }
      this.#end()
    }
  }

  #labels(labels: Labels): void {
    this.#out.uvarint(labels.size)
    for (const text of labels.pairs) this.#out.string(text)
  }

  #float(value: number): void {
    double[0] = value
    this.#out.be32(word[1]!)
    this.#out.be32(word[0]!)
  }

  #histogram(h: HistogramSample): void {
    const out = this.#out
    out.u8(h.counterResetHint)
    out.varint(h.schema)
    this.#float(h.zeroThreshold)
    if (h.integer) {
      out.uvarint(h.zeroCount)
      out.uvarint(h.count)
    } else {
      this.#float(h.zeroCount)
      this.#float(h.count)
    }
    this.#float(h.sum)
    this.#spans(h.positiveSpans)
    this.#spans(h.negativeSpans)
    for (const buckets of [h.positiveBuckets, h.negativeBuckets]) {
      out.uvarint(buckets.length)
      let before = 0
      for (const bucket of buckets) {
        if (h.integer) out.varint(bucket - before)
        else this.#float(bucket)
        before = bucket
      }
    }
    if (h.schema !== CUSTOM_BUCKETS_SCHEMA) return
    out.uvarint(h.customValues.length)
    for (const value of h.customValues) this.#float(value)
  }

  #spans(spans: readonly Span[]): void {
    this.#out.uvarint(spans.length)
    for (const { offset, length } of spans) {
      this.#out.varint(offset)
      this.#out.uvarint(length)
    }
  }
}

/** Bytes a histogram may take in a record. */
export function histogramBytesMax(h: HistogramSample): number {
  const spans = h.positiveSpans.length + h.negativeSpans.length
  const buckets = h.positiveBuckets.length + h.negativeBuckets.length
  return 80 + spans * 20 + (buckets + h.customValues.length) * 10
}
