// Wraps a text parser and turns classic histograms into native histograms with custom buckets on the way.
import {
  LabelsBuilder,
  histogramFault,
  METRIC_NAME,
  type HistogramSample,
  type Labels,
  type MetricType,
} from '@watchfire/datamodel'
import { goFloat } from './go-text.ts'
import { ClassicHistogram, splitClassicName } from './nhcb.ts'
import type { ConvertedSeries, Entry, ExpositionParser, ParsedExemplar } from './types.ts'

const BOUND = 'le'

/** A sample entry as the inner parser gave it, or as it was made. */
interface Sample {
  readonly entry: Entry
  readonly seriesText: string
  readonly value: number
  readonly timestampMs: number | undefined
  readonly histogram: HistogramSample | undefined
  readonly labels: Labels
  readonly convertedFrom?: readonly ConvertedSeries[]
  exemplars: () => ParsedExemplar[]
  startMs: () => number
}

/** The classic histogram being collected. */
interface Collecting {
  /** Base name and labels without `le`: what all its series share. */
  readonly key: string
  readonly labels: Labels
  readonly startMs: number
  readonly exemplars: ParsedExemplar[]
  readonly series: ConvertedSeries[]
}

export class NhcbParser implements ExpositionParser {
  readonly #inner: ExpositionParser
  readonly #keepClassic: boolean
  readonly #wantStart: boolean
  readonly #classic = new ClassicHistogram()
  #collecting: Collecting | undefined
  /** Key of a native histogram whose classic series follow: they are not converted. */
  #inhibited: string | undefined
  #sample: Sample | undefined
  /** An inner entry that waits behind a histogram that was just completed. */
  #waiting: { entry: Entry; sample: Sample | undefined } | undefined
  #family = ''
  #type: MetricType = 'unknown'
  #ended = false

  constructor(inner: ExpositionParser, options: { keepClassic: boolean; startTimestamps: boolean }) {
    this.#inner = inner
    this.#keepClassic = options.keepClassic
    this.#wantStart = options.startTimestamps
  }

  get familyName(): string {
    return this.#inner.familyName
  }
  get type(): MetricType {
    return this.#inner.type
  }
  get help(): string {
    return this.#inner.help
  }
  get unit(): string {
    return this.#inner.unit
  }
  get comment(): string {
    return this.#inner.comment
  }
  get seriesText(): string {
    return this.#sample?.seriesText ?? ''
  }
  get value(): number {
    return this.#sample?.value ?? 0
  }
  get timestampMs(): number | undefined {
    return this.#sample?.timestampMs
  }
  get histogram(): HistogramSample | undefined {
    return this.#sample?.histogram
  }
  get convertedFrom(): readonly ConvertedSeries[] | undefined {
    return this.#sample?.convertedFrom
  }
  labels(): Labels {
    return this.#sample?.labels ?? this.#inner.labels()
  }
  exemplars(): ParsedExemplar[] {
    return this.#sample?.exemplars() ?? []
  }
  startTimestampMs(): number {
    return this.#sample?.startMs() ?? 0
  }

  next(): Entry | undefined {
    for (;;) {
      let entry: Entry
      if (this.#waiting !== undefined) {
        const { entry: held, sample } = this.#waiting
        this.#waiting = undefined
        this.#sample = sample
        if (sample === undefined) return held
        entry = held
        if (this.collect(sample) && !this.#keepClassic) continue
        return entry
      }
      const read = this.#ended ? undefined : this.#inner.next()
      if (read === undefined) {
        this.#ended = true
        return this.complete() ? 'histogram' : undefined
      }
      entry = read
      if (entry === 'series') {
        const sample = this.read(entry)
        if (this.#collecting !== undefined && this.keyOf(sample.labels) !== this.#collecting.key) {
          if (this.complete()) {
            this.#waiting = { entry, sample }
            return 'histogram'
          }
        }
        if (this.#inhibited !== undefined && this.keyOf(sample.labels) !== this.#inhibited)
          this.#inhibited = undefined
        this.#sample = sample
        if (this.#inhibited === undefined && this.collect(sample) && !this.#keepClassic) continue
        return entry
      }
      const sample = entry === 'histogram' ? this.read(entry) : undefined
      if (this.#collecting !== undefined && this.complete()) {
        this.#waiting = { entry, sample }
        this.note(entry, sample)
        return 'histogram'
      }
      this.note(entry, sample)
      this.#sample = sample
      return entry
    }
  }

  private note(entry: Entry, sample: Sample | undefined): void {
    if (entry === 'type') {
      this.#family = this.#inner.familyName
      this.#type = this.#inner.type
    }
    if (sample !== undefined)
      this.#inhibited = `${sample.labels.metricName}\xff${sample.labels.withoutName().key()}`
  }

  private read(entry: Entry): Sample {
    const inner = this.#inner
    return {
      entry,
      seriesText: inner.seriesText,
      value: inner.value,
      timestampMs: inner.timestampMs,
      histogram: inner.histogram,
      labels: inner.labels(),
      exemplars: () => inner.exemplars(),
      startMs: () => inner.startTimestampMs(),
    }
  }

  /** What the series of one histogram share; '' for series of no histogram. */
  private keyOf(labels: Labels): string {
    if (this.#type !== 'histogram') return ''
    const { base } = splitClassicName(labels.metricName)
    return `${base}\xff${labels.drop(NAME_AND_BOUND).key()}`
  }

  /** Takes a series into the histogram; false when it is none of its parts. */
  private collect(sample: Sample): boolean {
    if (this.#type !== 'histogram') return false
    const { base, part } = splitClassicName(sample.labels.metricName)
    if (part === undefined || base !== this.#family) return false
    let bound = 0
    if (part === 'bucket') {
      bound = goFloat(sample.labels.get(BOUND)) ?? NaN
      if (Number.isNaN(bound)) return false
    }
    this.#collecting ??= {
      key: this.keyOf(sample.labels),
      labels: new LabelsBuilder(sample.labels).set(METRIC_NAME, base).delete(BOUND).labels(),
      startMs: this.#wantStart ? sample.startMs() : 0,
      exemplars: [],
      series: [],
    }
    this.#collecting.exemplars.push(...sample.exemplars())
    const { startMs } = this.#collecting
    sample.startMs = () => startMs
    sample.exemplars = () => [] // they belong to the native histogram now
    this.#collecting.series.push({ seriesText: sample.seriesText, part, bound })
    if (part === 'bucket') this.#classic.setBucket(bound, sample.value)
    else if (part === 'sum') this.#classic.setSum(sample.value)
    else this.#classic.setCount(sample.value)
    return true
  }

  /** Ends the histogram being collected; true when it is the entry now. */
  private complete(): boolean {
    const done = this.#collecting
    if (done === undefined) return false
    this.#collecting = undefined
    const result = this.#classic.convert()
    this.#classic.reset()
    if ('error' in result || histogramFault(result.histogram) !== undefined) return false
    const rest = done.labels.withoutName()
    const pairs = [...rest].map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    this.#sample = {
      entry: 'histogram',
      seriesText:
        pairs.length === 0 ? done.labels.metricName : `${done.labels.metricName}{${pairs.join(',')}}`,
      value: 0,
      timestampMs: this.#inner.timestampMs,
      histogram: result.histogram,
      labels: done.labels,
      convertedFrom: done.series,
      exemplars: () => done.exemplars,
      startMs: () => done.startMs,
    }
    return true
  }
}

const NAME_AND_BOUND: ReadonlySet<string> = new Set([METRIC_NAME, BOUND])
