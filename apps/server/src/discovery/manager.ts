// Runs the discoveries of all scrape pools (or of all Alertmanager configs) and hands over their groups, whole, per
// pool. A pool whose configuration did not change keeps its running discovery through a reload.
import type { DiscoveryConfig } from '../config/index.ts'
import type { Logger } from '../logger.ts'
import type { TargetGroup } from './contract.ts'
import { FileDiscovery } from './file-discovery.ts'

/** What is counted, for `prometheus_sd_*`. */
export interface DiscoveryEvents {
  readonly onUpdate?: (pool: string, targetCount: number) => void
  readonly onRemoved?: (pool: string) => void
  readonly onFileReadError?: () => void
  readonly onFileWatchError?: () => void
}

export interface DiscoveryManagerOptions {
  readonly logger: Logger
  /** All groups of one pool, whenever they changed; first with what is known at once. */
  readonly onGroups: (pool: string, groups: readonly TargetGroup[]) => void
  readonly events?: DiscoveryEvents
}

interface Pool {
  readonly key: string
  readonly statics: readonly TargetGroup[]
  readonly files: FileDiscovery[]
  readonly fileGroups: (readonly TargetGroup[])[]
}

export class DiscoveryManager {
  readonly #options: DiscoveryManagerOptions
  readonly #pools = new Map<string, Pool>()

  constructor(options: DiscoveryManagerOptions) {
    this.#options = options
  }

  /** Replaces the configuration. Resolves when the first groups of every new pool were handed over. */
  async apply(configs: ReadonlyMap<string, DiscoveryConfig>): Promise<void> {
    for (const [name, pool] of this.#pools) {
      const next = configs.get(name)
      if (next && JSON.stringify(next) === pool.key) continue
      for (const file of pool.files) file.stop()
      this.#pools.delete(name)
      if (!next) this.#options.events?.onRemoved?.(name)
    }
    const starting: Promise<void>[] = []
    for (const [name, config] of configs) if (!this.#pools.has(name)) starting.push(this.#start(name, config))
    await Promise.all(starting)
  }

  /** Hands over the groups of every pool again, e.g. to scrape pools that were made anew. */
  resend(): void {
    for (const [name, pool] of this.#pools) this.#send(name, pool)
  }

  stop(): void {
    for (const pool of this.#pools.values()) for (const file of pool.files) file.stop()
    this.#pools.clear()
  }

  async #start(name: string, config: DiscoveryConfig): Promise<void> {
    const { logger, events } = this.#options
    const pool: Pool = {
      key: JSON.stringify(config),
      statics: config.staticConfigs.map(({ targets, labels }, i) => ({
        source: String(i),
        labels,
        targets: targets.map((target) => ({ __address__: target })),
      })),
      files: [],
      fileGroups: config.fileSdConfigs.map(() => []),
    }
    let started = false
    config.fileSdConfigs.forEach((fileConfig, i) =>
      pool.files.push(
        new FileDiscovery(fileConfig, {
          onGroups: (groups) => {
            pool.fileGroups[i] = groups
            if (started && this.#pools.get(name) === pool) this.#send(name, pool)
          },
          onReadError: (path, error) => {
            events?.onFileReadError?.()
            logger.error('Error reading file', { discovery: 'file', config: name, path, err: error })
          },
          onWatchError: (dir, error) => {
            events?.onFileWatchError?.()
            logger.error('Error watching file', { discovery: 'file', config: name, path: dir, err: error })
          },
        }),
      ),
    )
    this.#pools.set(name, pool)
    await Promise.all(pool.files.map((file) => file.start()))
    started = true
    if (this.#pools.get(name) === pool) this.#send(name, pool)
  }

  #send(name: string, pool: Pool): void {
    const groups = [...pool.statics, ...pool.fileGroups.flat()]
    this.#options.events?.onUpdate?.(
      name,
      groups.reduce((sum, group) => sum + group.targets.length, 0),
    )
    this.#options.onGroups(name, groups)
  }
}
