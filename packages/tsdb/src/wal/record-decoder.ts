// Decodes records of Prometheus's WAL, versions 1 and 2, into a sink. Untrusted input: bounded, never throws, tells what was damaged.
import {
  COUNTER_RESET,
  CUSTOM_BUCKETS_SCHEMA,
  Labels,
  compareUtf8,
  type CounterResetHint,
  type HistogramSample,
  type MetricMetadata,
  type MetricType,
  type Span,
} from '@watchfire/datamodel'
import { ByteReader } from './bytes.ts'
import { RECORD } from './format.ts'

/** Columns of float samples; `words` are the values as pairs (low, high). Reused by the next record. */
export interface FloatColumns {
  refs: Float64Array
  times: Float64Array
  words: Uint32Array
  count: number
}

export interface RecordSink {
  series(ref: number, labels: Labels): void
  floats(columns: FloatColumns): void
  histogram(ref: number, timeMs: number, histogram: HistogramSample): void
  tombstone(ref: number, minTime: number, maxTime: number): void
  exemplar(ref: number, timeMs: number, value: number, labels: Labels): void
  metadata(ref: number, metadata: MetricMetadata): void
}

export type DecodeOutcome = 'ok' | 'unknown' | 'damaged'

const METRIC_TYPES: readonly MetricType[] = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
]
const START_TIME = { none: 0, same: 1 } as const
/** Most spans, buckets or labels of one item: more would not fit a record that is read. */
const ITEMS_MAX = 1_000_000

export class RecordDecoder {
  readonly #in = new ByteReader()
  readonly #columns: FloatColumns = {
    refs: new Float64Array(4096),
    times: new Float64Array(4096),
    words: new Uint32Array(8192),
    count: 0,
  }

  /** Decodes bytes [start, end). What came before the damage in a damaged record has been given to the sink. */
  decode(bytes: Uint8Array, start: number, end: number, sink: RecordSink): DecodeOutcome {
    const input = this.#in
    input.reset(bytes, start, end)
    switch (input.u8()) {
      case RECORD.series:
        this.#series(sink)
        break
      case RECORD.samples:
        this.#floats(sink)
        break
      case RECORD.samplesV2:
        this.#floatsV2(sink)
        break
      case RECORD.tombstones:
        while (input.left > 0) {
          const [ref, minTime, maxTime] = [input.be64(), input.varint(), input.varint()]
          if (!input.failed) sink.tombstone(ref, minTime, maxTime)
        }
        break
      case RECORD.exemplars:
        this.#exemplars(sink)
        break
      case RECORD.mmapMarkers:
        // Where chunks_head continues a series: nothing that the log does not hold.
        while (input.left > 0) {
          input.be64()
          input.be64()
        }
        break
      case RECORD.metadata:
        this.#metadata(sink)
        break
      case RECORD.histograms:
      case RECORD.customHistograms:
        this.#histograms(sink, true, 1)
        break
      case RECORD.floatHistograms:
      case RECORD.customFloatHistograms:
        this.#histograms(sink, false, 1)
        break
      case RECORD.histogramsV2:
        this.#histograms(sink, true, 2)
        break
      case RECORD.floatHistogramsV2:
        this.#histograms(sink, false, 2)
        break
      default:
        return 'unknown'
    }
    return input.failed ? 'damaged' : 'ok'
  }

  #series(sink: RecordSink): void {
    const input = this.#in
    while (input.left > 0) {
      const ref = input.be64()
      const labels = this.#labels()
      if (!input.failed) sink.series(ref, labels)
    }
  }

  #labels(): Labels {
    const input = this.#in
    const pairs: string[] = []
    let sorted = true
    for (let n = input.uvarint(); n > 0 && !input.failed; n--) {
      const name = input.string()
      const value = input.string()
      sorted &&= value !== '' && (pairs.length === 0 || compareUtf8(pairs.at(-2)!, name) < 0)
      pairs.push(name, value)
    }
    if (sorted) return Labels.fromSortedPairs(pairs)
    return Labels.from(pairs.flatMap((name, i) => (i % 2 === 0 ? [[name, pairs[i + 1]!] as const] : [])))
  }

  #floats(sink: RecordSink): void {
    const input = this.#in
    this.#columns.count = 0
    if (input.left === 0) return
    const ref = input.be64()
    const time = input.be64()
    while (input.left > 0) this.#float(ref + input.varint(), time + input.varint())
    sink.floats(this.#columns)
  }

  #floatsV2(sink: RecordSink): void {
    const input = this.#in
    this.#columns.count = 0
    if (input.left === 0) return
    let ref = input.varint()
    const time = input.varint()
    input.varint()
    this.#float(ref, time)
    while (input.left > 0) {
      ref += input.varint()
      const sampleTime = time + input.varint()
      this.#skipStartTime()
      this.#float(ref, sampleTime)
    }
    sink.floats(this.#columns)
  }

  #float(ref: number, time: number): void {
    const input = this.#in
    const high = input.be32()
    const low = input.be32()
    if (input.failed) return
    const columns = this.#columns
    const i = columns.count
    if (i === columns.refs.length) growColumns(columns)
    columns.refs[i] = ref
    columns.times[i] = time
    columns.words[2 * i] = low
    columns.words[2 * i + 1] = high
    columns.count = i + 1
  }

  #skipStartTime(): void {
    const marker = this.#in.u8()
    if (marker !== START_TIME.none && marker !== START_TIME.same) this.#in.varint()
  }

  #exemplars(sink: RecordSink): void {
    const input = this.#in
    if (input.left === 0) return
    const ref = input.be64()
    const time = input.be64()
    while (input.left > 0) {
      const [dref, dtime, value, labels] = [input.varint(), input.varint(), input.float(), this.#labels()]
      if (!input.failed) sink.exemplar(ref + dref, time + dtime, value, labels)
    }
  }

  #metadata(sink: RecordSink): void {
    const input = this.#in
    while (input.left > 0) {
      const ref = input.uvarint()
      const type = METRIC_TYPES[input.u8()] ?? 'unknown'
      let unit = ''
      let help = ''
      for (let n = input.uvarint(); n > 0 && !input.failed; n--) {
        const [name, value] = [input.string(), input.string()]
        if (name === 'UNIT') unit = value
        else if (name === 'HELP') help = value
      }
      if (!input.failed) sink.metadata(ref, { type, unit, help })
    }
  }

  #histograms(sink: RecordSink, integer: boolean, version: 1 | 2): void {
    const input = this.#in
    if (input.left === 0) return
    let ref = version === 1 ? input.be64() : input.varint()
    const time = version === 1 ? input.be64() : input.varint()
    if (version === 2) input.varint()
    const base = ref
    for (let first = true; input.left > 0; first = false) {
      let sampleTime = time
      if (version === 1) {
        ref = base + input.varint()
        sampleTime += input.varint()
      } else if (!first) {
        ref += input.varint()
        sampleTime += input.varint()
        this.#skipStartTime()
      }
      const histogram = this.#histogram(integer)
      if (!input.failed) sink.histogram(ref, sampleTime, histogram)
    }
  }

  #histogram(integer: boolean): HistogramSample {
    const input = this.#in
    const hint = input.u8()
    const schema = input.varint()
    const zeroThreshold = input.float()
    const zeroCount = integer ? input.uvarint() : input.float()
    const count = integer ? input.uvarint() : input.float()
    const sum = input.float()
    const positiveSpans = this.#spans()
    const negativeSpans = this.#spans()
    const positiveBuckets = this.#buckets(integer)
    const negativeBuckets = this.#buckets(integer)
    const customValues = schema === CUSTOM_BUCKETS_SCHEMA ? [...this.#buckets(false)] : []
    if (
      spanLength(positiveSpans) !== positiveBuckets.length ||
      spanLength(negativeSpans) !== negativeBuckets.length
    )
      input.fail()
    return {
      integer,
      schema,
      zeroThreshold,
      zeroCount,
      count,
      sum,
      positiveSpans,
      negativeSpans,
      positiveBuckets,
      negativeBuckets,
      customValues,
      counterResetHint: (hint <= COUNTER_RESET.gauge ? hint : COUNTER_RESET.unknown) as CounterResetHint,
    }
  }

  #spans(): Span[] {
    const input = this.#in
    const spans: Span[] = []
    for (let n = input.uvarint(); n > 0 && !input.failed && spans.length < ITEMS_MAX; n--)
      spans.push({ offset: input.varint(), length: input.uvarint() })
    return spans
  }

  #buckets(integer: boolean): Float64Array {
    const input = this.#in
    const n = input.uvarint()
    // Each bucket takes at least a byte.
    if (n > input.left) {
      input.fail()
      return new Float64Array(0)
    }
    const buckets = new Float64Array(n)
    let value = 0
    for (let i = 0; i < n; i++) {
      value = integer ? value + input.varint() : input.float()
      buckets[i] = value
    }
    return buckets
  }
}

function spanLength(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + span.length, 0)
}

function growColumns(columns: FloatColumns): void {
  const { refs, times, words } = columns
  columns.refs = new Float64Array(refs.length * 2)
  columns.refs.set(refs)
  columns.times = new Float64Array(times.length * 2)
  columns.times.set(times)
  columns.words = new Uint32Array(words.length * 2)
  columns.words.set(words)
}
