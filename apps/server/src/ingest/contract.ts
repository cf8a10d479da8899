// Between the main thread and the ingest worker, which alone writes to the database: it scrapes, appends and logs.
// `ingest-client.ts` implements `Ingest` on the main thread over messages; tests may run the same core in-process.
import type { AppendResult, FloatHistogram, MatchType, MetricMetadata } from '@watchfire/datamodel'
import type { DbHandle, DbStats } from '@watchfire/tsdb'
import type { TargetGroup } from '../discovery/contract.ts'
import type { GlobalConfig, ScrapeConfig } from '../config/types.ts'
import type { WriteProtocol, WriteResult } from '../remote/index.ts'

/** A sample from the rules: labels as flat sorted pairs. */
export interface RuleSample {
  readonly pairs: readonly string[]
  readonly timeMs: number
  /** The staleness marker is asked for with `stale`, not with NaN bits. */
  readonly value: number
  readonly stale?: boolean
  readonly histogram?: FloatHistogram
}

export type TargetHealth = 'unknown' | 'up' | 'down'

/** A target as `/api/v1/targets` shows it. Times in ms, durations in seconds. */
export interface TargetStatus {
  readonly scrapePool: string
  readonly discoveredLabels: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly scrapeUrl: string
  readonly globalUrl: string
  readonly lastError: string
  readonly lastScrapeMs: number
  readonly lastScrapeDurationSeconds: number
  readonly health: TargetHealth
  readonly scrapeInterval: string
  readonly scrapeTimeout: string
}

export interface TargetsSnapshot {
  readonly active: readonly TargetStatus[]
  readonly dropped: readonly {
    readonly discoveredLabels: Readonly<Record<string, string>>
    readonly scrapePool: string
  }[]
  readonly droppedCounts: Readonly<Record<string, number>>
}

export interface TargetMetadata extends MetricMetadata {
  readonly metric: string
  readonly target: Readonly<Record<string, string>>
}

/** Exemplars of the series that one of the selectors accepts; times in ms, inclusive. */
export interface ExemplarsRequest {
  readonly selectors: readonly (readonly {
    readonly type: MatchType
    readonly name: string
    readonly value: string
  }[])[]
  readonly startMs: number
  readonly endMs: number
}

/** Exemplars of a series, oldest first; labels as flat sorted pairs. */
export interface ExemplarSeries {
  readonly pairs: readonly string[]
  readonly exemplars: readonly {
    readonly pairs: readonly string[]
    readonly value: number
    readonly timeMs: number
  }[]
}

export interface Ingest {
  /** Resolves when the database is open and replayed. */
  readonly ready: Promise<void>
  /** For opening readers in query workers. Valid after `ready`. */
  handle(): DbHandle
  /** All or nothing: new scrape pools replace the old ones; unchanged ones go on undisturbed. */
  applyConfig(
    global: GlobalConfig,
    scrapeConfigs: readonly ScrapeConfig[],
    externalLabels: Readonly<Record<string, string>>,
  ): Promise<void>
  /** Target groups of one scrape pool, whole, whenever discovery changes. */
  setTargetGroups(scrapePool: string, groups: readonly TargetGroup[]): void
  /** Appends one commit; resolves after it is durable and visible. */
  append(samples: readonly RuleSample[]): Promise<readonly AppendResult[]>
  /**
   * A remote write request, still compressed, as one commit; resolves after it is durable and visible. The body's buffer may be
   * gone afterwards.
   */
  write(body: Uint8Array, protocol: WriteProtocol): Promise<WriteResult>
  targets(): Promise<TargetsSnapshot>
  metadata(): Promise<readonly TargetMetadata[]>
  exemplars(request: ExemplarsRequest): Promise<readonly ExemplarSeries[]>
  stats(): Promise<DbStats>
  /** Text exposition lines of the worker's own metrics (prometheus_target_*, prometheus_tsdb_* …). */
  metricsText(): Promise<string>
  /** Stops scraping, closes the database. */
  stop(): Promise<void>
}
