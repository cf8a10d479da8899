// All loops of one job. A sync builds the targets anew, keeps the loops of unchanged ones, starts and stops the rest.
import type { TargetGroup } from '../discovery/contract.ts'
import type { ScrapeConfig } from '../config/types.ts'
import { Summary } from './metrics.ts'
import { ScrapeLoop } from './loop.ts'
import { jobSettings, type JobSettings, type LoopContext } from './settings.ts'
import { buildTargets, type Target } from './target.ts'

export class ScrapePool {
  readonly #context: LoopContext
  readonly #loops = new Map<string, ScrapeLoop>()
  /** Loops of removed targets whose staleness markers are still to come. */
  readonly #ending = new Map<string, ScrapeLoop>()
  #job: JobSettings
  #groups: readonly TargetGroup[] = []
  #seed: bigint
  dropped: readonly Readonly<Record<string, string>>[] = []
  droppedCount = 0
  syncCount = 0
  syncFailures = 0
  readonly syncSeconds = new Summary()

  /** Throws when the job's rules do not compile. */
  constructor(config: ScrapeConfig, context: LoopContext, seed: bigint) {
    this.#context = context
    this.#job = jobSettings(config, context.options)
    this.#seed = seed
  }

  get config(): ScrapeConfig {
    return this.#job.config
  }

  get loops(): Iterable<ScrapeLoop> {
    return this.#loops.values()
  }

  get size(): number {
    return this.#loops.size
  }

  /** Target groups, whole. */
  setGroups(groups: readonly TargetGroup[]): void {
    this.#groups = groups
    this.sync(false)
  }

  /** A new configuration: loops start again, caches go on as far as they are still true. */
  reload(job: JobSettings, seed: bigint): void {
    this.#job = job
    this.#seed = seed
    this.sync(true)
  }

  /** Stops all loops; nothing is written any more. */
  stop(): void {
    for (const loop of this.#loops.values()) loop.stop()
    for (const loop of this.#ending.values()) loop.cancelMarkers()
    this.#loops.clear()
    this.#ending.clear()
  }

  /** Stops all loops and ends their series later. */
  retire(): void {
    for (const key of [...this.#loops.keys()]) this.remove(key)
  }

  /** True while series of removed targets are still to be ended. */
  get isEnding(): boolean {
    return this.#ending.size > 0
  }

  private remove(key: string): void {
    const loop = this.#loops.get(key)
    if (loop === undefined) return
    this.#loops.delete(key)
    this.#ending.set(key, loop)
    loop.stopWithMarkers(() => this.#ending.delete(key))
  }

  private sync(restart: boolean): void {
    const { clock, counters, log } = this.#context
    const begin = clock.monotonic()
    const { config, targetRules } = this.#job
    const { targets, dropped, failures } = buildTargets(this.#groups, config, targetRules)
    for (const failure of failures)
      log('error', 'Creating target failed', { scrape_pool: config.jobName, err: failure })
    this.syncFailures += failures.length
    this.droppedCount = dropped.length
    this.dropped = config.keepDroppedTargets === 0 ? dropped : dropped.slice(0, config.keepDroppedTargets)
    const wanted = new Set(targets.map((target) => target.key))
    for (const key of [...this.#loops.keys()]) if (!wanted.has(key)) this.remove(key)
    for (const target of targets) this.keepOrStart(target, restart)
    const limit = config.targetLimit
    const over = limit > 0 && this.#loops.size > limit
    if (over) counters.exceededTargetLimit++
    const error = over
      ? `target_limit exceeded (number of targets: ${this.#loops.size}, limit: ${limit})`
      : undefined
    for (const loop of this.#loops.values()) loop.setForcedError(error)
    this.syncCount++
    this.syncSeconds.observe((clock.monotonic() - begin) / 1000)
  }

  private keepOrStart(target: Target, restart: boolean): void {
    const running = this.#loops.get(target.key)
    if (running !== undefined && !restart && sameSchedule(running.target, target)) {
      running.discovered = target.discovered
      return
    }
    running?.stop()
    const ending = this.#ending.get(target.key)
    ending?.cancelMarkers()
    this.#ending.delete(target.key)
    const before = running ?? ending
    const loop = new ScrapeLoop(target, this.#job, this.#context, this.#seed, before?.cache.successor())
    this.#loops.set(target.key, loop)
    loop.start()
  }
}

function sameSchedule(a: Target, b: Target): boolean {
  return (
    a.intervalMs === b.intervalMs &&
    a.timeoutMs === b.timeoutMs &&
    a.scrapeNativeHistograms === b.scrapeNativeHistograms &&
    a.alwaysScrapeClassicHistograms === b.alwaysScrapeClassicHistograms &&
    a.convertClassicHistogramsToNhcb === b.convertClassicHistogramsToNhcb
  )
}
