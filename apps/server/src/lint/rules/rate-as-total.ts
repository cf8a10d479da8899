// A per-second value compared as if it were a count: `rate(x[1h]) > 5` is 18,000 an hour.
import type { CallExpr, Expr } from '@watchfire/promql/parser'
import type { LintRule } from '../context.ts'
import { isComparison, numberOf, PER_SECOND, unwrap } from '../tree.ts'

/** Over a window this long a threshold is hardly meant per second, ms. */
const LONG_WINDOW_MS = 30 * 60_000

export const rateAsTotal: LintRule = (node, _parents, context) => {
  if (node.type !== 'binaryExpr' || !isComparison(node.op)) return
  const [limit, value] = [numberOf(node.rhs), node.lhs]
  const [mirrored, other] = [numberOf(node.lhs), node.rhs]
  const count = limit ?? mirrored
  const rate = perSecond(limit === undefined ? other : value)
  if (!rate || count === undefined || !Number.isInteger(count) || count < 1) return
  const [range] = rate.args
  if (range?.type !== 'matrixSelector') return
  const exact = node.op === '==' || node.op === '!='
  if (!exact && range.rangeMs < LONG_WINDOW_MS) return
  context.report({
    rule: 'rate-as-total',
    severity: exact ? 'warning' : 'info',
    at: rate,
    message: `${rate.name}() is per second, but is compared with the count ${count}; increase() is the total over the window`,
    instead: { ...rate, name: 'increase' },
  })
}

/** The rate that is the value of an expression, summed up or not. */
function perSecond(expr: Expr): CallExpr | undefined {
  const node = unwrap(expr)
  if (node.type === 'aggregation' && node.op === 'sum') return perSecond(node.expr)
  return node.type === 'call' && PER_SECOND.has(node.name) ? node : undefined
}
