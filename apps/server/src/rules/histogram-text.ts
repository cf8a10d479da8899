// A native histogram as text in templates: `{count:3, sum:10, (1,2]:3}`.
import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram, type Span } from '@watchfire/datamodel'
import { formatFloat } from '@watchfire/template'

const show = (value: number) => formatFloat(value, 'g', -1)

/** Buckets in ascending order; empty ones are left out. */
export function histogramText(histogram: FloatHistogram): string {
  const parts = [`count:${show(histogram.count)}`, `sum:${show(histogram.sum)}`]
  const bucket = (open: string, lower: number, upper: number, close: string, count: number) => {
    if (count !== 0) parts.push(`${open}${show(lower)},${show(upper)}${close}:${show(count)}`)
  }
  const bound = (index: number) => boundOf(histogram, index)
  for (const [index, count] of buckets(histogram.negativeSpans, histogram.negativeBuckets).reverse())
    bucket('[', -bound(index), -bound(index - 1), ')', count)
  bucket('[', -histogram.zeroThreshold, histogram.zeroThreshold, ']', histogram.zeroCount)
  const custom = histogram.schema === CUSTOM_BUCKETS_SCHEMA
  for (const [index, count] of buckets(histogram.positiveSpans, histogram.positiveBuckets))
    bucket(custom && index === 0 ? '[' : '(', bound(index - 1), bound(index), ']', count)
  return `{${parts.join(', ')}}`
}

function boundOf({ schema, customValues }: FloatHistogram, index: number): number {
  if (schema === CUSTOM_BUCKETS_SCHEMA) return index < 0 ? -Infinity : (customValues[index] ?? Infinity)
  return 2 ** (index * 2 ** -schema)
}

function buckets(spans: readonly Span[], counts: Float64Array): [number, number][] {
  const out: [number, number][] = []
  let index = 0
  for (const { offset, length } of spans) {
    index += offset
    for (let i = 0; i < length; i++) out.push([index++, counts[out.length] ?? 0])
  }
  return out
}
