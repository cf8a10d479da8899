// How a call becomes an operator: what a function's builder gets.
import type { QueryContext } from '../exec/context.ts'
import type { Grid, Operator } from '../exec/operator.ts'
import type { CallNode, PlanNode } from '../plan/nodes.ts'

export interface CallContext {
  readonly node: CallNode
  readonly grid: Grid
  readonly context: QueryContext
  /** Operator of an argument. */
  readonly build: (node: PlanNode) => Operator
}

export type CallBuilder = (call: CallContext) => Operator

/** The i-th argument, which the parser made a string literal. */
export function stringArgument(node: CallNode, i: number): string {
  const arg = node.args[i]
  if (arg?.kind !== 'string') throw new Error(`BUG: argument ${i} of ${node.name} is no string literal`)
  return arg.value
}

/** The node below a step-invariant wrapper. */
export function unwrapped(node: PlanNode): PlanNode {
  return node.kind === 'stepInvariant' ? node.expr : node
}
