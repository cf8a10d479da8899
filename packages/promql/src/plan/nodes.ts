// The logical plan: what is left of a syntax tree once durations are numbers, parentheses are gone,
// start()/end()/… are folded and everything that does not depend on the step stands below a `stepInvariant`
// node. Times in ms.
import type { Matcher, SelectHints } from '@watchfire/datamodel'
import type { AggregateOp, BinaryOp, MatchCardinality, ValueType } from '../parser/ast.ts'

export type PlanNode =
  | AggregateNode
  | BinaryNode
  | CallNode
  | MatrixNode
  | NegateNode
  | NumberNode
  | SelectorNode
  | StepInvariantNode
  | StringNode
  | SubqueryNode

interface Base {
  /** Type of the result. */
  readonly type: ValueType
  /** Where the expression starts in the query (UTF-16 units): annotations name it. */
  readonly position: number
}

export interface NumberNode extends Base {
  readonly kind: 'number'
  readonly value: number
}

export interface StringNode extends Base {
  readonly kind: 'string'
  readonly value: string
}

/**
 * When a selector or subquery looks: at `atMs − offsetMs` if `atMs` is set, else at the step's time −
 * offsetMs.
 */
export interface TimeShift {
  readonly offsetMs: number
  readonly atMs: number | undefined
}

export interface SelectorNode extends Base, TimeShift {
  readonly kind: 'selector'
  readonly matchers: readonly Matcher[]
  readonly smoothed: boolean
  readonly anchored: boolean
  /** Bounds of the samples that can matter, and what will be done with them. */
  readonly hints: SelectHints
  /** Only count, sum and counter resets of histograms matter, not their buckets. */
  readonly statisticsOnly: boolean
}

export interface MatrixNode extends Base {
  readonly kind: 'matrix'
  readonly selector: SelectorNode
  readonly rangeMs: number
}

export interface SubqueryNode extends Base, TimeShift {
  readonly kind: 'subquery'
  readonly expr: PlanNode
  readonly rangeMs: number
  /** Never 0: the default is filled in. */
  readonly stepMs: number
}

export interface CallNode extends Base {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly PlanNode[]
}

export interface AggregateNode extends Base {
  readonly kind: 'aggregate'
  readonly op: AggregateOp
  readonly expr: PlanNode
  readonly param: PlanNode | undefined
  readonly grouping: readonly string[]
  readonly without: boolean
}

export interface Matching {
  readonly card: MatchCardinality
  readonly labels: readonly string[]
  readonly on: boolean
  readonly include: readonly string[]
  readonly fillLeft: number | undefined
  readonly fillRight: number | undefined
}

export interface BinaryNode extends Base {
  readonly kind: 'binary'
  readonly op: BinaryOp
  readonly lhs: PlanNode
  readonly rhs: PlanNode
  /** Set when both sides are instant vectors. */
  readonly matching: Matching | undefined
  readonly bool: boolean
}

export interface NegateNode extends Base {
  readonly kind: 'negate'
  readonly expr: PlanNode
}

/** Evaluated once, at the first step, and repeated at every step. */
export interface StepInvariantNode extends Base {
  readonly kind: 'stepInvariant'
  readonly expr: PlanNode
}
