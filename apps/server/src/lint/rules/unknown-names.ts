// Names that no series has: metrics, labels in matchers, labels to group or join by.
import { Matcher, METRIC_NAME, quoteString } from '@watchfire/datamodel'
import type { AggregateExpr, BinaryExpr, Expr, VectorSelector } from '@watchfire/promql/parser'
import type { LintContext, LintRule } from '../context.ts'
import { labelSetOf } from '../label-sets.ts'
import { nearest } from '../knowledge.ts'
import { hasAlternative, metricName, renamed } from '../tree.ts'
import { isBareBase } from './histogram-base.ts'

/** Names that the server makes itself, when there is reason to. */
const MADE_BY_RULES: ReadonlySet<string> = new Set(['ALERTS', 'ALERTS_FOR_STATE'])
/** Suffixes that are often forgotten. */
const SUFFIXES = ['_total', '_seconds', '_bytes', '_seconds_total', '_bytes_total', '_info', '_ratio']

export const unknownMetric: LintRule = (node, parents, context) => {
  if (node.type !== 'vectorSelector') return
  const { names } = context.knowledge
  const name = metricName(node)
  if (!names || name === '' || names.has(name) || MADE_BY_RULES.has(name)) return
  if (isBareBase(context.knowledge, name)) return
  // Who asks whether something is absent, or has an alternative, knows that it may be.
  if (hasAlternative(parents)) return
  if (parents.some((parent) => parent.type === 'call' && parent.name.startsWith('absent'))) return
  const found =
    SUFFIXES.map((suffix) => name + suffix).find((longer) => names.has(longer)) ?? nearest(name, names)
  context.report({
    rule: 'unknown-metric',
    severity: 'info',
    at: node,
    message: `there are no series ${quoteString(name)}${found === undefined ? '' : `; there is ${quoteString(found)}`}`,
    ...(found !== undefined && { instead: renamed(node, found) }),
  })
}

export const unknownLabel: LintRule = (node, _parents, context) => {
  if (node.type === 'vectorSelector') checkMatchers(node, context)
  else if (node.type === 'aggregation') checkGrouping(node, context)
  else if (node.type === 'binaryExpr') checkMatching(node, context)
}

function checkMatchers(node: VectorSelector, context: LintContext): void {
  const name = metricName(node)
  const known = name === '' ? undefined : context.knowledge.labelsOf(name)
  if (!known) return
  for (const matcher of node.matchers) {
    // What an absent label passes too is asked on purpose.
    if (matcher.name === METRIC_NAME || known.has(matcher.name) || matcher.matches('')) continue
    const better = nearest(matcher.name, known)
    const matchers = node.matchers.filter((own) => own !== matcher)
    context.report({
      rule: 'unknown-label',
      severity: 'warning',
      at: node,
      message: `no series ${quoteString(name)} has the label ${quoteString(matcher.name)}: nothing is selected${hint(known, better)}`,
      ...(better !== undefined && {
        instead: { ...node, matchers: [...matchers, new Matcher(matcher.type, better, matcher.value)] },
      }),
    })
  }
}

function checkGrouping(node: AggregateExpr, context: LintContext): void {
  if (node.without) return
  const known = labelSetOf(node.expr, context.knowledge)
  if (!known) return
  for (const label of node.grouping) {
    if (known.has(label) || label === METRIC_NAME) continue
    const better = nearest(label, known)
    const grouping = node.grouping.map((own) => (own === label ? (better ?? own) : own))
    context.report({
      rule: 'unknown-label',
      severity: 'warning',
      at: node,
      message: `no series here has the label ${quoteString(label)} to group by${hint(known, better)}`,
      ...(better !== undefined && { instead: { ...node, grouping } }),
    })
  }
}

function checkMatching(node: BinaryExpr, context: LintContext): void {
  const { matching } = node
  if (!matching) return
  const check = (side: Expr, labels: readonly string[], purpose: string) => {
    const known = labelSetOf(side, context.knowledge)
    if (!known) return
    for (const label of labels)
      if (!known.has(label))
        context.report({
          rule: 'unknown-label',
          severity: 'warning',
          at: side,
          message: `no series on this side has the label ${quoteString(label)} ${purpose}${hint(known, undefined)}`,
        })
  }
  if (matching.on) for (const side of [node.lhs, node.rhs]) check(side, matching.labels, 'to match by')
  if (matching.card === 'many-to-one') check(node.rhs, matching.include, 'to include')
  if (matching.card === 'one-to-many') check(node.lhs, matching.include, 'to include')
}

/** Most labels that a message lists. */
const LISTED_MAX = 12

function hint(known: ReadonlySet<string>, better: string | undefined): string {
  if (better !== undefined) return `; there is ${quoteString(better)}`
  const names = [...known].filter((name) => name !== METRIC_NAME).sort()
  if (names.length === 0) return ''
  return `; there are ${names.slice(0, LISTED_MAX).join(', ')}${names.length > LISTED_MAX ? ' …' : ''}`
}
