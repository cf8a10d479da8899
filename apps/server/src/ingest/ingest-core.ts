// The only writer: owns the database and the scrape manager and turns requests into commits. Runs in the ingest worker,
// or in-process in tests and simulations.
import {
  APPEND,
  Labels,
  Matcher,
  staleMarker,
  type AppendResult,
  type Appender,
  type Clock,
} from '@watchfire/datamodel'
import type { Db, DbHandle, DbOptions, DbStats } from '@watchfire/tsdb'
import type { GlobalConfig, ScrapeConfig } from '../config/types.ts'
import type { TargetGroup } from '../discovery/contract.ts'
import { RemoteWriter, type WriteProtocol, type WriteResult } from '../remote/index.ts'
import {
  DEFAULT_SCRAPE_OPTIONS,
  ScrapeManager,
  TextScanner,
  createCounters,
  type Log,
  type ScrapeCounters,
  type Summary,
} from '../scrape/index.ts'
import type {
  ExemplarSeries,
  ExemplarsRequest,
  Ingest,
  RuleSample,
  TargetMetadata,
  TargetsSnapshot,
} from './contract.ts'
import { renderMetrics } from './metrics-text.ts'
import { DEFAULT_RETENTION_MS, type IngestOptions } from './options.ts'

/** How often the database looks whether blocks are to be cut, merged or deleted. */
const COMPACT_INTERVAL_MS = 60_000

export type OpenDb = (options: DbOptions) => Db | Promise<Db>

export interface IngestDependencies {
  readonly clock: Clock
  readonly openDb: OpenDb
  readonly log: Log
  readonly onReplay?: DbOptions['onReplay']
}

export class IngestCore implements Ingest {
  readonly ready: Promise<void>
  readonly #options: IngestOptions
  readonly #dependencies: IngestDependencies
  readonly #counters: ScrapeCounters = createCounters()
  readonly #intervalLengths = new Map<string, Summary>()
  readonly #scrapes: ScrapeManager
  #db: Db | undefined
  /** Made with the first request. */
  #remoteWriter: RemoteWriter | undefined
  #compactTimer: { cancel(): void } | undefined
  #stopped = false

  constructor(options: IngestOptions, dependencies: IngestDependencies) {
    this.#options = options
    this.#dependencies = dependencies
    const { clock, log } = dependencies
    this.#scrapes = new ScrapeManager(
      {
        clock,
        log,
        appender: () => this.appender(),
        counters: this.#counters,
        intervalLengths: this.#intervalLengths,
        scanner: createScanner(log),
        options: { ...DEFAULT_SCRAPE_OPTIONS, ...options.scrape },
      },
      options.own,
    )
    this.ready = this.open()
    // Whoever waits for `ready` sees the failure; nobody has to.
    this.ready.catch(() => undefined)
  }

  handle(): DbHandle {
    return this.db().handle
  }

  async applyConfig(
    _global: GlobalConfig,
    scrapeConfigs: readonly ScrapeConfig[],
    externalLabels: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.ready
    this.#scrapes.applyConfig(scrapeConfigs, externalLabels)
  }

  setTargetGroups(scrapePool: string, groups: readonly TargetGroup[]): void {
    this.#scrapes.setTargetGroups(scrapePool, groups)
  }

  async append(samples: readonly RuleSample[]): Promise<readonly AppendResult[]> {
    await this.ready
    const appender = this.appender()
    let results: AppendResult[]
    try {
      results = samples.map((sample) => appendRuleSample(appender, sample))
    } catch (error) {
      appender.rollback()
      throw error
    }
    appender.commit()
    return results
  }

  async write(body: Uint8Array, protocol: WriteProtocol): Promise<WriteResult> {
    await this.ready
    this.#remoteWriter ??= new RemoteWriter({
      appender: () => this.db().appender(),
      now: () => this.#dependencies.clock.now(),
      exemplars: (this.#options.db.exemplarsMax ?? 0) > 0,
    })
    return this.#remoteWriter.write(body, protocol)
  }

  targets(): Promise<TargetsSnapshot> {
    return Promise.resolve(this.#scrapes.targets())
  }

  async exemplars({ selectors, startMs, endMs }: ExemplarsRequest): Promise<readonly ExemplarSeries[]> {
    await this.ready
    const matchers = selectors.map((set) =>
      set.map(({ type, name, value }) => new Matcher(type, name, value)),
    )
    return this.db()
      .exemplars(matchers, startMs, endMs)
      .map(({ labels, exemplars }) => ({
        pairs: labels.pairs,
        exemplars: exemplars.map((one) => ({
          pairs: one.labels.pairs,
          value: one.value,
          timeMs: one.timestampMs,
        })),
      }))
  }

  metadata(): Promise<readonly TargetMetadata[]> {
    return Promise.resolve(this.#scrapes.metadata())
  }

  async stats(): Promise<DbStats> {
    await this.ready
    return this.db().stats()
  }

  async metricsText(): Promise<string> {
    await this.ready
    return renderMetrics({
      db: this.db().stats(),
      scrapes: this.#counters,
      intervalLengths: this.#intervalLengths,
      pools: this.#scrapes.pools,
      retentionMs: this.#options.retentionMs ?? DEFAULT_RETENTION_MS,
    })
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#compactTimer?.cancel()
    this.#scrapes.stop()
    await this.ready.catch(() => undefined)
    const db = this.#db
    this.#db = undefined
    await db?.close()
  }

  private async open(): Promise<void> {
    const { openDb, log, clock, onReplay } = this.#dependencies
    const db = await openDb({
      ...this.#options.db,
      log,
      now: () => clock.now(),
      ...(onReplay !== undefined && { onReplay }),
    })
    if (this.#stopped) {
      await db.close()
      throw new Error('stopped while the database was opening')
    }
    this.#db = db
    this.planCompaction()
  }

  private db(): Db {
    if (this.#db === undefined) throw new Error('the database is not open')
    return this.#db
  }

  private appender(): Appender {
    return this.db().appender()
  }

  private planCompaction(): void {
    const { clock, log } = this.#dependencies
    this.#compactTimer = clock.setTimeout(() => {
      this.db()
        .compact()
        .catch((error: unknown) =>
          log('error', 'compaction failed', { err: error instanceof Error ? error.message : String(error) }),
        )
        .finally(() => {
          if (!this.#stopped) this.planCompaction()
        })
    }, COMPACT_INTERVAL_MS)
  }
}

/** Without kernels every body is parsed, which is slower and otherwise the same. */
function createScanner(log: Log): TextScanner | undefined {
  try {
    return new TextScanner()
  } catch (error) {
    log('warn', 'No kernels for scraping: every body is parsed', {
      err: error instanceof Error ? error.message : String(error),
    })
    return undefined
  }
}

function appendRuleSample(appender: Appender, sample: RuleSample): AppendResult {
  const ref = appender.series(Labels.fromSortedPairs(sample.pairs))
  if (ref === 0) return APPEND.refused
  if (sample.stale === true) return appender.float(ref, sample.timeMs, staleMarker())
  if (sample.histogram !== undefined)
    return appender.histogram(ref, sample.timeMs, { ...sample.histogram, integer: false })
  return appender.float(ref, sample.timeMs, sample.value)
}
