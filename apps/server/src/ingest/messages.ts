// What the main thread and the ingest worker say to each other.
import type { DbHandle, DbOptions } from '@watchfire/tsdb'
import type { LogLevel } from '../scrape/index.ts'
import type { Ingest } from './contract.ts'
import type { IngestOptions } from './options.ts'

/** Calls that are answered. */
export type CallName =
  'applyConfig' | 'append' | 'write' | 'targets' | 'exemplars' | 'metadata' | 'stats' | 'metricsText' | 'stop'

export type CallArguments<N extends CallName> = Parameters<Ingest[N]>
export type CallResult<N extends CallName> = Awaited<ReturnType<Ingest[N]>>

export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly name: CallName; readonly args: readonly unknown[] }
  | { readonly kind: 'targetGroups'; readonly args: Parameters<Ingest['setTargetGroups']> }

export type FromWorker =
  | { readonly kind: 'ready'; readonly handle: DbHandle }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly message: string }
  | {
      readonly kind: 'log'
      readonly level: LogLevel
      readonly message: string
      readonly fields?: Record<string, unknown>
    }
  | { readonly kind: 'replay'; readonly progress: Parameters<NonNullable<DbOptions['onReplay']>>[0] }

/** `workerData` of the ingest worker. */
export type IngestWorkerData = IngestOptions
