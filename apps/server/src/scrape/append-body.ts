// One parsed body into an appender: every sample with its labels, limits and outcome. The path for everything that is not plain
// text seen before.
import {
  APPEND,
  histogramFault,
  isStale,
  type AppendResult,
  type Appender,
  type HistogramSample,
} from '@watchfire/datamodel'
import {
  BUCKET_LIMIT_ERROR,
  limitHistogram,
  type ExpositionParser,
  type HistogramLimits,
} from '../exposition/index.ts'
import type { ScrapeCache, SeriesEntry } from './cache.ts'
import { ScrapeError } from './errors.ts'
import type { ScrapeCounters } from './metrics.ts'
import { sampleLabels, type LabelPolicy } from './sample-labels.ts'

/** Samples further ahead than this are out of bounds. */
const AHEAD_MAX_MS = 10 * 60_000

export interface AppendPolicy {
  readonly labels: LabelPolicy
  readonly honorTimestamps: boolean
  readonly trackTimestampsStaleness: boolean
  /** 0 = no limit. */
  readonly sampleLimit: number
  readonly histograms: HistogramLimits
  readonly exemplars: boolean
  /** Stores a zero at start timestamps. */
  readonly startTimestampZero: boolean
}

/** Numbers of one scrape, as its report series show them. */
export interface ScrapeCounts {
  /** Samples in the body. */
  scraped: number
  /** Samples left after relabelling. */
  added: number
  /** Series not seen in the scrape before. */
  seriesAdded: number
}

/** What became of a sample. */
export type SampleOutcome = 'stored' | 'dropped' | 'duplicate' | 'rejected'

/** Told about every sample, in order; `entry` is there when it was stored. */
export type SampleListener = (
  parser: ExpositionParser,
  outcome: SampleOutcome,
  entry: SeriesEntry | undefined,
) => void

export interface AppendContext {
  readonly cache: ScrapeCache
  readonly policy: AppendPolicy
  readonly counters: ScrapeCounters
  readonly nowMs: number
  /** Time of samples without one of their own. */
  readonly timeMs: number
  readonly listener?: SampleListener
}

/** Appends everything; throws when the scrape has to fail. `counts` is valid then, too. */
export function appendParsed(
  parser: ExpositionParser,
  appender: Appender,
  context: AppendContext,
  counts: ScrapeCounts,
): void {
  const { cache, policy, counters } = context
  let appended = 0
  let sampleLimitHit = false
  let bucketLimitHit = false
  for (let kind = parser.next(); kind !== undefined; kind = parser.next()) {
    if (kind !== 'series' && kind !== 'histogram') {
      if (kind === 'type') cache.setMetadata(parser.familyName, { type: parser.type })
      else if (kind === 'help') cache.setMetadata(parser.familyName, { help: parser.help })
      else if (kind === 'unit') cache.setMetadata(parser.familyName, { unit: parser.unit })
      continue
    }
    counts.scraped++
    const text = parser.seriesText
    if (cache.isDropped(text)) {
      context.listener?.(parser, 'dropped', undefined)
      continue
    }
    const explicit = policy.honorTimestamps ? parser.timestampMs : undefined
    let entry = cache.series.get(text)
    const isNew = entry === undefined
    if (entry === undefined) {
      const labels = sampleLabels(parser.labels(), policy.labels)
      if (labels === undefined) {
        cache.addDropped(text)
        context.listener?.(parser, 'dropped', undefined)
        continue
      }
      entry = cache.add(text, labels, 0)
    } else if (entry.seen === cache.iteration && explicit === undefined) {
      counters.duplicateTimestamp++
      counts.added++
      context.listener?.(parser, 'duplicate', undefined)
      continue
    }
    entry.seen = cache.iteration
    let result: AppendResult = APPEND.ok
    const fits = policy.sampleLimit === 0 || ++appended <= policy.sampleLimit
    if (!fits) sampleLimitHit = true
    else if (
      kind === 'histogram' &&
      parser.histogram !== undefined &&
      !limitHistogram(parser.histogram, policy.histograms)
    )
      bucketLimitHit = true
    else result = appendSample(parser, appender, entry, explicit, context)
    const kept = fits && !bucketLimitHit && result === APPEND.ok
    if (result !== APPEND.ok) countRejected(result, counters)
    if (kept) {
      if (isNew && !sampleLimitHit) counts.seriesAdded++
      if (explicit === undefined || policy.trackTimestampsStaleness) cache.track(entry)
      if (policy.exemplars) appendExemplars(parser, appender, entry, explicit ?? context.timeMs, counters)
    } else if (isNew) cache.series.delete(text)
    counts.added++
    context.listener?.(parser, kept ? 'stored' : 'rejected', kept ? entry : undefined)
  }
  if (sampleLimitHit) throw new ScrapeError('sample limit exceeded', { limit: 'sample' })
  if (bucketLimitHit) throw new ScrapeError(BUCKET_LIMIT_ERROR, { limit: 'bucket' })
}

function appendSample(
  parser: ExpositionParser,
  appender: Appender,
  entry: SeriesEntry,
  explicit: number | undefined,
  context: AppendContext,
): AppendResult {
  const timeMs = explicit ?? context.timeMs
  if (timeMs > context.nowMs + AHEAD_MAX_MS) return APPEND.outOfBounds
  const { histogram, value } = parser
  if (histogram !== undefined) {
    const problem = histogramFault(histogram)
    if (problem !== undefined) throw new ScrapeError(problem)
  }
  if (context.policy.startTimestampZero) appendStart(parser, appender, entry, timeMs)
  const append = (): AppendResult =>
    histogram === undefined
      ? appender.float(entry.ref, timeMs, value)
      : appender.histogram(entry.ref, timeMs, histogram)
  return withSeries(appender, entry, append)
}

/** Appends to the entry's series, which is made or found again where needed. */
export function withSeries(appender: Appender, entry: SeriesEntry, append: () => AppendResult): AppendResult {
  if (entry.ref !== 0) {
    const result = append()
    if (result !== APPEND.unknownRef) return result
  }
  entry.ref = appender.series(entry.labels)
  return entry.ref === 0 ? APPEND.refused : append()
}

/** A zero where counting began, once for every start. */
function appendStart(parser: ExpositionParser, appender: Appender, entry: SeriesEntry, timeMs: number): void {
  const startMs = parser.startTimestampMs()
  if (startMs === 0 || startMs >= timeMs || startMs === entry.startMs) return
  entry.startMs = startMs
  const { histogram } = parser
  withSeries(appender, entry, () =>
    histogram === undefined
      ? appender.float(entry.ref, startMs, 0)
      : appender.histogram(entry.ref, startMs, zeroHistogram(histogram)),
  )
}

function zeroHistogram(like: HistogramSample): HistogramSample {
  return {
    ...like,
    count: 0,
    sum: 0,
    zeroCount: 0,
    positiveSpans: [],
    negativeSpans: [],
    positiveBuckets: new Float64Array(0),
    negativeBuckets: new Float64Array(0),
  }
}

function appendExemplars(
  parser: ExpositionParser,
  appender: Appender,
  entry: SeriesEntry,
  sampleTimeMs: number,
  counters: ScrapeCounters,
): void {
  const exemplars = parser
    .exemplars()
    .filter(({ timestampMs }) => timestampMs !== undefined || parser.histogram === undefined)
    .map(({ labels, value, timestampMs }) => ({ labels, value, timestampMs: timestampMs ?? sampleTimeMs }))
  if (exemplars.length === 0) return
  exemplars.sort((a, b) => a.timestampMs - b.timestampMs || a.value - b.value)
  let late = 0
  for (const exemplar of exemplars) if (appender.exemplar(entry.ref, exemplar) === APPEND.outOfOrder) late++
  if (late === exemplars.length) counters.exemplarOutOfOrder += late
}

/** Counts a rejected sample; the scrape goes on. */
export function countRejected(result: AppendResult, counters: ScrapeCounters): void {
  if (result === APPEND.outOfOrder) counters.outOfOrder++
  else if (result === APPEND.duplicate) counters.duplicateTimestamp++
  else if (result === APPEND.outOfBounds) counters.outOfBounds++
}

/** Staleness markers for series that are missing. A newer sample of somebody else's keeps its place. */
export function appendStale(
  appender: Appender,
  entries: readonly SeriesEntry[],
  timeMs: number,
  marker: number,
): void {
  if (!isStale(marker)) throw new Error('BUG: not the staleness marker')
  for (const entry of entries) withSeries(appender, entry, () => appender.float(entry.ref, timeMs, marker))
}
