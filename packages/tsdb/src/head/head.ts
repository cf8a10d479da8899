// The head as its only writer sees it: composes allocator, symbols, pairs, series and chunks over one shared memory.
// Everything here that readers can see changes only between `beginChange` and `endChange`.
import { CHUNK_ENCODING, type HistogramSample, type Labels } from '@watchfire/datamodel'
import { loadKernels, type KernelExports } from '@watchfire/kernels'
import { Allocator, RETIRED } from './allocator.ts'
import { dropRows } from './chunk-rows.ts'
import { FloatChunks } from './float-chunks.ts'
import { createHeadMemory, type HeadMemory } from './head-memory.ts'
import { HistogramChunks } from './histogram-chunks.ts'
import type { MemoryGovernor } from './memory-governor.ts'
import { CTL, ROW, SERIES, SERIES_FLAG, XOR } from './layout.ts'
import { OutOfOrderChunks } from './out-of-order-chunks.ts'
import { PairWriter } from './pairs.ts'
import { SeriesWriter } from './series-table.ts'
import { SymbolWriter } from './symbols.ts'

/** Memory a series is reckoned with: its record, labels, postings, open chunk and some closed ones. More series than fit are refused. */
const SERIES_BYTES = 1024
/** With less than this share of the memory free, new series are refused in any case. */
const SERIES_SHARE = 1 / 32
/** With less than this share free, the oldest chunks should go. */
const SAMPLES_SHARE = 1 / 16

export interface HeadOptions {
  readonly memoryBytesMax: number
  /** 0 = as many as fit. */
  readonly seriesMax: number
  readonly warn: (message: string) => void
}

export class Head {
  readonly mem: HeadMemory
  readonly kernels: KernelExports
  readonly allocator: Allocator
  readonly symbols: SymbolWriter
  readonly pairs: PairWriter
  readonly series: SeriesWriter
  readonly floats: FloatChunks
  readonly histograms: HistogramChunks
  readonly outOfOrder: OutOfOrderChunks
  readonly #seriesMax: number
  readonly #reserveBytes: number
  /** While undefined only the head's own memory limits it. */
  governor: MemoryGovernor | undefined

  constructor(options: HeadOptions) {
    const mem = createHeadMemory(options.memoryBytesMax, options.warn)
    this.mem = mem
    this.kernels = loadKernels(mem.memory)
    this.allocator = new Allocator(mem)
    this.symbols = new SymbolWriter(mem, this.allocator)
    this.pairs = new PairWriter(mem, this.allocator, this.symbols)
    this.series = new SeriesWriter(mem, this.allocator, this.symbols, this.pairs)
    this.histograms = new HistogramChunks(mem, this.allocator, this.kernels, (series) =>
      this.floats.close(series),
    )
    this.floats = new FloatChunks(mem, this.allocator, this.kernels, (series) =>
      this.histograms.close(series),
    )
    this.outOfOrder = new OutOfOrderChunks(mem, this.allocator, this.kernels)
    this.#seriesMax = Math.min(
      options.seriesMax === 0 ? Infinity : options.seriesMax,
      Math.floor(this.allocator.freeBytes / SERIES_BYTES),
    )
    this.#reserveBytes = this.allocator.freeBytes * SERIES_SHARE
  }

  /** Slot of a new series, 0 when a limit refuses it. The caller publishes it. */
  createSeries(labels: Labels, walRef: number): number {
    const { u32, f64 } = this.mem
    if (u32[CTL.seriesCount >>> 2]! >= this.#seriesMax) return 0
    if (this.allocator.freeBytes < this.#reserveBytes) return 0
    // What was used before can be used again without more memory of the system.
    if (this.governor?.isNear && this.allocator.reusableBytes < this.#reserveBytes) return 0
    const slot = this.series.create(labels, walRef)
    if (slot !== 0 && walRef > f64[CTL.lastRef >>> 3]!) f64[CTL.lastRef >>> 3] = walRef
    return slot
  }

  /** Samples of known series may soon find no room. */
  get isNearlyFull(): boolean {
    return this.allocator.freeBytes < this.mem.u32[CTL.heapLimit >>> 2]! * SAMPLES_SHARE
  }

  nextWalRef(): number {
    return this.mem.f64[CTL.lastRef >>> 3]! + 1
  }

  walRef(slot: number): number {
    return this.mem.f64[(this.mem.seriesAddress(slot) + SERIES.walRef) >>> 3]!
  }

  /** Time of the newest sample of a series, −Infinity when it has none. */
  lastTime(slot: number): number {
    return this.mem.f64[(this.mem.seriesAddress(slot) + SERIES.lastTime) >>> 3]!
  }

  /** Encoding of the open chunk, 0 = none. */
  openEncoding(slot: number): number {
    return this.mem.u32[(this.mem.seriesAddress(slot) + SERIES.flags) >>> 2]! & SERIES_FLAG.encodingMask
  }

  /** Appends a sample newer than all of the series; widens the head's bounds. False when the memory is full. */
  appendFloat(slot: number, timeMs: number, value: number): boolean {
    if (!this.floats.append(this.mem.seriesAddress(slot), timeMs, value)) return false
    this.#widen(timeMs)
    return true
  }

  appendHistogram(slot: number, timeMs: number, histogram: HistogramSample): boolean {
    if (!this.histograms.append(this.mem.seriesAddress(slot), timeMs, histogram)) return false
    this.#widen(timeMs)
    return true
  }

  get minTime(): number {
    return this.mem.f64[CTL.minTime >>> 3]!
  }

  get maxTime(): number {
    return this.mem.f64[CTL.maxTime >>> 3]!
  }

  /** First time of the oldest chunk of a series, Infinity when it has none. */
  firstTime(slot: number): number {
    const { u32, f64 } = this.mem
    const series = this.mem.seriesAddress(slot)
    if (u32[(series + SERIES.rowCount) >>> 2]! > 0)
      return f64[(u32[(series + SERIES.rows) >>> 2]! + ROW.minTime) >>> 3]!
    const encoding = this.openEncoding(slot)
    if (encoding === 0) return Infinity
    return encoding === CHUNK_ENCODING.xor
      ? f64[(series + SERIES.xor + XOR.firstTime) >>> 3]!
      : this.histograms.firstTime(series)
  }

  /**
   * Drops chunks of a series that end before `timeMs`; true when it has none left. Out-of-order chunks stay: they keep their series.
   * Under an odd sequence.
   */
  dropChunks(slot: number, timeMs: number): boolean {
    const { u32, f64 } = this.mem
    const series = this.mem.seriesAddress(slot)
    dropRows(this.mem, this.allocator, series + SERIES.rows, timeMs)
    const encoding = this.openEncoding(slot)
    if (encoding !== 0 && f64[(series + SERIES.lastTime) >>> 3]! < timeMs) {
      if (encoding === CHUNK_ENCODING.xor) this.floats.drop(series)
      else this.histograms.drop(series)
      return !this.mem.hasLate(slot)
    }
    return encoding === 0 && u32[(series + SERIES.rowCount) >>> 2] === 0 && !this.mem.hasLate(slot)
  }

  /** Drops only closed chunks that end before `timeMs`. Under an odd sequence. */
  dropClosedChunks(slot: number, timeMs: number): void {
    dropRows(this.mem, this.allocator, this.mem.seriesAddress(slot) + SERIES.rows, timeMs)
  }

  setMinTime(timeMs: number): void {
    this.mem.f64[CTL.minTime >>> 3] = timeMs
  }

  /** Reuses memory that no reader can see any more. */
  reclaim(): void {
    this.allocator.reclaim((kind, id) => {
      if (kind === RETIRED.series) this.series.freeSlot(id)
      else if (kind === RETIRED.pair) this.pairs.freeSlot(id)
      else this.symbols.freeSlot(id)
    })
  }

  #widen(timeMs: number): void {
    const { f64 } = this.mem
    if (!(f64[CTL.maxTime >>> 3]! >= timeMs)) f64[CTL.maxTime >>> 3] = timeMs
    if (!(f64[CTL.minTime >>> 3]! <= timeMs)) f64[CTL.minTime >>> 3] = timeMs
  }
}
