// The ingest side's own metrics as text exposition 0.0.4, under the names dashboards and the mixin's alerts know.
import { formatValue } from '@watchfire/datamodel'
import type { DbStats } from '@watchfire/tsdb'
import type { ScrapeCounters, ScrapePool, Summary } from '../scrape/index.ts'

const QUANTILES = [0.01, 0.05, 0.5, 0.9, 0.99] as const

export interface MetricsSource {
  readonly db: DbStats
  readonly scrapes: ScrapeCounters
  /** By interval as text. */
  readonly intervalLengths: ReadonlyMap<string, Summary>
  /** By job. */
  readonly pools: ReadonlyMap<string, ScrapePool>
  readonly retentionMs: number
}

type Row = readonly [labels: Readonly<Record<string, string>>, value: number]

/** Collects families. */
class TextWriter {
  readonly #lines: string[] = []

  family(type: 'counter' | 'gauge', name: string, help: string, rows: number | readonly Row[]): void {
    this.head(type, name, help)
    for (const [labels, value] of typeof rows === 'number' ? [[{}, rows] as Row] : rows)
      this.row(name, labels, value)
  }

  summaries(
    name: string,
    help: string,
    label: string,
    summaries: Iterable<readonly [string, Summary]>,
  ): void {
    this.head('summary', name, help)
    for (const [key, summary] of summaries) {
      const labels = { [label]: key }
      for (const q of QUANTILES) this.row(name, { ...labels, quantile: String(q) }, summary.quantile(q))
      this.row(`${name}_sum`, labels, summary.sum)
      this.row(`${name}_count`, labels, summary.count)
    }
  }

  toString(): string {
    return this.#lines.length === 0 ? '' : `${this.#lines.join('\n')}\n`
  }

  private head(type: string, name: string, help: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
  }

  private row(name: string, labels: Readonly<Record<string, string>>, value: number): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`)
    this.#lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${formatValue(value)}`)
  }
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

/** All families. */
export function renderMetrics(source: MetricsSource): string {
  const out = new TextWriter()
  writeScrapes(out, source)
  writePools(out, source)
  writeHead(out, source)
  writeWal(out, source)
  writeBlocks(out, source)
  return out.toString()
}

function writeScrapes(out: TextWriter, { scrapes, intervalLengths }: MetricsSource): void {
  const counters: readonly (readonly [keyof ScrapeCounters, string, string])[] = [
    ['poolsCreated', 'scrape_pools_total', 'Total number of scrape pool creation attempts.'],
    ['poolsFailed', 'scrape_pools_failed_total', 'Total number of scrape pool creations that failed.'],
    ['reloads', 'scrape_pool_reloads_total', 'Total number of scrape pool reloads.'],
    ['reloadsFailed', 'scrape_pool_reloads_failed_total', 'Total number of failed scrape pool reloads.'],
    [
      'exceededTargetLimit',
      'scrape_pool_exceeded_target_limit_total',
      'Total number of times scrape pools hit the target limit, during sync or config reload.',
    ],
    [
      'exceededLabelLimits',
      'scrape_pool_exceeded_label_limits_total',
      'Total number of times scrape pools hit the label limits, during sync or config reload.',
    ],
    [
      'exceededBodySizeLimit',
      'scrapes_exceeded_body_size_limit_total',
      'Total number of scrapes that hit the body size limit',
    ],
    [
      'exceededSampleLimit',
      'scrapes_exceeded_sample_limit_total',
      'Total number of scrapes that hit the sample limit and were rejected.',
    ],
    [
      'exceededBucketLimit',
      'scrapes_exceeded_native_histogram_bucket_limit_total',
      'Total number of scrapes that hit the native histogram bucket limit and were rejected.',
    ],
    [
      'duplicateTimestamp',
      'scrapes_sample_duplicate_timestamp_total',
      'Total number of samples rejected due to duplicate timestamps but different values.',
    ],
    [
      'outOfOrder',
      'scrapes_sample_out_of_order_total',
      'Total number of samples rejected due to not being out of the expected order.',
    ],
    [
      'outOfBounds',
      'scrapes_sample_out_of_bounds_total',
      'Total number of samples rejected due to timestamp falling outside of the time bounds.',
    ],
    [
      'exemplarOutOfOrder',
      'scrapes_exemplar_out_of_order_total',
      'Total number of exemplar rejected due to not being out of the expected order.',
    ],
    [
      'cacheFlushForced',
      'scrapes_cache_flush_forced_total',
      'How many times a scrape cache was flushed due to getting big while scrapes are failing.',
    ],
  ]
  for (const [key, name, help] of counters)
    out.family('counter', `prometheus_target_${name}`, help, scrapes[key])
  out.summaries(
    'prometheus_target_interval_length_seconds',
    'Actual intervals between scrapes.',
    'interval',
    intervalLengths,
  )
  out.family('counter', 'watchfire_scrapes_total', 'Total number of scrapes.', scrapes.scrapes)
  out.family(
    'counter',
    'watchfire_scrape_fast_samples_total',
    'Total number of scraped samples whose series stood at the same place in the scrape before.',
    scrapes.fastSamples,
  )
}

function writePools(out: TextWriter, { pools }: MetricsSource): void {
  const rows = (value: (pool: ScrapePool) => number): Row[] =>
    [...pools].map(([job, pool]) => [{ scrape_job: job }, value(pool)])
  const prefix = 'prometheus_target'
  out.family(
    'gauge',
    `${prefix}_scrape_pool_targets`,
    'Current number of targets in this scrape pool.',
    rows((pool) => pool.size),
  )
  out.family(
    'gauge',
    `${prefix}_scrape_pool_target_limit`,
    'Maximum number of targets allowed in this scrape pool.',
    rows((pool) => pool.config.targetLimit),
  )
  out.family(
    'counter',
    `${prefix}_scrape_pool_sync_total`,
    'Total number of syncs that were executed on a scrape pool.',
    rows((pool) => pool.syncCount),
  )
  out.family(
    'counter',
    `${prefix}_sync_failed_total`,
    'Total number of target sync failures.',
    rows((pool) => pool.syncFailures),
  )
  out.summaries(
    `${prefix}_sync_length_seconds`,
    'Actual interval to sync the scrape pool.',
    'scrape_job',
    [...pools].map(([job, pool]) => [job, pool.syncSeconds] as const),
  )
  out.family(
    'gauge',
    `${prefix}_metadata_cache_entries`,
    'Total number of metric metadata entries in the cache',
    rows((pool) => metadataOf(pool).length),
  )
  out.family(
    'gauge',
    `${prefix}_metadata_cache_bytes`,
    'The number of bytes that are currently used for storing metric metadata in the cache',
    rows((pool) => metadataOf(pool).reduce((sum, text) => sum + text.length, 0)),
  )
}

/** Type, help and unit of all families of a pool, joined. */
function metadataOf(pool: ScrapePool): string[] {
  return [...pool.loops].flatMap(({ cache }) =>
    [...cache.metadata.values()].map(({ type, help, unit }) => type + help + unit),
  )
}

function writeHead(out: TextWriter, { db, retentionMs }: MetricsSource): void {
  const gauge = (name: string, help: string, value: number): void =>
    out.family('gauge', `prometheus_tsdb_${name}`, help, value)
  const counter = (name: string, help: string, value: number | readonly Row[]): void =>
    out.family('counter', `prometheus_tsdb_${name}`, help, value)
  const lowest = Number.isNaN(db.blocks.minTime) ? db.minTime : db.blocks.minTime
  const lowestTime = Number.isNaN(lowest) ? Number.MAX_SAFE_INTEGER : lowest
  // An empty head reports the bounds that no sample can have, as Prometheus does.
  const minTime = Number.isNaN(db.minTime) ? Number.MAX_SAFE_INTEGER : db.minTime
  const maxTime = Number.isNaN(db.maxTime) ? Number.MIN_SAFE_INTEGER : db.maxTime
  gauge('head_series', 'Total number of series in the head block.', db.seriesCount)
  gauge('head_chunks', 'Total number of chunks in the head block.', db.chunkCount)
  counter('head_series_created_total', 'Total number of series created in the head', db.seriesCreated)
  counter('head_series_removed_total', 'Total number of series removed in the head', db.seriesRemoved)
  counter('head_samples_appended_total', 'Total number of appended samples.', [
    [{ type: 'float' }, db.samplesAppended.float],
    [{ type: 'histogram' }, db.samplesAppended.histogram],
  ])
  gauge(
    'head_min_time',
    'Minimum time bound of the head block. The unit is decided by the library consumer.',
    minTime,
  )
  gauge('head_min_time_seconds', 'Minimum time bound of the head block.', Math.trunc(minTime / 1000))
  gauge(
    'head_max_time',
    'Maximum timestamp of the head block. The unit is decided by the library consumer.',
    maxTime,
  )
  gauge('head_max_time_seconds', 'Maximum timestamp of the head block.', Math.trunc(maxTime / 1000))
  gauge(
    'lowest_timestamp',
    'Lowest timestamp value stored in the database. The unit is decided by the library consumer.',
    lowestTime,
  )
  gauge(
    'lowest_timestamp_seconds',
    'Lowest timestamp value stored in the database.',
    Math.trunc(lowestTime / 1000),
  )
  counter(
    'out_of_order_samples_total',
    'Total number of out of order samples ingestion failed attempts due to out of order being disabled.',
    [[{ type: 'float' }, db.outOfOrderSamples]],
  )
  counter(
    'out_of_bound_samples_total',
    'Total number of out of bound samples ingestion failed attempts with out of order support disabled.',
    [[{ type: 'float' }, db.outOfBoundSamples]],
  )
  counter(
    'too_old_samples_total',
    'Total number of out of order samples ingestion failed attempts with out of support enabled, but sample outside of time window.',
    [[{ type: 'float' }, db.tooOldSamples]],
  )
  counter('head_out_of_order_samples_appended_total', 'Total number of appended out of order samples.', [
    [{ type: 'float' }, db.outOfOrderSamplesAppended],
  ])
  counter('head_truncations_total', 'Total number of head truncations attempted.', db.blocks.headCuts)
  counter(
    'head_truncations_failed_total',
    'Total number of head truncations that failed.',
    db.blocks.headCutFailures,
  )
  gauge('retention_limit_seconds', 'How long to retain samples in storage.', retentionMs / 1000)
  gauge('symbol_table_size_bytes', 'Size of symbol table in memory for loaded blocks', db.symbolBytes)
  gauge('data_replay_duration_seconds', 'Time taken to replay the data on disk.', db.replayMs / 1000)
  out.family(
    'counter',
    'watchfire_tsdb_duplicate_samples_total',
    'Total number of samples rejected for another value at the same time.',
    db.duplicateSamples,
  )
  out.family(
    'counter',
    'watchfire_tsdb_refused_series_total',
    'Total number of new series refused by the limits of the head.',
    db.refusedSeries,
  )
  out.family(
    'gauge',
    'watchfire_tsdb_head_memory_bytes',
    'Bytes in use in the memory of the head.',
    db.headBytesUsed,
  )
  out.family(
    'gauge',
    'watchfire_tsdb_head_memory_limit_bytes',
    'Most bytes the memory of the head may reach.',
    db.headBytesMax,
  )
}

function writeWal(out: TextWriter, { db }: MetricsSource): void {
  const wal = 'prometheus_tsdb_wal'
  out.family(
    'gauge',
    `${wal}_segment_current`,
    'Write log segment index that TSDB is currently writing to.',
    db.walSegment,
  )
  out.family('gauge', `${wal}_storage_size_bytes`, 'Size of the write log directory.', db.walBytes)
  out.family('counter', `${wal}_corruptions_total`, 'Total number of WAL corruptions.', db.walCorruptions)
  out.family(
    'counter',
    `${wal}_truncations_total`,
    'Total number of write log truncations attempted.',
    db.walTruncations,
  )
}

function writeBlocks(out: TextWriter, { db: { blocks } }: MetricsSource): void {
  const gauge = (name: string, help: string, value: number): void =>
    out.family('gauge', `prometheus_tsdb_${name}`, help, value)
  const counter = (name: string, help: string, value: number): void =>
    out.family('counter', `prometheus_tsdb_${name}`, help, value)
  gauge('blocks_loaded', 'Number of currently loaded data blocks', blocks.loaded)
  gauge(
    'storage_blocks_bytes',
    'The number of bytes that are currently used for local storage by all blocks.',
    blocks.bytes,
  )
  counter(
    'compactions_total',
    'Total number of compactions that were executed for the partition.',
    blocks.compactions,
  )
  counter(
    'compactions_failed_total',
    'Total number of compactions that failed for the partition.',
    blocks.compactionsFailed,
  )
  counter(
    'compactions_triggered_total',
    'Total number of triggered compactions for the partition.',
    blocks.compactionsTriggered,
  )
  counter(
    'vertical_compactions_total',
    'Total number of compactions done on overlapping blocks.',
    blocks.verticalCompactions,
  )
  counter('reloads_total', 'Number of times the database reloaded block data from disk.', blocks.reloads)
  counter(
    'reloads_failures_total',
    'Number of times the database failed to reloadBlocks block data from disk.',
    blocks.reloadFailures,
  )
  counter(
    'time_retentions_total',
    'The number of times that blocks were deleted because the maximum time limit was exceeded.',
    blocks.timeRetentions,
  )
  counter(
    'size_retentions_total',
    'The number of times that blocks were deleted because the maximum number of bytes was exceeded.',
    blocks.sizeRetentions,
  )
  gauge(
    'retention_limit_bytes',
    'Max number of bytes to be retained in the tsdb blocks, configured 0 means disabled',
    blocks.retentionBytes,
  )
  gauge(
    'retention_limit_percentage',
    'Max percentage of total storage space to be retained in the tsdb blocks, configured 0 means disabled',
    blocks.retentionPercentage,
  )
}
