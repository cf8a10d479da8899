// Results of queries as text, in the notation of the API client of Prometheus, or as JSON.
import { quoteString } from '@watchfire/datamodel'

/** Labels as the API gives them. */
export type LabelMap = Readonly<Record<string, string>>

interface HistogramJson {
  readonly count: string
  readonly sum: string
  readonly buckets?: readonly (readonly [number, string, string, string])[]
}

interface SampleJson {
  readonly metric: LabelMap
  readonly value?: readonly [number, string]
  readonly histogram?: readonly [number, HistogramJson]
}

interface SeriesJson {
  readonly metric: LabelMap
  readonly values?: readonly (readonly [number, string])[]
  readonly histograms?: readonly (readonly [number, HistogramJson])[]
}

/** The `data` of a query. */
export interface ResultJson {
  readonly resultType: 'vector' | 'matrix' | 'scalar' | 'string'
  readonly result: unknown
}

/** A result in lines. Throws an Error for something that is no result. */
export function resultText({ resultType, result }: ResultJson): string {
  switch (resultType) {
    case 'vector':
      return (result as SampleJson[]).map(sampleText).join('\n')
    case 'matrix':
      return (result as SeriesJson[]).map(seriesText).join('\n')
    case 'scalar': {
      const [time, value] = result as [number, string]
      return `scalar: ${value} @[${time}]`
    }
    case 'string':
      return (result as [number, string])[1]
    default:
      throw new Error(`unexpected value type ${quoteString(String(resultType))}`)
  }
}

function sampleText({ metric, value, histogram }: SampleJson): string {
  const [time, text] = histogram ? [histogram[0], histogramText(histogram[1])] : (value ?? [0, ''])
  return `${metricText(metric)} => ${text} @[${time}]`
}

function seriesText({ metric, values = [], histograms = [] }: SeriesJson): string {
  const points = [
    ...values.map(([time, value]) => `${value} @[${time}]`),
    ...histograms.map(([time, histogram]) => `${histogramText(histogram)} @[${time}]`),
  ]
  return `${metricText(metric)} =>\n${points.join('\n')}`
}

/** `Count: 3, Sum: 2.500000, Buckets: [[-1,1]:2]`. */
function histogramText({ count, sum, buckets = [] }: HistogramJson): string {
  const shown = buckets.map(([bounds, lower, upper, inside]) => {
    const open = bounds === 1 || bounds === 3 ? '[' : '('
    const close = bounds === 0 || bounds === 3 ? ']' : ')'
    return `${open}${lower},${upper}${close}:${inside}`
  })
  return `Count: ${fixed(count)}, Sum: ${fixed(sum)}, Buckets: [${shown.join(' ')}]`
}

function fixed(text: string): string {
  const value = Number(text)
  return Number.isFinite(value) ? value.toFixed(6) : text
}

/** `name{a="b"}`. */
export function metricText(metric: LabelMap): string {
  const { __name__: name = '', ...labels } = metric
  const inner = labelsText(labels)
  if (name === '') return inner
  return inner === '{}' ? name : name + inner
}

/** `{__name__="up", job="a"}`, names in order. */
export function labelsText(labels: LabelMap): string {
  const parts = Object.keys(labels)
    .sort()
    .map((name) => `${name}=${quoteString(labels[name]!)}`)
  return `{${parts.join(', ')}}`
}
