// The series about a scrape itself: `up`, `scrape_duration_seconds` and so on. They carry the target's labels and are not relabelled.
import { LabelsBuilder, METRIC_NAME, type Appender, type Labels } from '@watchfire/datamodel'
import { withSeries } from './append-body.ts'
import type { SeriesEntry } from './cache.ts'

export interface ScrapeReport {
  readonly up: boolean
  readonly durationSeconds: number
  readonly scraped: number
  readonly added: number
  readonly seriesAdded: number
  readonly timeoutSeconds: number
  readonly sampleLimit: number
  /** −1 when the body was over the limit. */
  readonly bodyBytes: number
}

const BASIC: readonly (readonly [string, (report: ScrapeReport) => number])[] = [
  ['up', (report) => (report.up ? 1 : 0)],
  ['scrape_duration_seconds', (report) => report.durationSeconds],
  ['scrape_samples_scraped', (report) => report.scraped],
  ['scrape_samples_post_metric_relabeling', (report) => report.added],
  ['scrape_series_added', (report) => report.seriesAdded],
]
const EXTRA: typeof BASIC = [
  ['scrape_timeout_seconds', (report) => report.timeoutSeconds],
  ['scrape_sample_limit', (report) => report.sampleLimit],
  ['scrape_body_size_bytes', (report) => report.bodyBytes],
]

/** The report series of one target. */
export class ReportSeries {
  readonly #columns: typeof BASIC
  readonly #entries: SeriesEntry[]

  constructor(target: Labels, extra: boolean) {
    this.#columns = extra ? [...BASIC, ...EXTRA] : BASIC
    this.#entries = this.#columns.map(([name]) => {
      const labels = new LabelsBuilder(target).set(METRIC_NAME, name).labels()
      return { text: name, labels, ref: 0, seen: 0, tracked: 0, startMs: 0 }
    })
  }

  append(appender: Appender, timeMs: number, report: ScrapeReport): void {
    this.write(appender, timeMs, (i) => this.#columns[i]?.[1](report) ?? 0)
  }

  /** Ends the series. */
  appendStale(appender: Appender, timeMs: number, marker: number): void {
    this.write(appender, timeMs, () => marker)
  }

  private write(appender: Appender, timeMs: number, value: (i: number) => number): void {
    for (const [i, entry] of this.#entries.entries())
      withSeries(appender, entry, () => appender.float(entry.ref, timeMs, value(i)))
  }
}
