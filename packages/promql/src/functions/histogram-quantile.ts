// histogram_quantile, histogram_quantiles and histogram_fraction over classic buckets and native histograms
// side by side.
import {
  formatValue,
  histogramFraction,
  histogramQuantile,
  type FloatHistogram,
  type Labels,
  type NanNote,
} from '@watchfire/datamodel'
import { onlyRow } from '../exec/basic.ts'
import { drain, type Block } from '../exec/block.ts'
import type { QueryContext } from '../exec/context.ts'
import { BUCKET_LABEL, dropMetadata, withLabel } from '../exec/labels.ts'
import { KIND, clearRow, type Operator, type Row, type SeriesMeta } from '../exec/operator.ts'
import { stringArgument, type CallBuilder, type CallContext } from './call.ts'
import { ClassicBuckets } from './classic-buckets.ts'
import { notes, quoteText, withMetricName } from './notes.ts'

export const QUANTILE_FUNCTIONS: ReadonlyMap<string, CallBuilder> = new Map<string, CallBuilder>([
  ['histogram_quantile', (call) => new HistogramCall(call, call.node.args[1]!.position, quantileViews)],
  ['histogram_quantiles', (call) => new HistogramCall(call, call.node.args[0]!.position, quantilesViews)],
  ['histogram_fraction', (call) => new HistogramCall(call, call.node.args[2]!.position, fractionViews)],
])

/** One number taken from each histogram; histogram_quantiles has several. */
interface View {
  readonly classic: (buckets: ClassicBuckets, step: number) => number
  readonly native: (histogram: FloatHistogram, step: number) => { value: number; note: NanNote }
  /** Label that tells the views apart. */
  readonly label: readonly [string, string] | undefined
}

interface ViewsOf {
  readonly vector: number
  readonly views: readonly View[]
}

/** The series of one classic histogram, ascending by bound, as rows of the block. */
interface ClassicGroup {
  readonly labels: Labels
  readonly members: { readonly bound: number; readonly series: number }[]
  /** Steps at which a native histogram of the same labels is in the way. */
  conflict: Uint8Array | undefined
}

/** An announced result. */
interface Output {
  readonly view: View
  readonly group: ClassicGroup | undefined
  readonly series: number
}

class HistogramCall implements Operator {
  readonly #call: CallContext
  readonly #position: number
  readonly #viewsOf: (call: CallContext) => ViewsOf
  #block: Block | undefined
  #outputs: Output[] = []
  #groups = new Map<string, ClassicGroup>()
  #scratch = new ClassicBuckets(0)
  #at = 0

  constructor(call: CallContext, position: number, viewsOf: (call: CallContext) => ViewsOf) {
    this.#call = call
    this.#position = position
    this.#viewsOf = viewsOf
  }

  open(): readonly SeriesMeta[] {
    const { node, build, context, grid } = this.#call
    const { vector, views } = this.#viewsOf(this.#call)
    const block = drain(build(node.args[vector]!), context, grid.steps)
    this.#block = block
    const native = this.#split(block)
    const largest = Math.max(0, ...[...this.#groups.values()].map(({ members }) => members.length))
    this.#scratch = new ClassicBuckets(largest)
    const announced: SeriesMeta[] = []
    const add = (output: Output, labels: Labels): void => {
      this.#outputs.push(output)
      announced.push({ labels: this.#named(labels, output.view), dropName: true })
    }
    for (const view of views) {
      for (const series of native) add({ view, group: undefined, series }, block.series[series]!.labels)
      for (const group of this.#groups.values()) add({ view, group, series: -1 }, group.labels)
    }
    return announced
  }

  #named(labels: Labels, view: View): Labels {
    const own = this.#call.context.delayedNames ? labels : dropMetadata(labels)
    return view.label ? withLabel(own, ...view.label) : own
  }

  /** Sorts series into classic groups; returns those that hold native histograms. */
  #split(block: Block): number[] {
    const native: number[] = []
    const { steps } = block
    for (let series = 0; series < block.series.length; series++) {
      const { labels } = block.series[series]!
      let floats = false
      let histograms = false
      for (let i = series * steps; i < (series + 1) * steps; i++) {
        if (block.kinds[i] === KIND.float) floats = true
        else if (block.kinds[i] === KIND.histogram) histograms = true
      }
      if (histograms) native.push(series)
      if (floats) this.#addBucket(labels, series)
    }
    for (const { members } of this.#groups.values()) members.sort((a, b) => a.bound - b.bound)
    for (const series of native) this.#markConflicts(block, series)
    return native
  }

  #addBucket(labels: Labels, series: number): void {
    const text = labels.get(BUCKET_LABEL)
    const bound = parseBound(text)
    if (bound === undefined) {
      const { context } = this.#call
      const name = context.delayedNames ? labels.metricName : ''
      const note = `bucket label "le" is missing or has a malformed value of ${quoteText(text)}`
      context.annotations.warn(withMetricName(note, name), this.#position)
      return
    }
    const own = withLabel(labels, BUCKET_LABEL, '')
    let group = this.#groups.get(own.key())
    if (group === undefined) {
      group = { labels: own, members: [], conflict: undefined }
      this.#groups.set(own.key(), group)
    }
    group.members.push({ bound, series })
  }

  #markConflicts(block: Block, series: number): void {
    const { labels } = block.series[series]!
    const group = this.#groups.get(labels.key())
    if (group === undefined) return
    const { steps } = block
    const { context } = this.#call
    for (let step = 0; step < steps; step++) {
      if (block.kinds[series * steps + step] !== KIND.histogram) continue
      if (!group.members.some((member) => block.kinds[member.series * steps + step] === KIND.float)) continue
      group.conflict ??= new Uint8Array(steps)
      group.conflict[step] = 1
      const name = context.delayedNames ? labels.metricName : ''
      const text = withMetricName('vector contains a mix of classic and native histograms', name)
      context.annotations.warn(text, this.#position)
    }
  }

  next(row: Row): void {
    const output = this.#outputs[this.#at++]!
    clearRow(row)
    this.#call.context.poll()
    if (output.group === undefined) this.#nativeRow(output, row)
    else this.#classicRow(output.group, output.view, row)
  }

  #nativeRow({ series, view }: Output, row: Row): void {
    const block = this.#block!
    const { context } = this.#call
    const { labels } = block.series[series]!
    const conflict = this.#groups.get(labels.key())?.conflict
    const name = context.delayedNames ? labels.metricName : ''
    for (let step = 0; step < block.steps; step++) {
      if (block.kinds[series * block.steps + step] !== KIND.histogram || conflict?.[step] === 1) continue
      const { value, note } = view.native(block.histograms.get(series * block.steps + step)!, step)
      row.kinds[step] = KIND.float
      row.values[step] = value
      if (note !== 'none') context.annotations.info(withMetricName(NAN_NOTES[note], name), this.#position)
    }
  }

  #classicRow(group: ClassicGroup, view: View, row: Row): void {
    const block = this.#block!
    const { context, grid } = this.#call
    const buckets = this.#scratch
    for (let step = 0; step < block.steps; step++) {
      if (group.conflict?.[step] === 1) continue
      buckets.clear()
      for (const { bound, series } of group.members) {
        const position = series * block.steps + step
        if (block.kinds[position] === KIND.float) buckets.push(bound, block.values[position]!)
      }
      if (buckets.length === 0) continue
      row.kinds[step] = KIND.float
      row.values[step] = view.classic(buckets, step)
      if (buckets.forced)
        noteForced(buckets, group.labels, context, grid.startMs + step * grid.stepMs, this.#position)
    }
  }
}

const NAN_NOTES: Readonly<Record<Exclude<NanNote, 'none'>, string>> = {
  resultIsNan: 'input to histogram_quantile has NaN observations, result is NaN',
  skewed: 'input to histogram_quantile has NaN observations, result is skewed higher',
  excluded: 'input to histogram_fraction has NaN observations, which are excluded from all fractions',
}

function noteForced(
  buckets: ClassicBuckets,
  labels: Labels,
  context: QueryContext,
  timeMs: number,
  position: number,
): void {
  const { minBucket, maxBucket, maxDiff } = buckets
  const detail = { minTimeMs: timeMs, maxTimeMs: timeMs, minBucket, maxBucket, maxDiff }
  const text =
    'input to histogram_quantile needed to be fixed for monotonicity ' +
    '(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)'
  const name = context.delayedNames ? labels.metricName : ''
  context.annotations.monotonicity(withMetricName(text, name), position, detail)
}

/** The bound in a bucket label, as Go's ParseFloat reads it; undefined when it is none. */
function parseBound(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text)
  if (/^\+?inf(inity)?$/i.test(text)) return Infinity
  if (/^-inf(inity)?$/i.test(text)) return -Infinity
  return /^nan$/i.test(text) ? NaN : undefined
}

/** The scalar argument's values, noting those that are no quantiles. */
function quantileValues({ node, build, context, grid }: CallContext, arg: number): Float64Array {
  const { values } = onlyRow(build(node.args[arg]!), grid.steps)
  for (const q of values)
    if (!(q >= 0 && q <= 1)) notes.invalidQuantile(context.annotations, q, node.args[arg]!.position)
  return values
}

function quantileView(values: Float64Array, label: View['label']): View {
  return {
    classic: (buckets, step) => buckets.quantile(values[step]!),
    native: (histogram, step) => histogramQuantile(values[step]!, histogram),
    label,
  }
}

function quantileViews(call: CallContext): ViewsOf {
  return { vector: 1, views: [quantileView(quantileValues(call, 0), undefined)] }
}

function quantilesViews(call: CallContext): ViewsOf {
  const label = stringArgument(call.node, 1)
  const views = call.node.args.slice(2).map((_, i) => {
    const values = quantileValues(call, i + 2)
    // The label is that of the first step: scalars that change from step to step make no stable series.
    return quantileView(values, [label, openMetricsNumber(values[0]!)])
  })
  return { vector: 0, views }
}

/** A float as OpenMetrics writes it: with a point or an exponent. */
function openMetricsNumber(value: number): string {
  const text = formatValue(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

function fractionViews({ node, build, grid }: CallContext): ViewsOf {
  const lower = onlyRow(build(node.args[0]!), grid.steps).values
  const upper = onlyRow(build(node.args[1]!), grid.steps).values
  const view: View = {
    classic: (buckets, step) => buckets.fraction(lower[step]!, upper[step]!),
    native: (histogram, step) => histogramFraction(lower[step]!, upper[step]!, histogram),
    label: undefined,
  }
  return { vector: 2, views: [view] }
}
