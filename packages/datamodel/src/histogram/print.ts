// Histograms as text: the compact form of results and labels, and the literal of test scripts.
import { formatGo } from '../sample.ts'
import { compactHistogram } from './arithmetic.ts'
import { expandSpans, usesCustomBuckets } from './bounds.ts'
import { negativeBuckets, positiveBuckets, zeroBucket, type Bucket } from './buckets.ts'
import { COUNTER_RESET, type FloatHistogram } from './types.ts'

/** `{count:3, sum:2.5, (0.5,1]:2, (1,2]:1}`: empty buckets left out. */
export function histogramToString(h: FloatHistogram): string {
  const parts = [`count:${formatGo(h.count)}`, `sum:${formatGo(h.sum)}`]
  const show = (b: Bucket): void => {
    if (b.count === 0) return
    const open = b.lowerInclusive ? '[' : '('
    const close = b.upperInclusive ? ']' : ')'
    parts.push(`${open}${formatGo(b.lower)},${formatGo(b.upper)}${close}:${formatGo(b.count)}`)
  }
  negativeBuckets(h).reverse().forEach(show)
  if (h.zeroCount !== 0 && !usesCustomBuckets(h)) show(zeroBucket(h))
  positiveBuckets(h).forEach(show)
  return `{${parts.join(', ')}}`
}

/** The literal of test scripts: `{{schema:1 count:3 sum:2.5 buckets:[2 1]}}`. Gaps between buckets become zeros. */
export function histogramLiteral(histogram: FloatHistogram): string {
  const h = compactHistogram(histogram)
  const parts: string[] = []
  const number = (key: string, value: number): void => {
    if (value !== 0) parts.push(`${key}:${formatGo(value)}`)
  }
  if (h.schema !== 0) parts.push(`schema:${h.schema}`)
  number('count', h.count)
  number('sum', h.sum)
  number('z_bucket', h.zeroCount)
  number('z_bucket_w', h.zeroThreshold)
  if (usesCustomBuckets(h)) parts.push(`custom_values:[${h.customValues.map(formatGo).join(' ')}]`)
  if (h.counterResetHint !== COUNTER_RESET.unknown)
    parts.push(`counter_reset_hint:${['', 'reset', 'not_reset', 'gauge'][h.counterResetHint]}`)
  const side = (bucketsKey: string, offsetKey: string, indices: Int32Array, counts: Float64Array): void => {
    if (indices.length === 0) return
    const first = indices[0]!
    if (first !== 0) parts.push(`${offsetKey}:${first}`)
    const dense: string[] = []
    indices.forEach((index, i) => {
      while (dense.length < index - first) dense.push('0')
      dense.push(formatGo(counts[i]!))
    })
    parts.push(`${bucketsKey}:[${dense.join(' ')}]`)
  }
  side('buckets', 'offset', expandSpans(h.positiveSpans), h.positiveBuckets)
  side('n_buckets', 'n_offset', expandSpans(h.negativeSpans), h.negativeBuckets)
  return `{{${parts.join(' ')}}}`
}
