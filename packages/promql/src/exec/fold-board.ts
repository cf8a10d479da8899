// Work of a fold in a query's memory, in units that any thread may take: the query's own worker takes one after
// the other, a helper may take some meanwhile. Which series make a unit depends on the data alone, and units are
// merged in order: results do not depend on who did what. Data plane.
import type { KernelExports } from '@watchfire/kernels'

// The board, u32 words: next unit (taken atomically), units, address of the job, of the units' records, of the
// first series of each unit (and the end), of the helper's buffers; result (KERNEL_ERROR or 0), damaged series.
const NEXT = 0
const UNITS = 1
const JOB = 2
const RECORDS = 3
const BOUNDS = 4
const BUFFERS = 5
const RESULT = 6
const DAMAGED = 7
export const BOARD_BYTES = 32

/** Words of a unit's record, see FOLD_UNIT_BYTES. */
const UNIT_WORDS = 12
const UNIT_DAMAGED = 3
const JOB_ABORT = 7

export interface BoardAddresses {
  readonly units: number
  readonly job: number
  readonly records: number
  readonly bounds: number
  readonly helperBuffers: number
}

export class FoldBoard {
  readonly #words: Int32Array
  readonly #at: number
  readonly #kernels: KernelExports

  /** The board at `address` of a shared memory. */
  constructor(memory: WebAssembly.Memory, address: number, kernels: KernelExports) {
    this.#words = new Int32Array(memory.buffer)
    this.#at = address >>> 2
    this.#kernels = kernels
  }

  write(addresses: BoardAddresses): void {
    const { units, job, records, bounds, helperBuffers } = addresses
    this.#words.set([0, units, job, records, bounds, helperBuffers, 0, 0], this.#at)
  }

  get helperBuffers(): number {
    return this.#words[this.#at + BUFFERS]! >>> 0
  }

  /** Negative = KERNEL_ERROR of the chunks of series `damaged`. */
  get result(): number {
    return Atomics.load(this.#words, this.#at + RESULT)
  }

  get damaged(): number {
    return Atomics.load(this.#words, this.#at + DAMAGED)
  }

  /** Nobody takes another unit, and those at work stop after a series. */
  abort(): void {
    Atomics.store(this.#words, this.#at + NEXT, this.#words[this.#at + UNITS]!)
    Atomics.store(this.#words, (this.#word(JOB) >>> 2) + JOB_ABORT, 1)
  }

  /** Does units until none is left, with `poll` called now and then. */
  work(buffers: number, poll?: () => void): void {
    const units = this.#word(UNITS)
    for (;;) {
      const unit = Atomics.add(this.#words, this.#at + NEXT, 1)
      if (unit >= units || this.result < 0) return
      const bounds = (this.#word(BOUNDS) >>> 2) + unit
      const end = this.#words[bounds + 1]!
      for (let from = this.#words[bounds]!; from < end; from += SLICE_SERIES) {
        poll?.()
        if (!this.#slice(unit, buffers, from, Math.min(end, from + SLICE_SERIES))) return
      }
    }
  }

  #slice(unit: number, buffers: number, from: number, end: number): boolean {
    const record = this.#word(RECORDS) + unit * UNIT_WORDS * 4
    const result = this.#kernels.foldSeries(this.#word(JOB), record, buffers, from, end)
    if (result >= 0) return true
    Atomics.store(this.#words, this.#at + DAMAGED, this.#words[(record >>> 2) + UNIT_DAMAGED]!)
    Atomics.store(this.#words, this.#at + RESULT, result)
    return false
  }

  #word(index: number): number {
    return this.#words[this.#at + index]! >>> 0
  }
}

/** Series between two looks at the clock. */
const SLICE_SERIES = 128
