// rate() and its like take every fall of a value for a restart of a counter. On a gauge the result is nonsense.
import type { LintRule } from '../context.ts'
import { seriesType } from '../knowledge.ts'
import { metricName } from '../tree.ts'

/** What a gauge is to be asked instead. */
const FOR_GAUGES: Readonly<Record<string, string>> = { rate: 'deriv', irate: 'deriv', increase: 'delta' }

export const rateOfGauge: LintRule = (node, _parents, context) => {
  if (node.type !== 'call' || !Object.hasOwn(FOR_GAUGES, node.name)) return
  const [range] = node.args
  if (range?.type !== 'matrixSelector') return
  const name = metricName(range.vector)
  if (name === '' || seriesType(context.knowledge, name) !== 'gauge') return
  const better = FOR_GAUGES[node.name]!
  context.report({
    rule: 'rate-of-gauge',
    severity: 'warning',
    at: node,
    message: `"${name}" is a gauge: ${node.name}() takes every fall of its value for a restarted counter; ${better}() gives its change`,
    instead: { ...node, name: better },
  })
}
