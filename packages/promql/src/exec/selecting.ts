// Aggregations with a parameter that pick or count samples of whole groups: topk, bottomk, limitk,
// limit_ratio, quantile and count_values. They hold their input.
import { formatValue, histogramToString, type Labels } from '@watchfire/datamodel'
import { notes, quoteText } from '../functions/notes.ts'
import { quantileOf } from '../functions/quantile.ts'
import type { AggregateNode } from '../plan/nodes.ts'
import { drain, loadRow, type Block } from './block.ts'
import { executionError, type QueryContext } from './context.ts'
import { formatG } from './annotations.ts'
import { groupSeries } from './grouping.ts'
import { withLabel } from './labels.ts'
import { labelsRatio } from './labels-hash.ts'
import { KIND, clearRow, type Grid, type Operator, type Row, type SeriesMeta } from './operator.ts'

export interface SelectingOptions {
  readonly node: AggregateNode
  readonly inner: Operator
  /** The parameter at each step; undefined for count_values. */
  readonly param: Row | undefined
  readonly context: QueryContext
  readonly grid: Grid
}

const INT64_LIMIT = 2 ** 63

/** topk, bottomk, limitk and limit_ratio: the input's own series, with only the picked samples left. */
export class PickSamples implements Operator {
  readonly distinct = true
  readonly #options: SelectingOptions
  #block: Block | undefined
  #order: readonly number[] = []
  #at = 0

  constructor(options: SelectingOptions) {
    this.#options = options
  }

  open(): readonly SeriesMeta[] {
    const { node, inner, context, grid, param } = this.#options
    const before = context.liveSamples
    const block = drain(inner, context, grid.steps)
    this.#block = block
    if (!checkParameter(node, param!.values, context)) {
      context.settleLive(before, 0)
      return []
    }
    const members = membersOf(block.series, node)
    const order: number[] = []
    context.chargeHeap(block.kinds.length)
    const keep = new Uint8Array(block.kinds.length)
    for (let step = 0; step < grid.steps; step++) {
      context.poll()
      for (const group of members) {
        const picked = this.#pick(block, group, step, param!.values[step]!)
        for (const series of picked) keep[series * grid.steps + step] = 1
        if (grid.steps === 1) order.push(...picked)
      }
    }
    let kept = 0
    for (let i = 0; i < keep.length; i++) {
      if (keep[i] === 0) block.kinds[i] = KIND.absent
      else kept++
    }
    context.settleLive(before, Math.min(kept, context.liveSamples - before))
    this.#order = grid.steps === 1 ? order : block.series.map((_, i) => i)
    return this.#order.map((i) => block.series[i]!)
  }

  next(row: Row): void {
    loadRow(this.#block!, this.#order[this.#at++]!, row)
  }

  /** The series of a group that stay at a step, best first. */
  #pick(block: Block, group: readonly number[], step: number, param: number): readonly number[] {
    const { op, position } = this.#options.node
    const { annotations } = this.#options.context
    const kindOf = (series: number): number => block.kinds[series * block.steps + step]!
    const present = group.filter((series) => kindOf(series) !== KIND.absent)
    if (op === 'limit_ratio') {
      if (param === 0) return []
      const ratio = Math.min(1, Math.max(-1, param))
      return present.filter((series) => inRatio(ratio, block.series[series]!.labels))
    }
    const k = Math.min(Math.trunc(param), block.series.length)
    if (k < 1) return []
    if (op === 'limitk') return present.slice(0, k)
    const floats = present.filter((series) => kindOf(series) === KIND.float)
    if (floats.length < present.length) notes.histogramIgnoredIn(annotations, op, position)
    const valueOf = (series: number): number => block.values[series * block.steps + step]!
    const sign = op === 'topk' ? -1 : 1
    floats.sort((a, b) => compareNanLast(valueOf(a), valueOf(b), sign) || a - b)
    return floats.slice(0, k)
  }
}

/** sign 1 ascending, −1 descending; NaN last either way. */
export function compareNanLast(a: number, b: number, sign: number): number {
  if (a !== a) return b !== b ? 0 : 1
  if (b !== b) return -1
  return a === b ? 0 : sign * (a < b ? -1 : 1)
}

function inRatio(ratio: number, labels: Labels): boolean {
  const at = labelsRatio(labels)
  return ratio >= 0 ? at < ratio : at >= 1 + ratio
}

/** False when the parameter selects nothing at any step. */
function checkParameter(node: AggregateNode, values: Float64Array, context: QueryContext): boolean {
  let min = Infinity
  let max = -Infinity
  let nan = false
  for (const value of values) {
    if (value !== value) nan = true
    if (value < min) min = value
    if (value > max) max = value
  }
  if (node.op === 'limit_ratio') {
    if (!nan && max === 0 && min === 0) return false
    if (nan) throw executionError('Ratio value is NaN')
    const { annotations } = context
    if (max > 1) notes.invalidRatio(annotations, max, 1, node.param!.position)
    if (min < -1) notes.invalidRatio(annotations, min, -1, node.param!.position)
    return true
  }
  if (!nan && max < 1) return false
  if (nan) throw executionError('Parameter value is NaN')
  if (min <= -INT64_LIMIT) throw executionError(`Scalar value ${formatG(min)} underflows int64`)
  if (max >= INT64_LIMIT) throw executionError(`Scalar value ${formatG(max)} overflows int64`)
  return true
}

function membersOf(series: readonly SeriesMeta[], node: AggregateNode): number[][] {
  const { groupOf, labels } = groupSeries(series, node)
  const members: number[][] = labels.map(() => [])
  for (let i = 0; i < series.length; i++) members[groupOf[i]!]!.push(i)
  return members
}

/** quantile(φ, …): one value per group and step. */
export class QuantileAggregate implements Operator {
  readonly distinct = true
  readonly #options: SelectingOptions
  #block: Block | undefined
  #members: number[][] = []
  #at = 0

  constructor(options: SelectingOptions) {
    this.#options = options
  }

  open(): readonly SeriesMeta[] {
    const { node, inner, context, grid, param } = this.#options
    noteQuantiles(param!.values, context, node.param!.position)
    const block = drain(inner, context, grid.steps)
    this.#block = block
    const { labels } = groupSeries(block.series, node)
    this.#members = membersOf(block.series, node)
    return labels.map((own, i) => ({
      labels: own,
      dropName: this.#members[i]!.some((series) => block.series[series]!.dropName),
    }))
  }

  next(row: Row): void {
    const { node, context, param } = this.#options
    const block = this.#block!
    const group = this.#members[this.#at++]!
    const scratch = new Float64Array(group.length)
    clearRow(row)
    context.poll()
    for (let step = 0; step < block.steps; step++) {
      let count = 0
      for (const series of group) {
        const position = series * block.steps + step
        if (block.kinds[position] === KIND.float) scratch[count++] = block.values[position]!
        else if (block.kinds[position] === KIND.histogram)
          notes.histogramIgnoredIn(context.annotations, 'quantile', node.expr.position)
      }
      if (count === 0) continue
      row.kinds[step] = KIND.float
      row.values[step] = quantileOf(param!.values[step]!, scratch.subarray(0, count))
    }
  }
}

function noteQuantiles(values: Float64Array, context: QueryContext, position: number): void {
  const { annotations } = context
  let min = Infinity
  let max = -Infinity
  for (const value of values) {
    if (value !== value) notes.invalidQuantile(annotations, NaN, position)
    if (value < min) min = value
    if (value > max) max = value
  }
  if (max > 1) notes.invalidQuantile(annotations, max, position)
  if (min < 0) notes.invalidQuantile(annotations, min, position)
}

/** count_values("label", …): one series per group and value. */
export class CountValues implements Operator {
  readonly distinct = true
  readonly #options: SelectingOptions
  #rows: Float64Array[] = []
  #at = 0

  constructor(options: SelectingOptions) {
    this.#options = options
  }

  open(): readonly SeriesMeta[] {
    const { node, inner, context, grid } = this.#options
    const label = node.param!.kind === 'string' ? node.param!.value : ''
    if (label === '' || !isWellFormed(label)) throw executionError(`invalid label name ${quoteText(label)}`)
    const before = context.liveSamples
    const block = drain(inner, context, grid.steps)
    const by = { grouping: node.without ? node.grouping : [...node.grouping, label], without: node.without }
    const texts = new Map<number, string>()
    const counts = new Map<string, { labels: Labels; row: Float64Array }>()
    for (let s = 0; s < block.series.length; s++) {
      context.poll()
      for (let step = 0; step < grid.steps; step++) {
        const position = s * grid.steps + step
        if (block.kinds[position] === KIND.absent) continue
        const text = valueText(block, position, texts)
        const own = withLabel(block.series[s]!.labels, label, text)
        const labels = groupSeries([{ labels: own, dropName: false }], by).labels[0]!
        let group = counts.get(labels.key())
        if (group === undefined) {
          group = { labels, row: new Float64Array(grid.steps) }
          context.chargeHeap(grid.steps * 8 + 200)
          counts.set(labels.key(), group)
        }
        group.row[step]!++
      }
    }
    context.settleLive(before, counts.size)
    this.#rows = [...counts.values()].map(({ row }) => row)
    return [...counts.values()].map(({ labels }) => ({ labels, dropName: false }))
  }

  next(row: Row): void {
    const counts = this.#rows[this.#at++]!
    row.hasHistograms = false
    row.values.set(counts)
    for (let i = 0; i < counts.length; i++) row.kinds[i] = counts[i]! > 0 ? KIND.float : KIND.absent
  }
}

/** Shortest text of a value, never with an exponent. */
function valueText(block: Block, position: number, known: Map<number, string>): string {
  if (block.kinds[position] === KIND.histogram) return histogramToString(block.histograms.get(position)!)
  const value = block.values[position]!
  let text = known.get(value)
  if (text === undefined || value === 0) {
    text = plainNumber(value)
    known.set(value, text)
  }
  return text
}

export function plainNumber(value: number): string {
  const text = formatValue(value)
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (match === null) return text
  const [, sign = '', head = '', tail = '', power = '0'] = match
  const digits = head + tail
  const point = 1 + Number(power)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return sign + digits.padEnd(point, '0')
}

function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text)
}
