// Collects the series of classic histograms (`_bucket{le}`, `_count`, `_sum`) and converts them to native histograms
// with custom buckets, one a label set and time.
import {
  COUNTER_RESET,
  CUSTOM_BUCKETS_SCHEMA,
  LabelsBuilder,
  METRIC_NAME,
  compactHistogram,
  type FloatHistogram,
  type Labels,
} from '@watchfire/datamodel'

interface ClassicHistogram {
  readonly buckets: Map<number, number>
  count: number | undefined
  sum: number
}

interface ClassicSeries {
  readonly labels: Labels
  readonly byTime: Map<number, ClassicHistogram>
}

export class ClassicHistograms {
  readonly #series = new Map<string, ClassicSeries>()

  /** Takes in a float sample; of series that belong to no classic histogram nothing is kept. */
  add(labels: Labels, timeMs: number, value: number): void {
    const parts = /^(.*)_(bucket|count|sum)$/s.exec(labels.metricName)
    if (!parts) return
    const bound = parts[2] === 'bucket' ? parseBound(labels.get('le')) : 0
    if (bound === undefined) return
    const histogram = this.histogramAt(labels, parts[1]!, timeMs)
    if (parts[2] === 'count') histogram.count = value
    else if (parts[2] === 'sum') histogram.sum = value
    else if (!histogram.buckets.has(bound)) histogram.buckets.set(bound, value)
  }

  private histogramAt(labels: Labels, name: string, timeMs: number): ClassicHistogram {
    const base = new LabelsBuilder(labels).set(METRIC_NAME, name).delete('le').labels()
    let series = this.#series.get(base.key())
    if (!series) this.#series.set(base.key(), (series = { labels: base, byTime: new Map() }))
    let histogram = series.byTime.get(timeMs)
    if (!histogram) series.byTime.set(timeMs, (histogram = { buckets: new Map(), count: undefined, sum: 0 }))
    return histogram
  }

  /** In order of time within a series. Throws an Error for counts that are not those of a histogram. */
  *converted(): IterableIterator<{ labels: Labels; timeMs: number; histogram: FloatHistogram }> {
    for (const { labels, byTime } of this.#series.values())
      for (const timeMs of [...byTime.keys()].sort((a, b) => a - b))
        yield { labels, timeMs, histogram: convert(byTime.get(timeMs)!) }
  }
}

function parseBound(le: string): number | undefined {
  const value = /^\+?inf$/i.test(le) ? Infinity : /^-inf$/i.test(le) ? -Infinity : Number(le)
  return le === '' || Number.isNaN(value) ? undefined : value
}

function convert(classic: ClassicHistogram): FloatHistogram {
  const bounds = [...classic.buckets.keys()].sort((a, b) => a - b)
  const cumulative = bounds.map((bound) => classic.buckets.get(bound)!)
  const count = classic.count ?? cumulative.at(-1) ?? 0
  if (bounds.at(-1) !== Infinity) {
    bounds.push(Infinity)
    cumulative.push(count)
  }
  const counts = cumulative.map((value, i) => value - (cumulative[i - 1] ?? 0))
  if (cumulative.some((value) => value < 0) || counts.some((value) => value < 0))
    throw new Error('counts of a classic histogram must be cumulative and not negative')
  if (count !== cumulative.at(-1))
    throw new Error(`count mismatch: count=${count} != le=+Inf count=${cumulative.at(-1)}`)
  return compactHistogram({
    schema: CUSTOM_BUCKETS_SCHEMA,
    zeroThreshold: 0,
    zeroCount: 0,
    count,
    sum: classic.sum,
    positiveSpans: [{ offset: 0, length: counts.length }],
    negativeSpans: [],
    positiveBuckets: Float64Array.from(counts),
    negativeBuckets: new Float64Array(0),
    customValues: bounds.slice(0, -1),
    counterResetHint: COUNTER_RESET.unknown,
  })
}
