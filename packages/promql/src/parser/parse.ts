// The doors of the parser.
import type { Matcher } from '@watchfire/datamodel'
import type { Expr } from './ast.ts'
import { checkExpr } from './check.ts'
import { resolveParserOptions, type ParserOptions } from './options.ts'
import { Parser } from './parser.ts'

/** Parses and checks a query. Throws `ParseError`, nothing else. */
export function parseExpr(text: string, options?: ParserOptions): Expr {
  const expr = new Parser(text, resolveParserOptions(options)).parseQuery()
  checkExpr(text, expr)
  return expr
}

/**
 * Parses a series selector as in `match[]`; the matcher of the name comes last. Whether some matcher refuses the empty
 * value is for the caller to ask. Throws `ParseError`.
 */
export function parseMetricSelector(text: string, options?: ParserOptions): readonly Matcher[] {
  return new Parser(text, resolveParserOptions(options)).parseSelectorOnly().matchers
}
