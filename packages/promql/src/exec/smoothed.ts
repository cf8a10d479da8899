// Instant selectors with the `smoothed` modifier: the value at the step on the line between the samples
// around it.
import {
  COUNTER_RESET,
  IncompatibleHistogramsError,
  usesCustomBuckets,
  type Labels,
} from '@watchfire/datamodel'
import { interpolate, interpolateHistograms } from '../functions/extended-rate.ts'
import { notes } from '../functions/notes.ts'
import type { SelectorNode } from '../plan/nodes.ts'
import type { QueryContext } from './context.ts'
import { KIND, clearRow, type Grid, type Operator, type Row, type SeriesMeta } from './operator.ts'
import { firstAfter, histogramSize, type SampleColumns } from './samples.ts'
import { SelectionReader } from './selection-reader.ts'

export class SmoothedSelector implements Operator {
  readonly distinct = true
  readonly #node: SelectorNode
  readonly #context: QueryContext
  readonly #grid: Grid
  #reader: SelectionReader | undefined
  #at = 0

  constructor(node: SelectorNode, context: QueryContext, grid: Grid) {
    this.#node = node
    this.#context = context
    this.#grid = grid
  }

  open(): readonly SeriesMeta[] {
    const reader = new SelectionReader(this.#context, this.#node)
    this.#reader = reader
    return Array.from({ length: reader.count }, (_, i) => ({ labels: reader.labels(i), dropName: false }))
  }

  next(row: Row): void {
    this.#context.poll()
    clearRow(row)
    const { steps, stepMs, startMs } = this.#grid
    const { atMs, offsetMs } = this.#node
    const { lookbackMs } = this.#context
    const reader = this.#reader!
    const start = (atMs ?? startMs) - offsetMs
    const last = atMs === undefined ? start + (steps - 1) * stepMs : start
    const i = this.#at++
    const labels = reader.labels(i)
    const range = { minTime: start - lookbackMs + 1, maxTime: last + lookbackMs }
    const columns = reader.load(i, { ...range, dropStale: true, starts: false })
    let live = 0
    for (let step = 0; step < steps; step++) {
      this.#fill(columns, labels, atMs === undefined ? start + step * stepMs : start, step, row)
      if (row.kinds[step] === KIND.float) live++
      else if (row.kinds[step] === KIND.histogram) live += histogramSize(row.histograms[step]!)
    }
    this.#context.addLive(live)
  }

  #fill(columns: SampleColumns, labels: Labels, time: number, step: number, row: Row): void {
    const { lookbackMs, annotations } = this.#context
    const { times, values, count, histogramTimes } = columns
    const within = (all: ArrayLike<number>, n: number): [number, number] => {
      const from = firstAfter(all, n, time - lookbackMs, 0)
      return [from, firstAfter(all, n, time + lookbackMs, from)]
    }
    const [from, to] = within(times, count)
    const [histogramFrom, histogramTo] = within(histogramTimes, histogramTimes.length)
    if (to > from && histogramTo > histogramFrom)
      return notes.mixedSamples(annotations, labels, this.#node.position)
    if (histogramTo > histogramFrom) {
      const next = firstAfter(histogramTimes, histogramTo, time - 1, histogramFrom)
      this.#fillHistogram(columns, labels, time, { from: histogramFrom, next, to: histogramTo }, step, row)
      return
    }
    if (to === from) return
    const next = firstAfter(times, to, time - 1, from)
    if (next < to && times[next] === time) row.values[step] = values[next]!
    else if (next === from) return
    else if (next === to) row.values[step] = values[next - 1]!
    else {
      const before: [number, number] = [times[next - 1]!, values[next - 1]!]
      row.values[step] = interpolate(before, [times[next]!, values[next]!], time, false)
    }
    row.kinds[step] = KIND.float
  }

  #fillHistogram(
    { histogramTimes: times, histograms }: SampleColumns,
    labels: Labels,
    time: number,
    { from, next, to }: { from: number; next: number; to: number },
    step: number,
    row: Row,
  ): void {
    const { annotations } = this.#context
    const { position } = this.#node
    if (next < to && times[next] === time) row.histograms[step] = histograms[next]
    else if (next === from) return
    else if (next === to)
      // The hint speaks of the sample, not of the time after it.
      row.histograms[step] = { ...histograms[next - 1]!, counterResetHint: COUNTER_RESET.unknown }
    else {
      const before = histograms[next - 1]!
      const after = histograms[next]!
      if (usesCustomBuckets(before) !== usesCustomBuckets(after))
        return notes.mixedBuckets(annotations, labels, position)
      const { gauge } = COUNTER_RESET
      const counter = before.counterResetHint !== gauge || after.counterResetHint !== gauge
      try {
        row.histograms[step] = interpolateHistograms(
          [times[next - 1]!, before],
          [times[next]!, after],
          time,
          counter,
          annotations,
          position,
        )
      } catch (error) {
        if (!(error instanceof IncompatibleHistogramsError)) throw error
        return notes.mixedBuckets(annotations, labels, position)
      }
    }
    row.kinds[step] = KIND.histogram
    row.hasHistograms = true
  }
}
