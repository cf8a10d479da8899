// Samples older than the newest of their series: per series a list of XOR chunks of up to 32 samples, of which the last takes more. A chunk
// that takes a sample is encoded anew into another block, so what readers may see never changes. Only under an odd sequence.
import { CHUNK_ENCODING } from '@watchfire/datamodel'
import { XOR_APPEND, XOR_STATE_BYTES, type KernelExports } from '@watchfire/kernels'
import { addRow } from './chunk-rows.ts'
import {
  CTL,
  LATE_PAGES,
  LATE_PER_PAGE_SHIFT,
  PAGE_BYTES,
  ROW,
  ROW_BYTES,
  ROW_LIST,
  ROW_LIST_BYTES,
  XOR,
} from './layout.ts'
import type { Allocator } from './allocator.ts'
import type { HeadMemory } from './head-memory.ts'

/** Most samples of a chunk, as Prometheus has it. */
export const LATE_SAMPLES_MAX = 32
const SAMPLE_BYTES_MAX = 18
const CHUNK_BYTES_MAX = LATE_SAMPLES_MAX * SAMPLE_BYTES_MAX + 16

export type LateOutcome = 'ok' | 'duplicate' | 'full'

export class OutOfOrderChunks {
  readonly #mem: HeadMemory
  readonly #allocator: Allocator
  readonly #kernels: KernelExports
  /** Codec state, then times, values and bytes of the chunk being changed. */
  #scratch = 0

  constructor(mem: HeadMemory, allocator: Allocator, kernels: KernelExports) {
    this.#mem = mem
    this.#allocator = allocator
    this.#kernels = kernels
  }

  /** Adds a sample. A time that the newest chunk has already keeps its value. */
  insert(slot: number, timeMs: number, value: number): LateOutcome {
    const list = this.#list(slot)
    if (list === 0 || !this.#reserveScratch()) return 'full'
    const { u32, f64 } = this.#mem
    const times = this.#times >>> 3
    const values = this.#values >>> 3
    const last = this.#openRow(list)
    let n = 0
    if (last !== 0) {
      const length = u32[(last + ROW.lengthEncoding) >>> 2]! & 0xffffff
      n = this.#kernels.xorDecode(u32[last >>> 2]!, length, this.#times, this.#values, LATE_SAMPLES_MAX)
    }
    let at = n
    while (at > 0 && f64[times + at - 1]! > timeMs) at--
    if (at > 0 && f64[times + at - 1] === timeMs) return 'duplicate'
    f64.copyWithin(times + at + 1, times + at, times + n)
    f64.copyWithin(values + at + 1, values + at, values + n)
    f64[times + at] = timeMs
    f64[values + at] = value
    const outcome = this.#store(list, last, n + 1)
    if (outcome === 'ok') this.#widen(timeMs)
    return outcome
  }

  /** True while chunks are sealed. */
  get isSealed(): boolean {
    const { u32 } = this.#mem
    for (let i = 0; i < LATE_PAGES; i++) if (u32[(CTL.sealedLate >>> 2) + i] !== 0) return true
    return false
  }

  /** Puts all chunks aside, to become blocks: they take no more samples. Not while some are sealed already. */
  seal(): void {
    if (this.isSealed) throw new Error('BUG: out-of-order chunks are sealed already')
    const { u32 } = this.#mem
    u32.copyWithin(CTL.sealedLate >>> 2, CTL.late >>> 2, (CTL.late >>> 2) + LATE_PAGES)
    u32.fill(0, CTL.late >>> 2, (CTL.late >>> 2) + LATE_PAGES)
  }

  /** Drops the sealed chunks of the next up to 16,384 series slots; true when there were none left. */
  dropSealed(): boolean {
    const { u32 } = this.#mem
    for (let i = 0; i < LATE_PAGES; i++) {
      const entry = (CTL.sealedLate >>> 2) + i
      const page = u32[entry]!
      if (page === 0) continue
      for (let word = page >>> 2; word < (page + PAGE_BYTES) >>> 2; word++)
        if (u32[word] !== 0) this.#dropList(u32[word]!)
      u32[entry] = 0
      this.#allocator.retire(page)
      return false
    }
    this.#setBounds()
    return true
  }

  /** Gives working memory back. */
  releaseScratch(): void {
    if (this.#scratch !== 0) this.#allocator.free(this.#scratch)
    this.#scratch = 0
  }

  #dropList(list: number): void {
    const { u32 } = this.#mem
    const count = u32[(list + ROW_LIST.count) >>> 2]!
    const rows = u32[(list + ROW_LIST.rows) >>> 2]!
    for (let i = 0; i < count; i++) this.#allocator.retire(u32[(rows + i * ROW_BYTES) >>> 2]!)
    u32[CTL.chunkCount >>> 2]! -= count
    if (rows !== 0) this.#allocator.retire(rows)
    this.#allocator.retire(list)
  }

  /** Bounds of what is there. */
  #setBounds(): void {
    const { u32, f64 } = this.#mem
    f64[CTL.lateMinTime >>> 3] = NaN
    f64[CTL.lateMaxTime >>> 3] = NaN
    for (let slot = 1; slot < u32[CTL.seriesSlots >>> 2]!; slot++) {
      const list = this.#mem.lateList(slot)
      if (list === 0) continue
      const rows = u32[(list + ROW_LIST.rows) >>> 2]!
      for (let i = 0; i < u32[(list + ROW_LIST.count) >>> 2]!; i++) {
        this.#widen(f64[(rows + i * ROW_BYTES + ROW.minTime) >>> 3]!)
        this.#widen(f64[(rows + i * ROW_BYTES + ROW.maxTime) >>> 3]!)
      }
    }
  }

  get #times(): number {
    return this.#scratch + XOR_STATE_BYTES
  }

  get #values(): number {
    return this.#times + (LATE_SAMPLES_MAX + 1) * 8
  }

  get #bytes(): number {
    return (this.#values + (LATE_SAMPLES_MAX + 1) * 8 + 15) & ~15
  }

  #reserveScratch(): boolean {
    if (this.#scratch === 0)
      this.#scratch = this.#allocator.alloc(
        XOR_STATE_BYTES + 2 * (LATE_SAMPLES_MAX + 1) * 8 + 16 + CHUNK_BYTES_MAX + 64,
      )
    return this.#scratch !== 0
  }

  /** Index of the word that holds the list's address; its page exists. */
  #word(slot: number): number {
    const page = this.#mem.u32[(CTL.late >>> 2) + (slot >>> LATE_PER_PAGE_SHIFT)]!
    return (page >>> 2) + (slot & ((1 << LATE_PER_PAGE_SHIFT) - 1))
  }

  /** The list of a series, made if there is none; 0 when the memory is full. */
  #list(slot: number): number {
    const { u32 } = this.#mem
    const known = this.#mem.lateList(slot)
    if (known !== 0) return known
    const entry = (CTL.late >>> 2) + (slot >>> LATE_PER_PAGE_SHIFT)
    if (u32[entry] === 0) u32[entry] = this.#allocator.page()
    const list = u32[entry] === 0 ? 0 : this.#allocator.alloc(ROW_LIST_BYTES)
    if (list === 0) return 0
    u32.fill(0, list >>> 2, (list + ROW_LIST_BYTES) >>> 2)
    u32[this.#word(slot)] = list
    return list
  }

  /** The last row if its chunk takes more samples, else 0. */
  #openRow(list: number): number {
    const { u8, u32 } = this.#mem
    const count = u32[(list + ROW_LIST.count) >>> 2]!
    if (count === 0) return 0
    const row = u32[(list + ROW_LIST.rows) >>> 2]! + (count - 1) * ROW_BYTES
    const chunk = u32[row >>> 2]!
    return ((u8[chunk]! << 8) | u8[chunk + 1]!) < LATE_SAMPLES_MAX ? row : 0
  }

  /** Encodes `n` samples of the scratch in place of a row, or as a new one when `row` is 0. */
  #store(list: number, row: number, n: number): LateOutcome {
    const { u32, f64 } = this.#mem
    const kernels = this.#kernels
    const state = this.#scratch
    kernels.xorInit(state, this.#bytes, CHUNK_BYTES_MAX)
    for (let i = 0; i < n; i++) {
      const [time, value] = [f64[(this.#times >>> 3) + i]!, f64[(this.#values >>> 3) + i]!]
      if (kernels.xorAppend(state, time, value) !== XOR_APPEND.ok)
        throw new Error('BUG: an out-of-order chunk is longer than its room')
    }
    const length = (u32[(state + XOR.bits) >>> 2]! + 7) >>> 3
    const chunk = this.#allocator.alloc(length)
    if (chunk === 0) return 'full'
    u32.copyWithin(chunk >>> 2, this.#bytes >>> 2, (this.#bytes + length + 3) >>> 2)
    const first = f64[this.#times >>> 3]!
    const last = f64[(this.#times >>> 3) + n - 1]!
    if (row === 0) {
      const encoding = CHUNK_ENCODING.xor
      if (addRow(this.#mem, this.#allocator, list, chunk, length, encoding, first, last)) return 'ok'
      this.#allocator.free(chunk)
      return 'full'
    }
    this.#allocator.retire(u32[row >>> 2]!)
    u32[row >>> 2] = chunk
    u32[(row + ROW.lengthEncoding) >>> 2] = (CHUNK_ENCODING.xor << 24) | length
    f64[(row + ROW.minTime) >>> 3] = first
    f64[(row + ROW.maxTime) >>> 3] = last
    return 'ok'
  }

  #widen(timeMs: number): void {
    const { f64 } = this.#mem
    if (!(f64[CTL.lateMinTime >>> 3]! <= timeMs)) f64[CTL.lateMinTime >>> 3] = timeMs
    if (!(f64[CTL.lateMaxTime >>> 3]! >= timeMs)) f64[CTL.lateMaxTime >>> 3] = timeMs
  }
}
