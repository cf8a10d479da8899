// Owns the scrape pools: one for each job of the configuration.
import { hostname } from 'node:os'
import type { ScrapeConfig } from '../config/types.ts'
import type { TargetGroup } from '../discovery/contract.ts'
import type { TargetMetadata, TargetStatus, TargetsSnapshot } from '../ingest/contract.ts'
import { fnv1a64 } from './fnv.ts'
import { globalUrl, type OwnAddress } from './global-url.ts'
import { ScrapePool } from './pool.ts'
import { jobSettings, type LoopContext } from './settings.ts'

export class ScrapeManager {
  readonly #context: LoopContext
  readonly #own: OwnAddress | undefined
  readonly #pools = new Map<string, ScrapePool>()
  /** Pools of removed jobs whose series are still to be ended. */
  #retired: ScrapePool[] = []
  /** Groups of pools, also of those that have no configuration yet. */
  readonly #groups = new Map<string, readonly TargetGroup[]>()

  constructor(context: LoopContext, own?: OwnAddress) {
    this.#context = context
    this.#own = own
  }

  get pools(): ReadonlyMap<string, ScrapePool> {
    return this.#pools
  }

  /** All or nothing: throws before anything changed when a job does not compile. Unchanged jobs go on undisturbed. */
  applyConfig(configs: readonly ScrapeConfig[], externalLabels: Readonly<Record<string, string>>): void {
    const { options, counters } = this.#context
    const labels = JSON.stringify(Object.entries(externalLabels).sort())
    const seed = fnv1a64(hostname() + labels)
    let jobs
    try {
      jobs = configs.map((config) => jobSettings(config, options))
    } catch (error) {
      counters.poolsFailed++
      counters.reloadsFailed++
      throw error
    }
    this.#retired = this.#retired.filter((pool) => pool.isEnding)
    const names = new Set(configs.map((config) => config.jobName))
    for (const [name, pool] of this.#pools) {
      if (names.has(name)) continue
      pool.retire()
      this.#retired.push(pool)
      this.#pools.delete(name)
      this.#groups.delete(name)
    }
    for (const job of jobs) {
      const { config } = job
      const pool = this.#pools.get(config.jobName)
      if (pool === undefined) {
        const created = new ScrapePool(config, this.#context, seed)
        counters.poolsCreated++
        this.#pools.set(config.jobName, created)
        created.setGroups(this.#groups.get(config.jobName) ?? [])
      } else if (JSON.stringify(pool.config) !== JSON.stringify(config)) {
        counters.reloads++
        pool.reload(job, seed)
      }
    }
  }

  setTargetGroups(scrapePool: string, groups: readonly TargetGroup[]): void {
    this.#groups.set(scrapePool, groups)
    this.#pools.get(scrapePool)?.setGroups(groups)
  }

  targets(): TargetsSnapshot {
    const active: TargetStatus[] = []
    const dropped: TargetsSnapshot['dropped'][number][] = []
    const droppedCounts: Record<string, number> = {}
    for (const [scrapePool, pool] of this.#pools) {
      droppedCounts[scrapePool] = pool.droppedCount
      for (const discoveredLabels of pool.dropped) dropped.push({ discoveredLabels, scrapePool })
      for (const { target, state, discovered } of pool.loops)
        active.push({
          scrapePool,
          discoveredLabels: discovered,
          labels: target.labels.toObject(),
          scrapeUrl: target.url,
          globalUrl: globalUrl(target.url, this.#own),
          lastError: state.lastError,
          lastScrapeMs: state.lastScrapeMs,
          lastScrapeDurationSeconds: state.lastDurationSeconds,
          health: state.health,
          scrapeInterval: target.intervalText,
          scrapeTimeout: target.timeoutText,
        })
    }
    return { active, dropped, droppedCounts }
  }

  metadata(): TargetMetadata[] {
    const all: TargetMetadata[] = []
    for (const pool of this.#pools.values())
      for (const { target, cache } of pool.loops) {
        const labels = target.labels.toObject()
        for (const [metric, { type, help, unit }] of cache.metadata)
          all.push({ metric, target: labels, type, help, unit })
      }
    return all
  }

  /** Stops all loops, without staleness markers. */
  stop(): void {
    for (const pool of [...this.#pools.values(), ...this.#retired]) pool.stop()
    this.#retired = []
    this.#pools.clear()
  }
}
