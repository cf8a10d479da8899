// One query worker as the pool sees it: a thread that runs one task at a time and may die of it.
import { Worker } from 'node:worker_threads'
import type { AnswerMessage, QueryTask, QueryWorkerData, TaskAnswer, TaskCost } from './messages.ts'

export interface QueryWorkerOptions {
  readonly workerUrl: URL
  readonly data: Omit<QueryWorkerData, 'cancel'>
  /** Limits of V8 for the thread: only the last net, the engine and the pool's watch come first. */
  readonly heapMegabytesMax: number
  readonly onExit: (worker: QueryWorker) => void
  /** Element 0 counts the queries that run. */
  readonly load?: Int32Array
}

/** How a task ended. `died` tells why the thread is gone. */
export type TaskOutcome =
  | { readonly type: 'answer'; readonly answer: TaskAnswer; readonly cost: TaskCost | undefined }
  | { readonly type: 'died'; readonly reason: string; readonly outOfMemory: boolean }

interface Running {
  readonly id: number
  readonly settle: (outcome: TaskOutcome) => void
}

export class QueryWorker {
  readonly #worker: Worker
  readonly #cancel: Int32Array
  readonly #options: QueryWorkerOptions
  #running: Running | undefined
  #nextId = 1
  #failure: { reason: string; outOfMemory: boolean } | undefined
  #gone = false

  constructor(options: QueryWorkerOptions) {
    this.#options = options
    const cancel = new SharedArrayBuffer(4)
    this.#cancel = new Int32Array(cancel)
    this.#worker = new Worker(options.workerUrl, {
      workerData: { ...options.data, cancel } satisfies QueryWorkerData,
      resourceLimits: { maxOldGenerationSizeMb: options.heapMegabytesMax },
      // Not those of the process: a test runner's import conditions would lead built workers to sources.
      execArgv: [],
      name: 'query',
      transferList: options.data.helper ? [options.data.helper.port] : [],
    })
    this.#worker.unref()
    this.#worker.on('message', (message: AnswerMessage) => {
      if (message.id !== this.#running?.id) return
      const { settle } = this.#running
      this.#setRunning(undefined)
      settle({ type: 'answer', answer: message.answer, cost: message.cost })
    })
    this.#worker.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure ??= {
        reason: error.message,
        outOfMemory: error.code === 'ERR_WORKER_OUT_OF_MEMORY',
      }
    })
    this.#worker.on('exit', (code) => this.#died(`the worker ended with code ${code}`))
  }

  get busy(): boolean {
    return this.#running !== undefined
  }

  get gone(): boolean {
    return this.#gone
  }

  /** Runs one task; the worker must be idle. Never rejects. `deadlineMs` since the epoch. */
  run(task: QueryTask, deadlineMs: number, queueSeconds = 0): Promise<TaskOutcome> {
    if (this.#gone || this.#running) throw new Error('query worker is not idle')
    Atomics.store(this.#cancel, 0, 0)
    const id = this.#nextId++
    return new Promise((settle) => {
      this.#setRunning({ id, settle })
      this.#worker.postMessage({ id, task, deadlineMs, queueSeconds })
    })
  }

  /** Asks the running task to end at its next check. */
  cancel(): void {
    Atomics.store(this.#cancel, 0, 1)
  }

  /** Ends the thread at once, whatever it runs. `reason` is what its task is told. */
  async terminate(reason: string, outOfMemory = false): Promise<void> {
    this.#failure ??= { reason, outOfMemory }
    this.#gone = true
    await this.#worker.terminate()
  }

  #setRunning(running: Running | undefined): void {
    const change = Number(running !== undefined) - Number(this.#running !== undefined)
    this.#running = running
    if (this.#options.load !== undefined) Atomics.add(this.#options.load, 0, change)
  }

  #died(fallback: string): void {
    this.#gone = true
    const { reason, outOfMemory } = this.#failure ?? { reason: fallback, outOfMemory: false }
    const running = this.#running
    this.#setRunning(undefined)
    this.#options.onExit(this)
    running?.settle({ type: 'died', reason, outOfMemory })
  }
}
