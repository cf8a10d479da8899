// histogram_quantile() wants the increase of buckets over a time, with their bounds still there.
import { quoteString } from '@watchfire/datamodel'
import type { AggregateExpr, Expr, VectorSelector } from '@watchfire/promql/parser'
import type { LintContext, LintRule } from '../context.ts'
import { metricName, RATES, selectorsOf, unwrap } from '../tree.ts'

/** Which argument holds the histogram. */
const HISTOGRAM_ARGUMENT: Readonly<Record<string, number>> = {
  histogram_quantile: 1,
  histogram_quantiles: 0,
  histogram_fraction: 2,
}

export const histogramQuantile: LintRule = (node, _parents, context) => {
  if (node.type !== 'call' || !Object.hasOwn(HISTOGRAM_ARGUMENT, node.name)) return
  const histogram = node.args[HISTOGRAM_ARGUMENT[node.name]!]
  if (histogram) check(histogram, node.name, context)
}

/** Goes down to the selectors as long as it is clear what happens to the buckets. */
function check(expr: Expr, asker: string, context: LintContext): void {
  const node = unwrap(expr)
  switch (node.type) {
    case 'aggregation':
      if (selectorsOf(node).some(isBuckets)) checkGrouping(node, asker, context)
      return check(node.expr, asker, context)
    case 'vectorSelector':
      if (isBuckets(node)) withoutRate(node, asker, context)
      return
    case 'call':
      // Over a recording rule or a subquery the rate may have been taken before.
      if (RATES.has(node.name) || node.name.endsWith('_over_time')) return
      for (const arg of node.args) check(arg, asker, context)
      return
    case 'binaryExpr':
      check(node.lhs, asker, context)
      return check(node.rhs, asker, context)
    default:
  }
}

/** Series of a classic histogram as exposed; names with a colon come from recording rules. */
function isBuckets(selector: VectorSelector): boolean {
  return /^[^:]+_bucket$/.test(metricName(selector))
}

function checkGrouping(node: AggregateExpr, asker: string, context: LintContext): void {
  const keeps = node.without ? !node.grouping.includes('le') : node.grouping.includes('le')
  if (keeps || node.op === 'topk' || node.op === 'bottomk' || node.op === 'limitk') return
  const grouping = node.without ? node.grouping.filter((label) => label !== 'le') : [...node.grouping, 'le']
  context.report({
    rule: 'quantile-without-le',
    severity: 'warning',
    at: node,
    message: `${node.op} drops the label le, without which ${asker}() has no bounds of buckets`,
    instead: { ...node, grouping },
  })
}

function withoutRate(node: VectorSelector, asker: string, context: LintContext): void {
  const text = context.text(node)
  const at =
    node.offsetMs !== 0 || node.atMs !== undefined || node.startOrEnd ? undefined : `rate(${text}[5m])`
  context.report({
    rule: 'quantile-without-rate',
    severity: 'warning',
    at: node,
    message: `${quoteString(metricName(node))} counts since the start of the process: without rate() ${asker}() mixes all of that time`,
    ...(at !== undefined && { instead: at }),
  })
}
