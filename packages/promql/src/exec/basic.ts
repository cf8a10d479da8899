// Small operators: constants, repetition of what does not depend on the step, renaming and per-sample
// functions.
import { scaleHistogram, type Labels } from '@watchfire/datamodel'
import type { QueryContext } from './context.ts'
import { dropMetadata, sameMetric } from './labels.ts'
import { Labels as LabelSet } from '@watchfire/datamodel'
import { KIND, clearRow, createRow, type Grid, type Operator, type Row, type SeriesMeta } from './operator.ts'
import { histogramSize } from './samples.ts'

const UNNAMED: readonly SeriesMeta[] = [{ labels: LabelSet.EMPTY, dropName: false }]

/** One series without labels and with a value at every step: a scalar. */
export class ScalarOperator implements Operator {
  readonly distinct = true
  readonly #grid: Grid
  readonly #valueAt: (timeMs: number) => number
  readonly #context: QueryContext

  constructor(context: QueryContext, grid: Grid, valueAt: (timeMs: number) => number) {
    this.#context = context
    this.#grid = grid
    this.#valueAt = valueAt
  }

  open(): readonly SeriesMeta[] {
    return UNNAMED
  }

  next(row: Row): void {
    const { startMs, stepMs, steps } = this.#grid
    for (let i = 0; i < steps; i++) row.values[i] = this.#valueAt(startMs + i * stepMs)
    row.kinds.fill(KIND.float)
    row.hasHistograms = false
    this.#context.addLive(steps)
  }
}

/** Repeats the one step of the inner operator. */
export class StepInvariant implements Operator {
  readonly #inner: Operator
  readonly #context: QueryContext
  readonly #row = createRow(1)
  readonly #steps: number
  readonly #grid: Grid

  constructor(inner: Operator, context: QueryContext, grid: Grid) {
    this.#inner = inner
    this.#grid = grid
    this.#context = context
    this.#steps = grid.steps
  }

  get distinct(): boolean {
    return this.#inner.distinct === true
  }

  open(): readonly SeriesMeta[] {
    return this.#counted(() => this.#inner.open())
  }

  /** What one evaluation looks at counts for each step. */
  #counted<T>(evaluate: () => T): T {
    const { counters } = this.#context
    const before = counters.queryable
    const result = evaluate()
    const once = counters.queryable - before
    counters.queryable = before + once * this.#steps
    for (let i = 0; i < this.#steps; i++) this.#context.countStep(this.#grid, i, once)
    return result
  }

  next(row: Row): void {
    const own = this.#row
    this.#counted(() => this.#inner.next(own))
    const kind = own.kinds[0]!
    row.kinds.fill(kind)
    row.values.fill(own.values[0]!)
    row.hasHistograms = kind === KIND.histogram
    if (kind === KIND.histogram) for (let i = 0; i < this.#steps; i++) row.histograms[i] = own.histograms[0]
    const size = kind === KIND.absent ? 0 : kind === KIND.float ? 1 : histogramSize(own.histograms[0]!)
    this.#context.addLive(size * (this.#steps - 1))
  }
}

/** Changes the samples of every row in place; drops the metric's name. */
export class MapRows implements Operator {
  readonly #inner: Operator
  readonly #context: QueryContext
  readonly #change: (row: Row) => void
  #distinct = false

  constructor(inner: Operator, context: QueryContext, change: (row: Row) => void) {
    this.#inner = inner
    this.#context = context
    this.#change = change
  }

  get distinct(): boolean {
    return this.#distinct
  }

  open(): readonly SeriesMeta[] {
    const series = this.#inner.open()
    const renamed = dropNames(series, this.#context)
    this.#distinct = this.#inner.distinct === true && (this.#context.delayedNames || sameMetric(series))
    return renamed
  }

  next(row: Row): void {
    this.#inner.next(row)
    this.#change(row)
  }
}

/** Without metric names, now or (delayed name removal) at the end. */
export function dropNames(series: readonly SeriesMeta[], context: QueryContext): SeriesMeta[] {
  const relabel = (labels: Labels): Labels => (context.delayedNames ? labels : dropMetadata(labels))
  return series.map(({ labels }) => ({ labels: relabel(labels), dropName: true }))
}

/** Makes every step that holds a histogram absent. */
export function dropHistograms(row: Row): void {
  if (!row.hasHistograms) return
  for (let i = 0; i < row.kinds.length; i++) if (row.kinds[i] === KIND.histogram) row.kinds[i] = KIND.absent
  row.hasHistograms = false
}

/** Unary minus. */
export function negateRow(row: Row): void {
  const { values, kinds } = row
  for (let i = 0; i < values.length; i++) values[i] = -values[i]!
  if (!row.hasHistograms) return
  for (let i = 0; i < kinds.length; i++)
    if (kinds[i] === KIND.histogram) row.histograms[i] = scaleHistogram(row.histograms[i]!, -1)
}

/** The rows of an operator that is one series at most, or an empty row. */
export function onlyRow(operator: Operator, steps: number): Row {
  const row = createRow(steps)
  clearRow(row)
  if (operator.open().length > 0) operator.next(row)
  return row
}
