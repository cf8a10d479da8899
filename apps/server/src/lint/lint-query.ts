// The query linter: looks for queries that run without an error and still do not give what they look like.
import { parseExpr, type ParserOptions } from '@watchfire/promql/parser'
import { LintContext, type LintRule } from './context.ts'
import type { Finding } from './finding.ts'
import { NO_KNOWLEDGE, type Knowledge } from './knowledge.ts'
import { histogramBase } from './rules/histogram-base.ts'
import { histogramQuantile } from './rules/histogram-quantile.ts'
import { missingBool, sumOfZeros } from './rules/missing-bool.ts'
import { rateAsTotal } from './rules/rate-as-total.ts'
import { rateOfGauge } from './rules/rate-of-gauge.ts'
import { unknownLabel, unknownMetric } from './rules/unknown-names.ts'
import { vanishingSeries } from './rules/vanishing-series.ts'
import { walk } from './tree.ts'

const RULES: readonly LintRule[] = [
  rateOfGauge,
  histogramQuantile,
  histogramBase,
  rateAsTotal,
  missingBool,
  sumOfZeros,
  unknownMetric,
  unknownLabel,
  vanishingSeries,
]

/** Findings in the order of the query. Throws `ParseError` for a text that is no query. */
export function lintQuery(
  expr: string,
  knowledge: Knowledge = NO_KNOWLEDGE,
  parser: ParserOptions = {},
): Finding[] {
  const context = new LintContext(expr, knowledge, parser)
  walk(parseExpr(expr, parser), (node, parents) => {
    for (const rule of RULES) rule(node, parents, context)
  })
  return context.findings.sort((a, b) => a.start - b.start || a.end - b.end)
}
