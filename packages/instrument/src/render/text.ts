// Text exposition: Prometheus 0.0.4 and OpenMetrics 1.0. What of a line never changes (names, labels, bounds) is built once
// a series and kept, so a scrape appends a cached prefix and a number a line.
import type { CounterSeries } from '../counter.ts'
import type { HistogramSeries } from '../histogram.ts'
import type { Series } from '../metric.ts'
import type { Exemplar } from '../types.ts'
import type { AnyMetric } from './family.ts'

export interface OpenMetricsOptions {
  /** Also print start timestamps, as `_created` lines. */
  created: boolean
}

/** Prometheus text format 0.0.4. */
export function renderText(metrics: Iterable<AnyMetric>): string {
  let out = ''
  for (const metric of metrics) {
    out += `# HELP ${metric.name} ${escapeHelp(metric.help)}\n# TYPE ${metric.name} ${metric.type}\n`
    out += samples(metric)
  }
  return out
}

/** OpenMetrics text format 1.0, `# EOF` included. */
export function renderOpenMetrics(metrics: Iterable<AnyMetric>, options: OpenMetricsOptions): string {
  let out = ''
  for (const metric of metrics) {
    const total = metric.name.endsWith('_total')
    const family = metric.type === 'counter' && total ? metric.name.slice(0, -6) : metric.name
    const type = metric.type === 'counter' && !total ? 'unknown' : metric.type
    out += `# TYPE ${family} ${type}\n`
    if (metric.unit && family.endsWith(`_${metric.unit}`)) out += `# UNIT ${family} ${metric.unit}\n`
    out += `# HELP ${family} ${escapeValue(metric.help)}\n`
    if (metric.type === 'counter') out += counterLines(metric.name, metric.labelNames, metric.series)
    else if (metric.type === 'histogram')
      for (const s of metric.series) out += histogramLines(metric, s, true)
    else out += samples(metric)
    if (options.created && type !== 'unknown' && metric.type !== 'gauge')
      for (const s of metric.series)
        out += `${linePrefix(`${family}_created`, metric.labelNames, s)}${s.startMs / 1000}\n`
  }
  return out + '# EOF\n'
}

function samples(metric: AnyMetric): string {
  let out = ''
  switch (metric.type) {
    case 'counter':
    case 'gauge':
      for (const s of metric.series) out += `${valuePrefix(metric, s)}${formatNumber(s.value)}\n`
      break
    case 'summary':
      for (const s of metric.series) {
        const prefixes = (s.text ??= ['_sum', '_count'].map((end) =>
          linePrefix(metric.name + end, metric.labelNames, s),
        ))
        out += `${prefixes[0]}${formatNumber(s.sum)}\n${prefixes[1]}${s.count}\n`
      }
      break
    case 'histogram':
      for (const s of metric.series) out += histogramLines(metric, s, false)
  }
  return out
}

function counterLines(name: string, labelNames: readonly string[], series: readonly CounterSeries[]): string {
  let out = ''
  for (const s of series) {
    out += `${valuePrefix({ name, labelNames }, s)}${formatNumber(s.value)}`
    out += s.exemplar === undefined ? '\n' : exemplarText(s.exemplar)
  }
  return out
}

interface Named {
  readonly name: string
  readonly labelNames: readonly string[]
}

function histogramLines(metric: Named, s: HistogramSeries, withExemplars: boolean): string {
  const prefixes = (s.text ??= histogramPrefixes(metric, s))
  const { counts } = s
  const exemplars = withExemplars ? s.exemplars : undefined
  let out = ''
  let cumulative = 0
  for (let i = 0; i < counts.length; i++) {
    cumulative += counts[i]!
    const exemplar = exemplars?.[i]
    out += prefixes[i]! + cumulative + (exemplar === undefined ? '\n' : exemplarText(exemplar))
  }
  const sum = formatNumber(s.sum)
  return `${out}${prefixes[counts.length]}${sum}\n${prefixes[counts.length + 1]}${s.count}\n`
}

function histogramPrefixes(metric: Named, s: HistogramSeries): string[] {
  const bounds = Array.from(s.bounds, formatBound)
  return [
    ...[...bounds, '+Inf'].map((le) =>
      linePrefix(`${metric.name}_bucket`, metric.labelNames, s, `le="${le}"`),
    ),
    linePrefix(`${metric.name}_sum`, metric.labelNames, s),
    linePrefix(`${metric.name}_count`, metric.labelNames, s),
  ]
}

function valuePrefix(metric: Named, s: Series): string {
  return (s.text ??= [linePrefix(metric.name, metric.labelNames, s)])[0]!
}

function linePrefix(name: string, labelNames: readonly string[], s: Series, last = ''): string {
  const pairs = labelNames.map((label, i) => `${label}="${escapeValue(s.labelValues[i]!)}"`)
  if (last) pairs.push(last)
  return pairs.length === 0 ? `${name} ` : `${name}{${pairs.join(',')}} `
}

function exemplarText(exemplar: Exemplar): string {
  const pairs = Object.keys(exemplar.labels).map((k) => `${k}="${escapeValue(exemplar.labels[k]!)}"`)
  return ` # {${pairs.join(',')}} ${formatNumber(exemplar.value)} ${exemplar.timestampMs / 1000}\n`
}

/** A value as all readers take it: the shortest decimal that is the same double. */
export function formatNumber(value: number): string {
  if (value - value === 0) return String(value)
  return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : 'NaN'
}

/** A bound as OpenMetrics wants it and Python's client prints it: whole numbers end in `.0`. */
export function formatBound(value: number): string {
  const text = formatNumber(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

/** Control characters other than the line feed pass: the formats allow them. */
function escapeValue(text: string): string {
  return /[\\"\n]/.test(text) ? text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`)) : text
}

function escapeHelp(text: string): string {
  return text.replace(/[\\\n]/g, (c) => (c === '\n' ? '\\n' : '\\\\'))
}
