// Helpers to look around in a syntax tree.
import { METRIC_NAME } from '@watchfire/datamodel'
import { childrenOf, type BinaryOp, type Expr, type VectorSelector } from '@watchfire/promql/parser'

const COMPARISONS: ReadonlySet<BinaryOp> = new Set(['==', '!=', '<=', '<', '>=', '>'] as const)
const ARITHMETIC: ReadonlySet<BinaryOp> = new Set(['+', '-', '*', '/', '%', '^', 'atan2'] as const)
/** Functions that give the speed of a counter, per second. */
export const PER_SECOND: ReadonlySet<string> = new Set(['rate', 'irate'])
/** Functions that make buckets of a counter comparable. */
export const RATES: ReadonlySet<string> = new Set(['rate', 'irate', 'increase', 'delta', 'idelta'])

export function isComparison(op: BinaryOp): boolean {
  return COMPARISONS.has(op)
}

export function isArithmetic(op: BinaryOp): boolean {
  return ARITHMETIC.has(op)
}

/** Without parentheses around it. */
export function unwrap(expr: Expr): Expr {
  let node = expr
  while (node.type === 'parenExpr') node = node.expr
  return node
}

/** A number, also with a sign; undefined for everything else. */
export function numberOf(expr: Expr): number | undefined {
  const node = unwrap(expr)
  if (node.type === 'numberLiteral') return node.value
  if (node.type !== 'unaryExpr') return undefined
  const value = numberOf(node.expr)
  return value === undefined ? undefined : node.op === '-' ? -value : value
}

/** All selectors below and at a node, in the order of the query. */
export function selectorsOf(expr: Expr): VectorSelector[] {
  return expr.type === 'vectorSelector' ? [expr] : childrenOf(expr).flatMap(selectorsOf)
}

/** True when a node or one below it passes. */
export function some(expr: Expr, passes: (node: Expr) => boolean): boolean {
  return passes(expr) || childrenOf(expr).some((child) => some(child, passes))
}

/** The name that a selector asks for, '' when it is not one certain name. */
export function metricName(selector: VectorSelector): string {
  if (selector.name !== '') return selector.name
  return selector.matchers.find(({ name, type }) => name === METRIC_NAME && type === '=')?.value ?? ''
}

/** A selector with another name. */
export function renamed(selector: VectorSelector, name: string): VectorSelector {
  return { ...selector, name, matchers: selector.matchers.filter((matcher) => matcher.name !== METRIC_NAME) }
}

/** Gives every node with those above it, the root's first. */
export function walk(expr: Expr, visit: (node: Expr, parents: readonly Expr[]) => void): void {
  const parents: Expr[] = []
  const enter = (node: Expr): void => {
    visit(node, parents)
    parents.push(node)
    for (const child of childrenOf(node)) enter(child)
    parents.pop()
  }
  enter(expr)
}

/** True when one of the nodes above offers something else for series that are not there. */
export function hasAlternative(parents: readonly Expr[]): boolean {
  return parents.some((parent) => parent.type === 'binaryExpr' && parent.op === 'or')
}
