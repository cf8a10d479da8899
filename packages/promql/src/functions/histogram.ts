// histogram_count, _sum, _avg, _stddev, _stdvar: numbers about native histograms; floats are left out.
import { allBuckets, usesCustomBuckets, type FloatHistogram } from '@watchfire/datamodel'
import { MapRows } from '../exec/basic.ts'
import { KIND } from '../exec/operator.ts'
import type { CallBuilder } from './call.ts'
import { KahanSum } from './kahan.ts'

export const HISTOGRAM_FUNCTIONS: ReadonlyMap<string, CallBuilder> = new Map<string, CallBuilder>([
  ['histogram_count', ofHistograms((histogram) => histogram.count)],
  ['histogram_sum', ofHistograms((histogram) => histogram.sum)],
  ['histogram_avg', ofHistograms((histogram) => histogram.sum / histogram.count)],
  ['histogram_stdvar', ofHistograms(variance)],
  ['histogram_stddev', ofHistograms((histogram) => Math.sqrt(variance(histogram)))],
])

function ofHistograms(f: (histogram: FloatHistogram) => number): CallBuilder {
  return ({ node, build, context }) =>
    new MapRows(build(node.args[0]!), context, (row) => {
      const { kinds, values, histograms } = row
      for (let i = 0; i < kinds.length; i++) {
        if (kinds[i] !== KIND.histogram) {
          kinds[i] = KIND.absent
          continue
        }
        kinds[i] = KIND.float
        values[i] = f(histograms[i]!)
      }
      row.hasHistograms = false
    })
}

/**
 * All observations of a bucket count as its middle: arithmetic for custom buckets, 0 around zero, else
 * geometric.
 */
function variance(histogram: FloatHistogram): number {
  const mean = histogram.sum / histogram.count
  const custom = usesCustomBuckets(histogram)
  const total = new KahanSum()
  for (const { lower, upper, count } of allBuckets(histogram)) {
    if (count === 0) continue
    let middle: number
    if (custom) middle = (upper + lower) / 2
    else if (lower <= 0 && upper >= 0) middle = 0
    else middle = (upper < 0 ? -1 : 1) * Math.sqrt(upper * lower)
    const delta = middle - mean
    total.add(count * delta * delta)
  }
  return total.value / histogram.count
}
