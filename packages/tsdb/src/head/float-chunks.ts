// Appends float samples to the open chunk of a series, cutting chunks by Prometheus's rules. Data plane.
// Only under an odd sequence. An open chunk starts small and moves to larger blocks as it grows; closed, it gets one that fits.
import { CHUNK_ENCODING } from '@watchfire/datamodel'
import { XOR_APPEND, type KernelExports } from '@watchfire/kernels'
import { CTL, SERIES, SERIES_FLAG, XOR } from './layout.ts'
import { addRow } from './chunk-rows.ts'
import { Allocator } from './allocator.ts'
import type { HeadMemory } from './head-memory.ts'

/** Chunks never cross multiples of this. */
export const CHUNK_RANGE_MS = 2 * 3_600_000
const SAMPLES_PER_CHUNK = 120
const XOR_BYTES_MAX = 1024
/** A chunk longer than this is closed before the next sample: one sample takes up to 18 bytes. */
const XOR_BYTES_BEFORE_APPEND_MAX = XOR_BYTES_MAX - 18
const OPEN_BYTES_FIRST = 64

/** End of the chunk range a time lies in. */
export function rangeEnd(timeMs: number): number {
  return Math.trunc(timeMs / CHUNK_RANGE_MS) * CHUNK_RANGE_MS + CHUNK_RANGE_MS
}

/** Where a chunk should end so that the chunks up to `end` get equally long; `ratio` = full size over present size. */
export function chunkEndTime(first: number, last: number, end: number, ratio: number): number {
  const n = (end - first) / ((last - first + 1) * ratio)
  return n <= 1 ? end : Math.trunc(first + (end - first) / Math.floor(n))
}

export class FloatChunks {
  readonly #mem: HeadMemory
  readonly #allocator: Allocator
  readonly #kernels: KernelExports
  /** Closes an open histogram chunk. */
  readonly #closeHistogram: (series: number) => boolean

  constructor(
    mem: HeadMemory,
    allocator: Allocator,
    kernels: KernelExports,
    closeHistogram: (series: number) => boolean,
  ) {
    this.#mem = mem
    this.#allocator = allocator
    this.#kernels = kernels
    this.#closeHistogram = closeHistogram
  }

  /** Appends a sample newer than all of the series at address `series`. False when the memory is full. */
  append(series: number, timeMs: number, value: number): boolean {
    const { u32, f64 } = this.#mem
    const state = series + SERIES.xor
    const encoding = u32[(series + SERIES.flags) >>> 2]! & SERIES_FLAG.encodingMask
    if (encoding === CHUNK_ENCODING.xor) {
      const count = u32[(state + XOR.count) >>> 2]!
      if (count === SAMPLES_PER_CHUNK / 4) {
        const first = f64[(state + XOR.firstTime) >>> 3]!
        const last = f64[(state + XOR.lastTime) >>> 3]!
        f64[(series + SERIES.nextAt) >>> 3] = chunkEndTime(
          first,
          last,
          f64[(series + SERIES.nextAt) >>> 3]!,
          4,
        )
      }
      const full = (u32[(state + XOR.bits) >>> 2]! + 7) >>> 3 > XOR_BYTES_BEFORE_APPEND_MAX
      if (full || timeMs >= f64[(series + SERIES.nextAt) >>> 3]! || count >= SAMPLES_PER_CHUNK * 2) {
        if (!this.close(series) || !this.#open(series, timeMs)) return false
      }
    } else {
      if (encoding !== 0 && !this.#closeHistogram(series)) return false
      if (!this.#open(series, timeMs)) return false
    }
    if (this.#kernels.xorAppend(state, timeMs, value) !== XOR_APPEND.ok) {
      // Without a larger block the chunk ends here: small blocks are what a full, fragmented memory still has.
      if (!this.#grow(state) && !(this.close(series) && this.#open(series, timeMs))) return false
      if (this.#kernels.xorAppend(state, timeMs, value) !== XOR_APPEND.ok) return false
    }
    f64[(series + SERIES.lastTime) >>> 3] = timeMs
    return true
  }

  /** Closes the open XOR chunk: its bytes move to a block that fits, its row joins the list. */
  close(series: number): boolean {
    const { u32, f64 } = this.#mem
    const state = series + SERIES.xor
    const open = u32[(state + XOR.chunk) >>> 2]!
    const capacity = u32[(state + XOR.capacity) >>> 2]!
    const length = (u32[(state + XOR.bits) >>> 2]! + 7) >>> 3
    let chunk = open
    if (Allocator.roundUp(length) !== Allocator.roundUp(capacity)) {
      chunk = this.#allocator.alloc(length)
      if (chunk !== 0) u32.copyWithin(chunk >>> 2, open >>> 2, (open + length + 3) >>> 2)
      else chunk = open
    }
    const first = f64[(state + XOR.firstTime) >>> 3]!
    const last = f64[(state + XOR.lastTime) >>> 3]!
    if (
      !addRow(
        this.#mem,
        this.#allocator,
        series + SERIES.rows,
        chunk,
        length,
        CHUNK_ENCODING.xor,
        first,
        last,
      )
    ) {
      if (chunk !== open) this.#allocator.free(chunk)
      return false
    }
    if (chunk !== open) this.#allocator.retire(open)
    this.#forget(series)
    return true
  }

  /** Drops the open XOR chunk. */
  drop(series: number): void {
    const { u32 } = this.#mem
    const state = series + SERIES.xor
    this.#allocator.retire(u32[(state + XOR.chunk) >>> 2]!)
    this.#forget(series)
  }

  #forget(series: number): void {
    const { u32 } = this.#mem
    u32[(series + SERIES.flags) >>> 2]! &= ~SERIES_FLAG.encodingMask
    u32[CTL.chunkCount >>> 2]!--
  }

  #open(series: number, timeMs: number): boolean {
    const { u32, f64 } = this.#mem
    const chunk = this.#allocator.alloc(OPEN_BYTES_FIRST)
    if (chunk === 0) return false
    this.#kernels.xorInit(series + SERIES.xor, chunk, OPEN_BYTES_FIRST)
    u32[(series + SERIES.flags) >>> 2]! |= CHUNK_ENCODING.xor
    f64[(series + SERIES.nextAt) >>> 3] = rangeEnd(timeMs)
    u32[CTL.chunkCount >>> 2]!++
    return true
  }

  #grow(state: number): boolean {
    const { u32 } = this.#mem
    const old = u32[(state + XOR.chunk) >>> 2]!
    const capacity = u32[(state + XOR.capacity) >>> 2]!
    const larger = capacity + Math.max(32, (capacity >>> 2) & ~15)
    const chunk = this.#allocator.alloc(larger)
    if (chunk === 0) return false
    u32.copyWithin(chunk >>> 2, old >>> 2, (old + capacity) >>> 2)
    this.#allocator.retire(old)
    u32[(state + XOR.chunk) >>> 2] = chunk
    u32[(state + XOR.capacity) >>> 2] = larger
    return true
  }
}
