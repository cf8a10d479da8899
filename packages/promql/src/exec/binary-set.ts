// and, or, unless: per step, by match group.
import type { Matching } from '../plan/nodes.ts'
import type { QueryContext } from './context.ts'
import { MatchGroups } from './matching.ts'
import { KIND, createRow, type Grid, type Operator, type Row, type SeriesMeta } from './operator.ts'

export interface SetOperands {
  readonly left: Operator
  readonly right: Operator
  readonly matching: Matching
}

/** `and` (keep what the right side has too) and `unless` (keep what it has not). */
export class Intersection implements Operator {
  readonly #operands: SetOperands
  readonly #wanted: number
  readonly #context: QueryContext
  readonly #grid: Grid
  #groups: MatchGroups | undefined
  #present = new Uint8Array(0)
  #at = 0

  constructor(operands: SetOperands, op: 'and' | 'unless', context: QueryContext, grid: Grid) {
    this.#operands = operands
    this.#wanted = op === 'and' ? 1 : 0
    this.#context = context
    this.#grid = grid
  }

  get distinct(): boolean {
    return this.#operands.left.distinct === true
  }

  open(): readonly SeriesMeta[] {
    const { left, right, matching } = this.#operands
    const { steps } = this.#grid
    const leftSeries = left.open()
    const live = this.#context.liveSamples
    const rightSeries = right.open()
    const groups = new MatchGroups(leftSeries, rightSeries, matching)
    this.#groups = groups
    this.#context.chargeHeap(groups.count * steps)
    this.#present = new Uint8Array(groups.count * steps)
    const row = createRow(steps)
    for (let i = 0; i < rightSeries.length; i++) {
      right.next(row)
      markPresent(row, this.#present, groups.right[i]! * steps)
    }
    this.#context.settleLive(live, 0)
    return leftSeries
  }

  next(row: Row): void {
    this.#operands.left.next(row)
    const from = this.#groups!.left[this.#at++]! * this.#grid.steps
    for (let i = 0; i < row.kinds.length; i++)
      if (this.#present[from + i] !== this.#wanted) row.kinds[i] = KIND.absent
  }
}

/** `or`: all of the left side, and of the right side what has no match there. */
export class Union implements Operator {
  readonly #operands: SetOperands
  readonly #context: QueryContext
  readonly #grid: Grid
  #groups: MatchGroups | undefined
  #present = new Uint8Array(0)
  #leftCount = 0
  #at = 0

  constructor(operands: SetOperands, context: QueryContext, grid: Grid) {
    this.#operands = operands
    this.#context = context
    this.#grid = grid
  }

  open(): readonly SeriesMeta[] {
    const { left, right, matching } = this.#operands
    const leftSeries = left.open()
    const rightSeries = right.open()
    this.#leftCount = leftSeries.length
    this.#groups = new MatchGroups(leftSeries, rightSeries, matching)
    const size = this.#groups.count * this.#grid.steps
    this.#context.chargeHeap(size)
    this.#present = new Uint8Array(size)
    return [...leftSeries, ...rightSeries]
  }

  next(row: Row): void {
    const { left, right } = this.#operands
    const { steps } = this.#grid
    const i = this.#at++
    if (i < this.#leftCount) {
      left.next(row)
      markPresent(row, this.#present, this.#groups!.left[i]! * steps)
      return
    }
    right.next(row)
    const from = this.#groups!.right[i - this.#leftCount]! * steps
    for (let step = 0; step < steps; step++)
      if (this.#present[from + step] !== 0) row.kinds[step] = KIND.absent
  }
}

function markPresent(row: Row, present: Uint8Array, at: number): void {
  const { kinds } = row
  for (let i = 0; i < kinds.length; i++) if (kinds[i] !== KIND.absent) present[at + i] = 1
}
