// What the pool and its workers say to each other. One task at a time per worker; the answer's bytes are transferred.
import type { MessagePort } from 'node:worker_threads'
import type { QueryErrorKind } from '@watchfire/promql'
import type { DbHandle } from '@watchfire/tsdb'
import type { EngineOptions } from '@watchfire/promql'
import type { LatestRequest, MetadataRequest, PlainSample, QueryPoolRequest } from './contract.ts'

export interface VectorRequest {
  readonly expr: string
  readonly timeMs: number
  readonly lookbackMs?: number
  readonly timeoutMs?: number
}

export type QueryTask =
  | { readonly what: 'json'; readonly request: QueryPoolRequest }
  | { readonly what: 'vector'; readonly request: VectorRequest }
  | { readonly what: 'latest'; readonly request: LatestRequest }
  | { readonly what: 'metadata'; readonly request: MetadataRequest }

export interface TaskFailure {
  readonly ok: false
  readonly kind: QueryErrorKind
  readonly message: string
}

export type TaskAnswer =
  | { readonly ok: true; readonly body: Uint8Array }
  | {
      readonly ok: true
      readonly samples: readonly PlainSample[]
      readonly warnings: readonly string[]
      readonly infos: readonly string[]
    }
  | TaskFailure

/** What a finished task tells beside its answer, for the pool's metrics. */
export interface TaskCost {
  /** Seconds. */
  readonly prepareSeconds: number
  readonly evalSeconds: number
  readonly sortSeconds: number
  readonly samplesTotal: number
  readonly samplesRead: number
}

export interface TaskMessage {
  readonly id: number
  readonly task: QueryTask
  /** Milliseconds since the epoch. */
  readonly deadlineMs: number
  /** Time it waited for a worker. */
  readonly queueSeconds: number
}

export interface AnswerMessage {
  readonly id: number
  readonly answer: TaskAnswer
  readonly cost?: TaskCost
}

/** `workerData` of a query worker. */
export interface QueryWorkerData {
  readonly handle: DbHandle
  readonly engine: EngineOptions
  /** Element 0 ≠ 0 cancels the running task. */
  readonly cancel: SharedArrayBuffer
  /** Module with `createRunner`. */
  readonly runnerUrl: string
  readonly helper?: HelperLink
}

/** Between a query worker and the helper thread that may take over parts of its queries. */
export interface HelperLink {
  readonly port: MessagePort
  /** The word of `createFoldHelper`. */
  readonly state: Int32Array
  /** Element 0 = queries that run now, of all workers. */
  readonly load: SharedArrayBuffer
  /** So many threads can run at the same time. */
  readonly threads: number
}

/** Runs tasks, one after the other, synchronously. */
export interface Runner {
  /** `deadline` as of `performance.now()`. Does not throw for failures of the query. */
  run(
    task: QueryTask,
    deadline: number,
    cancel: Int32Array,
    queueSeconds?: number,
  ): { answer: TaskAnswer; cost?: TaskCost }
  close(): void
}

/** What a runner module exports. */
export interface RunnerModule {
  createRunner(data: Pick<QueryWorkerData, 'handle' | 'engine' | 'helper'>): Runner
}
