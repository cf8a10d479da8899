// Appends native histograms to the open histogram chunk of a series. A chunk is cut where Prometheus cuts it, and where the buckets'
// layout changes. The open state is a block: our header, the image of the newest sample, then the kernels' codec state.
import {
  CHUNK_ENCODING,
  COUNTER_RESET,
  isStale,
  type CounterResetHint,
  type HistogramSample,
} from '@watchfire/datamodel'
import { HISTOGRAM_SLOT_BYTES, HISTOGRAM_STATE_BYTES, type KernelExports } from '@watchfire/kernels'
import { addRow } from './chunk-rows.ts'
import { chunkEndTime, rangeEnd } from './float-chunks.ts'
import { countsDropped, sameLayout } from './histogram-check.ts'
import { imageBytes, readImage, writeImage } from './histogram-image.ts'
import { CTL, HISTOGRAM_OPEN, SERIES, SERIES_FLAG, XOR } from './layout.ts'
import { Allocator } from './allocator.ts'
import type { HeadMemory } from './head-memory.ts'

const CHUNK_BYTES_TARGET = 1024
const SAMPLES_MIN = 10
const OPEN_BYTES_FIRST = 256

export class HistogramChunks {
  readonly #mem: HeadMemory
  readonly #allocator: Allocator
  readonly #kernels: KernelExports
  /** Closes an open float chunk. */
  readonly #closeFloats: (series: number) => boolean
  /** Image of the sample being appended. */
  #scratch = 0
  #scratchBytes = 0

  constructor(
    mem: HeadMemory,
    allocator: Allocator,
    kernels: KernelExports,
    closeFloats: (series: number) => boolean,
  ) {
    this.#mem = mem
    this.#allocator = allocator
    this.#kernels = kernels
    this.#closeFloats = closeFloats
  }

  /** Newest sample of an open histogram chunk. */
  last(series: number): HistogramSample | undefined {
    const encoding = this.#encoding(series)
    if (encoding !== CHUNK_ENCODING.histogram && encoding !== CHUNK_ENCODING.floatHistogram) return undefined
    return readImage(this.#mem, this.#image(series), encoding === CHUNK_ENCODING.histogram)
  }

  firstTime(series: number): number {
    const block = this.#mem.u32[(series + SERIES.histogramState) >>> 2]!
    return this.#mem.f64[(block + HISTOGRAM_OPEN.firstTime) >>> 3]!
  }

  /** Appends a sample newer than all of the series. False when the memory is full. */
  append(series: number, timeMs: number, sample: HistogramSample): boolean {
    const { u32, f64 } = this.#mem
    const wanted = sample.integer ? CHUNK_ENCODING.histogram : CHUNK_ENCODING.floatHistogram
    const open = this.#encoding(series)
    const last = this.last(series)
    const stale = isStale(sample.sum)
    // A stale marker takes the layout of its chunk.
    const shaped = stale && last && open === wanted ? emptied(last, sample) : sample
    let hint: CounterResetHint = COUNTER_RESET.unknown
    let cut = true
    if (last !== undefined && open === wanted) {
      const gauge = sample.counterResetHint === COUNTER_RESET.gauge
      const wasGauge = last.counterResetHint === COUNTER_RESET.gauge
      const layoutKept = sameLayout(last, shaped)
      const resumed = isStale(last.sum) && !stale
      const reset =
        !gauge &&
        !stale &&
        (sample.counterResetHint === COUNTER_RESET.reset ||
          resumed ||
          (layoutKept ? countsDropped(last, shaped) : shaped.count < last.count))
      // Between layouts only a falling total is sure to be a reset: else readers compare for themselves.
      if (reset) hint = COUNTER_RESET.reset
      else if (layoutKept) hint = COUNTER_RESET.notReset
      cut = !layoutKept || reset || (!stale && gauge !== wasGauge) || this.#due(series, timeMs)
    } else if (sample.counterResetHint === COUNTER_RESET.reset) hint = COUNTER_RESET.reset
    if (sample.counterResetHint === COUNTER_RESET.gauge) hint = COUNTER_RESET.gauge
    if (!cut && last !== undefined) hint = last.counterResetHint
    const bytes = imageBytes(shaped)
    if (!this.#reserveScratch(bytes)) return false
    writeImage(this.#mem, this.#scratch, timeMs, shaped, hint)
    if (cut) {
      if (open === CHUNK_ENCODING.xor ? !this.#closeFloats(series) : open !== 0 && !this.close(series))
        return false
      if (!this.#open(series, wanted, timeMs, shaped, bytes)) return false
    } else {
      for (;;) {
        const result = this.#kernels.histogramAppend(this.#state(series), this.#scratch)
        if (result === 0) break
        if (result < 0 || !this.#grow(series)) return false
      }
      u32.copyWithin(this.#image(series) >>> 2, this.#scratch >>> 2, (this.#scratch + bytes) >>> 2)
    }
    f64[(series + SERIES.lastTime) >>> 3] = timeMs
    return true
  }

  /** Closes the open chunk: a row of its own, the state goes. */
  close(series: number): boolean {
    const { u32, f64 } = this.#mem
    const state = this.#state(series)
    const open = u32[(state + XOR.chunk) >>> 2]!
    const capacity = u32[(state + XOR.capacity) >>> 2]!
    const length = (u32[(state + XOR.bits) >>> 2]! + 7) >>> 3
    const encoding = this.#encoding(series)
    let chunk = open
    if (Allocator.roundUp(length) !== Allocator.roundUp(capacity)) {
      chunk = this.#allocator.alloc(length)
      if (chunk !== 0) u32.copyWithin(chunk >>> 2, open >>> 2, (open + length + 3) >>> 2)
      else chunk = open
    }
    const first = this.firstTime(series)
    const last = f64[(series + SERIES.lastTime) >>> 3]!
    if (!addRow(this.#mem, this.#allocator, series + SERIES.rows, chunk, length, encoding, first, last)) {
      if (chunk !== open) this.#allocator.free(chunk)
      return false
    }
    if (chunk !== open) this.#allocator.retire(open)
    this.#forget(series)
    return true
  }

  /** Drops the open chunk. */
  drop(series: number): void {
    const { u32 } = this.#mem
    const state = this.#state(series)
    this.#allocator.retire(u32[(state + XOR.chunk) >>> 2]!)
    this.#forget(series)
  }

  /** Gives working memory back. */
  releaseScratch(): void {
    if (this.#scratch !== 0) this.#allocator.free(this.#scratch)
    this.#scratch = this.#scratchBytes = 0
  }

  #encoding(series: number): number {
    return this.#mem.u32[(series + SERIES.flags) >>> 2]! & SERIES_FLAG.encodingMask
  }

  #image(series: number): number {
    return this.#mem.u32[(series + SERIES.histogramState) >>> 2]! + HISTOGRAM_OPEN.image
  }

  #state(series: number): number {
    const block = this.#mem.u32[(series + SERIES.histogramState) >>> 2]!
    return block + this.#mem.u32[(block + HISTOGRAM_OPEN.stateOffset) >>> 2]!
  }

  /** Prometheus's rule for a full chunk; predicts its end once at a quarter of its size. */
  #due(series: number, timeMs: number): boolean {
    const { u32, f64 } = this.#mem
    const state = this.#state(series)
    const bytes = (u32[(state + XOR.bits) >>> 2]! + 7) >>> 3
    const first = this.firstTime(series)
    const last = f64[(series + SERIES.lastTime) >>> 3]!
    const flags = (series + SERIES.flags) >>> 2
    const next = (series + SERIES.nextAt) >>> 3
    const computed = (u32[flags]! & SERIES_FLAG.computedEnd) !== 0
    const rangeStart = computed ? rangeEnd(first) : f64[next]!
    if (!computed && bytes >= CHUNK_BYTES_TARGET / 4) {
      f64[next] = chunkEndTime(first, last, f64[next]!, CHUNK_BYTES_TARGET / bytes)
      u32[flags]! |= SERIES_FLAG.computedEnd
    }
    if (timeMs < f64[next]! && bytes < CHUNK_BYTES_TARGET * 2) return false
    return u32[(state + XOR.count) >>> 2]! >= SAMPLES_MIN || timeMs >= rangeStart
  }

  /** Opens a chunk with the scratch image as its first sample. */
  #open(series: number, encoding: number, timeMs: number, sample: HistogramSample, image: number): boolean {
    const { u32, f64 } = this.#mem
    const buckets = sample.positiveBuckets.length + sample.negativeBuckets.length
    const stateBytes = HISTOGRAM_STATE_BYTES + HISTOGRAM_SLOT_BYTES * buckets
    const stateOffset = (HISTOGRAM_OPEN.image + image + 15) & ~15
    const block = this.#allocator.alloc(stateOffset + stateBytes)
    if (block === 0) return false
    let capacity = OPEN_BYTES_FIRST
    for (;;) {
      const chunk = this.#allocator.alloc(capacity)
      if (chunk === 0) break
      const state = block + stateOffset
      const result = this.#kernels.histogramInit(encoding, state, stateBytes, chunk, capacity, this.#scratch)
      if (result === 0) {
        u32.copyWithin(
          (block + HISTOGRAM_OPEN.image) >>> 2,
          this.#scratch >>> 2,
          (this.#scratch + image) >>> 2,
        )
        u32[(block + HISTOGRAM_OPEN.stateOffset) >>> 2] = stateOffset
        u32[(block + HISTOGRAM_OPEN.stateOffset + 4) >>> 2] = 0
        f64[(block + HISTOGRAM_OPEN.firstTime) >>> 3] = timeMs
        u32[(series + SERIES.histogramState) >>> 2] = block
        u32[(series + SERIES.histogramCapacity) >>> 2] = stateOffset + stateBytes
        const flags = (series + SERIES.flags) >>> 2
        u32[flags] = (u32[flags]! & ~(SERIES_FLAG.computedEnd | SERIES_FLAG.encodingMask)) | encoding
        f64[(series + SERIES.nextAt) >>> 3] = rangeEnd(timeMs)
        u32[CTL.chunkCount >>> 2]!++
        return true
      }
      this.#allocator.free(chunk)
      if (capacity > image * 4 + 1024) break
      capacity *= 2
    }
    this.#allocator.free(block)
    return false
  }

  #grow(series: number): boolean {
    const { u32 } = this.#mem
    const state = this.#state(series)
    const old = u32[(state + XOR.chunk) >>> 2]!
    const capacity = u32[(state + XOR.capacity) >>> 2]!
    const larger = (capacity + (capacity >>> 1) + 15) & ~15
    const chunk = this.#allocator.alloc(larger)
    if (chunk === 0) return false
    u32.copyWithin(chunk >>> 2, old >>> 2, (old + capacity) >>> 2)
    this.#allocator.retire(old)
    u32[(state + XOR.chunk) >>> 2] = chunk
    u32[(state + XOR.capacity) >>> 2] = larger
    return true
  }

  #forget(series: number): void {
    const { u32 } = this.#mem
    const block = u32[(series + SERIES.histogramState) >>> 2]!
    this.#allocator.retire(block)
    u32[(series + SERIES.histogramState) >>> 2] = 0
    u32[(series + SERIES.flags) >>> 2]! &= ~SERIES_FLAG.encodingMask
    u32[CTL.chunkCount >>> 2]!--
  }

  #reserveScratch(bytes: number): boolean {
    if (bytes <= this.#scratchBytes) return true
    const scratch = this.#allocator.alloc(bytes * 2)
    if (scratch === 0) return false
    if (this.#scratch !== 0) this.#allocator.free(this.#scratch)
    this.#scratch = scratch
    this.#scratchBytes = bytes * 2
    return true
  }
}

/** A stale marker in the layout of the chunk it ends. */
function emptied(layout: HistogramSample, stale: HistogramSample): HistogramSample {
  return {
    ...layout,
    zeroCount: 0,
    count: 0,
    sum: stale.sum,
    positiveBuckets: new Float64Array(layout.positiveBuckets.length),
    negativeBuckets: new Float64Array(layout.negativeBuckets.length),
  }
}
