// State of one running query: its limits, its private memory, its annotations and its counters.
import { MemoryBudgetError, type Querier } from '@watchfire/datamodel'
import type { Arena } from '@watchfire/kernels'
import { QueryError, type EngineFeatures, type FoldHelper, type Rewrite } from '../contract.ts'
import { Annotations } from './annotations.ts'
import type { Grid } from './operator.ts'

export interface ContextOptions {
  readonly querier: Querier
  readonly arena: Arena
  readonly features: EngineFeatures
  readonly lookbackMs: number
  readonly samplesMax: number
  readonly memoryBytesMax: number
  readonly deadline: number | undefined
  readonly cancel: Int32Array | undefined
  /** Names of `REWRITES`. */
  readonly disable?: readonly string[]
  readonly helper?: FoldHelper | undefined
}

/** Counters of samples, as the stats of the API want them. */
export interface SampleCounters {
  /** Samples looked at: those of overlapping windows count once per window. */
  queryable: number
  /** Samples read from storage. */
  read: number
}

export class QueryContext {
  readonly querier: Querier
  readonly arena: Arena
  readonly features: EngineFeatures
  readonly lookbackMs: number
  readonly annotations = new Annotations()
  readonly counters: SampleCounters = { queryable: 0, read: 0 }
  /** Samples looked at per step of the query; only kept when asked for. */
  perStep: Float64Array | undefined
  /** The steps of the query itself. */
  rootGrid: Grid | undefined
  /** Most samples that were alive at one time. */
  peakSamples = 0
  readonly #options: ContextOptions
  #liveSamples = 0
  #heapBytes = 0

  constructor(options: ContextOptions) {
    this.#options = options
    this.querier = options.querier
    this.arena = options.arena
    this.features = options.features
    this.lookbackMs = options.lookbackMs
  }

  get helper(): FoldHelper | undefined {
    return this.#options.helper
  }

  /** Whether a rewrite may be used. */
  allows(rewrite: Rewrite): boolean {
    return this.#options.disable?.includes(rewrite) !== true
  }

  /** Drop names at the end of the query, not in the operation that makes them wrong. */
  get delayedNames(): boolean {
    return this.features.delayedNameRemoval === true
  }

  /** Throws when the query was cancelled or ran out of time. Called once per row. */
  poll(): void {
    const { cancel, deadline } = this.#options
    if (cancel !== undefined && Atomics.load(cancel, 0) !== 0)
      throw new QueryError('canceled', 'query was canceled in query execution')
    if (deadline !== undefined && performance.now() > deadline)
      throw new QueryError('timeout', 'query timed out in query execution')
  }

  /** Counts samples looked at in a step, for stats per step of the query's own grid. */
  countStep(grid: Grid, step: number, count: number): void {
    if (this.perStep !== undefined && grid === this.rootGrid) this.perStep[step]! += count
  }

  /** Warnings of the storage, passed on as they are. */
  readonly storageWarnings = new Set<string>()

  storageWarning(text: string): void {
    this.storageWarnings.add(text)
  }

  /** Samples alive now. */
  get liveSamples(): number {
    return this.#liveSamples
  }

  /** Counts samples that came alive (or, negative, went). */
  addLive(count: number): void {
    this.#liveSamples += count
    if (this.#liveSamples <= this.peakSamples) return
    this.peakSamples = this.#liveSamples
    if (this.#liveSamples > this.#options.samplesMax) throw tooManySamples()
  }

  /** Refuses a grid so long that one series on it is too much. */
  expectSteps(steps: number): void {
    if (steps > this.#options.samplesMax) throw tooManySamples()
    this.chargeHeap(steps * STEP_BYTES)
  }

  /** Back to an earlier number of live samples, plus what the operation gave. */
  settleLive(before: number, added: number): void {
    this.#liveSamples = before
    this.addLive(added)
  }

  /** Accounts for JavaScript collections of the query; with the arena they must stay within the budget. */
  chargeHeap(bytes: number): void {
    this.#heapBytes += bytes
    if (this.#heapBytes + this.arena.usedBytes > this.#options.memoryBytesMax)
      throw new MemoryBudgetError(
        `query memory budget of ${this.#options.memoryBytesMax} bytes exceeded: ` +
          `${this.#heapBytes + this.arena.usedBytes} wanted`,
      )
  }

  releaseHeap(bytes: number): void {
    this.#heapBytes -= bytes
  }
}

/** What a handful of rows takes per step. */
const STEP_BYTES = 50

function tooManySamples(): QueryError {
  return executionError('query processing would load too many samples into memory in query execution')
}

/** A failure of the evaluation itself. */
export function executionError(message: string): QueryError {
  return new QueryError('execution', message)
}

/** Two results with equal labels at one time. */
export function duplicateLabelsError(): QueryError {
  return executionError('vector cannot contain metrics with the same labelset')
}
