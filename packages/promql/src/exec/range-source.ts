// Where range functions get their samples: a range selector or a subquery. Series are announced, then loaded
// in order.
import { COUNTER_RESET } from '@watchfire/datamodel'
import type { MatrixNode, SubqueryNode, TimeShift } from '../plan/nodes.ts'
import type { QueryContext } from './context.ts'
import { KIND, createRow, type Grid, type Operator, type Row, type SeriesMeta } from './operator.ts'
import type { SampleColumns } from './samples.ts'
import { SelectionReader } from './selection-reader.ts'

export interface RangeSource {
  readonly shift: TimeShift
  readonly rangeMs: number
  readonly anchored: boolean
  readonly smoothed: boolean
  /** Samples were counted as read when they were made. */
  readonly derived: boolean
  open(): readonly SeriesMeta[]
  /** Most float samples of a series; known after `open`. */
  readonly capacity: number
  /** The samples of the next series that any step may need. Owned by the source until the next call. */
  next(): SampleColumns
}

/** First and last time that windows over the grid can touch; left-open. */
interface Reach {
  readonly after: number
  readonly until: number
}

function reachOf(source: RangeSource, context: QueryContext, grid: Grid): Reach {
  const { atMs, offsetMs } = source.shift
  const first = (atMs ?? grid.startMs) - offsetMs
  const last = atMs === undefined ? first + (grid.steps - 1) * grid.stepMs : first
  const before = source.anchored || source.smoothed ? context.lookbackMs : 0
  return { after: first - source.rangeMs - before, until: last + (source.smoothed ? context.lookbackMs : 0) }
}

/** Samples of a range selector. */
export class SelectorSource implements RangeSource {
  readonly shift: TimeShift
  readonly rangeMs: number
  readonly anchored: boolean
  readonly smoothed: boolean
  readonly derived = false
  readonly #node: MatrixNode
  readonly #context: QueryContext
  readonly #reach: Reach
  readonly #starts: boolean
  #reader: SelectionReader | undefined
  #at = 0

  /** `reader`, when given, has made the selection already. */
  constructor(
    node: MatrixNode,
    context: QueryContext,
    grid: Grid,
    starts: boolean,
    reader?: SelectionReader,
  ) {
    this.#reader = reader
    this.#node = node
    this.#context = context
    this.shift = node.selector
    this.rangeMs = node.rangeMs
    this.anchored = node.selector.anchored
    this.smoothed = node.selector.smoothed
    this.#starts = starts
    this.#reach = reachOf(this, context, grid)
  }

  open(): readonly SeriesMeta[] {
    const reader = (this.#reader ??= new SelectionReader(this.#context, this.#node.selector))
    return Array.from({ length: reader.count }, (_, i) => ({ labels: reader.labels(i), dropName: false }))
  }

  get capacity(): number {
    return this.#reader!.capacity
  }

  next(): SampleColumns {
    this.#context.poll()
    const { after, until } = this.#reach
    const starts = this.#starts
    return this.#reader!.load(this.#at++, { minTime: after + 1, maxTime: until, dropStale: true, starts })
  }
}

/** Samples computed by an expression on a grid of its own. */
export class SubquerySource implements RangeSource {
  readonly shift: TimeShift
  readonly rangeMs: number
  readonly anchored = false
  readonly smoothed = false
  readonly derived = true
  readonly #context: QueryContext
  readonly #grid: Grid
  readonly #inner: Operator
  readonly #row: Row
  #columns: SampleColumns | undefined
  #times: Float64Array

  /** `grid` is `subqueryGrid(…)`, on which `inner` evaluates. */
  constructor(node: SubqueryNode, context: QueryContext, grid: Grid, inner: Operator) {
    this.shift = node
    this.rangeMs = node.rangeMs
    this.#context = context
    this.#grid = grid
    this.#inner = inner
    context.expectSteps(grid.steps)
    this.#row = createRow(grid.steps)
    this.#times = new Float64Array(0)
  }

  open(): readonly SeriesMeta[] {
    const { steps, startMs, stepMs } = this.#grid
    if (steps === 0) return []
    const { counters } = this.#context
    const before = counters.queryable
    const series = this.#inner.open()
    counters.queryable = before // the caller counts the samples of its windows; these only count as read
    this.#times = Float64Array.from({ length: steps }, (_, i) => startMs + i * stepMs)
    const { arena } = this.#context
    const timesAddress = arena.alloc(steps * 8)
    const valuesAddress = arena.alloc(steps * 8)
    this.#columns = {
      times: new Float64Array(arena.memory.buffer, timesAddress, steps),
      values: new Float64Array(arena.memory.buffer, valuesAddress, steps),
      count: 0,
      starts: undefined,
      timesAddress,
      valuesAddress,
      histogramTimes: [],
      histograms: [],
      histogramStarts: undefined,
    }
    return series
  }

  get capacity(): number {
    return this.#grid.steps
  }

  next(): SampleColumns {
    const row = this.#row
    const columns = this.#columns!
    const before = this.#context.counters.queryable
    this.#inner.next(row)
    this.#context.counters.queryable = before
    columns.histogramTimes = []
    columns.histograms = []
    const { times, values } = columns
    let count = 0
    for (let i = 0; i < row.kinds.length; i++) {
      if (row.kinds[i] === KIND.float) {
        times[count] = this.#times[i]!
        values[count++] = row.values[i]!
      } else if (row.kinds[i] === KIND.histogram) {
        const histogram = row.histograms[i]!
        columns.histogramTimes.push(this.#times[i]!)
        // Hints speak of neighbours that a subquery may skip or repeat.
        const { counterResetHint: hint } = histogram
        const keep = hint === COUNTER_RESET.unknown || hint === COUNTER_RESET.gauge
        columns.histograms.push(keep ? histogram : { ...histogram, counterResetHint: COUNTER_RESET.unknown })
      }
    }
    columns.count = count
    return columns
  }
}

/** The steps of a subquery: multiples of its step in all the windows of the outer grid. */
export function subqueryGrid(node: SubqueryNode, outer: Grid): Grid {
  const first = node.atMs ?? outer.startMs
  const last = node.atMs ?? outer.startMs + (outer.steps - 1) * outer.stepMs
  const after = first - node.offsetMs - node.rangeMs
  let startMs = node.stepMs * Math.trunc(after / node.stepMs)
  if (startMs <= after) startMs += node.stepMs
  const endMs = last - node.offsetMs
  const steps = outer.steps === 0 || endMs < startMs ? 0 : Math.floor((endMs - startMs) / node.stepMs) + 1
  return { startMs, stepMs: node.stepMs, steps }
}
