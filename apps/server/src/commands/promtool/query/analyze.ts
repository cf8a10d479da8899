// `promtool query analyze`: how many buckets of histograms are in use over a time.
import { parseTime } from '../times.ts'
import { goDurationText } from '../command-line.ts'
import { EXIT, type Io } from '../io.ts'
import { ApiError, type ApiClient } from './client.ts'
import { labelsText, metricText, type LabelMap, type ResultJson } from './print.ts'

export interface AnalyzeOptions {
  /** Only `histogram` is known. */
  readonly type: string
  readonly durationMs: number
  /** '' = now. */
  readonly time: string
  readonly matches: readonly string[]
}

const HEADER = `Bucket stats for each histogram series over time
------------------------------------------------
First the min, avg, and max number of populated buckets, followed by the total
number of buckets (only if different from the max number of populated buckets
which is typical for classic but not native histograms).`
const FOOTER = `Aggregated bucket stats
-----------------------
Each line shows min/avg/max over the series above.`

interface Series {
  readonly metric: LabelMap
  readonly values?: readonly (readonly [number, string])[]
  readonly histograms?: readonly (readonly [number, { readonly buckets?: readonly unknown[][] }])[]
}

/** Populated buckets of one histogram over time, and all it has. */
interface BucketStats {
  readonly min: number
  readonly avg: number
  readonly max: number
  readonly total: number
}

export async function analyzeHistograms(
  client: ApiClient,
  { type, durationMs, time, matches }: AnalyzeOptions,
  io: Io,
): Promise<number> {
  try {
    if (type !== 'histogram') throw new Error(`analyze type is ${type}, must be 'histogram'`)
    const timeMs = time === '' ? io.now() : analyzeTime(time)
    io.out(`${HEADER}\n\n`)
    const native: BucketStats[] = []
    const classic: BucketStats[] = []
    for (const match of matches) {
      const query = `${match}[${goDurationText(durationMs)}]`
      const { data } = await client.call('api/v1/query', { query, time: String(timeMs / 1000) })
      const { resultType, result } = data as ResultJson
      if (resultType !== 'matrix') throw new Error('query of buckets resulted in non-Matrix')
      const series = result as readonly Series[]
      for (const one of series.filter(({ values = [] }) => values.length === 0)) {
        const stats = nativeStats(one)
        if (!stats) continue
        io.out(`- ${metricText(one.metric)} (native): ${statsText(stats)}\n`)
        native.push(stats)
      }
      for (const [name, buckets] of classicHistograms(series)) {
        const stats = classicStats(buckets)
        if (!stats) continue
        io.out(`- ${name} (classic): ${statsText(stats)}\n`)
        classic.push(stats)
      }
    }
    io.out(`\n${FOOTER}\n`)
    if (native.length > 0) io.out(`\nNative ${summary(native)}\n`)
    if (classic.length > 0) io.out(`\nClassic ${summary(classic)}\n`)
    return EXIT.success
  } catch (error) {
    const detail = error instanceof ApiError && error.detail !== '' ? ` (detail: ${error.detail.trim()})` : ''
    io.err(`${(error as Error).message}${detail}\n`)
    return EXIT.failure
  }
}

function analyzeTime(text: string): number {
  try {
    return parseTime(text)
  } catch (error) {
    throw new Error(`error parsing time '${text}': ${(error as Error).message}`, { cause: error })
  }
}

/** undefined when there are too few samples. */
function nativeStats({ histograms = [] }: Series): BucketStats | undefined {
  if (histograms.length < 2) return undefined
  const seen = new Set<string>()
  const counts = histograms.map(([, { buckets = [] }]) => {
    for (const [bounds, lower, upper] of buckets) seen.add(JSON.stringify([bounds, lower, upper]))
    return buckets.length
  })
  return { ...spread(counts), total: seen.size }
}

/** Bucket series of classic histograms by the histogram's name and labels. */
function classicHistograms(series: readonly Series[]): Map<string, Series[]> {
  const found = new Map<string, Series[]>()
  for (const one of series) {
    const { __name__: name = '', le, ...labels } = one.metric
    if ((one.values ?? []).length === 0 || le === undefined || !name.endsWith('_bucket')) continue
    const key = name + labelsText(labels)
    found.set(key, [...(found.get(key) ?? []), one])
  }
  return found
}

function classicStats(buckets: readonly Series[]): BucketStats | undefined {
  const bound = ({ metric }: Series) => Number((metric.le ?? '').replace('Inf', 'Infinity'))
  const sorted = [...buckets].sort((a, b) => bound(a) - bound(b))
  const first = sorted[0]!.values!
  if (first.length < 2) return undefined
  const counts = first.map((_, i) => {
    let populated = 0
    let below = 0
    for (const { values = [] } of sorted) {
      const point = values[i]
      // A bucket with fewer samples: the rest counts as empty.
      if (!point) break
      if (point[0] !== first[i]![0]) throw new Error('matrix result is not time aligned')
      if (Math.trunc(Number(point[1]) - below) !== 0) populated++
      below = Number(point[1])
    }
    return populated
  })
  return { ...spread(counts), total: sorted.length }
}

function spread(counts: readonly number[]): { min: number; avg: number; max: number } {
  const sum = counts.reduce((total, count) => total + count, 0)
  return { min: Math.min(...counts), avg: sum / counts.length, max: Math.max(...counts) }
}

function statsText({ min, avg, max, total }: BucketStats): string {
  return spreadText({ min, avg, max }) + (max === total ? '' : `/${total}`)
}

function spreadText({ min, avg, max }: { min: number; avg: number; max: number }): string {
  return `${min}/${avg.toFixed(3)}/${max}`
}

function summary(all: readonly BucketStats[]): string {
  const line = (pick: (stats: BucketStats) => number) => spreadText(spread(all.map(pick)))
  const max = line((stats) => stats.max)
  const total = line((stats) => stats.total)
  return [
    `histogram series (${all.length} in total):`,
    `- min populated: ${line((stats) => stats.min)}`,
    `- avg populated: ${line((stats) => Math.trunc(stats.avg))}`,
    `- max populated: ${max}`,
    ...(max === total ? [] : [`- total: ${total}`]),
  ].join('\n')
}
