// What the HTTP side is given: views of the running server, and its switches.
import type { Registry } from '@watchfire/instrument'
import type { EngineFeatures } from '@watchfire/promql'
import type { Ingest } from '../ingest/contract.ts'
import type { Logger } from '../logger.ts'
import type { QueryPool } from '../query/index.ts'
import type { AlertmanagersView, RulesView } from './contract.ts'

export interface BuildInfo {
  readonly version: string
  readonly revision: string
  readonly branch: string
  readonly buildUser: string
  readonly buildDate: string
  readonly goVersion: string
}

/** The server's life, as the pages and the API see it. */
export interface ServerView {
  readonly ready: boolean
  readonly stopping: boolean
  readonly startMs: number
  readonly configYaml: string
  readonly externalLabels: Readonly<Record<string, string>>
  readonly scrapePools: readonly string[]
  readonly reloadSucceeded: boolean
  /** When the configuration in force was loaded. */
  readonly lastReloadMs: number
  /** When it was last tried, with or without success. */
  readonly lastReloadTriedMs: number
  /** Log segments that are read at the start. */
  readonly replay: { readonly min: number; readonly max: number; readonly current: number }
  /** E.g. `15d or 1GiB`. */
  readonly retentionText: string
  /** Reads the configuration again; rejects with what is wrong. */
  reload(): Promise<void>
  /** Asks the process to stop. */
  quit(): void
}

export interface WebOptions {
  readonly server: ServerView
  readonly pool: QueryPool
  readonly ingest: Pick<Ingest, 'exemplars' | 'targets' | 'metadata' | 'stats' | 'metricsText'>
  /** Undefined while the receiver is switched off. `accepted` are the messages it takes. */
  readonly remoteWrite?: Pick<Ingest, 'write'> & { readonly accepted: readonly string[] }
  readonly rules: RulesView
  readonly alertmanagers: AlertmanagersView
  readonly registry: Registry
  readonly logger: Logger
  readonly build: BuildInfo
  readonly features?: EngineFeatures
  /** As text, for `/api/v1/status/flags`. */
  readonly flags: Readonly<Record<string, string>>
  /** Path of all routes, '/' or '/prefix'. */
  readonly routePrefix: string
  /** Path of links sent to browsers, '' or '/prefix'. */
  readonly externalPath: string
  readonly corsOrigin: string
  readonly enableLifecycle: boolean
  /** Folder with `server.html` and `assets/`. */
  readonly uiDir?: string
  /** Folder with `<alert>.md`, served under `/runbooks/<alert>`. */
  readonly runbooksDir?: string
  readonly now?: () => number
}
