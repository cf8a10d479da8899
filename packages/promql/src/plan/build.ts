// Syntax tree → logical plan. One walk resolves durations, `@ start()`/`@ end()`, folds the query's own
// constants, computes what each selector must fetch, and marks step-invariant parts.
import type { SelectHints } from '@watchfire/datamodel'
import type { CallExpr, Expr, MatrixSelector, SubqueryExpr, VectorSelector } from '../parser/ast.ts'
import { valueType } from '../parser/ast.ts'
import { evaluateDuration } from './durations.ts'
import type { CallNode, PlanNode, SelectorNode, SubqueryNode } from './nodes.ts'

export interface PlanOptions {
  readonly startMs: number
  readonly endMs: number
  /** 0 for instant queries. */
  readonly stepMs: number
  readonly lookbackMs: number
  readonly subqueryStepMs: number
}

export interface Plan {
  readonly root: PlanNode
  /** Bounds (inclusive) of all samples the plan can look at; 0 and 0 without selectors. */
  readonly minTime: number
  readonly maxTime: number
}

/** Functions whose result depends on the evaluation time even when their arguments do not. */
const TIME_DEPENDENT = new Set([
  'days_in_month',
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'hour',
  'minute',
  'month',
  'year',
  'predict_linear',
  'time',
  'timestamp',
])

/** What the ancestors of a node mean for it. */
interface Scope {
  /** Sums over the enclosing subqueries, begun anew by one with `@`. */
  readonly offsetMs: number
  readonly rangeMs: number
  readonly atMs: number | undefined
  /** Step of the innermost subquery, 0 outside. */
  readonly stepMs: number
  /** Nearest function or aggregation, '' beyond a binary operator. */
  readonly func: string
  readonly by: boolean
  readonly grouping: readonly string[] | undefined
  readonly statisticsOnly: boolean | undefined
}

interface Planned {
  readonly node: PlanNode
  /** The same at every step. */
  readonly invariant: boolean
}

/** Throws `QueryError` for impossible durations. */
export function buildPlan(expr: Expr, options: PlanOptions): Plan {
  const builder = new PlanBuilder(options)
  const root = builder.top(expr)
  const empty = builder.maxTime < builder.minTime
  return { root, minTime: empty ? 0 : builder.minTime, maxTime: empty ? 0 : builder.maxTime }
}

class PlanBuilder {
  minTime = Infinity
  maxTime = -Infinity
  readonly #options: PlanOptions

  constructor(options: PlanOptions) {
    this.#options = options
  }

  top(expr: Expr): PlanNode {
    return hoist(
      this.#plan(expr, {
        offsetMs: 0,
        rangeMs: 0,
        atMs: undefined,
        stepMs: 0,
        func: '',
        by: false,
        grouping: undefined,
        statisticsOnly: undefined,
      }),
    )
  }

  #plan(expr: Expr, scope: Scope): Planned {
    const base = { type: valueType(expr), position: expr.start }
    switch (expr.type) {
      case 'numberLiteral':
        return { node: { ...base, kind: 'number', value: expr.value }, invariant: true }
      case 'stringLiteral':
        return { node: { ...base, kind: 'string', value: expr.value }, invariant: true }
      case 'parenExpr':
        return this.#plan(expr.expr, scope)
      case 'unaryExpr': {
        const inner = this.#plan(expr.expr, scope)
        if (expr.op === '+') return inner
        return { node: { ...base, kind: 'negate', expr: inner.node }, invariant: inner.invariant }
      }
      case 'vectorSelector': {
        const node = this.#selector(expr, scope, 0)
        return { node, invariant: node.atMs !== undefined }
      }
      case 'matrixSelector':
        return this.#matrix(expr, scope)
      case 'subquery':
        return this.#subquery(expr, scope)
      case 'call':
        return this.#call(expr, scope)
      case 'aggregation': {
        const below = { ...scope, func: expr.op, by: !expr.without, grouping: expr.grouping }
        const param = expr.param && this.#plan(expr.param, below)
        const inner = this.#plan(expr.expr, below)
        const invariant = inner.invariant && (param?.invariant ?? true)
        const shared = { ...base, kind: 'aggregate' as const, op: expr.op, without: expr.without }
        const grouping = expr.grouping
        if (invariant)
          return { node: { ...shared, grouping, expr: inner.node, param: param?.node }, invariant }
        return { node: { ...shared, grouping, expr: hoist(inner), param: param && hoist(param) }, invariant }
      }
      case 'binaryExpr': {
        const trims = expr.op === '</' || expr.op === '>/'
        const below = {
          ...scope,
          func: '',
          by: false,
          grouping: undefined,
          statisticsOnly: trims ? false : scope.statisticsOnly,
        }
        const lhs = this.#plan(expr.lhs, below)
        const rhs = this.#plan(expr.rhs, below)
        const invariant = lhs.invariant && rhs.invariant
        const matching = expr.matching && {
          card: expr.matching.card,
          labels: expr.matching.labels,
          on: expr.matching.on,
          include: expr.matching.include,
          fillLeft: expr.matching.fill.left,
          fillRight: expr.matching.fill.right,
        }
        const shared = { ...base, kind: 'binary' as const, op: expr.op, matching, bool: expr.bool }
        if (invariant) return { node: { ...shared, lhs: lhs.node, rhs: rhs.node }, invariant }
        return { node: { ...shared, lhs: hoist(lhs), rhs: hoist(rhs) }, invariant }
      }
    }
  }

  #call(expr: CallExpr, scope: Scope): Planned {
    const { startMs, endMs, stepMs } = this.#options
    const number = (value: number): Planned => ({
      node: { kind: 'number', type: 'scalar', position: expr.start, value },
      invariant: true,
    })
    switch (expr.name) {
      case 'start':
        return number(startMs / 1000)
      case 'end':
        return number(endMs / 1000)
      case 'range':
        return number((endMs - startMs) / 1000)
      case 'step':
        return number(startMs === endMs ? 0 : stepMs / 1000)
    }
    const below = {
      ...scope,
      func: expr.name,
      by: false,
      grouping: undefined,
      statisticsOnly: statisticsBelow(expr.name, scope.statisticsOnly),
    }
    const args = expr.args.map((arg) => this.#plan(arg, below))
    const first = args[0]
    // The time of the sample itself does not depend on the step if the selector does not.
    const fixedTimestamp = expr.name === 'timestamp' && first?.node.kind === 'selector' && first.invariant
    const invariant = args.every((arg) => arg.invariant) && (fixedTimestamp || !TIME_DEPENDENT.has(expr.name))
    const node: CallNode = {
      kind: 'call',
      type: valueType(expr),
      position: expr.start,
      name: expr.name,
      args: args.map((arg) => (invariant ? arg.node : hoist(arg))),
    }
    return { node, invariant }
  }

  #offset(expr: VectorSelector | SubqueryExpr): number {
    return expr.offsetExpr ? evaluateDuration(expr.offsetExpr, this.#durations, true) : expr.offsetMs
  }

  get #durations(): { stepMs: number; rangeMs: number } {
    return { stepMs: this.#options.stepMs, rangeMs: this.#options.endMs - this.#options.startMs }
  }

  #at(expr: VectorSelector | SubqueryExpr): number | undefined {
    if (expr.startOrEnd === 'start') return this.#options.startMs
    if (expr.startOrEnd === 'end') return this.#options.endMs
    return expr.atMs
  }

  #matrix(expr: MatrixSelector, scope: Scope): Planned {
    const rangeMs = expr.rangeExpr ? evaluateDuration(expr.rangeExpr, this.#durations, false) : expr.rangeMs
    const selector = this.#selector(expr.vector, scope, rangeMs)
    const node: PlanNode = { kind: 'matrix', type: 'matrix', position: expr.start, selector, rangeMs }
    return { node, invariant: selector.atMs !== undefined }
  }

  #selector(expr: VectorSelector, scope: Scope, rangeMs: number): SelectorNode {
    const offsetMs = this.#offset(expr)
    const atMs = this.#at(expr)
    let start = scope.atMs ?? this.#options.startMs
    let end = scope.atMs ?? this.#options.endMs
    if (atMs !== undefined) start = end = atMs
    else {
      start -= scope.offsetMs + scope.rangeMs
      end -= scope.offsetMs
    }
    const { lookbackMs } = this.#options
    const edges = rangeMs > 0 && (expr.anchored || expr.smoothed) ? lookbackMs : 0
    // Ranges are left-open: a sample right at their start does not count.
    start -= (rangeMs === 0 ? lookbackMs : rangeMs + edges) - 1
    if (expr.smoothed) end += lookbackMs
    start -= offsetMs
    end -= offsetMs
    if (start < this.minTime) this.minTime = start
    if (end > this.maxTime) this.maxTime = end
    const hints: SelectHints = {
      start,
      end,
      step: scope.stepMs === 0 ? this.#options.stepMs : scope.stepMs,
      range: rangeMs,
      func: scope.func,
      by: scope.by,
      ...(scope.grouping ? { grouping: scope.grouping } : {}),
    }
    return {
      kind: 'selector',
      type: 'vector',
      position: expr.start,
      matchers: expr.matchers,
      anchored: expr.anchored,
      smoothed: expr.smoothed,
      statisticsOnly: scope.statisticsOnly === true,
      offsetMs,
      atMs,
      hints,
    }
  }

  #subquery(expr: SubqueryExpr, scope: Scope): Planned {
    const offsetMs = this.#offset(expr)
    const atMs = this.#at(expr)
    const stepMs = expr.stepExpr ? evaluateDuration(expr.stepExpr, this.#durations, false) : expr.stepMs
    const rangeMs = expr.rangeExpr ? evaluateDuration(expr.rangeExpr, this.#durations, false) : expr.rangeMs
    const pinned = atMs !== undefined
    const below: Scope = {
      ...scope,
      offsetMs: pinned ? offsetMs : scope.offsetMs + offsetMs,
      rangeMs: pinned ? rangeMs : scope.rangeMs + rangeMs,
      atMs: pinned ? atMs : scope.atMs,
      stepMs: stepMs === 0 ? this.#options.subqueryStepMs : stepMs,
      statisticsOnly: false,
    }
    const node: SubqueryNode = {
      kind: 'subquery',
      type: 'matrix',
      position: expr.start,
      expr: hoist(this.#plan(expr.expr, below)),
      rangeMs,
      stepMs: below.stepMs,
      offsetMs,
      atMs,
    }
    return { node, invariant: pinned }
  }
}

/** Below a call: true allows skipping buckets, false forbids it for good, undefined says nothing. */
function statisticsBelow(name: string, above: boolean | undefined): boolean | undefined {
  if (above === false) return false
  if (name === 'histogram_count' || name === 'histogram_sum' || name === 'histogram_avg') return true
  if (name === 'histogram_quantile' || name === 'histogram_quantiles' || name === 'histogram_fraction')
    return false
  return above
}

/** Puts what is invariant below a node that evaluates it once; literals and range vectors need none. */
function hoist(planned: Planned): PlanNode {
  const { node, invariant } = planned
  if (!invariant) return node
  if (node.kind === 'number' || node.kind === 'string' || node.kind === 'matrix' || node.kind === 'subquery')
    return node
  return { kind: 'stepInvariant', type: node.type, position: node.position, expr: node }
}
