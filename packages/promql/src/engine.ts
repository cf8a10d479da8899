// The engine: text → tree → plan → operators → result, synchronously, in one thread, within a budget.
import { ChunkReadError, MemoryBudgetError, RegexError, type Queryable } from '@watchfire/datamodel'
import { createArena, type Arena } from '@watchfire/kernels'
import {
  QueryError,
  type Engine,
  type EngineOptions,
  type QueryRequest,
  type QueryResult,
  type QueryValue,
} from './contract.ts'
import { buildOperator, buildSource } from './exec/build.ts'
import { QueryContext } from './exec/context.ts'
import type { Grid } from './exec/operator.ts'
import { ParseError, documentedType, parseExpr, valueType, type Expr } from './parser/index.ts'
import { buildPlan } from './plan/build.ts'
import type { PlanNode } from './plan/nodes.ts'
import { collectMatrix, collectRange, collectScalar, collectVector, sortSeries } from './result/collect.ts'

const LOOKBACK_MS = 300_000
const SUBQUERY_STEP_MS = 60_000
const SAMPLES_MAX = 50_000_000
const MEMORY_BYTES_MAX = 2 ** 30
/** An arena that grew beyond this is dropped after its query, a smaller one serves the next. */
const ARENA_KEPT_BYTES = 64 * 2 ** 20

const NO_STEP = 'zero or negative query resolution step widths are not accepted. Try a positive integer'

/** Creates an engine. Not reentrant: one query at a time. */
export function createEngine(options: EngineOptions = {}): Engine {
  return new QueryEngine(options)
}

class QueryEngine implements Engine {
  readonly #options: EngineOptions
  #spare: Arena | undefined

  constructor(options: EngineOptions) {
    this.#options = options
  }

  query(queryable: Queryable, request: QueryRequest): QueryResult {
    const began = performance.now()
    const expr = this.#parse(request)
    const arena = this.#takeArena()
    const mark = arena.mark()
    try {
      return this.#execute(queryable, request, expr, arena, began)
    } catch (error) {
      throw asQueryError(error)
    } finally {
      arena.release(mark)
      if (arena.peakBytes <= ARENA_KEPT_BYTES) this.#spare = arena
    }
  }

  #parse(request: QueryRequest): Expr {
    const { features } = this.#options
    let expr: Expr
    try {
      expr = parseExpr(request.expr, {
        experimentalFunctions: features?.experimentalFunctions ?? false,
        durationExpressions: features?.durationExpressions ?? true,
        extendedRangeSelectors: features?.extendedRangeSelectors ?? false,
        binopFillModifiers: features?.binopFillModifiers ?? false,
      })
    } catch (error) {
      if (error instanceof ParseError || error instanceof RegexError)
        throw new QueryError('bad_data', error.message)
      throw error
    }
    if (request.stepMs !== undefined && !(request.stepMs > 0)) throw new QueryError('bad_data', NO_STEP)
    const type = valueType(expr)
    if (request.stepMs !== undefined && (type === 'matrix' || type === 'string')) {
      const text = `invalid expression type ${JSON.stringify(documentedType(type))} for range query`
      throw new QueryError('bad_data', `${text}, must be Scalar or instant Vector`)
    }
    return expr
  }

  #takeArena(): Arena {
    const arena = this.#spare
    this.#spare = undefined
    const budget = this.#options.memoryBytesMax ?? MEMORY_BYTES_MAX
    return arena ?? createArena(budget, { budgetError: MemoryBudgetError })
  }

  #execute(
    queryable: Queryable,
    request: QueryRequest,
    expr: Expr,
    arena: Arena,
    began: number,
  ): QueryResult {
    const { startMs, endMs, stepMs } = request
    const asked = request.lookbackMs ?? 0
    const lookbackMs = asked > 0 ? asked : (this.#options.lookbackMs ?? LOOKBACK_MS)
    const subqueryStepMs = this.#options.subqueryStepMs ?? SUBQUERY_STEP_MS
    const plan = buildPlan(expr, { startMs, endMs, stepMs: stepMs ?? 0, lookbackMs, subqueryStepMs })
    const grid: Grid =
      stepMs === undefined
        ? { startMs, stepMs: 1, steps: 1 }
        : { startMs, stepMs, steps: endMs < startMs ? 0 : Math.floor((endMs - startMs) / stepMs) + 1 }
    const querier = queryable.querier(plan.minTime, plan.maxTime)
    try {
      const context = new QueryContext({
        querier,
        arena,
        features: this.#options.features ?? {},
        lookbackMs,
        samplesMax: this.#options.samplesMax ?? SAMPLES_MAX,
        memoryBytesMax: this.#options.memoryBytesMax ?? MEMORY_BYTES_MAX,
        deadline: request.deadline,
        cancel: request.cancel,
        disable: this.#options.disable ?? [],
        helper: this.#options.helper,
      })
      context.rootGrid = grid
      context.expectSteps(grid.steps)
      if (this.#options.features?.perStepStats === true) context.perStep = new Float64Array(grid.steps)
      const prepared = performance.now()
      context.poll()
      const evaluated = evaluate(plan.root, context, grid, stepMs !== undefined)
      const done = performance.now()
      const value = stepMs === undefined && plan.root.type !== 'matrix' ? evaluated : sortSeries(evaluated)
      return makeResult(value, context, request.expr, { began, prepared, done })
    } finally {
      querier.close()
    }
  }
}

function evaluate(root: PlanNode, context: QueryContext, grid: Grid, range: boolean): QueryValue {
  switch (root.type) {
    case 'string':
      return { type: 'string', timeMs: grid.startMs, value: root.kind === 'string' ? root.value : '' }
    case 'matrix':
      return { type: 'matrix', series: collectMatrix(buildSource(root, context, grid, false), context, grid) }
    case 'scalar':
    case 'vector': {
      const operator = buildOperator(root, context, grid)
      if (range) return { type: 'matrix', series: collectRange(operator, context, grid) }
      if (root.type === 'vector') return { type: 'vector', samples: collectVector(operator, context, grid) }
      return { type: 'scalar', timeMs: grid.startMs, value: collectScalar(operator, grid) }
    }
  }
}

function makeResult(
  value: QueryValue,
  context: QueryContext,
  query: string,
  times: { began: number; prepared: number; done: number },
): QueryResult {
  const end = performance.now()
  const seconds = (from: number, to: number): number => (to - from) / 1000
  const { counters, peakSamples, perStep, rootGrid, annotations } = context
  return {
    value,
    warnings: [...context.storageWarnings, ...annotations.print('warning', query)],
    infos: annotations.print('info', query),
    stats: {
      timings: {
        evalTotalTime: seconds(times.began, end),
        resultSortTime: seconds(times.done, end),
        queryPreparationTime: seconds(times.began, times.prepared),
        innerEvalTime: seconds(times.prepared, times.done),
        execQueueTime: 0,
        execTotalTime: seconds(times.began, end),
      },
      samples: {
        totalQueryableSamples: counters.queryable,
        peakSamples,
        samplesRead: counters.read,
        ...(perStep && rootGrid
          ? {
              totalQueryableSamplesPerStep: Array.from(perStep, (count, i): [number, number] => [
                (rootGrid.startMs + i * rootGrid.stepMs) / 1000,
                count,
              ]),
            }
          : {}),
      },
    },
  }
}

/** Every failure leaves as a QueryError: what the storage throws is an internal error of the API. */
function asQueryError(error: unknown): QueryError {
  if (error instanceof QueryError) return error
  if (error instanceof MemoryBudgetError || error instanceof ChunkReadError)
    return new QueryError('execution', error.message)
  const message = error instanceof Error ? error.message : String(error)
  const wrapped = new QueryError('internal', `expanding series: ${message}`)
  wrapped.cause = error
  return wrapped
}
