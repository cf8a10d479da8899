// Rewrites a query so that its result no longer depends on the time of evaluation.
import { childrenOf, type Expr } from '../parser/index.ts'

/** Functions whose result changes with the time of evaluation, whatever their arguments are. */
const TIME_DEPENDENT: ReadonlySet<string> = new Set([
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'days_in_month',
  'end',
  'hour',
  'minute',
  'month',
  'predict_linear',
  'range',
  'start',
  'step',
  'time',
  'timestamp',
  'year',
])

/**
 * The expression with `@ atMs` at every selector and subquery that has no timestamp (not within subqueries: the outer
 * one settles the time); undefined when the result depends on the time all the same.
 */
export function pinExpr(expr: Expr, atMs: number): Expr | undefined {
  return dependsOnTime(expr) ? undefined : pinned(expr, atMs)
}

function dependsOnTime(expr: Expr): boolean {
  if (expr.type === 'subquery') return false
  if (expr.type === 'call' && TIME_DEPENDENT.has(expr.name)) return true
  return childrenOf(expr).some(dependsOnTime)
}

function pinned(expr: Expr, atMs: number): Expr {
  switch (expr.type) {
    case 'vectorSelector':
    case 'subquery':
      return expr.atMs === undefined ? { ...expr, atMs } : expr
    case 'matrixSelector': {
      const { vector } = expr
      return vector.atMs === undefined ? { ...expr, vector: { ...vector, atMs } } : expr
    }
    case 'aggregation':
      return {
        ...expr,
        expr: pinned(expr.expr, atMs),
        param: expr.param && pinned(expr.param, atMs),
      }
    case 'binaryExpr':
      return { ...expr, lhs: pinned(expr.lhs, atMs), rhs: pinned(expr.rhs, atMs) }
    case 'call':
      return { ...expr, args: expr.args.map((arg) => pinned(arg, atMs)) }
    case 'parenExpr':
    case 'unaryExpr':
      return { ...expr, expr: pinned(expr.expr, atMs) }
    default:
      return expr
  }
}
