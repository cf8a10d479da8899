// What the database offers: a writer for one thread and readers for any number of others.
import type { BatchAppender, Exemplar, Labels, Matcher, Queryable } from '@watchfire/datamodel'

/** Options of `openDb`; sizes in bytes, times in ms. */
export interface DbOptions {
  /** Data directory (Prometheus's layout: wal/, later chunks_head/ and blocks). Created when missing. */
  readonly dir: string
  /** Most memory the head may reserve (address space), default 4 GiB − 64 KiB, less where the system refuses. */
  readonly headMemoryBytesMax?: number
  /**
   * Budget of the whole process, default 3/4 of the machine's memory or the cgroup's: near it new series are refused. The head's
   * memory is never larger.
   */
  readonly memoryBytesMax?: number
  /** What the process uses now; by default its resident set. */
  readonly memoryBytesUsed?: () => number
  /** Most series in the head, 0 = as many as fit. */
  readonly seriesMax?: number
  /** Blocks go when they are this much older than the newest block; 0 or nothing = never. */
  readonly retentionMs?: number
  /** Most bytes of blocks and log together, 0 or nothing = no limit. */
  readonly retentionBytes?: number
  /** Most share of the file system, 0–100; counts instead of the bytes when above 0. */
  readonly retentionPercentage?: number
  /** Length of a block cut from the head, default 2 h. */
  readonly blockRangeMs?: number
  /** Longest block, default 31 d or a tenth of the retention when that is less. */
  readonly blockRangeMsMax?: number
  /** Most bytes of a chunk segment of a block. */
  readonly blockSegmentBytes?: number
  /** Where blocks are written and merged: in a thread of its own, or on the calling thread, for tests. */
  readonly maintenance?: 'worker' | 'inline'
  /** Float samples of known series may be so much older than the newest of all; 0 = out-of-order samples are refused. */
  readonly outOfOrderWindowMs?: number
  /** Exemplars that are kept for `exemplars`, 0 (default) = none. */
  readonly exemplarsMax?: number
  readonly walCompression?: 'none' | 'snappy'
  readonly walSegmentBytes?: number
  /** fdatasync the WAL at most this often; 0 = only when a segment ends and on close. */
  readonly walFsyncIntervalMs?: number
  /** Whether a clean stop leaves a memory image, from which the next start is instant (default true). */
  readonly memoryImage?: boolean
  readonly now?: () => number
  readonly log?: (
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields?: Record<string, unknown>,
  ) => void
  /** Called during replay. */
  readonly onReplay?: (progress: { segment: number; first: number; last: number }) => void
}

/** Everything a reader in another thread needs; can be sent with `postMessage`, shares memory, copies nothing. */
export interface DbHandle {
  readonly kind: 'watchfire-db-handle'
  readonly shards: readonly WebAssembly.Memory[]
  readonly dir: string
  /** The list of blocks, see block/block-list.ts. */
  readonly blocks: SharedArrayBuffer
}

/** Figures of the blocks and their compaction. */
export interface BlockStats {
  readonly loaded: number
  readonly bytes: number
  /** Oldest time of a block in ms, NaN when there is none. */
  readonly minTime: number
  /** Ranges of the head that became blocks, and those that could not. */
  readonly headCuts: number
  readonly headCutFailures: number
  readonly compactions: number
  readonly compactionsFailed: number
  readonly compactionsTriggered: number
  readonly verticalCompactions: number
  readonly lastCompactionMs: number
  readonly reloads: number
  readonly reloadFailures: number
  readonly timeRetentions: number
  readonly sizeRetentions: number
  /** Limit by size, 0 = none. */
  readonly retentionBytes: number
  /** Limit as a share of the file system, 0 = none. */
  readonly retentionPercentage: number
}

export interface DbStats {
  readonly seriesCount: number
  readonly chunkCount: number
  /** ms; NaN when the head is empty. */
  readonly minTime: number
  readonly maxTime: number
  readonly samplesAppended: { readonly float: number; readonly histogram: number }
  readonly outOfOrderSamples: number
  readonly duplicateSamples: number
  readonly outOfBoundSamples: number
  /** Refused because they lie before the out-of-order window. */
  readonly tooOldSamples: number
  /** Taken out of order; `samplesAppended` counts them, too. */
  readonly outOfOrderSamplesAppended: number
  readonly refusedSeries: number
  /** Acknowledged samples the memory had no room for: they are in the log only. */
  readonly droppedSamples: number
  readonly seriesCreated: number
  readonly seriesRemoved: number
  readonly headBytesUsed: number
  readonly headBytesMax: number
  readonly memoryBytesMax: number
  readonly symbolBytes: number
  readonly walSegment: number
  readonly walBytes: number
  readonly walCorruptions: number
  readonly walTruncations: number
  readonly replayMs: number
  /** The head came from the memory image of a clean stop, not from the log. */
  readonly startedFromImage: boolean
  readonly labelPairCount: number
  readonly blocks: BlockStats
}

/** Exemplars of a series, oldest first. */
export interface SeriesExemplars {
  readonly labels: Labels
  readonly exemplars: readonly Exemplar[]
}

/** The database as its only writer sees it. One per directory; the directory is locked. */
export interface Db {
  readonly handle: DbHandle
  /** A new commit's worth of appends. Only one may be open. */
  appender(): BatchAppender
  stats(): DbStats
  /** Drops samples older than `timeMs` that are no longer needed (retention of the head), series without samples, and old WAL segments. */
  truncate(timeMs: number): void
  /**
   * Goes on with a truncation for about `budgetMs`; true while there is more to do. It happens by itself in steps between other work; call
   * it to hurry. Does nothing while an appender is open.
   */
  maintain(budgetMs: number): boolean
  /**
   * Does what is due: cuts blocks from the head, merges blocks, deletes those past the retention. To be called about once a minute; joins a
   * round that runs. Rejects when a part of it fails.
   */
  compact(): Promise<void>
  /**
   * Kept exemplars of the series that one of the matcher sets accepts, from `start` to `end` (ms, inclusive), sorted by series. Those
   * from before the database was opened are not among them.
   */
  exemplars(matcherSets: readonly (readonly Matcher[])[], start: number, end: number): SeriesExemplars[]
  /** In-process reader, for tests and tools. */
  reader(): DbReader
  close(): Promise<void>
}

/** Cardinality of the head for `/api/v1/status/tsdb`. */
export interface HeadCardinality {
  readonly seriesCountByMetricName: readonly (readonly [string, number])[]
  readonly labelValueCountByLabelName: readonly (readonly [string, number])[]
  readonly memoryInBytesByLabelName: readonly (readonly [string, number])[]
  readonly seriesCountByLabelValuePair: readonly (readonly [string, number])[]
}

export interface DbReader extends Queryable {
  cardinality(limit: number): HeadCardinality
  /** Exact label set of a reference, for diagnostics. */
  seriesLabels(ref: number): Labels | undefined
  close(): void
}
