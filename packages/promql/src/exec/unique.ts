// Series that became equal by losing labels: merged when they never meet at a step, an error when they do.
import { drain, hasAny, loadRow, type Block } from './block.ts'
import { duplicateLabelsError, type QueryContext } from './context.ts'
import { KIND, clearRow, type Grid, type Operator, type Row, type SeriesMeta } from './operator.ts'

/**
 * Wraps an operator whose announced series may have equal labels. `strict`: equal labels of two series that
 * have any sample are an error even when they never meet.
 */
export class UniqueSeries implements Operator {
  readonly #inner: Operator
  readonly #context: QueryContext
  readonly #grid: Grid
  readonly #strict: boolean
  #block: Block | undefined
  #groups: number[][] = []
  #at = 0

  constructor(inner: Operator, context: QueryContext, grid: Grid, strict: boolean = false) {
    this.#inner = inner
    this.#context = context
    this.#grid = grid
    this.#strict = strict
  }

  open(): readonly SeriesMeta[] {
    const series = this.#inner.open()
    if (this.#inner.distinct === true || !hasDuplicates(series)) return series
    const opened = { open: () => series, next: (row: Row) => this.#inner.next(row) }
    const block = drain(opened, this.#context, this.#grid.steps)
    const groups = new Map<string, number[]>()
    series.forEach((meta, i) => {
      if (!hasAny(block, i)) return
      const key = meta.labels.key()
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [i])
      else if (this.#strict) throw duplicateLabelsError()
      else group.push(i)
    })
    this.#block = block
    this.#groups = [...groups.values()]
    return this.#groups.map((group) => series[group[0]!]!)
  }

  get distinct(): boolean {
    return true
  }

  next(row: Row): void {
    const block = this.#block
    if (block === undefined) return this.#inner.next(row)
    const group = this.#groups[this.#at++]!
    if (group.length === 1) return loadRow(block, group[0]!, row)
    clearRow(row)
    for (const index of group) addSeries(block, index, row)
  }
}

function addSeries(block: Block, index: number, row: Row): void {
  const at = index * block.steps
  for (let i = 0; i < block.steps; i++) {
    const kind = block.kinds[at + i]!
    if (kind === KIND.absent) continue
    if (row.kinds[i] !== KIND.absent) throw duplicateLabelsError()
    row.kinds[i] = kind
    row.values[i] = block.values[at + i]!
    if (kind === KIND.histogram) {
      row.histograms[i] = block.histograms.get(at + i)
      row.hasHistograms = true
    }
  }
}

export function hasDuplicates(series: readonly SeriesMeta[]): boolean {
  if (series.length < 2) return false
  const seen = new Set<string>()
  for (const { labels } of series) {
    const key = labels.key()
    if (seen.has(key)) return true
    seen.add(key)
  }
  return false
}
