// The state of the server's life, kept in one place and shown to the pages, the API and the metrics.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { formatDuration } from '@watchfire/datamodel'
import { formatSize, type Config } from './config/index.ts'
import type { ServerView } from './web/index.ts'

/** What requests may ask of the server. */
export interface ServerActions {
  reload(): Promise<void>
  quit(): void
}

/** Written by the server only. */
export class ServerStatus implements ServerView {
  readonly startMs: number = Date.now()
  ready = false
  stopping = false
  reloadSucceeded = false
  lastReloadMs = 0
  lastReloadTriedMs = 0
  replay: ServerView['replay'] = { min: 0, max: 0, current: 0 }
  /** The configuration in force. */
  config: Config
  /** Names of all scrape pools, with those that the file does not name. */
  scrapePools: readonly string[]
  readonly #actions: ServerActions

  constructor(config: Config, actions: ServerActions) {
    this.config = config
    this.scrapePools = config.scrapeConfigs.map(({ jobName }) => jobName)
    this.#actions = actions
  }

  /** Notes the outcome of loading a configuration. */
  reloaded(succeeded: boolean): void {
    this.reloadSucceeded = succeeded
    this.lastReloadTriedMs = Date.now()
    if (succeeded) this.lastReloadMs = this.lastReloadTriedMs
  }

  get configYaml(): string {
    return this.config.effectiveYaml
  }

  get externalLabels(): Readonly<Record<string, string>> {
    return this.config.global.externalLabels
  }

  get retentionText(): string {
    const { retentionMs, retentionBytes } = this.config.storage
    const parts: string[] = []
    if (retentionMs > 0) parts.push(formatDuration(retentionMs))
    if (retentionBytes > 0) parts.push(formatSize(retentionBytes))
    return parts.join(' or ')
  }

  reload(): Promise<void> {
    return this.#actions.reload()
  }

  quit(): void {
    this.#actions.quit()
  }
}

/** Hash of the content of all files that a configuration was made of. */
export function configHash(config: Config): string {
  const hash = createHash('sha256')
  for (const path of [config.path, ...config.scrapeConfigFiles, ...config.ruleFiles]) {
    hash.update(path)
    try {
      hash.update(readFileSync(path))
    } catch {
      hash.update('missing')
    }
  }
  return hash.digest('hex')
}
