// The syntax tree of PromQL. Plain data: every node has a `type` (named as in the HTTP API's parse_query) and the
// place it came from. Nothing of an evaluation is kept here; the engine plans on top of it. Times and durations are
// milliseconds. `start`/`end` are offsets into the query as a JavaScript string (UTF-16 units), `end` exclusive.
import type { Matcher } from '@watchfire/datamodel'
import { FUNCTIONS } from './functions-table.ts'

export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string'

export type AggregateOp =
  | 'sum'
  | 'avg'
  | 'count'
  | 'min'
  | 'max'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'count_values'
  | 'quantile'
  | 'limitk'
  | 'limit_ratio'

export type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2'
export type ComparisonOp = '==' | '!=' | '<=' | '<' | '>=' | '>'
export type SetOp = 'and' | 'or' | 'unless'
/** `</` keeps the observations below a bound, `>/` those above it (histograms only). */
export type TrimOp = '</' | '>/'
export type BinaryOp = ArithmeticOp | ComparisonOp | SetOp | TrimOp

/** Where a node stands in the query. */
export interface PositionRange {
  readonly start: number
  readonly end: number
}

export type Expr =
  | AggregateExpr
  | BinaryExpr
  | CallExpr
  | MatrixSelector
  | NumberLiteral
  | ParenExpr
  | StringLiteral
  | SubqueryExpr
  | UnaryExpr
  | VectorSelector

export interface AggregateExpr extends PositionRange {
  readonly type: 'aggregation'
  readonly op: AggregateOp
  readonly expr: Expr
  /** First argument of topk, bottomk, count_values, quantile, limitk and limit_ratio. */
  readonly param: Expr | undefined
  readonly grouping: readonly string[]
  /** `without (…)`: the labels of `grouping` are dropped, not kept. */
  readonly without: boolean
}

export type MatchCardinality = 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many'

export interface VectorMatching {
  readonly card: MatchCardinality
  readonly labels: readonly string[]
  /** `on (…)`: `labels` are the ones compared; otherwise the ones left out. */
  readonly on: boolean
  /** Labels of the "one" side that the result gets too. */
  readonly include: readonly string[]
  /** Values taken for a series that is missing on the left or right side. */
  readonly fill: { readonly left: number | undefined; readonly right: number | undefined }
}

export interface BinaryExpr extends PositionRange {
  readonly type: 'binaryExpr'
  readonly op: BinaryOp
  readonly lhs: Expr
  readonly rhs: Expr
  /** Set exactly when both operands are instant vectors. */
  readonly matching: VectorMatching | undefined
  /** `bool`: the comparison gives 0 or 1 and does not filter. */
  readonly bool: boolean
}

export interface CallExpr extends PositionRange {
  readonly type: 'call'
  /** Name of a function of the function table. */
  readonly name: string
  readonly args: readonly Expr[]
}

/** The time modifiers of selectors and subqueries. */
export interface TimeModifiers {
  /** The literal offset; 0 when there is none or when `offsetExpr` is set. */
  readonly offsetMs: number
  readonly offsetExpr: DurationExpr | undefined
  /** `@ <timestamp>`. */
  readonly atMs: number | undefined
  /** `@ start()` or `@ end()`. */
  readonly startOrEnd: 'start' | 'end' | undefined
}

export interface VectorSelector extends PositionRange, TimeModifiers {
  readonly type: 'vectorSelector'
  /** The name written before the braces (or quoted within them), '' when there is none. */
  readonly name: string
  /** All matchers, that of the name included (last when written before the braces). */
  readonly matchers: readonly Matcher[]
  readonly anchored: boolean
  readonly smoothed: boolean
}

export interface MatrixSelector extends PositionRange {
  readonly type: 'matrixSelector'
  readonly vector: VectorSelector
  /** 0 when `rangeExpr` is set. */
  readonly rangeMs: number
  readonly rangeExpr: DurationExpr | undefined
}

export interface SubqueryExpr extends PositionRange, TimeModifiers {
  readonly type: 'subquery'
  readonly expr: Expr
  /** 0 when `rangeExpr` is set. */
  readonly rangeMs: number
  readonly rangeExpr: DurationExpr | undefined
  /** 0 for the default step or when `stepExpr` is set. */
  readonly stepMs: number
  readonly stepExpr: DurationExpr | undefined
}

export interface NumberLiteral extends PositionRange {
  readonly type: 'numberLiteral'
  readonly value: number
  /** Written as a duration (`5m`): printed as one. `value` is in seconds then. */
  readonly duration: boolean
}

export interface StringLiteral extends PositionRange {
  readonly type: 'stringLiteral'
  readonly value: string
}

export interface ParenExpr extends PositionRange {
  readonly type: 'parenExpr'
  readonly expr: Expr
}

export interface UnaryExpr extends PositionRange {
  readonly type: 'unaryExpr'
  readonly op: '+' | '-'
  readonly expr: Expr
}

/** An operand of a duration expression. Number literals are seconds. */
export type DurationNode = DurationExpr | NumberLiteral

/**
 * A duration computed from the query's step and range: `[5m * 2]`, `offset (step())`, `[max_of(1m, step())]`.
 * `step` and `range` have no operands; a unary operator has only `rhs`.
 */
export interface DurationExpr extends PositionRange {
  readonly type: 'durationExpr'
  readonly op: '+' | '-' | '*' | '/' | '%' | '^' | 'step' | 'range' | 'min_of' | 'max_of'
  readonly lhs: DurationNode | undefined
  readonly rhs: DurationNode | undefined
  /** Stands in parentheses. */
  readonly wrapped: boolean
}

/** The type of an expression's result. */
export function valueType(expr: Expr): ValueType {
  for (let node = expr; ;) {
    switch (node.type) {
      case 'aggregation':
      case 'vectorSelector':
        return 'vector'
      case 'matrixSelector':
      case 'subquery':
        return 'matrix'
      case 'numberLiteral':
        return 'scalar'
      case 'stringLiteral':
        return 'string'
      case 'binaryExpr':
        return valueType(node.lhs) === 'scalar' && valueType(node.rhs) === 'scalar' ? 'scalar' : 'vector'
      case 'call':
        return FUNCTIONS.get(node.name)?.returnType ?? 'vector'
      case 'parenExpr':
      case 'unaryExpr':
        node = node.expr
    }
  }
}

/** The expressions directly below a node, in the order of the query. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.type) {
    case 'aggregation':
      return expr.param ? [expr.param, expr.expr] : [expr.expr]
    case 'binaryExpr':
      return [expr.lhs, expr.rhs]
    case 'call':
      return expr.args
    case 'matrixSelector':
      return [expr.vector]
    case 'subquery':
    case 'parenExpr':
    case 'unaryExpr':
      return [expr.expr]
    default:
      return []
  }
}
