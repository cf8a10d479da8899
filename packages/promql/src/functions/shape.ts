// Functions that change which series there are: scalar, vector, absent, sort, timestamp.
import { Labels, compareUtf8, type Matcher } from '@watchfire/datamodel'
import { MapRows, dropHistograms } from '../exec/basic.ts'
import { drain, loadRow, type Block } from '../exec/block.ts'
import { KIND, clearRow, createRow, type Operator, type Row, type SeriesMeta } from '../exec/operator.ts'
import { InstantSelector, type SelectorOutput } from '../exec/selector.ts'
import { compareNanLast } from '../exec/selecting.ts'
import type { PlanNode } from '../plan/nodes.ts'
import { stringArgument, unwrapped, type CallBuilder, type CallContext } from './call.ts'
import { naturalLess } from './natural-order.ts'

export const SHAPE_FUNCTIONS: ReadonlyMap<string, CallBuilder> = new Map<string, CallBuilder>([
  ['scalar', scalar],
  ['vector', (call) => call.build(call.node.args[0]!)],
  ['absent', (call) => new Absent(call.build(call.node.args[0]!), absentLabels(call.node.args[0]!), call)],
  ['sort', (call) => new Sort(call, byValue(1))],
  ['sort_desc', (call) => new Sort(call, byValue(-1))],
  ['sort_by_label', (call) => new Sort(call, byLabels(call, 1))],
  ['sort_by_label_desc', (call) => new Sort(call, byLabels(call, -1))],
  ['timestamp', (call) => timestamp(call, 'timestamp')],
  ['start_timestamp', (call) => timestamp(call, 'startTimestamp')],
])

const UNNAMED: readonly SeriesMeta[] = [{ labels: Labels.EMPTY, dropName: false }]

/** The one float sample of a vector; NaN when there is none or several. */
function scalar(call: CallContext): Operator {
  const inner = call.build(call.node.args[0]!)
  return {
    distinct: true,
    open: () => UNNAMED,
    next: (row) => {
      const counts = new Uint32Array(call.grid.steps)
      const own = createRow(call.grid.steps)
      row.values.fill(NaN)
      for (let left = inner.open().length; left > 0; left--) {
        inner.next(own)
        for (let i = 0; i < counts.length; i++)
          if (own.kinds[i] === KIND.float) row.values[i] = ++counts[i]! === 1 ? own.values[i]! : NaN
      }
      row.kinds.fill(KIND.float)
      row.hasHistograms = false
    },
  }
}

/** 1 at the steps where the inner operator has nothing. Also absent_over_time. */
export class Absent implements Operator {
  readonly distinct = true
  readonly #inner: Operator
  readonly #labels: Labels
  readonly #call: CallContext

  constructor(inner: Operator, labels: Labels, call: CallContext) {
    this.#inner = inner
    this.#labels = labels
    this.#call = call
  }

  open(): readonly SeriesMeta[] {
    return [{ labels: this.#labels, dropName: false }]
  }

  next(row: Row): void {
    const { context, grid } = this.#call
    const before = context.liveSamples
    const own = createRow(grid.steps)
    row.values.fill(1)
    row.kinds.fill(KIND.float)
    row.hasHistograms = false
    for (let left = this.#inner.open().length; left > 0; left--) {
      this.#inner.next(own)
      for (let i = 0; i < grid.steps; i++) if (own.kinds[i] !== KIND.absent) row.kinds[i] = KIND.absent
    }
    context.settleLive(before, 1)
  }
}

/** Labels that the selector demands by equality, each in one matcher only. */
export function absentLabels(arg: PlanNode): Labels {
  const node = unwrapped(arg)
  let matchers: readonly Matcher[] = []
  if (node.kind === 'selector') matchers = node.matchers
  else if (node.kind === 'matrix') matchers = node.selector.matchers
  const values = new Map<string, string>()
  const seen = new Set<string>()
  for (const { name, type, value } of matchers) {
    if (name === '__name__') continue
    if (type === '=' && !seen.has(name)) {
      values.set(name, value)
      seen.add(name)
    } else values.delete(name)
  }
  return Labels.from(values)
}

type Order = (block: Block, a: number, b: number) => number

/** Orders an instant vector; range results are ordered by labels anyway. */
class Sort implements Operator {
  readonly #inner: Operator
  readonly #call: CallContext
  readonly #order: Order
  readonly #floatsOnly: boolean
  #block: Block | undefined
  #sorted: number[] = []
  #at = 0

  constructor(call: CallContext, order: Order) {
    this.#inner = call.build(call.node.args[0]!)
    this.#call = call
    this.#order = order
    this.#floatsOnly = call.node.name === 'sort' || call.node.name === 'sort_desc'
  }

  get distinct(): boolean {
    return this.#inner.distinct === true
  }

  open(): readonly SeriesMeta[] {
    const { context, grid, node } = this.#call
    if (grid.steps !== 1) {
      const text = 'sort is ineffective for range queries since results are always ordered by labels'
      context.annotations.warn(text, node.position)
      return this.#inner.open()
    }
    const block = drain(this.#inner, context, 1)
    this.#block = block
    const present = block.series.map((_, i) => i).filter((i) => block.kinds[i] !== KIND.absent)
    this.#sorted = present.sort((a, b) => this.#order(block, a, b))
    return this.#sorted.map((i) => block.series[i]!)
  }

  next(row: Row): void {
    if (this.#block === undefined) this.#inner.next(row)
    else loadRow(this.#block, this.#sorted[this.#at++]!, row)
    if (this.#floatsOnly) dropHistograms(row)
  }
}

function byValue(sign: number): Order {
  return (block, a, b) => compareNanLast(block.values[a]!, block.values[b]!, sign)
}

function byLabels(call: CallContext, sign: number): Order {
  const names = call.node.args.slice(1).map((_, i) => stringArgument(call.node, i + 1))
  return (block, a, b) => {
    const left = block.series[a]!.labels
    const right = block.series[b]!.labels
    for (const name of names) {
      const x = left.get(name)
      const y = right.get(name)
      if (x !== y) return naturalLess(x, y) ? -sign : sign
    }
    return sign * (left.compare(right) || compareUtf8(left.key(), right.key()))
  }
}

/** Of a selector: when its sample was taken. Of anything else: the time of the step. */
function timestamp(call: CallContext, output: SelectorOutput): Operator {
  const { context, grid, node } = call
  const arg = node.args[0]!
  if (arg.kind === 'selector') {
    if (output === 'startTimestamp' && context.features.useStartTimestamps !== true)
      return new MapRows(call.build(arg), context, clearRow)
    return new MapRows(new InstantSelector(arg, context, grid, output), context, () => {})
  }
  const inner = call.build(arg)
  if (output === 'startTimestamp') return new MapRows(inner, context, clearRow)
  return new MapRows(inner, context, (row) => {
    row.hasHistograms = false
    for (let i = 0; i < grid.steps; i++) {
      if (row.kinds[i] === KIND.absent) continue
      row.kinds[i] = KIND.float
      row.values[i] = (grid.startMs + i * grid.stepMs) / 1000
    }
  })
}
