// Addresses and record layouts of the head's shared memory; docs/format/head-memory.md draws them. Everything is little endian.
// [0, HEAP_BASE) belongs to the kernels, then come the control block, the pin table, the page tables, and the heap.
import { HEAP_BASE } from '@watchfire/kernels'

/** 'WFH1', first word of the control block. */
export const HEAD_MAGIC = 0x31484657
export const HEAD_VERSION = 4

/** Bytes of a heap page: fixed-size records and small size classes are carved from pages. */
export const PAGE_BYTES = 65536

/** Words of the control block (byte addresses). */
export const CTL = {
  magic: HEAP_BASE,
  version: HEAP_BASE + 4,
  /** Odd while a commit changes what readers see. */
  sequence: HEAP_BASE + 8,
  /** Raised when series are published or removed: a reader's list of series is then out of date. */
  structVersion: HEAP_BASE + 12,
  /** Raised by each commit; memory retired at epoch e is reused once every pin is above e. */
  epoch: HEAP_BASE + 16,
  /** Readers that ask the writer to wait. */
  pauseCount: HEAP_BASE + 20,
  /** Odd while a bucket of a hash table is being split. */
  hashSequence: HEAP_BASE + 24,
  /** End of the part of the heap that was ever handed out. */
  heapTop: HEAP_BASE + 28,
  heapLimit: HEAP_BASE + 32,
  bytesInUse: HEAP_BASE + 36,
  /** Next slot never used; slot 0 of every table means "none". */
  seriesSlots: HEAP_BASE + 40,
  seriesCount: HEAP_BASE + 44,
  pairSlots: HEAP_BASE + 48,
  pairCount: HEAP_BASE + 52,
  symbolSlots: HEAP_BASE + 56,
  symbolCount: HEAP_BASE + 60,
  symbolBytes: HEAP_BASE + 64,
  /** Raised when a symbol or pair id is given to somebody else: caches keyed by id are void. */
  generation: HEAP_BASE + 68,
  freeSeries: HEAP_BASE + 72,
  freePairs: HEAP_BASE + 76,
  freeSymbols: HEAP_BASE + 80,
  chunkCount: HEAP_BASE + 84,
  /** f64 ms, NaN when empty. */
  minTime: HEAP_BASE + 88,
  maxTime: HEAP_BASE + 96,
  /** f64, the last series reference written to the WAL. */
  lastRef: HEAP_BASE + 104,
  /** Bytes in free lists. */
  freedBytes: HEAP_BASE + 112,
  /** Heap pages that are free as a whole. */
  freePages: HEAP_BASE + 116,
  /** f64 ms, bounds of the out-of-order samples, NaN when there are none. */
  lateMinTime: HEAP_BASE + 120,
  lateMaxTime: HEAP_BASE + 128,
  /** Three hash tables of 16 bytes: u32 level, u32 next bucket to split, u32 count. */
  symbolHash: HEAP_BASE + 256,
  pairHash: HEAP_BASE + 272,
  seriesHash: HEAP_BASE + 288,
  /** Per size class 16 bytes: u32 first free block, u32 next uncut block of the page, u32 end of the page, u32 free blocks. */
  classes: HEAP_BASE + 4096,
  /** PIN_SLOTS × 16 bytes. */
  pins: HEAP_BASE + 16384,
  /** Page table of the lists of out-of-order chunks by series: LATE_PER_PAGE addresses a page. */
  late: HEAP_BASE + 24576,
  /** The same of those that are being made into blocks. */
  sealedLate: HEAP_BASE + 32768,
} as const

/** A pin: u32 owner (thread id + 1, 0 = free), u32 epoch (0 = not pinned), u32 1 while it asks for a pause. */
export const PIN_SLOTS = 256
export const PIN_BYTES = 16

/** Page tables: u32 addresses of heap pages. */
export const SERIES_TABLE = HEAP_BASE + PAGE_BYTES
export const PAIR_TABLE = SERIES_TABLE + 4 * PAGE_BYTES
export const SYMBOL_TABLE = PAIR_TABLE + 4 * PAGE_BYTES
export const SYMBOL_BUCKETS = SYMBOL_TABLE + PAGE_BYTES
export const PAIR_BUCKETS = SYMBOL_BUCKETS + PAGE_BYTES
export const SERIES_BUCKETS = PAIR_BUCKETS + PAGE_BYTES
/** A word for each heap page: what it is cut into, and how many blocks are in use (`allocator.ts`). */
export const PAGE_STATES = SERIES_BUCKETS + PAGE_BYTES
export const HEAP_START = PAGE_STATES + 4 * PAGE_BYTES

/** Symbol: header, then UTF-8 bytes. */
export const SYMBOL = {
  length: 0,
  hash: 4,
  next: 8,
  firstPair: 12,
  pairCount: 16,
  refs: 20,
  bytes: 24,
} as const
/** Symbol addresses in a page of the symbol table. */
export const SYMBOLS_PER_PAGE_SHIFT = 14

/** A label pair and the series that have it. While `capacity` is 0, `postings` holds the only series itself. */
export const PAIR = {
  name: 0,
  value: 4,
  next: 8,
  nextOfName: 12,
  previousOfName: 16,
  postings: 20,
  count: 24,
  capacity: 28,
} as const
export const PAIR_SHIFT = 5
export const PAIRS_PER_PAGE_SHIFT = 11

/** A series; `xor` is the state of kernels' XOR codec. `labels` points to u32 n, then n pair ids in order of label name. */
export const SERIES = {
  hash: 0,
  next: 4,
  labels: 8,
  flags: 12,
  generation: 16,
  rows: 20,
  rowCount: 24,
  rowCapacity: 28,
  walRef: 32,
  lastTime: 40,
  nextAt: 48,
  histogramState: 56,
  histogramCapacity: 60,
  xor: 64,
} as const
export const SERIES_SHIFT = 7
export const SERIES_PER_PAGE_SHIFT = 9

/** `flags` of a series: bits 0–3 the encoding of the open chunk (0 = none), then these. */
export const SERIES_FLAG = { encodingMask: 0xf, live: 0x10, published: 0x20, computedEnd: 0x40 } as const

/** A closed chunk: u32 address, u32 length | encoding << 24, f64 first and last time. */
export const ROW = { address: 0, lengthEncoding: 4, minTime: 8, maxTime: 16 } as const
export const ROW_BYTES = 24
/** A list of rows: part of a series record, and the whole of a list of out-of-order chunks. */
export const ROW_LIST = { rows: 0, count: 4, capacity: 8 } as const
export const ROW_LIST_BYTES = 16
export const LATE_PER_PAGE_SHIFT = 14
/** Pages of such a table. */
export const LATE_PAGES = 2048

/** Offsets in the XOR state, see kernels' contract. */
export const XOR = {
  chunk: 0,
  capacity: 4,
  bits: 8,
  count: 12,
  firstTime: 16,
  lastTime: 24,
  lastValue: 32,
} as const

/**
 * Open histogram chunk: u32 offset of the kernels' state from the start of the block, u32 0, f64 first time, the image of the newest sample,
 * the state. The state begins like an XOR state up to the sample count; the last time is the series'.
 */
export const HISTOGRAM_OPEN = { stateOffset: 0, firstTime: 8, image: 16 } as const
