// Calls of functions over range vectors: decode → window function → row, one series at a time. Series with
// floats only go through a kernel where there is one; the rest slides index ranges over the columns and calls
// the function for each window.
import type { Labels } from '@watchfire/datamodel'
import { WINDOW_COUNTS_BYTES } from '@watchfire/kernels'
import { executionError, type QueryContext } from './context.ts'
import { dropMetadata, sameMetric } from './labels.ts'
import { KIND, clearRow, createRow, type Grid, type Operator } from './operator.ts'
import type { Row, SeriesMeta } from './operator.ts'
import type { RangeSource } from './range-source.ts'
import { firstAfter, histogramSize, type SampleColumns } from './samples.ts'
import { quoteText } from '../functions/notes.ts'
import type { RangeResult, RangeSpec, RangeWindow } from '../functions/range.ts'

export interface RangeCallOptions {
  readonly name: string
  readonly spec: RangeSpec
  readonly source: RangeSource
  /** The scalar arguments, in order. */
  readonly scalars: readonly Operator[]
  readonly position: number
}

export class RangeCall implements Operator {
  readonly #options: RangeCallOptions
  readonly #context: QueryContext
  readonly #grid: Grid
  readonly #scalarRows: Row[] = []
  readonly #result: RangeResult = { value: 0, histogram: undefined }
  #series: readonly SeriesMeta[] = []
  #at = 0
  #kernel:
    | {
        out: number
        present: number
        scratch: number
        counts: number
        values: Float64Array
        kinds: Uint8Array
        windows: Float64Array
      }
    | undefined
  #distinct = true
  /** A name known to be a counter's. */
  #harmless: string | undefined

  constructor(options: RangeCallOptions, context: QueryContext, grid: Grid) {
    this.#options = options
    this.#context = context
    this.#grid = grid
  }

  get distinct(): boolean {
    return this.#distinct
  }

  open(): readonly SeriesMeta[] {
    const { source, spec, name, scalars } = this.#options
    if (source.anchored && !spec.anchored) throw extendedError('anchored', ANCHORED, name)
    if (source.smoothed && !spec.smoothed) throw extendedError('smoothed', SMOOTHED, name)
    const { steps } = this.#grid
    for (const operator of scalars) {
      operator.open()
      const row = createRow(steps)
      operator.next(row)
      this.#scalarRows.push(row)
    }
    this.#series = source.open()
    this.#prepareKernel()
    if (spec.keepsName) return this.#series
    if (this.#context.delayedNames) return this.#series.map(({ labels }) => ({ labels, dropName: true }))
    this.#distinct = sameMetric(this.#series)
    return this.#series.map(({ labels }) => ({ labels: dropMetadata(labels), dropName: true }))
  }

  #prepareKernel(): void {
    const { source, spec } = this.#options
    if (spec.kernel === undefined || !this.#context.allows('window-kernels')) return
    if (source.anchored || source.smoothed) return
    if (source.shift.atMs !== undefined && this.#grid.steps > 1) return
    if (spec.usesStarts === true && this.#context.features.useStartTimestamps === true) return
    const { arena } = this.#context
    const { steps } = this.#grid
    const out = arena.alloc(steps * 8)
    const present = arena.alloc(steps)
    const counts = arena.alloc(WINDOW_COUNTS_BYTES)
    this.#kernel = {
      out,
      present,
      scratch: arena.alloc(source.capacity * 32),
      counts,
      windows: new Float64Array(arena.memory.buffer, counts, WINDOW_COUNTS_BYTES / 8),
      values: new Float64Array(arena.memory.buffer, out, steps),
      kinds: new Uint8Array(arena.memory.buffer, present, steps),
    }
  }

  next(row: Row): void {
    const { source, spec } = this.#options
    const meta = this.#series[this.#at++]!
    const columns = source.next()
    if (this.#kernel !== undefined && columns.histograms.length === 0) this.#runKernel(columns, row)
    else this.#runWindows(columns, meta, row)
    if (spec.wantsCounter === true) this.#checkCounter(meta, row)
  }

  #runKernel(columns: SampleColumns, row: Row): void {
    const { source, spec } = this.#options
    if (columns.count === 0) return clearRow(row)
    const { steps, stepMs } = this.#grid
    const { out, present, scratch, counts, values, kinds, windows } = this.#kernel!
    const { timesAddress, valuesAddress, count } = columns
    const start = (source.shift.atMs ?? this.#grid.startMs) - source.shift.offsetMs
    this.#context.arena.kernels.windowFloats(
      spec.kernel!,
      timesAddress,
      valuesAddress,
      count,
      start,
      stepMs,
      steps,
      source.rangeMs,
      out,
      present,
      scratch,
      counts,
    )
    row.values.set(values)
    row.kinds.set(kinds)
    row.hasHistograms = false
    this.#countWindows(columns, start, windows)
  }

  #countWindows(columns: SampleColumns, start: number, windows: Float64Array): void {
    const { source } = this.#options
    const { steps, stepMs } = this.#grid
    const { counters, perStep } = this.#context
    const { times, count } = columns
    counters.queryable += windows[0]!
    if (!source.derived) counters.read += windows[1]!
    const [most, last, results] = [windows[2]!, windows[3]!, windows[4]!]
    this.#context.addLive(most)
    // Results come alive while the last window still is.
    this.#context.addLive(last + results - most)
    this.#context.addLive(-last)
    if (perStep === undefined) return
    for (let i = 0, end = start; i < steps; i++, end += stepMs) {
      const high = firstAfter(times, count, end, 0)
      this.#context.countStep(this.#grid, i, high - firstAfter(times, high, end - source.rangeMs, 0))
    }
  }

  #runWindows(columns: SampleColumns, meta: SeriesMeta, row: Row): void {
    clearRow(row)
    if (columns.count === 0 && columns.histograms.length === 0) return
    const { source, spec } = this.#options
    const window = this.#window(columns, meta)
    const { steps } = this.#grid
    const before = source.anchored || source.smoothed ? this.#context.lookbackMs : 0
    const after = source.smoothed ? this.#context.lookbackMs : 0
    const result = this.#result
    let newFloats = 0
    let newHistograms = 0
    let live = 0
    let windowSize = 0
    for (let i = 0; i < steps; i++) {
      this.#moveTo(i, window, before, after)
      const floats = window.to - window.from
      const histograms = window.histogramTo - window.histogramFrom
      if (floats + histograms === 0) continue
      let size = floats
      let read = window.to - Math.max(window.from, newFloats)
      for (let h = window.histogramFrom; h < window.histogramTo; h++) {
        const own = histogramSize(columns.histograms[h]!)
        size += own
        if (h >= newHistograms) read += own
      }
      newFloats = window.to
      newHistograms = window.histogramTo
      this.#context.counters.queryable += size
      if (!source.derived) this.#context.counters.read += read
      this.#context.countStep(this.#grid, i, size)
      this.#context.addLive(size - windowSize)
      windowSize = size
      const kind = spec.compute(window, result)
      if (kind === KIND.absent) continue
      row.kinds[i] = kind
      if (kind === KIND.histogram) {
        row.histograms[i] = result.histogram
        row.hasHistograms = true
        live += histogramSize(result.histogram!)
      } else {
        row.values[i] = result.value
        live++
      }
    }
    this.#context.addLive(live)
    this.#context.addLive(-windowSize)
  }

  #window(columns: SampleColumns, meta: SeriesMeta): RangeWindow {
    const { source, position, scalars } = this.#options
    return {
      columns,
      from: 0,
      to: 0,
      histogramFrom: 0,
      histogramTo: 0,
      rangeStart: 0,
      rangeEnd: 0,
      evalTime: 0,
      rangeMs: source.rangeMs,
      anchored: source.anchored,
      smoothed: source.smoothed,
      labels: meta.labels,
      scalars: new Float64Array(scalars.length),
      position,
      context: this.#context,
    }
  }

  #moveTo(step: number, window: RangeWindow, before: number, after: number): void {
    const { source } = this.#options
    const { columns } = window
    const time = this.#grid.startMs + step * this.#grid.stepMs
    const end = (source.shift.atMs ?? time) - source.shift.offsetMs
    window.evalTime = time
    window.rangeEnd = end
    window.rangeStart = end - source.rangeMs
    window.to = firstAfter(columns.times, columns.count, end + after, window.to)
    window.from = firstAfter(columns.times, window.to, window.rangeStart - before, window.from)
    const { histogramTimes } = columns
    window.histogramTo = firstAfter(histogramTimes, histogramTimes.length, end + after, window.histogramTo)
    window.histogramFrom = firstAfter(
      histogramTimes,
      window.histogramTo,
      window.rangeStart - before,
      window.histogramFrom,
    )
    for (let i = 0; i < this.#scalarRows.length; i++) window.scalars[i] = this.#scalarRows[i]!.values[step]!
  }

  #checkCounter(meta: SeriesMeta, row: Row): void {
    const name = meta.labels.metricName
    if (name === this.#harmless || !row.kinds.includes(KIND.float)) return
    if (!noteIfNoCounter(meta.labels, this.#context, this.#options.position)) this.#harmless = name
  }
}

/** Says so when a metric is not known to be a counter; false when its name is a counter's. */
export function noteIfNoCounter(labels: Labels, context: QueryContext, position: number): boolean {
  const name = labels.metricName
  if (name === '') return true
  const { annotations } = context
  if (context.features.typeAndUnitLabels === true) {
    const type = labels.get('__type__')
    if (type === 'counter' || type === 'histogram') return true
    const text = 'metric might not be a counter, __type__ label is not set to "counter" or "histogram"'
    annotations.info(`${text}, got ${quoteText(type)}: ${quoteText(name)}`, position)
    return true
  }
  if (/_(total|sum|count|bucket)$/.test(name)) return false
  const text = 'metric might not be a counter, name does not end in _total/_sum/_count/_bucket'
  annotations.info(`${text}: ${quoteText(name)}`, position)
  return true
}

const ANCHORED = 'changes, delta, increase, rate, resets'
const SMOOTHED = 'delta, increase, rate'

function extendedError(modifier: string, functions: string, name: string): Error {
  return executionError(`${modifier} modifier can only be used with: ${functions} - not with ${name}`)
}
