// The families of a text exposition, as the checks of metrics see them: histograms and summaries put together.
import { METRIC_NAME, type Labels, type MetricType } from '@watchfire/datamodel'
import { TextParser } from '../../exposition/index.ts'

/** One metric: a label set with, for histograms and summaries, all that belongs to it. */
export interface Metric {
  readonly labels: Labels
  /** Buckets or quantiles. */
  parts: number
}

export interface MetricFamily {
  readonly name: string
  readonly type: MetricType
  readonly help: string | undefined
  /** By `Labels.key()`; of floats each sample is one, equal ones too. */
  readonly metrics: Metric[]
}

interface Draft {
  name: string
  type: MetricType
  help: string | undefined
  metrics: Metric[]
  readonly byLabels: Map<string, Metric>
}

const SUFFIXES: Readonly<Partial<Record<MetricType, readonly string[]>>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['_sum', '_count'],
}

/** Reads a text exposition; families in the order of the text. Throws `ExpositionError`. */
export function readFamilies(text: string): MetricFamily[] {
  const parser = new TextParser(Buffer.from(text, 'utf8'))
  const families = new Map<string, Draft>()
  const draft = (name: string): Draft => {
    let family = families.get(name)
    if (!family) {
      family = { name, type: 'unknown', help: undefined, metrics: [], byLabels: new Map() }
      families.set(name, family)
    }
    return family
  }
  for (let entry = parser.next(); entry !== undefined; entry = parser.next()) {
    if (entry === 'type') draft(parser.familyName).type = parser.type
    else if (entry === 'help') draft(parser.familyName).help = parser.help
    else if (entry === 'series') addSeries(parser.labels(), families, draft)
  }
  return [...families.values()].filter(({ metrics }) => metrics.length > 0)
}

function addSeries(
  series: Labels,
  families: ReadonlyMap<string, Draft>,
  draft: (name: string) => Draft,
): void {
  const name = series.get(METRIC_NAME)
  const family = ownerOf(name, families) ?? draft(name)
  if (family.type !== 'histogram' && family.type !== 'summary') {
    family.metrics.push({ labels: series.drop(new Set([METRIC_NAME])), parts: 0 })
    return
  }
  const labels = series.drop(new Set([METRIC_NAME, family.type === 'histogram' ? 'le' : 'quantile']))
  let metric = family.byLabels.get(labels.key())
  if (!metric) {
    metric = { labels, parts: 0 }
    family.byLabels.set(labels.key(), metric)
    family.metrics.push(metric)
  }
  if (!name.endsWith('_sum') && !name.endsWith('_count')) metric.parts++
}

/** The histogram or summary that a series belongs to. */
function ownerOf(name: string, families: ReadonlyMap<string, Draft>): Draft | undefined {
  for (const suffix of ['_bucket', '_sum', '_count']) {
    if (!name.endsWith(suffix)) continue
    const owner = families.get(name.slice(0, -suffix.length))
    if (owner && SUFFIXES[owner.type]?.includes(suffix)) return owner
  }
  return families.get(name)
}
