// One commit's worth of appends: checked and staged in columns, logged with one write, then applied at once. Data plane: float samples
// allocate nothing.
import {
  APPEND,
  CHUNK_ENCODING,
  STALE_HIGH,
  STALE_LOW,
  isStale,
  type AppendResult,
  type BatchAppender,
  type Exemplar,
  type HistogramSample,
  type Labels,
  type NewestSample,
  type SeriesRef,
} from '@watchfire/datamodel'
import { CHUNK_RANGE_MS } from './float-chunks.ts'
import { CTL, SERIES, SERIES_FLAG, XOR } from './layout.ts'
import { beginChange, endChange, waitForReaders } from './pins.ts'
import type { ExemplarStore } from './exemplar-store.ts'
import type { Head } from './head.ts'
import { LateSamples } from './late-samples.ts'
import { sameHistogram, staleHistogram, validHistogram } from './histogram-check.ts'
import { RECORD_ITEM_BYTES_MAX, histogramBytesMax, type RecordEncoder } from '../wal/record-encoder.ts'
import type { SegmentWriter } from '../wal/segment-writer.ts'

/** Counters of everything that was appended or refused. */
export interface AppendCounters {
  floats: number
  histograms: number
  exemplars: number
  outOfOrder: number
  duplicate: number
  outOfBounds: number
  /** Beyond the out-of-order window. */
  tooOld: number
  /** Taken out of order; also counted as floats. */
  lateFloats: number
  refusedSeries: number
  seriesCreated: number
  /** Acknowledged samples the memory had no room for; they are in the log only. */
  droppedSamples: number
}

export function appendCounters(): AppendCounters {
  return {
    floats: 0,
    histograms: 0,
    exemplars: 0,
    outOfOrder: 0,
    duplicate: 0,
    outOfBounds: 0,
    tooOld: 0,
    lateFloats: 0,
    refusedSeries: 0,
    seriesCreated: 0,
    droppedSamples: 0,
  }
}

/** Where commits are logged. */
export interface CommitLog {
  readonly writer: SegmentWriter
  readonly encoder: RecordEncoder
  /** Where out-of-order samples are logged; undefined when none are taken. */
  readonly late?: { readonly writer: SegmentWriter; readonly encoder: RecordEncoder } | undefined
  /** Out-of-order samples may be so much older than the newest of the head, ms. */
  readonly lateWindowMs: number
}

/** Times are integers that a double holds exactly. */
const TIME_MS_MAX = 2 ** 53 - 1

/** Most characters of an exemplar's label names and values together, as in OpenMetrics. */
const EXEMPLAR_LABELS_MAX = 128

/** The database's only appender: columns are reused from commit to commit. */
export class HeadAppender implements BatchAppender {
  readonly #head: Head
  readonly #log: CommitLog
  readonly counters: AppendCounters
  readonly #onClose: () => void
  readonly #late = new LateSamples()
  /** Oldest time that is taken out of order, Infinity = none. */
  #lateFrom = Infinity
  #open = false
  #minValid = -Infinity
  #count = 0
  #slots = new Uint32Array(1024)
  #refs = new Float64Array(1024)
  #times = new Float64Array(1024)
  #values = new Float64Array(1024)
  #words = new Uint32Array(this.#values.buffer)
  /** Staged histograms by position, in parallel to the columns where `#kinds` is 1. */
  #kinds = new Uint8Array(1024)
  readonly #histograms = new Map<number, HistogramSample>()
  /** A series has floats and histograms in this commit: the log must keep their order. */
  #mixed = false
  /** Position + 1 of the newest staged sample by slot; valid if that position is staged and of this slot. */
  #stagedAt = new Uint32Array(1024)
  readonly #created: { slot: number; ref: number; labels: Labels }[] = []
  readonly #exemplars: { ref: number; timeMs: number; value: number; labels: Labels }[] = []
  /** Where committed exemplars are kept, and of which series the staged ones are. */
  readonly #store: ExemplarStore | undefined
  readonly #exemplarSeries: SeriesRef[] = []

  constructor(
    head: Head,
    log: CommitLog,
    counters: AppendCounters,
    onClose: () => void,
    exemplars?: ExemplarStore,
  ) {
    this.#head = head
    this.#log = log
    this.counters = counters
    this.#onClose = onClose
    this.#store = exemplars
  }

  /** Starts a commit. `minValid` is the oldest time the head accepts. */
  begin(minValid: number): this {
    this.#open = true
    const maxTime = this.#head.maxTime
    this.#minValid = Math.max(minValid, maxTime === maxTime ? maxTime - CHUNK_RANGE_MS / 2 : -Infinity)
    this.#lateFrom = this.#log.late && maxTime === maxTime ? maxTime - this.#log.lateWindowMs : Infinity
    return this
  }

  series(labels: Labels): SeriesRef {
    this.#assertOpen()
    const head = this.#head
    let slot = head.series.find(labels)
    if (slot === 0) {
      const ref = head.nextWalRef()
      slot = labels.size === 0 ? 0 : head.createSeries(labels, ref)
      if (slot === 0) {
        this.counters.refusedSeries++
        return 0
      }
      this.counters.seriesCreated++
      this.#created.push({ slot, ref, labels })
    }
    return head.series.reference(slot)
  }

  float(ref: SeriesRef, timeMs: number, value: number): AppendResult {
    this.#assertOpen()
    single[0] = value
    return this.#stage(ref, timeMs, singleWords[0]!, singleWords[1]!)
  }

  floats(refs: Float64Array, timeMs: number, values: Float64Array, results: Uint8Array, count: number): void {
    this.#assertOpen()
    const words = new Uint32Array(values.buffer, values.byteOffset, count * 2)
    for (let i = 0; i < count; i++)
      results[i] = this.#stage(refs[i]!, timeMs, words[2 * i]!, words[2 * i + 1]!)
  }

  samples(
    refs: Float64Array,
    times: Float64Array,
    values: Float64Array,
    results: Uint8Array,
    count: number,
  ): void {
    this.#assertOpen()
    const words = new Uint32Array(values.buffer, values.byteOffset, count * 2)
    for (let i = 0; i < count; i++)
      results[i] = this.#stage(refs[i]!, times[i]!, words[2 * i]!, words[2 * i + 1]!)
  }

  has(ref: SeriesRef): boolean {
    return this.#head.series.slotOf(ref) !== 0
  }

  newest(ref: SeriesRef): NewestSample | undefined {
    const head = this.#head
    const slot = head.series.slotOf(ref)
    if (slot === 0 || head.lastTime(slot) === -Infinity) return undefined
    const float = head.openEncoding(slot) === CHUNK_ENCODING.xor
    const value = (head.mem.seriesAddress(slot) + SERIES.xor + XOR.lastValue) >>> 3
    return { timeMs: head.lastTime(slot), value: float ? head.mem.f64[value] : undefined }
  }

  histogram(ref: SeriesRef, timeMs: number, histogram: HistogramSample): AppendResult {
    this.#assertOpen()
    const slot = this.#head.series.slotOf(ref)
    if (slot === 0) return APPEND.unknownRef
    if (!validHistogram(histogram) || histogramBytesMax(histogram) > RECORD_ITEM_BYTES_MAX)
      return APPEND.badHistogram
    const last = this.#checkTime(slot, timeMs)
    if (last === DUPLICATE) {
      const staged = this.#staged(slot)
      const before =
        staged < 0
          ? this.#head.histograms.last(this.#head.mem.seriesAddress(slot))
          : this.#histograms.get(staged)
      if (before !== undefined && sameHistogram(before, histogram)) return APPEND.ok
      this.counters.duplicate++
      return APPEND.duplicate
    }
    if (last === LATE) {
      // Histograms are taken in order only.
      this.counters.outOfOrder++
      return APPEND.outOfOrder
    }
    if (last !== APPEND.ok) return last
    // Of a stale marker nothing but the kind counts.
    this.#stageHistogram(
      slot,
      timeMs,
      isStale(histogram.sum) ? staleHistogram(histogram.integer) : copyHistogram(histogram),
    )
    return APPEND.ok
  }

  exemplar(ref: SeriesRef, exemplar: Exemplar): AppendResult {
    this.#assertOpen()
    const slot = this.#head.series.slotOf(ref)
    if (slot === 0) return APPEND.unknownRef
    let length = 0
    for (const text of exemplar.labels.pairs) length += text.length
    if (length > EXEMPLAR_LABELS_MAX) return APPEND.refused
    if (!(Math.abs(exemplar.timestampMs) <= TIME_MS_MAX)) return APPEND.outOfBounds
    const check = this.#store?.check(ref, exemplar) ?? 'ok'
    if (check !== 'ok') return check === 'duplicate' ? APPEND.ok : APPEND.outOfOrder
    this.#exemplarSeries.push(ref)
    this.#exemplars.push({
      ref: this.#head.walRef(slot),
      timeMs: exemplar.timestampMs,
      value: exemplar.value,
      labels: exemplar.labels,
    })
    return APPEND.ok
  }

  commit(): void {
    this.#assertOpen()
    try {
      this.#writeLog()
    } catch (error) {
      this.rollback()
      throw error
    }
    const head = this.#head
    if (this.#count > 0 || this.#created.length > 0 || this.#late.count > 0) {
      waitForReaders(head.mem)
      beginChange(head.mem)
      try {
        this.#publish()
        this.#apply()
      } finally {
        endChange(head.mem)
      }
      head.reclaim()
    }
    this.counters.exemplars += this.#exemplars.length
    this.#exemplars.forEach(({ labels, value, timeMs }, i) =>
      this.#store?.add(this.#exemplarSeries[i]!, { labels, value, timestampMs: timeMs }),
    )
    this.#reset()
  }

  rollback(): void {
    this.#assertOpen()
    for (const { slot } of this.#created) {
      this.#head.series.unlink(slot)
      this.#head.series.release(slot)
    }
    this.#reset()
  }

  #assertOpen(): void {
    if (!this.#open) throw new Error('BUG: the appender was already committed or rolled back')
  }

  #reset(): void {
    this.#open = false
    this.#count = 0
    this.#created.length = 0
    this.#exemplars.length = 0
    this.#exemplarSeries.length = 0
    this.#histograms.clear()
    this.#late.count = 0
    this.#mixed = false
    this.#onClose()
  }

  #stage(ref: number, timeMs: number, low: number, high: number): AppendResult {
    const head = this.#head
    const slot = head.series.slotOf(ref)
    if (slot === 0) return APPEND.unknownRef
    const result = this.#checkTime(slot, timeMs)
    if (result === LATE) {
      this.#late.push(slot, head.walRef(slot), timeMs, low, high)
      return APPEND.ok
    }
    const staged = this.#staged(slot)
    if (result === DUPLICATE) {
      if (this.#sameFloat(slot, staged, low, high)) return APPEND.ok
      this.counters.duplicate++
      return APPEND.duplicate
    }
    if (result !== APPEND.ok) return result
    if (high === STALE_HIGH && low === STALE_LOW) {
      const integer = this.#histogramKind(slot, staged)
      if (integer !== undefined) {
        this.#stageHistogram(slot, timeMs, staleHistogram(integer))
        return APPEND.ok
      }
    }
    const i = this.#count
    if (i === this.#slots.length) this.#growColumns()
    this.#place(i, slot, timeMs)
    this.#words[2 * i] = low
    this.#words[2 * i + 1] = high
    this.#kinds[i] = 0
    if (staged >= 0 && this.#kinds[staged] === 1) this.#mixed = true
    return APPEND.ok
  }

  #stageHistogram(slot: number, timeMs: number, histogram: HistogramSample): void {
    const staged = this.#staged(slot)
    const i = this.#count
    if (i === this.#slots.length) this.#growColumns()
    this.#place(i, slot, timeMs)
    this.#kinds[i] = 1
    this.#histograms.set(i, histogram)
    if (staged >= 0 && this.#kinds[staged] === 0) this.#mixed = true
  }

  #place(i: number, slot: number, timeMs: number): void {
    this.#slots[i] = slot
    this.#refs[i] = this.#head.walRef(slot)
    this.#times[i] = timeMs
    this.#stagedAt[slot] = i + 1
    this.#count = i + 1
  }

  /** Position of the newest staged sample of a series, −1 when there is none. */
  #staged(slot: number): number {
    if (slot >= this.#stagedAt.length) {
      const grown = new Uint32Array(Math.max(slot + 1, this.#stagedAt.length * 2))
      grown.set(this.#stagedAt)
      this.#stagedAt = grown
    }
    const i = this.#stagedAt[slot]! - 1
    return i >= 0 && i < this.#count && this.#slots[i] === slot ? i : -1
  }

  /** ok, a refusal (counted), LATE for a sample to be taken out of order, or DUPLICATE when the time is that of the newest sample. */
  #checkTime(slot: number, timeMs: number): AppendResult | typeof DUPLICATE | typeof LATE {
    if (!(Math.abs(timeMs) <= TIME_MS_MAX)) {
      this.counters.outOfBounds++
      return APPEND.outOfBounds
    }
    const isValid = timeMs >= this.#minValid
    if (isValid) {
      const staged = this.#staged(slot)
      const last = staged >= 0 ? this.#times[staged]! : this.#head.lastTime(slot)
      if (timeMs > last) return APPEND.ok
      if (timeMs === last) return DUPLICATE
    }
    if (timeMs >= this.#lateFrom) return LATE
    if (this.#log.late) {
      this.counters.tooOld++
      return APPEND.tooOld
    }
    if (isValid) {
      this.counters.outOfOrder++
      return APPEND.outOfOrder
    }
    this.counters.outOfBounds++
    return APPEND.outOfBounds
  }

  #sameFloat(slot: number, staged: number, low: number, high: number): boolean {
    if (staged >= 0)
      return (
        this.#kinds[staged] === 0 && this.#words[2 * staged] === low && this.#words[2 * staged + 1] === high
      )
    const { u32 } = this.#head.mem
    const series = this.#head.mem.seriesAddress(slot)
    const encoding = u32[(series + SERIES.flags) >>> 2]! & SERIES_FLAG.encodingMask
    const value = (series + SERIES.xor + XOR.lastValue) >>> 2
    return encoding === CHUNK_ENCODING.xor && u32[value] === low && u32[value + 1] === high
  }

  /** For a series whose newest sample is a histogram: whether it is an integer one. */
  #histogramKind(slot: number, staged: number): boolean | undefined {
    if (staged >= 0) return this.#histograms.get(staged)?.integer
    const encoding = this.#head.openEncoding(slot)
    if (encoding === CHUNK_ENCODING.histogram) return true
    return encoding === CHUNK_ENCODING.floatHistogram ? false : undefined
  }

  #growColumns(): void {
    const n = this.#slots.length * 2
    const [slots, refs, times, values, kinds] = [
      this.#slots,
      this.#refs,
      this.#times,
      this.#words,
      this.#kinds,
    ]
    this.#slots = new Uint32Array(n)
    this.#slots.set(slots)
    this.#refs = new Float64Array(n)
    this.#refs.set(refs)
    this.#times = new Float64Array(n)
    this.#times.set(times)
    this.#values = new Float64Array(n)
    this.#words = new Uint32Array(this.#values.buffer)
    this.#words.set(values)
    this.#kinds = new Uint8Array(n)
    this.#kinds.set(kinds)
  }

  #writeLog(): void {
    const { encoder, writer } = this.#log
    if (this.#created.length > 0) encoder.series(this.#created)
    if (this.#late.count > 0) this.#writeLate()
    if (this.#histograms.size === 0) encoder.floats(this.#refs, this.#times, this.#words, 0, this.#count)
    else this.#writeKinds()
    if (this.#exemplars.length > 0) encoder.exemplars(this.#exemplars)
    writer.flush()
  }

  /** Series first, so that no sample of the other log is ever without one. */
  #writeLate(): void {
    const late = this.#log.late!
    const { refs, times, words, count } = this.#late
    if (this.#created.length > 0) this.#log.writer.flush()
    late.encoder.floats(refs, times, words, 0, count)
    late.writer.flush()
  }

  /** Runs of one kind in order where a series has both; otherwise floats first, then histograms. */
  #writeKinds(): void {
    const { encoder } = this.#log
    const entry = (i: number) => ({
      ref: this.#refs[i]!,
      timeMs: this.#times[i]!,
      histogram: this.#histograms.get(i)!,
    })
    for (let from = 0; from < this.#count;) {
      let to = from + 1
      while (to < this.#count && this.#kinds[to] === this.#kinds[from]) to++
      if (this.#kinds[from] === 0) encoder.floats(this.#refs, this.#times, this.#words, from, to)
      else if (this.#mixed) encoder.histograms(Array.from({ length: to - from }, (_, k) => entry(from + k)))
      from = to
    }
    if (!this.#mixed) encoder.histograms([...this.#histograms.keys()].map(entry))
  }

  #publish(): void {
    if (this.#created.length > 0) Atomics.add(this.#head.mem.u32, CTL.structVersion >>> 2, 1)
    for (const { slot } of this.#created) {
      // Without memory for the postings the series stays invisible; `createSeries` keeps a reserve against that.
      if (!this.#head.series.publish(slot)) this.counters.refusedSeries++
    }
  }

  #apply(): void {
    const head = this.#head
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[i]!
      const time = this.#times[i]!
      if (this.#kinds[i] === 0) {
        if (head.appendFloat(slot, time, this.#values[i]!)) this.counters.floats++
        else this.counters.droppedSamples++
      } else if (head.appendHistogram(slot, time, this.#histograms.get(i)!)) this.counters.histograms++
      else this.counters.droppedSamples++
    }
    const { slots, times, values } = this.#late
    for (let i = 0; i < this.#late.count; i++) {
      const outcome = head.outOfOrder.insert(slots[i]!, times[i]!, values[i]!)
      if (outcome === 'ok') {
        this.counters.floats++
        this.counters.lateFloats++
      } else if (outcome === 'full') this.counters.droppedSamples++
    }
  }
}

const DUPLICATE = -1
const LATE = -2
const single = new Float64Array(1)
const singleWords = new Uint32Array(single.buffer)

function copyHistogram(h: HistogramSample): HistogramSample {
  return { ...h, positiveBuckets: h.positiveBuckets.slice(), negativeBuckets: h.negativeBuckets.slice() }
}
