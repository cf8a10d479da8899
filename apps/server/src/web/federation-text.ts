// Samples as families of the exposition formats, as `/federate` gives them: everything untyped, but histograms with custom buckets, which become
// classic ones.
import {
  METRIC_NAME,
  COUNTER_RESET,
  formatGo,
  isLegacyLabelName,
  isLegacyMetricName,
  usesCustomBuckets,
  expandSpans,
  type FloatHistogram,
} from '@watchfire/datamodel'
import type { PlainSample } from '../query/index.ts'
import { ESCAPING_SCHEMES, escapeName, type EscapingScheme } from './escape-name.ts'

/** What a reader asked for. */
export interface FederationFormat {
  readonly contentType: string
  readonly protoText: boolean
  readonly escaping: EscapingScheme
}

interface Metric {
  readonly labels: readonly (readonly [string, string])[]
  readonly sample: PlainSample
}

interface Family {
  readonly name: string
  readonly type: 'untyped' | 'histogram' | 'gauge_histogram'
  readonly metrics: Metric[]
}

const PROTO_TYPE = 'application/vnd.google.protobuf'
const PROTO_MESSAGE = 'io.prometheus.client.MetricFamily'

/** Picks the format by an `Accept` header: text 0.0.4 unless protobuf in text form is preferred. */
export function federationFormat(accept: string): FederationFormat {
  let escaping: EscapingScheme = 'underscores'
  for (const { media, parameters } of accepted(accept)) {
    const asked = parameters.get('escaping')
    if (asked !== undefined && ESCAPING_SCHEMES.has(asked)) escaping = asked as EscapingScheme
    if (
      media === PROTO_TYPE &&
      parameters.get('proto') === PROTO_MESSAGE &&
      parameters.get('encoding') === 'text'
    )
      return {
        contentType: `${PROTO_TYPE}; proto=${PROTO_MESSAGE}; encoding=text; escaping=${escaping}`,
        protoText: true,
        escaping,
      }
    const version = parameters.get('version') ?? ''
    if (media === 'text/plain' && (version === '' || version === '0.0.4')) break
  }
  return {
    contentType: `text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}`,
    protoText: false,
    escaping,
  }
}

/** Families in order of name. External labels are added where a series has none of the name, `instance` too (empty). */
export function federationText(
  samples: readonly PlainSample[],
  externalLabels: Readonly<Record<string, string>>,
  format: FederationFormat,
): string {
  const families = familiesOf(samples, { instance: '', ...externalLabels })
  return families
    .map((family) => (format.protoText ? protoText(family) : text(family, format.escaping)))
    .join('')
}

function accepted(header: string) {
  const quality = (parameters: Map<string, string>): number => Number(parameters.get('q') ?? 1)
  return header
    .split(',')
    .map((part) => {
      const [media = '', ...rest] = part.split(';').map((one) => one.trim())
      const parameters = new Map(
        rest.map((one): [string, string] => {
          const at = one.indexOf('=')
          return at < 0 ? [one, ''] : [one.slice(0, at), one.slice(at + 1).replace(/^"|"$/g, '')]
        }),
      )
      return { media, parameters }
    })
    .sort((a, b) => quality(b.parameters) - quality(a.parameters))
}

function familiesOf(samples: readonly PlainSample[], external: Readonly<Record<string, string>>): Family[] {
  const added = Object.entries(external).sort(([a], [b]) => (a < b ? -1 : 1))
  const named = samples
    .map((sample) => ({ sample, name: nameOf(sample) }))
    .filter(({ sample, name }) => name !== '' && (!sample.histogram || usesCustomBuckets(sample.histogram)))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const families: Family[] = []
  for (const { sample, name } of named) {
    const type = typeOf(sample)
    let family = families.at(-1)
    if (family?.name !== name || family.type !== type) families.push((family = { name, type, metrics: [] }))
    const labels: [string, string][] = []
    const names = new Set<string>()
    for (let i = 0; i < sample.pairs.length; i += 2) {
      const [label, value] = [sample.pairs[i]!, sample.pairs[i + 1]!]
      if (label === METRIC_NAME) continue
      labels.push([label, value])
      names.add(label)
    }
    labels.push(...added.filter(([label]) => !names.has(label)))
    family.metrics.push({ labels, sample })
  }
  return families
}

function typeOf({ histogram }: PlainSample): Family['type'] {
  if (!histogram) return 'untyped'
  return histogram.counterResetHint === COUNTER_RESET.gauge ? 'gauge_histogram' : 'histogram'
}

function nameOf({ pairs }: PlainSample): string {
  const at = pairs.indexOf(METRIC_NAME)
  return at >= 0 && at % 2 === 0 ? pairs[at + 1]! : ''
}

function text({ name, type, metrics }: Family, escaping: EscapingScheme): string {
  const shown = escapeName(name, escaping)
  const typed = isLegacyMetricName(shown) ? shown : quoted(shown)
  const lines = [`# TYPE ${typed} ${type === 'untyped' ? 'untyped' : 'histogram'}`]
  for (const { labels, sample } of metrics) {
    const line = (suffix: string, value: number, le?: string) => {
      const all = le === undefined ? labels : [...labels, ['le', le] as const]
      lines.push(`${series(`${shown}${suffix}`, all, escaping)} ${valueText(value)} ${sample.timeMs}`)
    }
    if (!sample.histogram) line('', sample.value)
    else {
      for (const [bound, count] of classicBuckets(sample.histogram)) line('_bucket', count, formatGo(bound))
      line('_bucket', sample.histogram.count, '+Inf')
      line('_sum', sample.histogram.sum)
      line('_count', sample.histogram.count)
    }
  }
  return `${lines.join('\n')}\n`
}

function series(name: string, labels: Metric['labels'], escaping: EscapingScheme): string {
  const legacy = isLegacyMetricName(name)
  const parts = labels.map(([label, value]) => {
    const shown = escapeName(label, escaping)
    return `${isLegacyLabelName(shown) ? shown : quoted(shown)}=${quoted(value)}`
  })
  if (!legacy) parts.unshift(quoted(name))
  return `${legacy ? name : ''}${parts.length === 0 ? '' : `{${parts.join(',')}}`}`
}

/** Upper bounds with counts up to them, without +Inf. */
function classicBuckets(histogram: FloatHistogram): [number, number][] {
  const counts = new Map<number, number>()
  expandSpans(histogram.positiveSpans).forEach((index, i) =>
    counts.set(index, histogram.positiveBuckets[i] ?? 0),
  )
  let sum = 0
  return histogram.customValues.map((bound, i) => [bound, (sum += counts.get(i) ?? 0)])
}

/** As Prometheus prints floats in text, where −0 is 0. */
function valueText(value: number): string {
  return value === 0 ? '0' : formatGo(value)
}

function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`
}

/** The text form of protocol buffers; native parts of histograms are left to the classic form. */
function protoText({ name, type, metrics }: Family): string {
  const lines = [`name:  ${quoted(name)}`, `type:  ${type.toUpperCase()}`]
  for (const { labels, sample } of metrics) {
    lines.push('metric:  {')
    for (const [label, value] of labels)
      lines.push('  label:  {', `    name:  ${quoted(label)}`, `    value:  ${quoted(value)}`, '  }')
    if (!sample.histogram) lines.push('  untyped:  {', `    value:  ${protoNumber(sample.value)}`, '  }')
    else {
      lines.push('  histogram:  {')
      lines.push(`    sample_count_float:  ${protoNumber(sample.histogram.count)}`)
      lines.push(`    sample_sum:  ${protoNumber(sample.histogram.sum)}`)
      for (const [bound, count] of classicBuckets(sample.histogram))
        lines.push(
          '    bucket:  {',
          `      cumulative_count_float:  ${protoNumber(count)}`,
          `      upper_bound:  ${protoNumber(bound)}`,
          '    }',
        )
      lines.push('  }')
    }
    lines.push(`  timestamp_ms:  ${sample.timeMs}`, '}')
  }
  return `${lines.join('\n')}\n\n`
}

function protoNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  return Math.abs(value) === Infinity ? (value > 0 ? 'inf' : '-inf') : formatGo(value)
}
