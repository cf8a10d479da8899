// A storage in memory for scripts: series as lists of samples, handed to queries as RAW chunks and, for histograms, as
// images of one sample each. Counter reset hints come out as the database would give them.
import type { Labels } from '@watchfire/datamodel'
import {
  CHUNK_ROW_BYTES,
  CHUNK_ENCODING,
  COUNTER_RESET,
  compareUtf8,
  detectReset,
  histogramFault,
  matchesAll,
  setStale,
  usesCustomBuckets,
  type ByteArena,
  type FloatHistogram,
  type Matcher,
  type Querier,
  type Queryable,
  type SelectHints,
  type SeriesSelection,
} from '@watchfire/datamodel'
import { imageBytes, writeImage } from './histogram-image.ts'

/** A sample of a series: a float, a histogram, or the staleness marker of either kind. */
export interface StoredSample {
  readonly timeMs: number
  readonly value: number
  readonly stale: boolean
  readonly histogram: FloatHistogram | undefined
  /** 0 = none. */
  readonly startMs: number
}

interface StoredSeries {
  readonly labels: Labels
  readonly samples: StoredSample[]
}

export class MemoryStorage implements Queryable {
  readonly #series = new Map<string, StoredSeries>()

  clear(): void {
    this.#series.clear()
  }

  /** Samples must come in order of time; one like the last is ignored. Throws an Error otherwise. */
  append(labels: Labels, sample: StoredSample): void {
    let series = this.#series.get(labels.key())
    if (!series) this.#series.set(labels.key(), (series = { labels, samples: [] }))
    const last = series.samples.at(-1)
    if (last && last.timeMs >= sample.timeMs) {
      if (last.timeMs === sample.timeMs && sameSample(last, sample)) return
      throw new Error(
        last.timeMs === sample.timeMs ? 'duplicate sample for timestamp' : 'out of order sample',
      )
    }
    series.samples.push(asStored(sample, last))
  }

  querier(minTime: number, maxTime: number): Querier {
    return new MemoryQuerier([...this.#series.values()], minTime, maxTime)
  }
}

/** A staleness marker continues the kind of the series; a counter histogram gets the hint that its place in a chunk gives. */
function asStored(sample: StoredSample, last: StoredSample | undefined): StoredSample {
  if (sample.stale)
    return {
      ...sample,
      histogram: last?.histogram ? { ...last.histogram, counterResetHint: hintAfter(last) } : undefined,
    }
  const { histogram } = sample
  if (!histogram) return sample
  const fault = histogramFault(histogram)
  if (fault) throw new Error(`invalid histogram: ${fault}`)
  if (histogram.counterResetHint === COUNTER_RESET.gauge) return sample
  const continues = last !== undefined && continuesChunk(last, histogram)
  const counterResetHint = continues ? COUNTER_RESET.notReset : COUNTER_RESET.unknown
  return { ...sample, histogram: { ...histogram, counterResetHint } }
}

function hintAfter(last: StoredSample): FloatHistogram['counterResetHint'] {
  return last.histogram?.counterResetHint === COUNTER_RESET.gauge
    ? COUNTER_RESET.gauge
    : COUNTER_RESET.notReset
}

/** True when a counter histogram goes into the chunk of the sample before it: there is no reset in between. */
function continuesChunk(last: StoredSample, histogram: FloatHistogram): boolean {
  const previous = last.histogram
  if (!previous || last.stale || previous.counterResetHint === COUNTER_RESET.gauge) return false
  if (histogram.counterResetHint === COUNTER_RESET.reset) return false
  if (histogram.schema !== previous.schema || histogram.zeroThreshold !== previous.zeroThreshold) return false
  if (usesCustomBuckets(histogram) && String(histogram.customValues) !== String(previous.customValues))
    return false
  return !detectReset({ ...histogram, counterResetHint: COUNTER_RESET.unknown }, previous)
}

function sameSample(a: StoredSample, b: StoredSample): boolean {
  if (a.histogram || b.histogram) return a.histogram?.count === b.histogram?.count
  return a.stale === b.stale && Object.is(a.value, b.value)
}

class MemoryQuerier implements Querier {
  readonly #all: readonly StoredSeries[]
  readonly #minTime: number
  readonly #maxTime: number

  constructor(all: readonly StoredSeries[], minTime: number, maxTime: number) {
    this.#all = all
    this.#minTime = minTime
    this.#maxTime = maxTime
  }

  /** Matching series with samples in the time range, sorted. */
  private matching(matchers: readonly Matcher[], start: number, end: number): StoredSeries[] {
    const found: StoredSeries[] = []
    for (const { labels, samples } of this.#all) {
      if (!matchesAll(matchers, labels)) continue
      const inRange = samples.slice(firstFrom(samples, start), firstFrom(samples, end + 1))
      if (inRange.length > 0) found.push({ labels, samples: inRange })
    }
    return found.sort((a, b) => a.labels.compare(b.labels))
  }

  select(matchers: readonly Matcher[], hints: SelectHints, arena: ByteArena): SeriesSelection {
    const start = Math.max(this.#minTime, hints.start)
    const end = Math.min(this.#maxTime, hints.end)
    const series = this.matching(matchers, start, end)
    const chunkStart = new Uint32Array(series.length + 1)
    const runs = series.map(({ samples }) => runsOf(samples))
    runs.forEach((list, i) => (chunkStart[i + 1] = chunkStart[i]! + list.length))
    const chunks = runs.flat()
    const chunkTable = arena.alloc(Math.max(1, chunks.length) * CHUNK_ROW_BYTES)
    chunks.forEach((run, row) => writeChunk(arena, chunkTable + row * CHUNK_ROW_BYTES, run))
    return {
      count: series.length,
      labels: (i) => series[i]!.labels,
      chunkStart,
      chunkTable,
      overlapping: false,
      warnings: [],
    }
  }

  series(sets: readonly (readonly Matcher[])[], start: number, end: number, limit: number): Labels[] {
    const found = new Map<string, Labels>()
    for (const matchers of sets.length > 0 ? sets : [[]])
      for (const { labels } of this.matching(matchers, start, end)) found.set(labels.key(), labels)
    const sorted = [...found.values()].sort((a, b) => a.compare(b))
    return limit > 0 ? sorted.slice(0, limit) : sorted
  }

  labelNames(sets: readonly (readonly Matcher[])[], start: number, end: number, limit: number): string[] {
    return sortedSet(
      this.series(sets, start, end, 0).flatMap((labels) => labels.names()),
      limit,
    )
  }

  labelValues(
    name: string,
    sets: readonly (readonly Matcher[])[],
    start: number,
    end: number,
    limit: number,
  ): string[] {
    const values = this.series(sets, start, end, 0).map((labels) => labels.get(name))
    return sortedSet(
      values.filter((value) => value !== ''),
      limit,
    )
  }

  close(): void {
    // Nothing is held.
  }
}

/** Position of the first sample that is not before a time (ms, whole). */
function firstFrom(samples: readonly StoredSample[], timeMs: number): number {
  let low = 0
  let high = samples.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (samples[middle]!.timeMs < timeMs) low = middle + 1
    else high = middle
  }
  return low
}

function sortedSet(values: readonly string[], limit: number): string[] {
  const sorted = [...new Set(values)].sort(compareUtf8)
  return limit > 0 ? sorted.slice(0, limit) : sorted
}

/** Runs of floats that make one chunk each; a histogram is a chunk of its own. */
function runsOf(samples: readonly StoredSample[]): StoredSample[][] {
  const runs: StoredSample[][] = []
  for (const sample of samples) {
    const last = runs.at(-1)
    if (last && !sample.histogram && !last[0]!.histogram) last.push(sample)
    else runs.push([sample])
  }
  return runs
}

/** Writes the samples of a chunk and its row in the table at `row`. */
function writeChunk(arena: ByteArena, row: number, run: readonly StoredSample[]): void {
  const first = run[0]!
  const length = first.histogram ? imageBytes(first.histogram) : run.length * 24
  const address = arena.alloc(length)
  const { buffer } = arena.memory
  if (first.histogram) writeImage(buffer, address, first.histogram, first)
  else {
    const columns = new Float64Array(buffer, address, run.length * 3)
    run.forEach((sample, i) => {
      columns[i] = sample.timeMs
      if (sample.stale) setStale(columns, run.length + i)
      else columns[run.length + i] = sample.value
      columns[2 * run.length + i] = sample.startMs
    })
  }
  const view = new DataView(buffer, row, CHUNK_ROW_BYTES)
  view.setUint32(0, address, true)
  view.setUint32(4, length, true)
  view.setUint32(8, first.histogram ? CHUNK_ENCODING.histogramImage : CHUNK_ENCODING.raw, true)
  view.setUint32(12, run.length, true)
  view.setFloat64(16, first.timeMs, true)
  view.setFloat64(24, run.at(-1)!.timeMs, true)
  // Bit 0: start timestamps follow.
  view.setUint32(32, 1, true)
  view.setFloat64(36, 0, true)
  view.setUint32(44, 0, true)
}
