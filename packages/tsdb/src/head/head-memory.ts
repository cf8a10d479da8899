// Views of a head's shared memory, the same for the writer and for readers in other threads.
// The memory is reserved whole (initial = maximum): address space costs nothing until it is touched, and views never go stale.
import { MAX_PAGES } from '@watchfire/kernels'
import {
  HEAD_MAGIC,
  HEAD_VERSION,
  CTL,
  HEAP_START,
  LATE_PER_PAGE_SHIFT,
  PAGE_BYTES,
  PAIRS_PER_PAGE_SHIFT,
  PAIR_SHIFT,
  PAIR_TABLE,
  SERIES_PER_PAGE_SHIFT,
  SERIES_SHIFT,
  SERIES_TABLE,
  SYMBOLS_PER_PAGE_SHIFT,
  SYMBOL_TABLE,
} from './layout.ts'

/** Smallest memory a head works in. */
export const HEAD_BYTES_MIN = HEAP_START + 16 * PAGE_BYTES
/** Most bytes of one shard. */
export const HEAD_BYTES_MAX = MAX_PAGES * PAGE_BYTES

/** One shard's memory. Addresses are u32 byte addresses; `u32[a >>> 2]` and `f64[a >>> 3]` read them. */
export class HeadMemory {
  readonly memory: WebAssembly.Memory
  readonly u8: Uint8Array
  readonly u32: Uint32Array
  readonly i32: Int32Array
  readonly f64: Float64Array

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory
    const whole = memory.buffer.byteLength
    this.u8 = new Uint8Array(memory.buffer, 0, whole)
    this.u32 = new Uint32Array(memory.buffer, 0, whole >>> 2)
    this.i32 = new Int32Array(memory.buffer, 0, whole >>> 2)
    this.f64 = new Float64Array(memory.buffer, 0, Math.floor(whole / 8))
  }

  seriesAddress(slot: number): number {
    return (
      this.u32[(SERIES_TABLE >>> 2) + (slot >>> SERIES_PER_PAGE_SHIFT)]! +
      ((slot & ((1 << SERIES_PER_PAGE_SHIFT) - 1)) << SERIES_SHIFT)
    )
  }

  pairAddress(pair: number): number {
    return (
      this.u32[(PAIR_TABLE >>> 2) + (pair >>> PAIRS_PER_PAGE_SHIFT)]! +
      ((pair & ((1 << PAIRS_PER_PAGE_SHIFT) - 1)) << PAIR_SHIFT)
    )
  }

  /** Address of the word that holds a symbol's address. */
  symbolSlot(symbol: number): number {
    return (
      this.u32[(SYMBOL_TABLE >>> 2) + (symbol >>> SYMBOLS_PER_PAGE_SHIFT)]! +
      ((symbol & ((1 << SYMBOLS_PER_PAGE_SHIFT) - 1)) << 2)
    )
  }

  /** Address of the list of out-of-order chunks of a series, 0 when there is none. `table` is CTL.late or CTL.sealedLate. */
  lateList(slot: number, table: number = CTL.late): number {
    const page = this.u32[(table >>> 2) + (slot >>> LATE_PER_PAGE_SHIFT)]!
    return page === 0 ? 0 : this.u32[(page >>> 2) + (slot & ((1 << LATE_PER_PAGE_SHIFT) - 1))]!
  }

  hasLate(slot: number): boolean {
    return this.lateList(slot) !== 0 || this.lateList(slot, CTL.sealedLate) !== 0
  }

  symbolAddress(symbol: number): number {
    return this.u32[this.symbolSlot(symbol) >>> 2]!
  }
}

/**
 * Reserves a shard's memory and writes an empty control block. Where the system refuses the size, half of it is tried, and so on;
 * `warn` is told.
 */
export function createHeadMemory(bytesMax: number, warn: (message: string) => void): HeadMemory {
  let pages = Math.floor(Math.min(Math.max(bytesMax, HEAD_BYTES_MIN), HEAD_BYTES_MAX) / PAGE_BYTES)
  for (;;) {
    let memory: WebAssembly.Memory
    try {
      memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
    } catch (error) {
      if (pages * PAGE_BYTES <= HEAD_BYTES_MIN) throw error
      const less = Math.max(pages >>> 1, HEAD_BYTES_MIN / PAGE_BYTES)
      warn(`cannot reserve ${pages * PAGE_BYTES} bytes of head memory, trying ${less * PAGE_BYTES}`)
      pages = less
      continue
    }
    const head = new HeadMemory(memory)
    clearControl(head)
    return head
  }
}

/** Writes the control block of an empty head over zeros. */
export function clearControl({ memory, u32, f64 }: HeadMemory): void {
  u32[CTL.version >>> 2] = HEAD_VERSION
  u32[CTL.epoch >>> 2] = 1
  u32[CTL.heapTop >>> 2] = HEAP_START
  // The last 64 bytes stay untouched: kernels may load a vector at the end of a buffer.
  u32[CTL.heapLimit >>> 2] = memory.buffer.byteLength - 64
  for (const slots of [CTL.seriesSlots, CTL.pairSlots, CTL.symbolSlots]) u32[slots >>> 2] = 1
  f64[CTL.minTime >>> 3] = NaN
  f64[CTL.maxTime >>> 3] = NaN
  f64[CTL.lateMinTime >>> 3] = NaN
  f64[CTL.lateMaxTime >>> 3] = NaN
  Atomics.store(u32, CTL.magic >>> 2, HEAD_MAGIC)
}

/** Views of a head another thread made. Throws when the memory holds none. */
export function openHeadMemory(memory: WebAssembly.Memory): HeadMemory {
  const head = new HeadMemory(memory)
  const magic = Atomics.load(head.u32, CTL.magic >>> 2)
  const version = head.u32[CTL.version >>> 2]!
  if (magic !== HEAD_MAGIC || version !== HEAD_VERSION)
    throw new Error(`not a head memory of version ${HEAD_VERSION}: magic ${magic}, version ${version}`)
  return head
}
