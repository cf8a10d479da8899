// What a parser of an exposition yields, whatever the format: entries pulled one by one, as the scrape loop wants them.
import type { HistogramSample, Labels, MetricType } from '@watchfire/datamodel'

/** Kinds of entries. `series` is a float sample, `histogram` a native histogram sample. */
export type Entry = 'type' | 'help' | 'unit' | 'comment' | 'series' | 'histogram'

/** An exemplar as exposed. */
export interface ParsedExemplar {
  readonly labels: Labels
  readonly value: number
  /** Absent when the exposition gave none. */
  readonly timestampMs?: number
}

/** A series of a classic histogram that went into a converted one. */
export interface ConvertedSeries {
  readonly seriesText: string
  readonly part: 'bucket' | 'sum' | 'count'
  /** Upper bound of a bucket. */
  readonly bound: number
}

/** The body cannot be parsed; the message is Prometheus's. */
export class ExpositionError extends Error {
  override name = 'ExpositionError'
}

/** Pull parser of one body. Accessors speak of the entry that `next` returned last. */
export interface ExpositionParser {
  /** The next entry, undefined at the end. Throws `ExpositionError`. */
  next(): Entry | undefined
  /** `type`, `help`, `unit`: name of the metric family. */
  readonly familyName: string
  readonly type: MetricType
  readonly help: string
  readonly unit: string
  readonly comment: string
  /** `series`, `histogram`: bytes that identify the series within this target, one character a byte (latin1). */
  readonly seriesText: string
  readonly value: number
  /** Exposed time, undefined without one. */
  readonly timestampMs: number | undefined
  readonly histogram: HistogramSample | undefined
  /** `histogram` that was converted from classic series: those, in the order of the body. */
  readonly convertedFrom?: readonly ConvertedSeries[] | undefined
  /** Labels as exposed, sorted by name: empty values are there and a name may stand twice, see `duplicateLabel`. */
  labels(): Labels
  /** Exemplars of the sample. Call at most once an entry. */
  exemplars(): ParsedExemplar[]
  /** Start (created) timestamp in ms, 0 when there is none. */
  startTimestampMs(): number
}

/** A label name that stands twice in sorted pairs, undefined when all are unique. */
export function duplicateLabel(labels: Labels): string | undefined {
  const { pairs } = labels
  for (let i = 2; i < pairs.length; i += 2) if (pairs[i] === pairs[i - 2]) return pairs[i]
  return undefined
}

/** How a body is parsed. */
export interface ParserOptions {
  /** Adds `__type__` and `__unit__` to every series. */
  readonly typeAndUnitLabels?: boolean
  readonly ignoreNativeHistograms?: boolean
  readonly convertClassicToNhcb?: boolean
  /** Keeps classic histograms beside native ones and NHCBs. */
  readonly keepClassic?: boolean
  /** Hides `_created` series of OpenMetrics and uses them as start timestamps. */
  readonly skipStartTimestampSeries?: boolean
  /** Media type to use when the target's own is missing, bad or unknown; '' = fail. */
  readonly fallbackContentType?: string
}
