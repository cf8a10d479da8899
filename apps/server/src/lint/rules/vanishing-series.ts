// Conditions that hold when there is nothing to look at: where the series are gone, the comparison gives nothing, and an
// alert made of it stays silent exactly when it should not.
import { METRIC_NAME, type Matcher } from '@watchfire/datamodel'
import { printExpr, type BinaryExpr, type Expr, type VectorSelector } from '@watchfire/promql/parser'
import type { LintContext, LintRule } from '../context.ts'
import { isComparison, metricName, numberOf, PER_SECOND, selectorsOf, some, unwrap } from '../tree.ts'

/** A comparison with a number, the number on the right. */
interface Condition {
  readonly node: BinaryExpr
  readonly value: Expr
  readonly op: string
  readonly limit: number
}

const MIRRORED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

export const vanishingSeries: LintRule = (node, parents, context) => {
  if (parents.length > 0) return
  const condition = conditionOf(node)
  if (!condition || some(condition.value, handlesAbsence)) return
  if (!checkRatio(condition, context)) checkZero(condition, context)
}

/** The condition an alert would fire on; undefined where there is an alternative for series that are not there. */
function conditionOf(expr: Expr): Condition | undefined {
  const node = unwrap(expr)
  if (node.type !== 'binaryExpr') return undefined
  if (node.op === 'and' || node.op === 'unless') return conditionOf(node.lhs)
  if (!isComparison(node.op) || node.bool) return undefined
  const right = numberOf(node.rhs)
  if (right !== undefined) return { node, value: node.lhs, op: node.op, limit: right }
  const left = numberOf(node.lhs)
  return left === undefined
    ? undefined
    : { node, value: node.rhs, op: MIRRORED[node.op] ?? node.op, limit: left }
}

function handlesAbsence(node: Expr): boolean {
  if (node.type === 'binaryExpr')
    return (
      node.op === 'or' || node.matching?.fill.left !== undefined || node.matching?.fill.right !== undefined
    )
  return node.type === 'call' && (node.name === 'vector' || node.name.startsWith('absent'))
}

/** `good / all < 0.9` without any good; `1 - good / all > 0.1` likewise. True when something was said. */
function checkRatio({ value, op, limit }: Condition, context: LintContext): boolean {
  const node = unwrap(value)
  if (node.type !== 'binaryExpr') return false
  if (node.op === '-' && numberOf(node.lhs) === 1)
    return checkRatio({ node, value: node.rhs, op: MIRRORED[op] ?? op, limit: 1 - limit }, context)
  const falls = op === '<' || op === '<=' || (op === '==' && limit === 0)
  if (node.op !== '/' || !falls) return false
  const narrowing = narrowingMatchers(node)
  if (narrowing.length === 0) return false
  const [part, whole] = [context.text(node.lhs), context.text(node.rhs)]
  context.report({
    rule: 'vanishing-series',
    severity: 'warning',
    at: node.lhs,
    message: `without any series with ${narrowing.join(', ')} the ratio is absent, not 0, and the condition is silent`,
    instead: `(${part} or 0 * ${whole})`,
  })
  return true
}

/** Matchers of the dividend that the divisor does not have, when both look at the same metric. */
function narrowingMatchers(ratio: BinaryExpr): string[] {
  const [part, ...moreParts] = selectorsOf(ratio.lhs)
  const [whole, ...moreWholes] = selectorsOf(ratio.rhs)
  if (!part || !whole || moreParts.length > 0 || moreWholes.length > 0) return []
  if (metricName(part) === '' || metricName(part) !== metricName(whole)) return []
  const texts = (selector: VectorSelector) =>
    selector.matchers.filter(isNarrow).map(({ name, type, value }) => `${name}${type}"${value}"`)
  const common = new Set(texts(whole))
  return texts(part).filter((text) => !common.has(text))
}

/** `sum(rate(x[5m])) == 0`, `count(x) < 2` and `up{job="a"} == 0`: nothing is neither 0 nor few. */
function checkZero({ node, value, op, limit }: Condition, context: LintContext): void {
  const inner = unwrap(value)
  const counts = inner.type === 'aggregation' && (inner.op === 'count' || inner.op === 'group')
  const sums = inner.type === 'aggregation' && inner.op === 'sum'
  const rates = inner.type === 'call' && (PER_SECOND.has(inner.name) || inner.name === 'increase')
  const reachesZero = (op === '==' && limit === 0) || (op === '<=' && limit >= 0) || (op === '<' && limit > 0)
  const chosen = inner.type === 'vectorSelector' && inner.matchers.some(isNarrow)
  if (!reachesZero || !(counts || ((sums || rates || chosen) && op === '==')) || isCountedUp(inner)) return
  const [selector] = selectorsOf(inner)
  if (!selector) return
  const whole = inner.type === 'aggregation' && !inner.without && inner.grouping.length === 0
  context.report({
    rule: 'vanishing-series',
    severity: counts ? 'warning' : 'info',
    at: value,
    message: `without any series ${counts ? 'the count' : sums ? 'the sum' : rates ? 'the rate' : 'it'} is absent, not 0, and the condition is silent`,
    ...(whole
      ? { instead: `(${context.text(value)} or vector(0))` }
      : { replaces: node, instead: `${context.text(node)} or absent(${printExpr(selector)})` }),
  })
}

/** True for a matcher that asks for certain series, not for a name. */
function isNarrow(matcher: Matcher): boolean {
  return matcher.name !== METRIC_NAME && !matcher.matches('')
}

/** The sum of `up` is there as long as there are targets, and those are known. */
function isCountedUp(expr: Expr): boolean {
  const selectors = selectorsOf(expr)
  return (
    expr.type === 'aggregation' && expr.op === 'sum' && selectors.every((one) => metricName(one) === 'up')
  )
}
