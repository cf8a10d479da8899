// Runs the discoveries of all scrape pools (or of all Alertmanager configs) and hands over their groups, whole, per
// pool. Equal discoveries run once, whoever uses them, and go on through a reload that keeps them.
import type { DiscoveryConfig } from '../config/index.ts'
import type { Logger } from '../logger.ts'
import type { Discoverer, TargetGroup } from './contract.ts'
import { reasonOf } from './context.ts'
import { discoverySpecs, type DiscoverySpec } from './create.ts'
import type { DiscoveryEvents } from './events.ts'
import { Throttle } from './throttle.ts'

export interface DiscoveryManagerOptions {
  readonly logger: Logger
  /** All groups of one pool, whenever they changed; first with what is known at once. */
  readonly onGroups: (pool: string, groups: readonly TargetGroup[]) => void
  readonly events?: DiscoveryEvents
  /** Sent as User-Agent. */
  readonly userAgent?: string
  /** Longest pause between two updates of a pool. Default 5 s. */
  readonly updatePauseMsMax?: number
}

/** Shortest pause between two updates of a pool. */
const UPDATE_PAUSE_MS = 100
/** Longest that a pool keeps its old targets while new discoveries have not answered yet. */
const REPLACE_WAIT_MS = 10_000

interface Provider {
  readonly users: Set<Pool>
  readonly started: Promise<void>
  /** Its first groups. */
  readonly answered: Promise<void>
  isReady: boolean
  discoverer: Discoverer | undefined
  groups: readonly TargetGroup[]
}

interface Pool {
  readonly name: string
  readonly key: string
  readonly statics: readonly TargetGroup[]
  readonly providers: readonly Provider[]
  readonly throttle: Throttle
  /** Nothing is handed over before the first groups of its quick discoveries. */
  begun: boolean
}

export class DiscoveryManager {
  readonly #options: DiscoveryManagerOptions
  readonly #events: DiscoveryEvents
  readonly #pools = new Map<string, Pool>()
  readonly #providers = new Map<string, Provider>()

  constructor(options: DiscoveryManagerOptions) {
    this.#options = options
    this.#events = options.events ?? {}
  }

  /**
   * Replaces the configuration. Resolves when every new pool was handed what is known at once: static targets and
   * files. What is asked over the network follows when it has answered; until then (but not for ever) a pool whose
   * discovery changed is not told anything and so keeps the targets it has.
   */
  async apply(configs: ReadonlyMap<string, DiscoveryConfig>): Promise<void> {
    const old = new Map<string, Pool>()
    for (const [name, pool] of this.#pools) {
      const next = configs.get(name)
      if (next && JSON.stringify(next) === pool.key) continue
      pool.throttle.stop()
      this.#pools.delete(name)
      old.set(name, pool)
      if (!next) this.#events.onRemoved?.(name)
    }
    this.#dropFailed()
    const starting: Promise<void>[] = []
    for (const [name, config] of configs)
      if (!this.#pools.has(name)) starting.push(this.#start(name, config, old.has(name)))
    // Only now, so that a discovery that goes over to a new pool is not started anew.
    for (const pool of old.values()) this.#release(pool)
    this.#events.onFailedConfigs?.([...this.#providers.values()].filter((it) => !it.discoverer).length)
    await Promise.all(starting)
  }

  /** Hands over the groups of every pool again, e.g. to scrape pools that were made anew. */
  resend(): void {
    for (const pool of this.#pools.values()) if (pool.begun) this.#send(pool)
  }

  stop(): void {
    for (const pool of this.#pools.values()) pool.throttle.stop()
    this.#pools.clear()
    for (const provider of this.#providers.values()) provider.discoverer?.stop()
    this.#providers.clear()
  }

  async #start(name: string, config: DiscoveryConfig, isReplaced: boolean): Promise<void> {
    const pool: Pool = {
      name,
      key: JSON.stringify(config),
      statics: config.staticConfigs.map(({ targets, labels }, i) => ({
        source: String(i),
        labels,
        targets: targets.map((target) => ({ __address__: target })),
      })),
      providers: discoverySpecs(config).map((spec) => this.#provider(spec, name)),
      throttle: new Throttle({
        minMs: UPDATE_PAUSE_MS,
        maxMs: this.#options.updatePauseMsMax ?? 5000,
        run: () => this.#send(pool),
        ...(this.#events.onDelayed && { onDelayed: this.#events.onDelayed }),
      }),
      begun: false,
    }
    for (const provider of pool.providers) provider.users.add(pool)
    this.#pools.set(name, pool)
    await Promise.all(pool.providers.map(({ started }) => started))
    const slow = isReplaced ? pool.providers.filter(({ isReady }) => !isReady) : []
    if (slow.length === 0) this.#begin(pool)
    else
      void Promise.race([Promise.all(slow.map(({ answered }) => answered)), wait(REPLACE_WAIT_MS)]).then(() =>
        this.#begin(pool),
      )
  }

  #begin(pool: Pool): void {
    if (this.#pools.get(pool.name) !== pool) return
    pool.begun = true
    pool.throttle.touch()
  }

  #provider(spec: DiscoverySpec, pool: string): Provider {
    const running = this.#providers.get(spec.key)
    if (running) return running
    const { logger, userAgent = 'Prometheus/3.14.0' } = this.#options
    let settle!: () => void
    const started = new Promise<void>((resolve) => (settle = resolve))
    let answer!: () => void
    const answered = new Promise<void>((resolve) => (answer = resolve))
    const provider: Provider = {
      users: new Set(),
      started,
      answered,
      isReady: false,
      discoverer: undefined,
      groups: [],
    }
    this.#providers.set(spec.key, provider)
    const failed = (error: unknown) =>
      logger.error('Cannot create service discovery', { config: pool, err: reasonOf(error) })
    try {
      provider.discoverer = spec.create({
        pool,
        logger,
        events: this.#events,
        userAgent,
        onGroups: (groups) => {
          this.#events.onReceived?.()
          provider.groups = groups
          provider.isReady = true
          answer()
          for (const user of provider.users) if (user.begun) user.throttle.touch()
        },
      })
      Promise.resolve(provider.discoverer.start()).then(settle, (error: unknown) => {
        failed(error)
        settle()
      })
    } catch (error) {
      failed(error)
      settle()
      provider.isReady = true
      answer()
    }
    return provider
  }

  /** Discoveries that could not be created are tried again by the pools that are started anew. */
  #dropFailed(): void {
    for (const [key, provider] of this.#providers) if (!provider.discoverer) this.#providers.delete(key)
  }

  #release(pool: Pool): void {
    for (const provider of pool.providers) provider.users.delete(pool)
    for (const [key, provider] of this.#providers) {
      if (provider.users.size > 0) continue
      provider.discoverer?.stop()
      this.#providers.delete(key)
    }
  }

  #send(pool: Pool): void {
    const groups = [...pool.statics, ...pool.providers.flatMap((provider) => provider.groups)]
    this.#events.onUpdate?.(
      pool.name,
      groups.reduce((sum, group) => sum + group.targets.length, 0),
    )
    this.#options.onGroups(pool.name, groups)
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
