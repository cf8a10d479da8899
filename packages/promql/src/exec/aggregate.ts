// Aggregations that keep a running value per group and step: sum, avg, min, max, count, group, stddev,
// stdvar. The input streams through; only the groups' columns are held.
import type { AggregateNode } from '../plan/nodes.ts'
import {
  AverageAccumulator,
  CountAccumulator,
  DeviationAccumulator,
  ExtremeAccumulator,
  SumAccumulator,
  type Accumulator,
  type AccumulatorOptions,
} from './accumulators.ts'
import type { QueryContext } from './context.ts'
import { groupSeries } from './grouping.ts'
import { createRow, type Grid, type Operator, type Row, type SeriesMeta } from './operator.ts'

export class Aggregate implements Operator {
  readonly distinct = true
  readonly #node: AggregateNode
  readonly #inner: Operator
  readonly #context: QueryContext
  readonly #grid: Grid
  #accumulator: Accumulator | undefined
  #at = 0

  constructor(node: AggregateNode, inner: Operator, context: QueryContext, grid: Grid) {
    this.#node = node
    this.#inner = inner
    this.#context = context
    this.#grid = grid
  }

  open(): readonly SeriesMeta[] {
    const { steps } = this.#grid
    const before = this.#context.liveSamples
    const series = this.#inner.open()
    const { groupOf, labels } = groupSeries(series, this.#node)
    const size = labels.length * steps
    this.#context.chargeHeap(size * 26)
    const accumulator = createAccumulator(this.#node.op, {
      size,
      annotations: this.#context.annotations,
      position: this.#node.expr.position,
    })
    const dropName = new Uint8Array(labels.length)
    const row = createRow(steps)
    for (let i = 0; i < series.length; i++) {
      const meta = series[i]!
      this.#inner.next(row)
      const group = groupOf[i]!
      accumulator.add(row, group * steps, meta.labels)
      if (meta.dropName) dropName[group] = 1
    }
    this.#accumulator = accumulator
    this.#context.settleLive(before, Math.min(size, this.#context.liveSamples - before))
    return labels.map((own, group) => ({ labels: own, dropName: dropName[group] === 1 }))
  }

  next(row: Row): void {
    this.#accumulator!.finish(this.#at++ * this.#grid.steps, row)
  }
}

function createAccumulator(op: string, options: AccumulatorOptions): Accumulator {
  switch (op) {
    case 'sum':
      return new SumAccumulator(options)
    case 'avg':
      return new AverageAccumulator(options)
    case 'min':
    case 'max':
      return new ExtremeAccumulator(op, options)
    case 'count':
    case 'group':
      return new CountAccumulator(op, options)
    case 'stddev':
    case 'stdvar':
      return new DeviationAccumulator(op, options)
    default:
      throw new Error(`BUG: no accumulator for aggregation ${op}`)
  }
}
