// All rows of an operator in memory, for operations that must see several series at once. Contiguous columns:
// position series·steps + step.
import type { FloatHistogram } from '@watchfire/datamodel'
import type { QueryContext } from './context.ts'
import { KIND, createRow, type Operator, type Row, type SeriesMeta } from './operator.ts'

export interface Block {
  readonly series: readonly SeriesMeta[]
  readonly steps: number
  readonly values: Float64Array
  readonly kinds: Uint8Array
  /** Sparse, by position. */
  readonly histograms: Map<number, FloatHistogram>
}

/** Rough size of an announced series with labels of its own. */
export const SERIES_BYTES = 200

/** Rough size of a histogram object with its arrays. */
export const HISTOGRAM_BYTES = 400

/** Opens the operator and takes all its rows. */
export function drain(operator: Operator, context: QueryContext, steps: number): Block {
  const series = operator.open()
  const size = series.length * steps
  context.chargeHeap(size * 9)
  const values = new Float64Array(size)
  const kinds = new Uint8Array(size)
  const histograms = new Map<number, FloatHistogram>()
  const row = createRow(steps)
  for (let s = 0; s < series.length; s++) {
    operator.next(row)
    values.set(row.values, s * steps)
    kinds.set(row.kinds, s * steps)
    if (row.hasHistograms) takeHistograms(row, s * steps, histograms, context)
  }
  return { series, steps, values, kinds, histograms }
}

function takeHistograms(
  row: Row,
  at: number,
  histograms: Map<number, FloatHistogram>,
  context: QueryContext,
): void {
  let count = 0
  for (let i = 0; i < row.kinds.length; i++)
    if (row.kinds[i] === KIND.histogram) {
      histograms.set(at + i, row.histograms[i]!)
      count++
    }
  context.chargeHeap(count * HISTOGRAM_BYTES)
}

/** Copies series `index` of the block into the row. */
export function loadRow(block: Block, index: number, row: Row): void {
  const { steps } = block
  const at = index * steps
  row.values.set(block.values.subarray(at, at + steps))
  row.kinds.set(block.kinds.subarray(at, at + steps))
  row.hasHistograms = false
  if (block.histograms.size === 0) return
  for (let i = 0; i < steps; i++)
    if (row.kinds[i] === KIND.histogram) {
      row.histograms[i] = block.histograms.get(at + i)
      row.hasHistograms = true
    }
}

/** True when the series has something at any step. */
export function hasAny(block: Block, index: number): boolean {
  const end = (index + 1) * block.steps
  for (let i = index * block.steps; i < end; i++) if (block.kinds[i] !== 0) return true
  return false
}
