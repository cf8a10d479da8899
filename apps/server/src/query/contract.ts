// Between the main thread and the query workers. Answers of the API lane come as ready JSON bytes, so that the main thread never walks samples.
import type { FloatHistogram } from '@watchfire/datamodel'
import type { QueryErrorKind } from '@watchfire/promql'
import type { ActiveQuery } from './active-queries.ts'

export interface QueryPoolRequest {
  readonly expr: string
  readonly startMs: number
  readonly endMs: number
  /** Absent = instant query. */
  readonly stepMs?: number
  readonly lookbackMs?: number
  readonly timeoutMs?: number
  /** Most series in the answer, 0 = all. */
  readonly limit?: number
  readonly stats?: 'none' | 'basic' | 'all'
  /** Warnings of the request itself, added to those of the answer. */
  readonly warnings?: readonly string[]
}

/** The bytes of `{"status":"success","data":…}` or what becomes an error answer. */
export type QueryJsonAnswer =
  | { readonly ok: true; readonly body: Uint8Array }
  | { readonly ok: false; readonly kind: QueryErrorKind; readonly message: string }

/** A sample of an instant vector, as the rules and templates want it. */
export interface PlainSample {
  /** Flat sorted pairs. */
  readonly pairs: readonly string[]
  readonly timeMs: number
  readonly value: number
  readonly histogram?: FloatHistogram
}

export type QueryVectorAnswer =
  | {
      readonly ok: true
      readonly samples: readonly PlainSample[]
      readonly warnings: readonly string[]
      readonly infos: readonly string[]
    }
  | { readonly ok: false; readonly kind: QueryErrorKind; readonly message: string }

export interface QueryPool {
  /** For the HTTP API. `signal` cancels (a client that went away). */
  json(request: QueryPoolRequest, signal?: AbortSignal): Promise<QueryJsonAnswer>
  /** Instant query of a rule or template, in a lane of its own. A scalar becomes one sample without labels. */
  vector(request: {
    readonly expr: string
    readonly timeMs: number
    readonly lookbackMs?: number
    readonly timeoutMs?: number
  }): Promise<QueryVectorAnswer>
  /** Newest samples at most `lookbackMs` old, with their own times, of what any of the selectors selects; sorted by labels. */
  latest(request: LatestRequest, signal?: AbortSignal): Promise<QueryVectorAnswer>
  /** `series`, `labels` and `label values`: JSON bytes of the whole answer. */
  metadata(request: MetadataRequest, signal?: AbortSignal): Promise<QueryJsonAnswer>
  /** Queries that wait or run, oldest first. */
  activeQueries?(): readonly ActiveQuery[]
  /** Cancels one of them; false when there is none with this id. */
  cancelQuery?(id: number): boolean
  stop(): Promise<void>
}

export interface LatestRequest {
  /** Selectors as text; they may match everything. */
  readonly matches: readonly string[]
  readonly timeMs: number
  readonly lookbackMs: number
}

export interface MetadataRequest {
  readonly what: 'series' | 'labelNames' | 'labelValues' | 'cardinality'
  readonly label?: string
  /** Selectors as text. */
  readonly matches: readonly string[]
  readonly startMs: number
  readonly endMs: number
  readonly limit: number
}
