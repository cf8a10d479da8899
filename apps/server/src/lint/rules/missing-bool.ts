// A comparison filters: in the middle of arithmetic the series that fail it are gone, and those that pass keep their
// value instead of becoming 1.
import type { BinaryExpr, Expr } from '@watchfire/promql/parser'
import { valueType } from '@watchfire/promql/parser'
import type { LintRule } from '../context.ts'
import { isArithmetic, isComparison, numberOf, unwrap } from '../tree.ts'

export const missingBool: LintRule = (node, _parents, context) => {
  if (node.type !== 'binaryExpr' || !isArithmetic(node.op)) return
  for (const side of [node.lhs, node.rhs]) {
    const filter = filterOf(side)
    if (!filter || guardsDivision(node, side, filter)) continue
    context.report({
      rule: 'missing-bool',
      severity: 'warning',
      at: filter,
      message: `${filter.op} drops series here, and with them the result of ${node.op}; with bool it gives 0 or 1`,
      instead: { ...filter, bool: true },
    })
  }
}

/** A sum over the series that are 0 is 0, or nothing. */
export const sumOfZeros: LintRule = (node, _parents, context) => {
  if (node.type !== 'aggregation' || node.op !== 'sum') return
  const filter = filterOf(node.expr)
  if (filter?.op !== '==' || numberOf(filter.rhs) !== 0) return
  context.report({
    rule: 'sum-of-zeros',
    severity: 'warning',
    at: node,
    message:
      'the sum over series that are 0 is always 0; with bool it counts them, and gives 0 when there are none',
    replaces: node.expr,
    instead: { ...filter, bool: true },
  })
}

/** A comparison of an instant vector without bool. */
function filterOf(expr: Expr): BinaryExpr | undefined {
  const node = unwrap(expr)
  if (node.type !== 'binaryExpr' || !isComparison(node.op) || node.bool) return undefined
  return valueType(node) === 'vector' ? node : undefined
}

/** `a / (b > 0)` leaves out what cannot be divided by. */
function guardsDivision(node: BinaryExpr, side: Expr, filter: BinaryExpr): boolean {
  if (node.op !== '/' && node.op !== '%') return false
  return side === node.rhs && ['>', '!=', '>='].includes(filter.op) && numberOf(filter.rhs) !== undefined
}
