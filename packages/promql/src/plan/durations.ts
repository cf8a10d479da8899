// Evaluation of duration expressions such as `[step() * 4]` once step and range of the query are known.
import { QueryError } from '../contract.ts'
import { goMax, goMin } from '../functions/go-math.ts'
import type { DurationExpr, DurationNode } from '../parser/ast.ts'

export interface DurationContext {
  /** Step of the query, ms; 0 for instant queries. */
  readonly stepMs: number
  /** end − start of the query, ms. */
  readonly rangeMs: number
}

/** Largest duration in seconds: what 2^63 ns holds. */
const SECONDS_MAX = 2 ** 63 / 1e9

/** Value in ms. Throws `QueryError` for what is not a duration. */
export function evaluateDuration(
  expr: DurationExpr,
  context: DurationContext,
  negativeAllowed: boolean,
): number {
  const seconds = evaluate(expr, context)
  const fail = (text: string) => new QueryError('bad_data', `${expr.start}:${expr.end}: ${text}`)
  if (!Number.isFinite(seconds)) throw fail('duration is NaN or infinite')
  if (seconds <= 0 && !negativeAllowed) throw fail('duration must be greater than 0')
  if (Math.abs(seconds) > SECONDS_MAX) throw fail('duration is out of range')
  return Math.trunc(seconds * 1000)
}

function evaluate(node: DurationNode, context: DurationContext): number {
  if (node.type === 'numberLiteral') return node.value
  const lhs = node.lhs ? evaluate(node.lhs, context) : 0
  const rhs = node.rhs ? evaluate(node.rhs, context) : 0
  switch (node.op) {
    case 'step':
      return context.stepMs / 1000
    case 'range':
      return context.rangeMs / 1000
    case 'min_of':
      return goMin(lhs, rhs)
    case 'max_of':
      return goMax(lhs, rhs)
    case '+':
      return lhs + rhs
    case '-':
      return lhs - rhs
    case '*':
      return lhs * rhs
    case '/':
      if (rhs === 0) throw new QueryError('bad_data', `${node.start}:${node.end}: division by zero`)
      return lhs / rhs
    case '%':
      if (rhs === 0) throw new QueryError('bad_data', `${node.start}:${node.end}: modulo by zero`)
      return lhs % rhs
    case '^':
      return Math.pow(lhs, rhs)
  }
}
