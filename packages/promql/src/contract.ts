// What the query engine offers. It runs synchronously in a thread of its own.
import type { FloatHistogram, Labels, Queryable } from '@watchfire/datamodel'

/** Feature switches, named as Prometheus's `--enable-feature` values. */
export interface EngineFeatures {
  readonly experimentalFunctions?: boolean
  readonly durationExpressions?: boolean
  readonly extendedRangeSelectors?: boolean
  readonly binopFillModifiers?: boolean
  readonly delayedNameRemoval?: boolean
  readonly perStepStats?: boolean
  readonly useStartTimestamps?: boolean
  readonly typeAndUnitLabels?: boolean
}

/** Another thread that may take over parts of a query's work, on the query's own memory. */
export interface FoldHelper {
  /** Offers work (a board of `exec/fold-board.ts`) in a shared memory. Undefined when there is nobody to take it. */
  offer(memory: WebAssembly.Memory, board: number): FoldOffer | undefined
}

export interface FoldOffer {
  /** Withdraws the offer, or waits until the helper has stopped touching the memory. */
  end(): void
}

export interface EngineOptions {
  /** ms, default 5 min. */
  readonly lookbackMs?: number
  /** Most samples in memory at one time, default 50,000,000. */
  readonly samplesMax?: number
  /** Most bytes of a query's private memory and of its accounted JS collections, default 1 GiB. */
  readonly memoryBytesMax?: number
  /** Default step of subqueries, ms, default 1 min. */
  readonly subqueryStepMs?: number
  readonly features?: EngineFeatures
  /** Rewrites of plans that are left out, by name (`REWRITES`): results stay the same. */
  readonly disable?: readonly string[]
  readonly helper?: FoldHelper
}

/** Names of what `EngineOptions.disable` can switch off. */
export const REWRITES = ['fold', 'fold-units', 'window-kernels'] as const
export type Rewrite = (typeof REWRITES)[number]

export interface QueryRequest {
  readonly expr: string
  /** ms. An instant query has start = end and no step. */
  readonly startMs: number
  readonly endMs: number
  readonly stepMs?: number
  /** Instead of the engine's; 0 = the engine's. */
  readonly lookbackMs?: number
  /** The query ends with a timeout error when `performance.now()` passes this. */
  readonly deadline?: number
  /** Element 0 ≠ 0 cancels the query; may be shared with another thread. */
  readonly cancel?: Int32Array
}

export interface VectorSample {
  readonly labels: Labels
  readonly timeMs: number
  /** Ignored when `histogram` is set. */
  readonly value: number
  readonly histogram?: FloatHistogram
}

/** One series of a matrix: columns of equal length, in order of time. */
export interface MatrixSeries {
  readonly labels: Labels
  readonly times: Float64Array
  readonly values: Float64Array
  /** Set at the positions that hold histograms; undefined when there are only floats. */
  readonly histograms?: readonly (FloatHistogram | undefined)[]
}

export type QueryValue =
  | { readonly type: 'vector'; readonly samples: readonly VectorSample[] }
  | { readonly type: 'matrix'; readonly series: readonly MatrixSeries[] }
  | { readonly type: 'scalar'; readonly timeMs: number; readonly value: number }
  | { readonly type: 'string'; readonly timeMs: number; readonly value: string }

export interface QueryStats {
  readonly timings: {
    readonly evalTotalTime: number
    readonly resultSortTime: number
    readonly queryPreparationTime: number
    readonly innerEvalTime: number
    readonly execQueueTime: number
    readonly execTotalTime: number
  }
  readonly samples: {
    readonly totalQueryableSamples: number
    readonly peakSamples: number
    readonly samplesRead: number
    /** [s, samples] of each step, with `perStepStats`. */
    readonly totalQueryableSamplesPerStep?: readonly (readonly [number, number])[]
  }
}

export interface QueryResult {
  readonly value: QueryValue
  /** Annotations in API form: `PromQL warning: … (1:5)`. */
  readonly warnings: readonly string[]
  readonly infos: readonly string[]
  readonly stats: QueryStats
}

/** Error kinds of the HTTP API. */
export type QueryErrorKind = 'bad_data' | 'execution' | 'timeout' | 'canceled' | 'internal'

/** A query that cannot be answered; `message` is Prometheus's text. */
export class QueryError extends Error {
  override name = 'QueryError'
  readonly kind: QueryErrorKind
  constructor(kind: QueryErrorKind, message: string) {
    super(message)
    this.kind = kind
  }
}

export interface Engine {
  /** Throws `QueryError`. */
  query(queryable: Queryable, request: QueryRequest): QueryResult
}
