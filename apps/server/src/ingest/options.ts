// What the ingest core and its worker are told at the start; plain data that crosses to the worker.
import type { DbOptions } from '@watchfire/tsdb'
import type { OwnAddress, ScrapeOptions } from '../scrape/index.ts'

/** Retention of samples when nothing is configured. */
export const DEFAULT_RETENTION_MS: number = 15 * 86_400_000

export interface IngestOptions {
  /** The database without what must be handed in as functions. */
  readonly db: Omit<DbOptions, 'now' | 'log' | 'onReplay'>
  readonly scrape?: Partial<ScrapeOptions>
  /** How users reach this server; for the targets page. */
  readonly own?: OwnAddress
  /** For the metrics; the database has its own. */
  readonly retentionMs?: number
}
