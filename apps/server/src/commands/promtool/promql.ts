// `promtool promql`: prints queries, and edits the label matchers of all their selectors.
import { Matcher, type MatchType } from '@watchfire/datamodel'
import {
  parseExpr,
  prettyExpr,
  type Expr,
  type ParserOptions,
  type VectorSelector,
} from '@watchfire/promql/parser'

/** Throws `ParseError`. */
export function formatQuery(query: string, options: ParserOptions): string {
  return prettyExpr(parseExpr(query, options))
}

/** Sets a matcher in every selector, in place of those there are for the label. Throws `ParseError`. */
export function setMatcher(query: string, matcher: Matcher, options: ParserOptions): string {
  return edited(query, options, (selector) => {
    const found = selector.matchers.some(({ name }) => name === matcher.name)
    const matchers = found
      ? selector.matchers.map((own) => (own.name === matcher.name ? matcher : own))
      : [...selector.matchers, matcher]
    return { ...selector, matchers }
  })
}

/** Takes the matchers of a label out of every selector. Throws `ParseError`. */
export function deleteMatcher(query: string, label: string, options: ParserOptions): string {
  return edited(query, options, (selector) => ({
    ...selector,
    matchers: selector.matchers.filter(({ name }) => name !== label),
  }))
}

/** Makes a matcher; throws an Error for a bad regular expression. */
export function newMatcher(name: string, type: string, value: string): Matcher {
  return new Matcher(type as MatchType, name, value)
}

function edited(
  query: string,
  options: ParserOptions,
  edit: (selector: VectorSelector) => VectorSelector,
): string {
  return prettyExpr(mapSelectors(parseExpr(query, options), edit))
}

/** A tree with every selector replaced. */
function mapSelectors(expr: Expr, edit: (selector: VectorSelector) => VectorSelector): Expr {
  const map = (child: Expr) => mapSelectors(child, edit)
  switch (expr.type) {
    case 'vectorSelector':
      return edit(expr)
    case 'matrixSelector':
      return { ...expr, vector: edit(expr.vector) }
    case 'aggregation':
      return { ...expr, expr: map(expr.expr), param: expr.param && map(expr.param) }
    case 'binaryExpr':
      return { ...expr, lhs: map(expr.lhs), rhs: map(expr.rhs) }
    case 'call':
      return { ...expr, args: expr.args.map(map) }
    case 'parenExpr':
    case 'subquery':
    case 'unaryExpr':
      return { ...expr, expr: map(expr.expr) }
    case 'numberLiteral':
    case 'stringLiteral':
      return expr
  }
}
