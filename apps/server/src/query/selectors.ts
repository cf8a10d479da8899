// Series selectors of the API (`match[]`).
import type { Matcher } from '@watchfire/datamodel'
import { parseMetricSelector } from '@watchfire/promql/parser'

/** Parses one selector. Throws an Error with Prometheus's text. */
export function parseSelector(text: string): readonly Matcher[] {
  const matchers = parseMetricSelector(text)
  if (matchers.every((matcher) => matcher.matchesEmpty()))
    throw new Error('match[] must contain at least one non-empty matcher')
  return matchers
}
