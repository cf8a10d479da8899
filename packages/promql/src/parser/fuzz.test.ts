// Random queries: printing and parsing again gives the same tree, and no text makes the parser throw anything else
// than a ParseError.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ALL_EXPERIMENTS,
  KEYWORDS,
  ParseError,
  exprToJson,
  parseExpr,
  parseMetricSelector,
  parseSeriesDescription,
  prettyExpr,
  printExpr,
} from './index.ts'
import { expressions } from './queries.fuzz.ts'

const TIME_BUDGET = { numRuns: 1000, interruptAfterTimeLimit: 4000, markInterruptAsFailure: false }

/** Parses, or undefined for a ParseError; anything else is thrown. */
function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof ParseError) return undefined
    throw error
  }
}

describe('random queries', () => {
  it('come back from their canonical and from their pretty form', () => {
    let accepted = 0
    fc.assert(
      fc.property(fc.oneof(expressions.vector, expressions.scalar, expressions.matrix), (query) => {
        const expr = attempt(() => parseExpr(query, ALL_EXPERIMENTS))
        if (!expr) return
        accepted++
        const tree = JSON.stringify(exprToJson(expr))
        const canonical = printExpr(expr)
        const again = parseExpr(canonical, ALL_EXPERIMENTS)
        expect(printExpr(again)).toBe(canonical)
        const pretty = prettyExpr(expr)
        expect(printExpr(parseExpr(pretty, ALL_EXPERIMENTS))).toBe(canonical)
        expect(prettyExpr(parseExpr(pretty, ALL_EXPERIMENTS))).toBe(pretty)
        expect(JSON.stringify(exprToJson(parseExpr(pretty, ALL_EXPERIMENTS)))).toBe(
          JSON.stringify(exprToJson(again)),
        )
        expect(JSON.stringify(exprToJson(parseExpr(query, ALL_EXPERIMENTS)))).toBe(tree)
      }),
      TIME_BUDGET,
    )
    expect(accepted).toBeGreaterThan(50)
  }, 30_000)
})

describe('random texts', () => {
  const pieces = fc.constantFrom(
    ...KEYWORDS,
    ...'( ) { } [ ] , = == != =~ !~ < <= > >= </ >/ + - * / % ^ @ : # . _ " \' ` \\ $ ; ! ~ {{ }} x'.split(
      ' ',
    ),
    ' ',
    '\n',
    'foo',
    'rate',
    '5m',
    '1e3',
    '0x',
    '"a"',
    '\ud800',
    '\u{10ffff}',
    'é',
  )
  const soup = fc.oneof(
    fc.array(pieces, { maxLength: 25 }).map((parts) => parts.join('')),
    fc.array(pieces, { maxLength: 25 }).map((parts) => parts.join(' ')),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => new TextDecoder().decode(bytes)),
  )

  it('are parsed or refused with a place, never anything else', () => {
    fc.assert(
      fc.property(soup, (input) => {
        attempt(() => parseExpr(input, ALL_EXPERIMENTS))
        attempt(() => parseExpr(input))
        attempt(() => parseMetricSelector(input))
        attempt(() => parseSeriesDescription(input))
        attempt(() => parseSeriesDescription(`up ${input}`))
        attempt(() => parseSeriesDescription(`{} {{${input}}}`))
      }),
      TIME_BUDGET,
    )
  }, 30_000)
})
