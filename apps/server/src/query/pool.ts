// The query pool: two lanes of workers and the watch over their memory.
import { availableParallelism } from 'node:os'
import type { EngineOptions } from '@watchfire/promql'
import type { DbHandle } from '@watchfire/tsdb'
import type {
  LatestRequest,
  MetadataRequest,
  QueryJsonAnswer,
  QueryPool,
  QueryPoolRequest,
  QueryVectorAnswer,
} from './contract.ts'
import { ActiveQueries, type ActiveQuery, type SlowQuery } from './active-queries.ts'
import { HelperThread } from './helper-thread.ts'
import { Lane, type RunningTask } from './lane.ts'
import { MemoryWatch, defaultGrowthBytesMax } from './memory-watch.ts'
import type { QueryTask, TaskAnswer, TaskCost, VectorRequest } from './messages.ts'

export interface QueryPoolOptions {
  /** Asked whenever a worker starts. */
  readonly handle: () => DbHandle
  readonly engine?: EngineOptions
  /** Most queries of the API lane at the same time, default 20; threads are bounded by the machine too. */
  readonly concurrencyMax?: number
  /** Most threads of the API lane, default the number of processors, at least 2. */
  readonly threadsMax?: number
  /** Longest time a query may take, ms, default 2 min; a request can only shorten it. */
  readonly timeoutMs?: number
  /** Time between cancelling a query and ending its thread, ms, default 1000. */
  readonly graceMs?: number
  /** Idle workers end after this, ms, default 60 s. */
  readonly idleMs?: number
  /** Growth of the process that ends a query, bytes. */
  readonly growthBytesMax?: number
  /** V8 heap of one worker, MiB, default 4096: the last net. */
  readonly heapMegabytesMax?: number
  /** Module that runs the tasks; tests pass one that misbehaves. */
  readonly runnerUrl?: string
  readonly workerUrl?: URL
  readonly helperUrl?: URL
  readonly events?: QueryPoolEvents
  /** From when on a query counts as slow, default 10 s. */
  readonly slowMs?: number
}

/** What is counted, for `prometheus_engine_*`. */
export interface QueryPoolEvents {
  readonly onFinished?: (cost: TaskCost | undefined, queueSeconds: number) => void
  readonly onWorkerDied?: (reason: string) => void
  /** A query that took longer than `slowMs`. */
  readonly onSlow?: (query: SlowQuery) => void
}

const DEFAULT_TIMEOUT_MS = 120_000
const DEFAULT_SLOW_MS = 10_000
const WATCH_INTERVAL_MS = 25

/** The built worker, next to this file or, when this runs from sources, in `dist`. */
function builtUrl(name: string): URL {
  return new URL(import.meta.url.endsWith('.ts') ? `../../dist/query/${name}` : `./${name}`, import.meta.url)
}

/** `QueryPool` over worker threads. */
export class WorkerQueryPool implements QueryPool {
  readonly #api: Lane
  readonly #rules: Lane
  readonly #watch: MemoryWatch
  readonly #timeoutMs: number
  readonly #helper: HelperThread
  readonly #active = new ActiveQueries()
  readonly #slowMs: number
  readonly #onSlow: QueryPoolEvents['onSlow']

  constructor(options: QueryPoolOptions) {
    const processors = availableParallelism()
    const helper = new HelperThread(options.helperUrl ?? builtUrl('fold.worker.js'), processors)
    this.#helper = helper
    this.#slowMs = options.slowMs ?? DEFAULT_SLOW_MS
    this.#onSlow = options.events?.onSlow
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
    const lane = (threadsMax: number) =>
      new Lane({
        worker: () => ({
          workerUrl: options.workerUrl ?? builtUrl('query.worker.js'),
          data: {
            handle: options.handle(),
            engine: options.engine ?? {},
            runnerUrl: options.runnerUrl ?? builtUrl('default-runner.js').href,
            ...helper.link(),
          },
          load: helper.load,
          heapMegabytesMax: options.heapMegabytesMax ?? 4096,
        }),
        threadsMax,
        idleMs: options.idleMs ?? 60_000,
        graceMs: options.graceMs ?? 1000,
        ...options.events,
      })
    const threads = options.threadsMax ?? Math.max(2, processors)
    this.#api = lane(Math.min(options.concurrencyMax ?? 20, threads))
    this.#rules = lane(1)
    this.#watch = new MemoryWatch({
      growthBytesMax: options.growthBytesMax ?? defaultGrowthBytesMax(),
      intervalMs: WATCH_INTERVAL_MS,
      running: () => this.running(),
    })
  }

  /** Tasks that hold a worker now, of both lanes. */
  running(): RunningTask[] {
    return [...this.#api.running, ...this.#rules.running]
  }

  /** Tasks that wait for a worker. */
  get queued(): number {
    return this.#api.queued + this.#rules.queued
  }

  async json(request: QueryPoolRequest, signal?: AbortSignal): Promise<QueryJsonAnswer> {
    return asJson(await this.#run(this.#api, { what: 'json', request }, request.timeoutMs, signal))
  }

  async metadata(request: MetadataRequest, signal?: AbortSignal): Promise<QueryJsonAnswer> {
    return asJson(await this.#run(this.#api, { what: 'metadata', request }, undefined, signal))
  }

  async vector(request: VectorRequest): Promise<QueryVectorAnswer> {
    const answer = await this.#run(this.#rules, { what: 'vector', request }, request.timeoutMs)
    return !answer.ok || 'samples' in answer ? answer : wrongAnswer
  }

  async latest(request: LatestRequest, signal?: AbortSignal): Promise<QueryVectorAnswer> {
    const answer = await this.#run(this.#api, { what: 'latest', request }, undefined, signal)
    return !answer.ok || 'samples' in answer ? answer : wrongAnswer
  }

  async stop(): Promise<void> {
    this.#watch.stop()
    await Promise.all([this.#api.stop(), this.#rules.stop(), this.#helper.stop()])
  }

  activeQueries(): ActiveQuery[] {
    return this.#active.list()
  }

  cancelQuery(id: number): boolean {
    return this.#active.cancel(id)
  }

  async #run(lane: Lane, task: QueryTask, timeoutMs?: number, signal?: AbortSignal): Promise<TaskAnswer> {
    const { control, end } = this.#active.add(task, lane === this.#rules ? 'rules' : 'api')
    const limitMs = Math.min(timeoutMs ?? this.#timeoutMs, this.#timeoutMs)
    const answer = lane.run(task, limitMs, signal, control)
    this.#watch.wake()
    await answer
    const query = end()
    if (query.seconds * 1000 > this.#slowMs) this.#onSlow?.(query)
    return answer
  }
}

const wrongAnswer = { ok: false, kind: 'internal', message: 'unexpected answer of a query worker' } as const

function asJson(answer: TaskAnswer): QueryJsonAnswer {
  return !answer.ok || 'body' in answer ? answer : wrongAnswer
}
