// Parser of the protobuf format: delimited io.prometheus.client.MetricFamily messages. The samples of one metric are laid
// out when it is reached: native histogram, classic series or both, or a converted one (NHCB).
import {
  COUNTER_RESET,
  quoteString,
  type HistogramSample,
  type Labels,
  type MetricType,
} from '@watchfire/datamodel'
import { formatOpenMetricsFloat } from './go-text.ts'
import { compactHistogram } from './histogram.ts'
import { ClassicHistogram } from './nhcb.ts'
import { ProtobufReader } from './protobuf-reader.ts'
import {
  FAMILY_TYPE,
  readFamily,
  readMetric,
  type Family,
  type HistogramMessage,
  type Metric,
} from './protobuf-messages.ts'
import { contextPairs, overridden, sortedLabels, type FamilyContext } from './series-labels.ts'
import {
  ExpositionError,
  type Entry,
  type ExpositionParser,
  type ParsedExemplar,
  type ParserOptions,
} from './types.ts'

const TYPES: ReadonlyMap<number, MetricType> = new Map<number, MetricType>([
  [FAMILY_TYPE.counter, 'counter'],
  [FAMILY_TYPE.gauge, 'gauge'],
  [FAMILY_TYPE.summary, 'summary'],
  [FAMILY_TYPE.untyped, 'unknown'],
  [FAMILY_TYPE.histogram, 'histogram'],
  [FAMILY_TYPE.gaugeHistogram, 'gaugehistogram'],
])
const NO_BUCKETS = new Float64Array(0)

/** One sample of a metric. */
interface Item {
  readonly entry: Entry
  /** Suffix of the family's name. */
  readonly suffix?: string
  readonly value?: number
  readonly histogram?: HistogramSample
  /** Name and value of `le` or `quantile`. */
  readonly bound?: readonly [string, string]
  readonly exemplars?: readonly ParsedExemplar[]
}

export class ProtobufParser implements ExpositionParser {
  readonly comment = ''
  readonly #stream: ProtobufReader
  readonly #options: ParserOptions
  #family: Family | undefined
  #type: MetricType = 'unknown'
  #metaQueue: Entry[] = []
  #metricIndex = 0
  #metric: Metric | undefined
  #items: readonly Item[] = []
  #itemIndex = 0
  #item: Item | undefined
  #labels: Labels | undefined

  constructor(body: Uint8Array, options: ParserOptions = {}) {
    this.#stream = new ProtobufReader(body)
    this.#options = options
  }

  get familyName(): string {
    return this.#family?.name ?? ''
  }
  get type(): MetricType {
    return this.#type
  }
  get help(): string {
    return this.#family?.help ?? ''
  }
  get unit(): string {
    return this.#family?.unit ?? ''
  }
  get value(): number {
    return this.#item?.value ?? 0
  }
  get histogram(): HistogramSample | undefined {
    return this.#item?.histogram
  }
  get timestampMs(): number | undefined {
    const time = this.#metric?.timestampMs ?? 0
    return time === 0 ? undefined : time
  }
  get seriesText(): string {
    const labels = this.labels()
    return Buffer.from(`${labels.metricName}\xff${labels.withoutName().key()}`).toString('latin1')
  }

  labels(): Labels {
    return (this.#labels ??= this.buildLabels())
  }

  exemplars(): ParsedExemplar[] {
    return [...(this.#item?.exemplars ?? [])]
  }

  startTimestampMs(): number {
    const metric = this.#metric
    if (metric === undefined) return 0
    if (this.#type === 'counter') return metric.startMs
    if (this.#type === 'summary') return metric.summary.startMs
    return this.isHistogram() ? metric.histogram.startMs : 0
  }

  next(): Entry | undefined {
    for (;;) {
      const meta = this.#metaQueue.shift()
      if (meta !== undefined) return meta
      const item = this.#items[this.#itemIndex]
      if (item !== undefined) {
        this.#itemIndex++
        this.#item = item
        this.#labels = undefined
        return item.entry
      }
      const at = this.#family?.metrics[this.#metricIndex]
      if (at === undefined) {
        if (!this.nextFamily()) return undefined
        continue
      }
      this.#metricIndex++
      this.#metric = readMetric(new ProtobufReader(this.#stream.bytes, at.start, at.end))
      this.#items = this.layOut(this.#metric)
      this.#itemIndex = 0
    }
  }

  private nextFamily(): boolean {
    const family = readFamily(this.#stream)
    if (family === undefined) return false
    this.#family = family
    this.#metricIndex = 0
    this.#items = []
    if (family.metrics.length === 0) return true
    if (family.name === '') throw new ExpositionError(`invalid metric name: ${family.name}`)
    const type = TYPES.get(family.type)
    if (type === undefined)
      throw new ExpositionError(`unknown metric type for metric ${quoteString(family.name)}: ${family.type}`)
    this.#type = type
    this.#metaQueue = family.unit === '' ? ['help', 'type'] : ['help', 'unit', 'type']
    return true
  }

  private isHistogram(): boolean {
    return this.#type === 'histogram' || this.#type === 'gaugehistogram'
  }

  private layOut(metric: Metric): readonly Item[] {
    switch (this.#type) {
      case 'counter': {
        const exemplars = metric.exemplar === undefined ? [] : [metric.exemplar]
        return [{ entry: 'series', value: metric.counter, exemplars }]
      }
      case 'gauge':
        return [{ entry: 'series', value: metric.gauge }]
      case 'summary':
        return layOutSummary(metric)
      case 'histogram':
      case 'gaugehistogram':
        return this.layOutHistogram(metric.histogram)
      default:
        return [{ entry: 'series', value: metric.untyped }]
    }
  }

  private layOutHistogram(message: HistogramMessage): readonly Item[] {
    const {
      ignoreNativeHistograms = false,
      keepClassic = false,
      convertClassicToNhcb = false,
    } = this.#options
    const gauge = this.#type === 'gaugehistogram'
    if (!ignoreNativeHistograms && isNative(message)) {
      const native = this.nativeItem(message, gauge)
      return keepClassic && message.buckets.length > 0 ? [native, ...layOutClassic(message)] : [native]
    }
    const classic = convertClassicToNhcb && !keepClassic ? [] : layOutClassic(message)
    return convertClassicToNhcb ? [...classic, convertedItem(message, gauge)] : classic
  }

  private nativeItem(message: HistogramMessage, gauge: boolean): Item {
    const integer = !(message.countFloat > 0 || message.zeroCountFloat > 0)
    const positive = integer ? message.positiveDeltas : message.positiveCounts
    const negative = integer ? message.negativeDeltas : message.negativeCounts
    this.checkSpans('positive', message.positiveSpans, positive.length)
    this.checkSpans('negative', message.negativeSpans, negative.length)
    const histogram: HistogramSample = {
      schema: message.schema,
      zeroThreshold: message.zeroThreshold,
      zeroCount: integer ? message.zeroCount : message.zeroCountFloat,
      count: integer ? message.count : message.countFloat,
      sum: message.sum,
      positiveSpans: message.positiveSpans,
      negativeSpans: message.negativeSpans,
      positiveBuckets: integer ? absolute(positive) : Float64Array.from(positive),
      negativeBuckets: integer ? absolute(negative) : Float64Array.from(negative),
      customValues: [],
      counterResetHint: gauge ? COUNTER_RESET.gauge : COUNTER_RESET.unknown,
      integer,
    }
    return {
      entry: 'histogram',
      histogram: compactHistogram(histogram, 0),
      exemplars: nativeExemplars(message),
    }
  }

  private checkSpans(side: string, spans: HistogramMessage['positiveSpans'], have: number): void {
    let needed = 0
    for (const span of spans) needed += span.length
    if (needed !== have)
      throw new ExpositionError(
        `histogram ${quoteString(this.familyName)}: ${side} side: spans require ${needed} buckets, have ${have}`,
      )
  }

  private buildLabels(): Labels {
    const item = this.#item
    const name = this.familyName + (item?.suffix ?? '')
    const context: FamilyContext = {
      type: this.#type,
      unit: this.unit,
      typeAndUnitLabels: this.#options.typeAndUnitLabels ?? false,
    }
    const pairs = contextPairs(name, context)
    for (const [label, value] of this.#metric?.pairs ?? [])
      if (!overridden(label, name, context)) pairs.push([label, value])
    if (item?.bound !== undefined) pairs.push([...item.bound])
    return sortedLabels(pairs)
  }
}

function layOutSummary({ summary }: Metric): readonly Item[] {
  return [
    { entry: 'series', suffix: '_count', value: summary.count },
    { entry: 'series', suffix: '_sum', value: summary.sum },
    ...summary.quantiles.map(({ quantile, value }): Item => {
      return { entry: 'series', value, bound: ['quantile', formatOpenMetricsFloat(quantile)] }
    }),
  ]
}

function layOutClassic(message: HistogramMessage): readonly Item[] {
  const count = message.countFloat === 0 ? message.count : message.countFloat
  const items: Item[] = [
    { entry: 'series', suffix: '_count', value: count },
    { entry: 'series', suffix: '_sum', value: message.sum },
  ]
  for (const { bound, cumulative, exemplar } of message.buckets) {
    items.push({
      entry: 'series',
      suffix: '_bucket',
      value: cumulative,
      bound: ['le', formatOpenMetricsFloat(bound)],
      exemplars: exemplar === undefined ? [] : [exemplar],
    })
    if (bound === Infinity) return items
  }
  items.push({ entry: 'series', suffix: '_bucket', value: count, bound: ['le', '+Inf'] })
  return items
}

function convertedItem(message: HistogramMessage, gauge: boolean): Item {
  const classic = new ClassicHistogram()
  classic.setCount(message.countFloat === 0 ? message.count : message.countFloat)
  classic.setSum(message.sum)
  for (const { bound, cumulative } of message.buckets) classic.setBucket(bound, cumulative)
  const result = classic.convert()
  if ('error' in result) throw new ExpositionError(result.error)
  if (gauge) result.histogram.counterResetHint = COUNTER_RESET.gauge
  return { entry: 'histogram', histogram: result.histogram, exemplars: nativeExemplars(message) }
}

/** Exemplars of a native histogram need a time; those of classic buckets serve when it has none of its own. */
function nativeExemplars(message: HistogramMessage): readonly ParsedExemplar[] {
  const own =
    message.exemplars.length > 0
      ? message.exemplars
      : message.buckets.flatMap(({ exemplar }) => (exemplar === undefined ? [] : [exemplar]))
  return own.filter(({ timestampMs }) => timestampMs !== undefined)
}

function isNative(message: HistogramMessage): boolean {
  return (
    message.positiveSpans.length > 0 ||
    message.negativeSpans.length > 0 ||
    message.zeroThreshold > 0 ||
    message.zeroCount > 0
  )
}

function absolute(deltas: readonly number[]): Float64Array {
  if (deltas.length === 0) return NO_BUCKETS
  const counts = new Float64Array(deltas.length)
  let last = 0
  deltas.forEach((delta, i) => (counts[i] = last += delta))
  return counts
}
