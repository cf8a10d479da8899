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
  /** Resident bytes when a task was first seen, and tasks that are being ended. */
  readonly #atStart = new Map<RunningTask, number>()
  readonly #ended = new WeakSet<RunningTask>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: MemoryWatchOptions) {
    this.#options = options
    this.#rss = options.rssBytes ?? (() => process.memoryUsage.rss())
  }

  /** To be called when a task starts; watching ends by itself when none runs. */
  wake(): void {
    this.check()
    if (this.#timer || this.#atStart.size === 0) return
    this.#timer = setInterval(() => this.check(), this.#options.intervalMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#atStart.clear()
  }

  /** One look: growth counts from the start of the oldest running task, so that a growing head is not a query's fault. */
  check(): void {
    const running = this.#options.running().filter((task) => !this.#ended.has(task))
    if (running.length === 0) return this.stop()
    const rss = this.#rss()
    for (const task of this.#atStart.keys()) if (!running.includes(task)) this.#atStart.delete(task)
    for (const task of running) this.#atStart.set(task, Math.min(this.#atStart.get(task) ?? Infinity, rss))
    if (rss - Math.min(...this.#atStart.values()) <= this.#options.growthBytesMax) return
    const youngest = running.reduce((a, b) => (b.startedAt > a.startedAt ? b : a))
    const megabytes = Math.round(this.#options.growthBytesMax / 2 ** 20)
    this.#ended.add(youngest)
    void youngest.worker.terminate(`queries grew the process by more than ${megabytes} MiB`, true)
    // The pages come back when the thread is gone; until then nobody else pays for them.
    for (const task of running) this.#atStart.set(task, rss)
  }
}
