// A classic histogram or summary has no series of its plain name, only `_sum`, `_count` and its parts.
import type { Expr, VectorSelector } from '@watchfire/promql/parser'
import { printExpr } from '@watchfire/promql/parser'
import type { LintContext, LintRule } from '../context.ts'
import type { Knowledge } from '../knowledge.ts'
import { hasAlternative, metricName, RATES, renamed, unwrap } from '../tree.ts'

/** True when a name is that of a histogram or summary whose series all have suffixes. */
export function isBareBase(knowledge: Knowledge, name: string): boolean {
  const { names } = knowledge
  return names !== undefined && !names.has(name) && names.has(`${name}_sum`) && names.has(`${name}_count`)
}

export const histogramBase: LintRule = (node, parents, context) => {
  // `x or x_bucket…` serves native and classic histograms.
  if (node.type !== 'vectorSelector' || hasAlternative(parents)) return
  const name = metricName(node)
  if (name === '' || !isBareBase(context.knowledge, name)) return
  const buckets = context.knowledge.names!.has(`${name}_bucket`)
  const parts = [...(buckets ? [`${name}_bucket`] : []), `${name}_sum`, `${name}_count`]
  const fix = correction(node, parents, buckets, context)
  context.report({
    rule: 'histogram-base',
    severity: 'warning',
    at: node,
    message: `there are no series "${name}": it is a ${buckets ? 'histogram' : 'summary'} with ${parts.join(', ')}`,
    ...(fix && { instead: fix.text, replaces: fix.place }),
  })
}

interface Correction {
  readonly place: Expr
  readonly text: string
}

function correction(
  selector: VectorSelector,
  parents: readonly Expr[],
  buckets: boolean,
  context: LintContext,
): Correction | undefined {
  const range = parents.findLast((parent) => parent.type === 'matrixSelector')
  const window = range ? /\[[^[\]]*\]$/.exec(context.text(range))?.[0] : '[5m]'
  if (window === undefined) return undefined
  const part = (suffix: string, rate: string) =>
    `${rate}(${printExpr(renamed(selector, `${metricName(selector)}_${suffix}`))}${window})`
  const above = parents.filter((parent) => parent !== range && parent.type !== 'parenExpr')
  const quantile = above.findLast((parent) => parent.type === 'call' && parent.name === 'histogram_quantile')
  if (quantile?.type === 'call' && buckets) {
    const argument = unwrap(quantile.args[1]!)
    const own = argument.type === 'aggregation' && !argument.without ? argument.grouping : []
    const labels = [...own.filter((label) => label !== 'le'), 'le'].join(', ')
    return { place: argument, text: `sum by (${labels}) (${part('bucket', 'rate')})` }
  }
  const closest = above.at(-1)
  const rate = closest?.type === 'call' && RATES.has(closest.name) ? closest.name : 'rate'
  const average = (head: string, place: Expr): Correction => ({
    place,
    text: `${head}(${part('sum', rate)}) / ${head}(${part('count', rate)})`,
  })
  const outer = closest?.type === 'call' ? above.at(-2) : closest
  if (outer?.type === 'aggregation' && outer.op === 'avg') return average(aggregationHead(outer), outer)
  if (closest?.type === 'call' && (RATES.has(closest.name) || closest.name === 'avg_over_time'))
    return { place: closest, text: `${part('sum', rate)} / ${part('count', rate)}` }
  return undefined
}

/** `sum by (a, b) `. */
function aggregationHead(node: Expr & { type: 'aggregation' }): string {
  if (node.without) return `sum without (${node.grouping.join(', ')}) `
  return node.grouping.length > 0 ? `sum by (${node.grouping.join(', ')}) ` : 'sum'
}
