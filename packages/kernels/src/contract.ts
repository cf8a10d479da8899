// What the WebAssembly module exports, and the byte layouts that cross the border. The module imports one
// shared memory (`env.memory`), has no managed allocation and no mutable statics, so any number of instances
// may work on one memory. Addresses and lengths are u32 (JS: apply `>>> 0` to results); times are f64
// milliseconds; values are f64 whose bits are kept. Every decoder is bounded: damaged input gives a negative
// KERNEL_ERROR, never an access outside the given ranges.

/**
 * End of the region [0, HEAP_BASE) that holds the module's read-only static data in every memory it is
 * instantiated on. Nobody else may write below it: a further instantiation rewrites the same bytes there.
 */
export const HEAP_BASE = 65536

/** Most pages of 64 KiB a memory may declare as its maximum. */
export const MAX_PAGES = 65535

/**
 * Bytes that arenas leave untouched at the end of their memory, so that vector loads at the end of a buffer
 * stay inside.
 */
export const GUARD_BYTES = 64

/** Negative results of kernels. */
export const KERNEL_ERROR = {
  /** The input is damaged. */
  corrupt: -1,
  /** The output does not fit. */
  noRoom: -2,
  /** An encoding this kernel does not know. */
  unsupported: -3,
} as const

/**
 * State of an open XOR chunk, 64 bytes, little endian, 8-byte aligned. The writer owns it; a reader may copy
 * `bytes()` of the chunk at any commit boundary. The chunk's bytes are the on-disk payload of encoding 1: u16
 * BE sample count, then the bit stream.
 *  +0  u32 chunk address    +4  u32 capacity in bytes
 *  +8  u32 length in bits (with the 16 bits of the count)    +12 u32 sample count    +16 f64 first time ms
 *  +24 f64 last time ms    +32 f64 last value (bits)    +40 f64 last delta ms
 *  +48 u32 leading zeros (0xff = none yet)    +52 u32 trailing zeros    +56 8 bytes 0
 */
export const XOR_STATE_BYTES = 64

/** Result of `xorAppend`: appended, or the chunk is full (nothing written). */
export const XOR_APPEND = { ok: 0, full: 1 } as const

/**
 * Fixed part of the state of an open histogram chunk, little endian, 8-byte aligned; HISTOGRAM_SLOT_BYTES per
 * bucket follow, positive first.
 *  +0  u32 chunk address    +4  u32 capacity in bytes    +8  u32 length in bits    +12 u32 sample count
 *  +16 u32 encoding    +20 u32 positive buckets    +24 u32 negative buckets    +28 u32 0
 *  +32 f64 first time ms    +40 8 bytes 0    +48 time slot    +64 count slot    +80 zero count slot
 *  +96 sum slot    +112 16 bytes 0
 * Slot of integers: i64 last value, i64 last delta. Gorilla slot: f64 last value, u32 leading zeros (0xff =
 * none yet), u32 trailing zeros. The time slot is of integers; count, zero count and buckets (in encoding 2
 * each as difference to the bucket before) are as the encoding says; the sum is a Gorilla slot.
 */
export const HISTOGRAM_STATE_BYTES = 128
export const HISTOGRAM_SLOT_BYTES = 16

/** Numbers that give the size of a histogram image. */
export interface HistogramShape {
  readonly samples: number
  /** Positive and negative spans together. */
  readonly spans: number
  /** Positive and negative buckets of one sample together. */
  readonly buckets: number
  readonly customValues: number
}

/** Size in bytes of a histogram image with its scratch, see `histogramImageSize`. */
export function histogramImageBytes({ samples, spans, buckets, customValues }: HistogramShape): number {
  const image = 40 + 8 * (spans + customValues) + 8 * samples * (4 + buckets)
  return image + HISTOGRAM_STATE_BYTES + HISTOGRAM_SLOT_BYTES * buckets
}

/** Window functions of `windowFloats`. */
export const WINDOW = {
  rate: 0,
  increase: 1,
  delta: 2,
  irate: 3,
  idelta: 4,
  sumOverTime: 5,
  avgOverTime: 6,
  minOverTime: 7,
  maxOverTime: 8,
  countOverTime: 9,
  lastOverTime: 10,
  firstOverTime: 11,
  presentOverTime: 12,
  changes: 13,
  resets: 14,
  stddevOverTime: 15,
  stdvarOverTime: 16,
  deriv: 17,
} as const
export type WindowFunction = (typeof WINDOW)[keyof typeof WINDOW]

/** Size in bytes of the counts of `windowFloats`. */
export const WINDOW_COUNTS_BYTES = 40

/** `func` of a fold over samples selected at an instant; else one of `WINDOW`. */
export const FOLD_INSTANT = 255

/** What a fold does with the rows of a group. */
export const FOLD = { sum: 0, avg: 1, min: 2, max: 3, count: 4 } as const
export type FoldOp = (typeof FOLD)[keyof typeof FOLD]

/**
 * Job of `foldSeries`, 80 bytes, little endian, 8-byte aligned:
 *  +0  u32 func    +4  u32 op    +8  u32 chunk table    +12 u32 array of u32: first row of each series, and the end
 *  +16 u32 array of u32: group of each series    +20 u32 most samples of a series    +24 u32 steps
 *  +28 u32 ≠ 0 ends the work after a series (may be set by another thread)
 *  +32 f64 first step ms    +40 f64 step ms    +48 f64 range, or lookback, ms    +56 f64 first time that is decoded ms
 *  +64 f64 last time
 * Unit (accumulators and counters of a run of series), 48 bytes:
 *  +0  u32 sums or extremes, f64 per group and step    +4  u32 compensations (sum, avg)    +8  u32 counts, u32 each
 *  +12 u32 series whose chunks are damaged, when the result is negative
 *  +16 f64 samples looked at    +24 f64 samples read    +32 f64 results    +40 f64 most samples alive at a time
 * Counts and counters start as 0, the others as anything.
 * Buffers of a thread, 64 bytes: +0 u32 times    +4 u32 values    +8 u32 scratch (all as `windowFloats` wants them)
 *  +12 u32 row of f64    +16 u32 row of u8    +24 WINDOW_COUNTS_BYTES of its own
 */
export const FOLD_JOB_BYTES = 80
export const FOLD_UNIT_BYTES = 48
export const FOLD_BUFFERS_BYTES = 64

/** Flags of `decodeFloats`. */
export const DECODE = { dropStale: 1 } as const

/** Room for the text of one point of `formatPoints`. */
export const POINT_TEXT_BYTES = 64

/** Bytes of a row of the cache of `scanText`. */
export const SCAN_ROW_BYTES = 16

/** Flags of `scanText`. */
export const SCAN = { openMetrics: 1 } as const

export interface KernelExports {
  // ---- checksums and compression
  /** CRC-32C (Castagnoli) of bytes, continuing from `crc` (0 to begin). */
  crc32c(crc: number, address: number, length: number): number
  /** Upper bound of the encoded length. */
  snappyBound(length: number): number
  /** Snappy block format. Returns the encoded length. `table` = address of 32 KiB of scratch. */
  snappyEncode(src: number, srcLength: number, dst: number, table: number): number
  /** Decoded length announced by the header, or KERNEL_ERROR. */
  snappyDecodedLength(src: number, srcLength: number): number
  snappyDecode(src: number, srcLength: number, dst: number, dstCapacity: number): number

  // ---- numbers
  /**
   * Parses the number at `address` (Go's ParseFloat as the exposition formats use it: decimals, Inf/NaN
   * spellings, no hex, no underscores, out of range is a fault) that ends at `end`. Stores the f64 at `out`,
   * a NaN with the bits 0x7ff8000000000001. Returns 0 = not a number, 1 = exactly rounded, 2 = valid but the
   * caller must parse the text itself (a few decimals of more than 19 digits).
   */
  parseNumber(address: number, end: number, out: number): number
  /**
   * Writes the shortest decimal text that gives the value back, as `formatValue` of the datamodel does;
   * returns its length. Room: 32 bytes.
   */
  formatNumber(value: number, dst: number): number
  /**
   * Writes the points of a series as the API's JSON has them, without the outer brackets:
   * `[1700000000.5,"1"],[…` for those steps that are present. Times are start + i·step. Returns the length in
   * bytes. Room: POINT_TEXT_BYTES per step.
   */
  formatPoints(
    values: number,
    present: number,
    start: number,
    step: number,
    steps: number,
    dst: number,
  ): number

  // ---- float chunks
  /** Prepares the state of an empty chunk at `chunk`. */
  xorInit(state: number, chunk: number, capacity: number): void
  /** Appends one sample. XOR_APPEND. Engines may give a NaN other bits on the way in: see `xorAppendAt`. */
  xorAppend(state: number, timeMs: number, value: number): number
  /** The same with the value read from memory, so that a stale marker keeps its bits whatever the engine does. */
  xorAppendAt(state: number, timeMs: number, valueAddress: number): number
  /** Rebuilds the state from a chunk's bytes so that appending can go on. Returns 0 or KERNEL_ERROR. */
  xorResume(state: number, chunk: number, length: number, capacity: number): number
  /** Decodes a chunk of encoding 1. Returns the sample count or KERNEL_ERROR. */
  xorDecode(chunk: number, length: number, times: number, values: number, capacity: number): number

  /**
   * Decodes a chunk of encoding 4. Start timestamps (f64 ms, 0 = none) go to `starts` when that is not 0.
   * Returns the sample count or KERNEL_ERROR.
   */
  xor2Decode(
    chunk: number,
    length: number,
    times: number,
    values: number,
    starts: number,
    capacity: number,
  ): number

  // ---- columns of a query
  /**
   * Decodes the float chunks (XOR, XOR2, RAW) in `rowCount` rows of a chunk table (see datamodel
   * CHUNK_ROW_BYTES) from `row` on, keeping minTime ≤ t ≤ maxTime. Rows of histogram encodings are skipped.
   * Returns the count or KERNEL_ERROR. Whole chunks are decoded before samples are dropped: `capacity` must
   * hold all samples of the rows that overlap the range, else noRoom.
   */
  decodeFloats(
    row: number,
    rowCount: number,
    minTime: number,
    maxTime: number,
    flags: number,
    times: number,
    values: number,
    capacity: number,
  ): number
  /**
   * Instant selection at `steps` times start + i·step: newest sample with t−lookback < ts ≤ t. `values[i]`
   * and `present[i]` (u8, 1 or 0) are written; a stale marker means absent. `sampleTimes` (f64 per step) is
   * written when not 0. Where absent, values and sample times are 0. `step` ≥ 0.
   */
  instantFloats(
    times: number,
    values: number,
    count: number,
    start: number,
    step: number,
    steps: number,
    lookback: number,
    out: number,
    present: number,
    sampleTimes: number,
  ): void
  /**
   * A window function at `steps` times over (t−range, t], Prometheus's semantics and arithmetic order. Input
   * must have no stale markers (DECODE.dropStale). `scratch` = 32 bytes per sample of scratch. `values` are 0
   * where absent. `step` ≥ 0. Rate, increase, delta, irate, idelta, min, max, count, last, first, present,
   * changes and resets take O(samples + steps) (rate and increase: plus the resets inside each window), the
   * rest O(samples in each window). `counts`, when given, gets five f64: samples in all windows; those without
   * the ones that the window before had too; most of one window; those of the last; steps with a result.
   */
  windowFloats(
    func: number,
    times: number,
    values: number,
    count: number,
    start: number,
    step: number,
    steps: number,
    range: number,
    out: number,
    present: number,
    scratch: number,
    counts?: number,
  ): void
  /**
   * Kahan–Neumaier addition of a row into sum and compensation rows; `counts` u32 per step is raised where
   * present.
   */
  addRow(
    sums: number,
    compensations: number,
    counts: number,
    row: number,
    present: number,
    steps: number,
  ): void

  /**
   * Smallest (`largest` 0) or largest (1) of rows; a NaN gives way to any number. `counts` u32 per step is
   * raised where present, 0 = nothing in `extremes` yet.
   */
  extremeRow(
    extremes: number,
    counts: number,
    row: number,
    present: number,
    steps: number,
    largest: number,
  ): void

  /**
   * Decodes the series `first` … `end` − 1 of a job, computes their rows and adds them to the accumulators of
   * their groups, as `decodeFloats`, `windowFloats` or `instantFloats`, and `addRow` or `extremeRow` would one
   * after the other. All chunks must hold floats and not overlap. 0 or KERNEL_ERROR.
   */
  foldSeries(job: number, unit: number, buffers: number, first: number, end: number): number
  /** Adds the accumulators (`size` = groups × steps) of a unit of later series to those of a unit of earlier ones. */
  foldMerge(op: number, unit: number, later: number, size: number): void

  // ---- histogram chunks (encodings 2 and 3; 5 and 6, which have start timestamps, are only read)
  /**
   * Size in bytes of the decoded image of a histogram chunk, or KERNEL_ERROR (noRoom from 2 GiB on). Image,
   * little endian, 8-byte aligned when the image is:
   *  +0  i32 schema    +4  u32 counter-reset hint (0 unknown, 1 reset, 2 not reset, 3 gauge)
   *  +8  f64 zero threshold    +16 u32 n samples    +20 u32 positive spans    +24 u32 negative spans
   *  +28 u32 positive buckets P    +32 u32 negative buckets N    +36 u32 custom values C
   *  +40 spans as (i32 offset, u32 length), positive first; then C f64 custom values; then columns of n f64 each:
   *      times, counts, zero counts, sums (bits kept: stale marker); then n×P f64 absolute positive buckets (sample
   *      by sample), then n×N negative; then scratch of the codec: HISTOGRAM_STATE_BYTES + HISTOGRAM_SLOT_BYTES·(P+N)
   * Stale samples have 0 everywhere but in time and sum. Schemas 9…52 come as they are stored: the reader reduces
   * them. `histogramImageBytes` computes the size.
   */
  histogramImageSize(encoding: number, chunk: number, length: number): number
  /**
   * Decodes into `image` (of that size). Start timestamps (f64 ms, 0 = none) go to `starts` when that is
   * given. Returns the sample count or KERNEL_ERROR.
   */
  histogramDecode(
    encoding: number,
    chunk: number,
    length: number,
    image: number,
    imageSize: number,
    starts?: number,
  ): number
  /**
   * Encodes an image (with its scratch) as one chunk of encoding 2 (counts and buckets must be integers of at
   * most 2^53, else corrupt) or 3. Returns its length or KERNEL_ERROR. The scratch holds the state of the
   * chunk's end afterwards. A first sample that is stale gives a chunk without layout that takes only stale
   * samples.
   */
  histogramEncode(encoding: number, image: number, imageSize: number, chunk: number, capacity: number): number
  /**
   * Prepares the state of an open histogram chunk (layout: HISTOGRAM_STATE_BYTES) and writes the samples of
   * `image` (usually one). 0 or KERNEL_ERROR; noRoom when the state or the chunk is too small.
   */
  histogramInit(
    encoding: number,
    state: number,
    stateCapacity: number,
    chunk: number,
    capacity: number,
    image: number,
  ): number
  /**
   * Appends the first sample of `image`, which must have the same schema, zero threshold, spans and custom
   * values (the caller checks; other numbers of buckets are corrupt) or be stale. 0 ok, 1 full (nothing
   * written), or KERNEL_ERROR (nothing written).
   */
  histogramAppend(state: number, image: number): number
  /** Rebuilds the state from a chunk's bytes. 0 or KERNEL_ERROR; noRoom when the state is too small. */
  histogramResume(
    encoding: number,
    state: number,
    stateCapacity: number,
    chunk: number,
    length: number,
    capacity: number,
  ): number

  // ---- text exposition
  /**
   * Scans a text exposition (0.0.4, or OpenMetrics by flag) against the series of the scrape before. The
   * cache is an array of rows of SCAN_ROW_BYTES, one a sample line in the order of last time: u32 address and
   * u32 length of the line's series text (`name{…}` up to the blank before the value), u32 id of the caller
   * (0 = not known: never matches), u32 spare. A line is looked for at the row after the one matched last and
   * a few further on, so that single series may come and go.
   *
   * Per sample line it writes: ids u32 (0 = a miss: the caller parses that line itself), line offsets u32
   * (start of the line in the text), values f64, explicit times f64 in ms (bits of the stale marker = none).
   * A miss is every line that is not a known series, a value and perhaps a timestamp: unknown ones,
   * exemplars, carriage returns, lines that begin with a blank, numbers `parseNumber` leaves to the caller,
   * and all faults. A miss reaches up to the next offset or to the end; comments may follow in it. A NaN gets
   * the bits 0x7ff8000000000001. Comment lines, and empty lines of 0.0.4, are skipped unchecked;
   * `commentHash`, when not 0, gets the u32 CRC-32C of all comment lines.
   *
   * The text must be followed by 32 readable bytes. Cached texts must not lie in the text's buffer. Returns
   * the number of sample lines, or KERNEL_ERROR.noRoom when there are more than `capacity`.
   */
  scanText(
    text: number,
    length: number,
    cache: number,
    cacheRows: number,
    ids: number,
    offsets: number,
    values: number,
    times: number,
    capacity: number,
    flags?: number,
    commentHash?: number,
  ): number
}
