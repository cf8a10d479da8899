// Watches the process's memory while queries run. The engine accounts what it allocates; this catches what escapes
// the account (a growing Map, Array, string or typed array): V8's own limit of a worker would abort the whole
// process for some of them, so the thread is ended from here before it gets there.
import { totalmem } from 'node:os'
import type { RunningTask } from './lane.ts'

export interface MemoryWatchOptions {
  /** How much the process may grow while queries run, in bytes, before the youngest query is ended. */
  readonly growthBytesMax: number
  readonly intervalMs: number
  /** Tasks that could be ended. */
  readonly running: () => readonly RunningTask[]
  /** Resident bytes of the process. */
  readonly rssBytes?: () => number
}

/** The smaller of 2 GiB and half of the machine's (or container's) memory. */
export function defaultGrowthBytesMax(): number {
  const constrained = process.constrainedMemory() ?? 0
  const total = constrained > 0 && constrained < totalmem() ? constrained : totalmem()
  return Math.min(2 * 2 ** 30, Math.floor(total / 2))
}

export class MemoryWatch {
  readonly #options: MemoryWatchOptions
  readonly #rss: () => number
  #timer: NodeJS.Timeout | undefined
  #baseline = 0

  constructor(options: MemoryWatchOptions) {
    this.#options = options
    this.#rss = options.rssBytes ?? (() => process.memoryUsage.rss())
  }

  /** To be called when a task starts; watching ends by itself when none runs. */
  wake(): void {
    if (this.#timer) return
    this.#baseline = this.#rss()
    this.#timer = setInterval(() => this.#check(), this.#options.intervalMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #check(): void {
    const running = this.#options.running()
    if (running.length === 0) return this.stop()
    const rss = this.#rss()
    this.#baseline = Math.min(this.#baseline, rss)
    if (rss - this.#baseline <= this.#options.growthBytesMax) return
    const youngest = running.reduce((a, b) => (b.startedAt > a.startedAt ? b : a))
    const megabytes = Math.round(this.#options.growthBytesMax / 2 ** 20)
    void youngest.worker.terminate(`queries grew the process by more than ${megabytes} MiB`, true)
    // The pages come back when the thread is gone; until then nobody else pays for them.
    this.#baseline = rss
  }
}
