// What the sample lines of a target's last body became, line by line, so that the next body of the same shape needs no parsing:
// the scan kernel finds the lines again and yields their values, the plan says where each value goes.
import type { SeriesRef } from '@watchfire/datamodel'
import type { ConvertedSeries, ExpositionParser } from '../exposition/index.ts'
import type { SampleOutcome } from './append-body.ts'
import type { SeriesEntry } from './cache.ts'

/** Bytes of a row of the kernel's cache, in words. */
const ROW_WORDS = 4

/** What a line's value is for. */
export const LINE = {
  /** A float sample, perhaps part of a converted histogram, too. */
  float: 0,
  /** Nothing: relabelling drops the series. */
  dropped: 1,
  /** Nothing: the series stood in the body before. */
  duplicate: 2,
  /** Only part of a converted histogram. */
  part: 3,
} as const
type LineKind = (typeof LINE)[keyof typeof LINE]

/** A histogram that is put together from lines. */
export interface HistogramPlan {
  /** Undefined when relabelling drops it. */
  readonly entry: SeriesEntry | undefined
  readonly parts: readonly { readonly line: number; readonly series: ConvertedSeries }[]
}

export interface LinePlan {
  readonly mediaType: string
  readonly lineCount: number
  /** Series texts, one after the other. */
  readonly texts: Uint8Array
  /** Rows for the scan kernel; ids are line numbers from 1. */
  readonly rows: Uint32Array
  readonly kinds: Uint8Array
  /** 1 where the line had a time of its own. */
  readonly timed: Uint8Array
  readonly anyTimed: boolean
  /** Every line is a float sample without a time. */
  readonly plain: boolean
  readonly entries: readonly (SeriesEntry | undefined)[]
  /** References of the entries. */
  readonly refs: Float64Array
  readonly histograms: readonly HistogramPlan[]
  readonly duplicates: number
  /** See ScrapeCounts. */
  readonly scraped: number
  readonly added: number
  /** Fingerprint of the comment lines, set by the first scan. */
  commentHash: number
}

interface Line {
  readonly text: string
  kind: LineKind
  readonly timed: boolean
  readonly entry: SeriesEntry | undefined
}

/** Listens to a full parse and makes the plan of it. */
export class LinePlanBuilder {
  readonly #lines: Line[] = []
  readonly #index = new Map<string, number>()
  readonly #histograms: HistogramPlan[] = []
  readonly #refs = new Set<SeriesRef>()
  #scraped = 0
  #added = 0
  #duplicates = 0
  #possible = true

  /** A sample of the parse. */
  readonly listen = (
    parser: ExpositionParser,
    outcome: SampleOutcome,
    entry: SeriesEntry | undefined,
  ): void => {
    if (!this.#possible) return
    this.#scraped++
    if (outcome !== 'dropped') this.#added++
    if (outcome === 'rejected') this.#possible = false
    else if (parser.histogram !== undefined) this.histogram(parser, outcome, entry)
    else {
      if (outcome === 'duplicate') this.#duplicates++
      const kind = outcome === 'stored' ? LINE.float : outcome === 'dropped' ? LINE.dropped : LINE.duplicate
      this.line({ text: parser.seriesText, kind, timed: parser.timestampMs !== undefined, entry })
    }
  }

  /** The plan, undefined when the body has something that needs the parser every time. `textBase`: address of the texts. */
  build(mediaType: string, textBase: number): LinePlan | undefined {
    if (!this.#possible || this.#lines.length === 0) return undefined
    const lines = this.#lines
    const texts = Buffer.from(lines.map(({ text }) => text).join(''), 'latin1')
    const rows = new Uint32Array(lines.length * ROW_WORDS)
    let address = textBase
    for (const [i, { text }] of lines.entries()) {
      rows.set([address, text.length, i + 1, 0], i * ROW_WORDS)
      address += text.length
    }
    const timed = Uint8Array.from(lines, (line) => (line.timed ? 1 : 0))
    return {
      mediaType,
      lineCount: lines.length,
      texts,
      rows,
      kinds: Uint8Array.from(lines, ({ kind }) => kind),
      timed,
      anyTimed: timed.includes(1),
      plain: lines.every(({ kind, timed: hasTime }) => kind === LINE.float && !hasTime),
      entries: lines.map(({ entry }) => entry),
      refs: Float64Array.from(lines, ({ entry }) => entry?.ref ?? 0),
      histograms: this.#histograms,
      duplicates: this.#duplicates,
      scraped: this.#scraped,
      added: this.#added,
      commentHash: 0,
    }
  }

  private line(line: Line): void {
    // Two samples of one series in a body: their order counts, and only the parser keeps it.
    const { entry } = line
    if (entry !== undefined && this.#refs.size === this.#refs.add(entry.ref).size) this.#possible = false
    this.#index.set(line.text, this.#lines.push(line) - 1)
  }

  /** A histogram made of the lines just before it; with classic series kept they were seen already. */
  private histogram(parser: ExpositionParser, outcome: SampleOutcome, entry: SeriesEntry | undefined): void {
    const series = parser.convertedFrom
    const distinct = new Set(series?.map(({ seriesText }) => seriesText)).size
    if (series === undefined || outcome === 'duplicate' || distinct < series.length) {
      this.#possible = false
      return
    }
    const parts = series.map((part) => {
      const seen = this.#index.get(part.seriesText)
      if (seen !== undefined) return { line: seen, series: part }
      this.line({ text: part.seriesText, kind: LINE.part, timed: false, entry: undefined })
      return { line: this.#lines.length - 1, series: part }
    })
    this.#histograms.push({ entry, parts })
  }
}
