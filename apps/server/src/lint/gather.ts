// Gathers what the linter has to know about the metrics of one query from the running server.
import type { MetricType } from '@watchfire/datamodel'
import { parseExpr, type ParserOptions } from '@watchfire/promql/parser'
import { knowledgeOf, type Knowledge } from './knowledge.ts'
import { metricName, selectorsOf } from './tree.ts'

/** Where knowledge comes from; what cannot be had rejects. */
export interface KnowledgeSources {
  /** Metadata of the scraped metrics; a metric may be there several times. */
  metadata(): Promise<readonly { readonly metric: string; readonly type: MetricType }[]>
  /** Names of all series. */
  metricNames(): Promise<readonly string[]>
  /** Label names of the series of a name. */
  labelNames(metric: string): Promise<readonly string[]>
  /** Names that recording rules write, whether or not there are series yet. */
  recordedNames(): readonly string[]
}

/** Most metrics of one query whose labels are looked up. */
const METRICS_MAX = 32

/** Throws `ParseError` for a text that is no query. */
export async function gatherKnowledge(
  expr: string,
  sources: KnowledgeSources,
  parser: ParserOptions = {},
): Promise<Knowledge> {
  const used = new Set(selectorsOf(parseExpr(expr, parser)).map(metricName))
  used.delete('')
  const [metadata, names] = await Promise.all([sources.metadata(), sources.metricNames()])
  const known = new Set(names)
  const wanted = [...used].filter((name) => known.has(name)).slice(0, METRICS_MAX)
  const labels = await Promise.all(
    wanted.map(async (name) => [name, await sources.labelNames(name)] as const),
  )
  return knowledgeOf({
    types: typesOf(metadata),
    // A server without any series knows nothing yet.
    ...(known.size > 0 && { names: [...known, ...sources.recordedNames()] }),
    labels: new Map(labels),
  })
}

/** Types by family; where targets disagree nothing is known. */
function typesOf(
  metadata: readonly { readonly metric: string; readonly type: MetricType }[],
): Map<string, MetricType> {
  const types = new Map<string, MetricType>()
  for (const { metric, type } of metadata) {
    const before = types.get(metric)
    types.set(metric, before === undefined || before === type ? type : 'unknown')
  }
  return types
}
