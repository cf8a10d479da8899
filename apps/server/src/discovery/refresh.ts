// Discoveries that ask again and again: once at the start, then every interval, one at a time. A failed refresh is
// logged and counted, and the groups of the last good one stay.
import type { DiscoveryContext } from './context.ts'
import { reasonOf } from './context.ts'
import type { Discoverer, TargetGroup } from './contract.ts'

export interface RefreshOptions {
  readonly mechanism: string
  readonly intervalMs: number
  /** Asks once; `signal` ends it. */
  readonly refresh: (signal: AbortSignal) => Promise<readonly TargetGroup[]>
  readonly onStop?: () => void
}

/** Shortest interval: a file that says 0 must not ask without a pause. */
const INTERVAL_MS_MIN = 100

export class RefreshDiscovery implements Discoverer {
  readonly #context: DiscoveryContext
  readonly #options: RefreshOptions
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #last = ''

  constructor(options: RefreshOptions, context: DiscoveryContext) {
    this.#options = options
    this.#context = context
  }

  start(): void {
    void this.#run()
  }

  stop(): void {
    this.#stop.abort()
    clearTimeout(this.#timer)
    this.#options.onStop?.()
  }

  async #run(): Promise<void> {
    const began = performance.now()
    const { mechanism, intervalMs, refresh } = this.#options
    const { pool, events, logger, onGroups } = this.#context
    let failed = false
    try {
      const groups = await refresh(this.#stop.signal)
      if (this.#stop.signal.aborted) return
      const key = JSON.stringify(groups)
      if (key !== this.#last) {
        this.#last = key
        onGroups(groups)
      }
    } catch (error) {
      if (this.#stop.signal.aborted) return
      failed = true
      logger.error('Unable to refresh target groups', {
        discovery: mechanism,
        config: pool,
        err: reasonOf(error),
      })
    }
    const took = performance.now() - began
    events.onRefresh?.(mechanism, pool, took / 1000, failed)
    this.#timer = setTimeout(() => void this.#run(), Math.max(intervalMs - took, INTERVAL_MS_MIN))
    this.#timer.unref()
  }
}
