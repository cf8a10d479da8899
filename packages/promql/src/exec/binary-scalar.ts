// Binary operations with a scalar on one side or both.
import type { BinaryNode } from '../plan/nodes.ts'
import { onlyRow, dropNames } from './basic.ts'
import {
  BinarySamples,
  IMPOSSIBLE,
  arithmeticRows,
  changesMeaning,
  compares,
  isComparison,
} from './binary-samples.ts'
import type { QueryContext } from './context.ts'
import { sameMetric } from './labels.ts'
import { KIND, type Grid, type Operator, type Row, type SeriesMeta } from './operator.ts'

/** scalar op scalar. */
export class ScalarBinary implements Operator {
  readonly distinct = true
  readonly #node: BinaryNode
  readonly #left: Operator
  readonly #right: Operator
  readonly #grid: Grid

  constructor(node: BinaryNode, left: Operator, right: Operator, grid: Grid) {
    this.#node = node
    this.#left = left
    this.#right = right
    this.#grid = grid
  }

  open(): readonly SeriesMeta[] {
    return this.#left.open()
  }

  next(row: Row): void {
    const { op } = this.#node
    this.#left.next(row)
    const right = onlyRow(this.#right, this.#grid.steps)
    if (!isComparison(op)) return arithmeticRows(op, row.values, right.values, row.values)
    for (let i = 0; i < row.values.length; i++)
      row.values[i] = compares(op, row.values[i]!, right.values[i]!) ? 1 : 0
  }
}

/** vector op scalar, or scalar op vector (`swapped`). Comparisons keep the vector's samples. */
export class VectorScalarBinary implements Operator {
  readonly #node: BinaryNode
  readonly #vector: Operator
  readonly #scalar: Operator
  readonly #swapped: boolean
  readonly #context: QueryContext
  readonly #grid: Grid
  readonly #samples: BinarySamples
  #scalarRow: Row | undefined
  #distinct = false

  constructor(
    node: BinaryNode,
    operands: { vector: Operator; scalar: Operator; swapped: boolean },
    context: QueryContext,
    grid: Grid,
  ) {
    this.#node = node
    this.#vector = operands.vector
    this.#scalar = operands.scalar
    this.#swapped = operands.swapped
    this.#context = context
    this.#grid = grid
    this.#samples = new BinarySamples(node.op, context.annotations, node.position)
  }

  get distinct(): boolean {
    return this.#distinct
  }

  open(): readonly SeriesMeta[] {
    const series = this.#vector.open()
    this.#scalarRow = onlyRow(this.#scalar, this.#grid.steps)
    this.#distinct = this.#vector.distinct === true
    if (!changesMeaning(this.#node.op) && !this.#node.bool) return series
    this.#distinct &&= this.#context.delayedNames || sameMetric(series)
    return dropNames(series, this.#context)
  }

  next(row: Row): void {
    const { op } = this.#node
    this.#vector.next(row)
    const scalar = this.#scalarRow!.values
    if (!row.hasHistograms && changesMeaning(op)) {
      if (this.#swapped) arithmeticRows(op, scalar, row.values, row.values)
      else arithmeticRows(op, row.values, scalar, row.values)
    } else if (!row.hasHistograms && isComparison(op)) this.#compareRow(row, scalar)
    else this.#general(row, scalar)
  }

  #compareRow(row: Row, scalar: Float64Array): void {
    const { op, bool } = this.#node
    const { values, kinds } = row
    for (let i = 0; i < values.length; i++) {
      if (kinds[i] === KIND.absent) continue
      const holds = this.#swapped
        ? compares(op, scalar[i]!, values[i]!)
        : compares(op, values[i]!, scalar[i]!)
      if (bool) values[i] = holds ? 1 : 0
      else if (!holds) kinds[i] = KIND.absent
    }
  }

  #general(row: Row, scalar: Float64Array): void {
    const { kinds, values, histograms } = row
    const samples = this.#samples
    const { bool, op } = this.#node
    const comparison = isComparison(op)
    let hasHistograms = false
    for (let i = 0; i < kinds.length; i++) {
      if (kinds[i] === KIND.absent) continue
      const own = kinds[i] === KIND.histogram ? histograms[i] : undefined
      const kind = this.#swapped
        ? samples.apply(scalar[i]!, values[i]!, undefined, own)
        : samples.apply(values[i]!, scalar[i]!, own, undefined)
      if (kind === IMPOSSIBLE) kinds[i] = KIND.absent
      else if (bool) {
        kinds[i] = KIND.float
        values[i] = samples.holds ? 1 : 0
      } else if (!samples.holds) kinds[i] = KIND.absent
      else if (!comparison) {
        kinds[i] = kind
        values[i] = samples.value
        histograms[i] = samples.histogram
      }
      if (kinds[i] === KIND.histogram) hasHistograms = true
    }
    row.hasHistograms = hasHistograms
  }
}
