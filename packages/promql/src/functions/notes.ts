// Texts of the annotations that functions and operators give, in Prometheus's words.
import { quoteString, type Labels } from '@watchfire/datamodel'
import { formatG, type Annotations } from '../exec/annotations.ts'

/**
 * A text in quotes as Go prints it; bytes that are not UTF-8 are lone surrogates here and printed as `\xNN`.
 */
export function quoteText(text: string): string {
  return quoteString(text).replace(/\\udc([89a-f][0-9a-f])/g, '\\x$1')
}

/** What was done to the histograms an annotation speaks of. */
export type HistogramOperation = 'addition' | 'subtraction' | 'aggregation'

export const notes = {
  mixedSamples(annotations: Annotations, labels: Labels, position: number): void {
    const name = quoteText(labels.metricName)
    annotations.warn(`encountered a mix of histograms and floats for metric name ${name}`, position)
  },
  mixedAggregation(annotations: Annotations, position: number): void {
    annotations.warn('encountered a mix of histograms and floats for aggregation', position)
  },
  mixedBuckets(annotations: Annotations, labels: Labels, position: number): void {
    const text =
      'vector contains a mix of histograms with exponential and custom buckets schemas for metric name'
    annotations.warn(`${text} ${quoteText(labels.metricName)}`, position)
  },
  notCounter(annotations: Annotations, labels: Labels, position: number): void {
    annotations.warn(
      `this native histogram metric is not a counter: ${quoteText(labels.metricName)}`,
      position,
    )
  },
  notGauge(annotations: Annotations, labels: Labels, position: number): void {
    annotations.warn(`this native histogram metric is not a gauge: ${quoteText(labels.metricName)}`, position)
  },
  boundsReconciled(annotations: Annotations, operation: HistogramOperation, position: number): void {
    annotations.info(`mismatched custom buckets were reconciled during ${operation}`, position)
  },
  resetCollision(annotations: Annotations, operation: HistogramOperation, position: number): void {
    annotations.warn(`conflicting counter resets during histogram ${operation}`, position)
  },
  histogramsIgnored(annotations: Annotations, labels: Labels, position: number): void {
    const text = 'ignored histograms in a range containing both floats and histograms for metric name'
    annotations.info(`${text} ${quoteText(labels.metricName)}`, position)
  },
  histogramIgnoredIn(annotations: Annotations, aggregation: string, position: number): void {
    annotations.info(`ignored histogram in ${aggregation} aggregation`, position)
  },
  invalidQuantile(annotations: Annotations, q: number, position: number): void {
    annotations.warn(`quantile value should be between 0 and 1, got ${formatG(q)}`, position)
  },
  invalidRatio(annotations: Annotations, ratio: number, cap: number, position: number): void {
    const text = 'ratio value should be between -1 and 1'
    annotations.warn(`${text}, got ${formatG(ratio)}, capping to ${formatG(cap)}`, position)
  },
}

/** `text for metric name "x"`, or the text alone for a nameless metric. */
export function withMetricName(text: string, name: string): string {
  return name === '' ? text : `${text} for metric name ${quoteText(name)}`
}
