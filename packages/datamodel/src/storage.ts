// The storage contract: where the database and the query engine meet. Neither knows the other.
import type { Labels } from './labels.ts'
import type { Matcher } from './matcher.ts'
import type { HistogramSample } from './histogram/types.ts'

/** Chunk encodings as on disk, and RAW which exists only in a query's memory. */
export const CHUNK_ENCODING = {
  xor: 1,
  histogram: 2,
  floatHistogram: 3,
  xor2: 4,
  histogramSt: 5,
  floatHistogramSt: 6,
  /** A decoded histogram image (layout: `histogramImageSize` of the kernels), then n×f64 start timestamps when flag bit 0 is set; only in a query's memory. */
  histogramImage: 254,
  /** n×f64 timestamps (ms), then n×f64 values, then n×f64 start timestamps (0 = none) when flag bit 0 of `flags` is set. */
  raw: 255,
} as const

/**
 * Row of a chunk table in a query's memory, 48 bytes, little endian:
 * u32 address, u32 length in bytes, u32 encoding, u32 sample count, f64 minTime ms, f64 maxTime ms (both inclusive), u32 flags, 12 bytes 0.
 */
export const CHUNK_ROW_BYTES = 48

/** What a query tells the storage about how it will use the samples; the storage may ignore all of it. */
export interface SelectHints {
  /** First and last time (inclusive, ms) of samples that can matter. */
  readonly start: number
  readonly end: number
  readonly step?: number
  readonly range?: number
  readonly func?: string
  readonly grouping?: readonly string[]
  readonly by?: boolean
  /** Most series wanted, 0 = all. */
  readonly limit?: number
}

/** Private memory of one query. `alloc` throws `MemoryBudgetError` past the budget; addresses stay valid until released. */
export interface ByteArena {
  readonly memory: WebAssembly.Memory
  /** Address of `size` bytes (unsigned), 16-byte aligned, contents undefined. Views taken before an `alloc` may be stale after it. */
  alloc(size: number): number
  /** Current view of all bytes. */
  bytes(): Uint8Array
  /** Everything allocated after `mark()` is given back by `release(mark)`. */
  mark(): number
  release(mark: number): void
}

/** Thrown when a query's memory or sample budget is used up. */
export class MemoryBudgetError extends Error {
  override name = 'MemoryBudgetError'
}

/** Thrown by a selection whose series are known but whose samples cannot be read: a damaged chunk. `cause` says where. */
export class ChunkReadError extends Error {
  override name = 'ChunkReadError'
}

/**
 * A consistent selection, sorted by label set. All its chunks lie in the arena it was selected into; chunks of a series stand in order
 * of time and do not overlap unless `overlapping`. Series i has the table rows chunkStart[i] … chunkStart[i+1]−1.
 */
export interface SeriesSelection {
  readonly count: number
  labels(i: number): Labels
  readonly chunkStart: Uint32Array
  /** Address of row 0 of the chunk table in the arena (`CHUNK_ROW_BYTES` each). */
  readonly chunkTable: number
  readonly overlapping: boolean
  readonly warnings: readonly string[]
}

/** Read access for one query, synchronous: it runs in a worker of its own. */
export interface Querier {
  select(matchers: readonly Matcher[], hints: SelectHints, arena: ByteArena): SeriesSelection
  /** Label sets only, sorted. `start`/`end` in ms, inclusive. */
  series(matcherSets: readonly (readonly Matcher[])[], start: number, end: number, limit: number): Labels[]
  /** Sorted. `limit` 0 = all. */
  labelNames(
    matcherSets: readonly (readonly Matcher[])[],
    start: number,
    end: number,
    limit: number,
  ): string[]
  labelValues(
    name: string,
    matcherSets: readonly (readonly Matcher[])[],
    start: number,
    end: number,
    limit: number,
  ): string[]
  close(): void
}

export interface Queryable {
  /** `minTime`/`maxTime` in ms, inclusive: the bounds of everything that will be selected. */
  querier(minTime: number, maxTime: number): Querier
}

/** Reference of a series in the head, for one run of the process. 0 = none. */
export type SeriesRef = number

/** Outcome of one append; anything but `ok` is counted, not thrown. */
export const APPEND = {
  ok: 0,
  /** The reference is unknown or its series was collected: look it up again by labels. */
  unknownRef: 1,
  /** Older than the newest sample of the series, where no out-of-order samples are taken. */
  outOfOrder: 2,
  /** Same time, other value. */
  duplicate: 3,
  /** Older than the head accepts. */
  outOfBounds: 4,
  /** A new series was refused by a limit. */
  refused: 5,
  /** An inconsistent histogram. */
  badHistogram: 6,
  /** Older than the out-of-order window. */
  tooOld: 7,
} as const
export type AppendResult = (typeof APPEND)[keyof typeof APPEND]

export interface Exemplar {
  readonly labels: Labels
  readonly value: number
  readonly timestampMs: number
}

export interface MetricMetadata {
  readonly type: MetricType
  readonly help: string
  readonly unit: string
}
export type MetricType =
  'counter' | 'gauge' | 'histogram' | 'gaugehistogram' | 'summary' | 'info' | 'stateset' | 'unknown'

/**
 * One commit's worth of samples. Nothing is visible or durable before `commit()` returns; after it, everything is in the log and
 * visible to queries at once. `rollback()` forgets it. Not reentrant: one appender is open at a time.
 */
export interface Appender {
  /** The series' reference, made if new; 0 when a limit refuses it. */
  series(labels: Labels): SeriesRef
  /** Time in ms. */
  float(ref: SeriesRef, timeMs: number, value: number): AppendResult
  /** `count` samples of one time (the data path of scrapes); `results` gets an AppendResult each. Values keep their bits. */
  floats(refs: Float64Array, timeMs: number, values: Float64Array, results: Uint8Array, count: number): void
  histogram(ref: SeriesRef, timeMs: number, histogram: HistogramSample): AppendResult
  exemplar(ref: SeriesRef, exemplar: Exemplar): AppendResult
  commit(): void
  rollback(): void
}

/** The newest sample of a series; `value` is undefined where it is a histogram. */
export interface NewestSample {
  readonly timeMs: number
  readonly value: number | undefined
}

/** An appender that also takes samples of many series and times at once (the data path of remote write). */
export interface BatchAppender extends Appender {
  /** Whether the series still exists. References stay valid while the appender is open. */
  has(ref: SeriesRef): boolean
  /** `count` samples; `results` gets an AppendResult each. Values keep their bits. Times in ms. */
  samples(
    refs: Float64Array,
    times: Float64Array,
    values: Float64Array,
    results: Uint8Array,
    count: number,
  ): void
  /** The newest committed sample of a series, for messages. */
  newest(ref: SeriesRef): NewestSample | undefined
}
