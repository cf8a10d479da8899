// Instant vector selectors: the newest sample of each series at each step, not older than the lookback.
import { isStale } from '@watchfire/datamodel'
import type { SelectorNode } from '../plan/nodes.ts'
import type { QueryContext } from './context.ts'
import { KIND, clearRow, type Grid, type Operator, type Row, type SeriesMeta } from './operator.ts'
import { firstAfter, histogramSize, type SampleColumns } from './samples.ts'
import { CONTENT, SelectionReader } from './selection-reader.ts'

/** What a step gets: the sample, or (as a float, in seconds) when it was taken or when its counting began. */
export type SelectorOutput = 'sample' | 'timestamp' | 'startTimestamp'

export class InstantSelector implements Operator {
  readonly #node: SelectorNode
  readonly #context: QueryContext
  readonly #grid: Grid
  readonly #output: SelectorOutput
  #reader: SelectionReader | undefined
  #out = 0
  #present = 0
  #values = EMPTY_FLOATS
  #kinds = EMPTY_BYTES
  #at = 0

  /** `reader`, when given, has made the selection already. */
  constructor(
    node: SelectorNode,
    context: QueryContext,
    grid: Grid,
    output: SelectorOutput = 'sample',
    reader?: SelectionReader,
  ) {
    this.#reader = reader
    this.#node = node
    this.#context = context
    this.#grid = grid
    this.#output = output
  }

  get distinct(): boolean {
    return true
  }

  open(): readonly SeriesMeta[] {
    const { arena } = this.#context
    const { steps } = this.#grid
    const reader = (this.#reader ??= new SelectionReader(this.#context, this.#node))
    this.#out = arena.alloc(steps * 8)
    this.#present = arena.alloc(steps)
    this.#values = new Float64Array(arena.memory.buffer, this.#out, steps)
    this.#kinds = new Uint8Array(arena.memory.buffer, this.#present, steps)
    return Array.from({ length: reader.count }, (_, i) => ({ labels: reader.labels(i), dropName: false }))
  }

  next(row: Row): void {
    this.#context.poll()
    const { steps, stepMs } = this.#grid
    const lookback = this.#context.lookbackMs
    const start = (this.#node.atMs ?? this.#grid.startMs) - this.#node.offsetMs
    const reader = this.#reader!
    const i = this.#at++
    const end = this.#node.atMs === undefined ? start + (steps - 1) * stepMs : start
    const columns = reader.load(i, {
      minTime: start - lookback + 1,
      maxTime: end,
      dropStale: false,
      starts: this.#output === 'startTimestamp',
    })
    if (this.#output === 'sample' && reader.content(i) === CONTENT.floats && this.#node.atMs === undefined) {
      const { kernels } = this.#context.arena
      const { timesAddress, valuesAddress } = reader
      const count = columns.count
      const present = this.#present
      kernels.instantFloats(
        timesAddress,
        valuesAddress,
        count,
        start,
        stepMs,
        steps,
        lookback,
        this.#out,
        present,
        0,
      )
      row.values.set(this.#values)
      row.kinds.set(this.#kinds)
      row.hasHistograms = false
      this.#count(row)
      return
    }
    this.#select(columns, start, row)
    this.#count(row)
  }

  #count(row: Row): void {
    const { kinds } = row
    let count = 0
    for (let i = 0; i < kinds.length; i++) {
      if (kinds[i] === KIND.absent) continue
      const size = kinds[i] === KIND.histogram ? histogramSize(row.histograms[i]!) : 1
      count += size
      this.#context.countStep(this.#grid, i, size)
    }
    this.#context.counters.queryable += count
    this.#context.counters.read += count
    this.#context.addLive(count)
  }

  /** Floats and histograms side by side: the newer one counts. */
  #select(columns: SampleColumns, start: number, row: Row): void {
    const { steps, stepMs } = this.#grid
    const lookback = this.#context.lookbackMs
    const { times, values, count, histogramTimes, histograms } = columns
    clearRow(row)
    let float = 0
    let histogram = 0
    for (let i = 0; i < steps; i++) {
      const time = this.#node.atMs === undefined ? start + i * stepMs : start
      float = firstAfter(times, count, time, float)
      histogram = firstAfter(histogramTimes, histogramTimes.length, time, histogram)
      const floatTime = float > 0 ? times[float - 1]! : -Infinity
      const histogramTime = histogram > 0 ? histogramTimes[histogram - 1]! : -Infinity
      if (Math.max(floatTime, histogramTime) <= time - lookback) continue
      const isFloat = floatTime > histogramTime
      if (isFloat ? isStale(values[float - 1]!) : isStale(histograms[histogram - 1]!.sum)) continue
      row.kinds[i] = KIND.float
      if (this.#output === 'timestamp') row.values[i] = Math.max(floatTime, histogramTime) / 1000
      else if (this.#output === 'startTimestamp')
        row.values[i] =
          (isFloat ? columns.starts![float - 1]! : columns.histogramStarts![histogram - 1]!) / 1000
      else if (isFloat) row.values[i] = values[float - 1]!
      else {
        row.kinds[i] = KIND.histogram
        row.histograms[i] = histograms[histogram - 1]
        row.hasHistograms = true
      }
    }
  }
}

const EMPTY_FLOATS: Float64Array<ArrayBufferLike> = new Float64Array(0)
const EMPTY_BYTES: Uint8Array<ArrayBufferLike> = new Uint8Array(0)
