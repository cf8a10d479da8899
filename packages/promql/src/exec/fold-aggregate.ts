// An aggregation over stored floats in one go: chunks are decoded, windows computed and rows added by one kernel,
// without rows in between. A large selection is cut into units, so that a helper can take some of them; the
// compensated sums of units are added with compensation too, which may differ from one long sum in the last digit.
import { FOLD, FOLD_BUFFERS_BYTES, FOLD_JOB_BYTES, FOLD_UNIT_BYTES, type Arena } from '@watchfire/kernels'
import type { AggregateNode } from '../plan/nodes.ts'
import type { QueryContext } from './context.ts'
import { BOARD_BYTES, FoldBoard } from './fold-board.ts'
import type { FoldInput } from './fold-input.ts'
import { groupSeries } from './grouping.ts'
import { sameMetric } from './labels.ts'
import { KIND, type Grid, type Operator, type Row, type SeriesMeta } from './operator.ts'
import { noteIfNoCounter } from './range-call.ts'
import { SelectionReader, corrupt } from './selection-reader.ts'

export interface FoldOptions {
  readonly node: AggregateNode
  readonly input: FoldInput
  readonly context: QueryContext
  readonly grid: Grid
  /** The same by operators, over a selection that was made already. */
  readonly plain: (reader: SelectionReader) => Operator
}

/** A unit holds about so many samples, so that handing it over costs little against its work. */
const UNIT_SAMPLES = 250_000
const UNITS_MAX = 8
/** Units are merged: their accumulators together are at most this share of the samples. */
const MERGED_SHARE = 0.1

interface Totals {
  /** The units, which counted samples. */
  readonly records: number
  readonly units: number
  readonly sums: Float64Array
  readonly compensations: Float64Array
  readonly counts: Uint32Array
}

export class FoldAggregate implements Operator {
  readonly distinct = true
  readonly #options: FoldOptions
  #plain: Operator | undefined
  #totals: Totals | undefined
  #at = 0

  constructor(options: FoldOptions) {
    this.#options = options
  }

  open(): readonly SeriesMeta[] {
    const { node, input, context, grid, plain } = this.#options
    const reader = new SelectionReader(context, input.selector)
    const series = Array.from({ length: reader.count }, (_, i) => ({
      labels: reader.labels(i),
      dropName: false,
    }))
    if (!reader.plainFloats || (input.dropsName && !losesOnlyName(series)))
      return this.#openPlain(plain(reader))
    const { groupOf, labels } = groupSeries(series, node)
    const size = labels.length * grid.steps
    const before = context.liveSamples
    const totals = this.#fold(reader, groupOf, size)
    // A mean whose sum overflows is computed incrementally, sample by sample.
    if (input.op === FOLD.avg && totals.sums.some((sum) => sum === Infinity || sum === -Infinity))
      return this.#openPlain(plain(reader))
    this.#totals = totals
    this.#count(totals)
    context.settleLive(before, Math.min(size, context.liveSamples - before))
    if (input.wantsCounter && totals.counts.some((count) => count > 0))
      noteIfNoCounter(series[0]!.labels, context, input.position)
    return labels.map((own) => ({ labels: own, dropName: input.dropsName }))
  }

  next(row: Row): void {
    if (this.#plain !== undefined) return this.#plain.next(row)
    const { node, input, grid } = this.#options
    const { sums, compensations, counts } = this.#totals!
    const at = this.#at++ * grid.steps
    row.hasHistograms = false
    for (let i = 0; i < grid.steps; i++) {
      const count = counts[at + i]!
      row.kinds[i] = count > 0 ? KIND.float : KIND.absent
      const sum = sums[at + i]!
      if (input.op === FOLD.sum) row.values[i] = sum + compensations[at + i]!
      else if (input.op === FOLD.avg) row.values[i] = sum / count + compensations[at + i]! / count
      else if (input.op === FOLD.count) row.values[i] = node.op === 'group' ? 1 : count
      else row.values[i] = sum
    }
  }

  #openPlain(operator: Operator): readonly SeriesMeta[] {
    this.#plain = operator
    return operator.open()
  }

  #fold(reader: SelectionReader, groupOf: Uint32Array, size: number): Totals {
    const { context, input } = this.#options
    const { arena } = context
    const bounds = cutUnits(reader, context.allows('fold-units') ? size : Infinity)
    const units = bounds.length - 1
    const records = this.#allocUnits(units, size)
    const buffers = this.#allocBuffers(reader)
    const addresses = {
      units,
      job: this.#allocJob(reader, groupOf),
      records,
      bounds: copyWords(arena, bounds),
      helperBuffers: units > 1 && context.helper !== undefined ? this.#allocBuffers(reader) : 0,
    }
    const boardAddress = arena.alloc(BOARD_BYTES) // last: a helper that sees this address sees the others
    const board = new FoldBoard(arena.memory, boardAddress, arena.kernels)
    board.write(addresses)
    const offer =
      addresses.helperBuffers === 0 ? undefined : context.helper!.offer(arena.memory, boardAddress)
    try {
      board.work(buffers, () => context.poll())
    } catch (error) {
      board.abort()
      throw error
    } finally {
      offer?.end()
    }
    if (board.result < 0) throw corrupt(reader.labels(board.damaged), board.result)
    for (let unit = 1; unit < units; unit++)
      arena.kernels.foldMerge(input.op, records, records + unit * FOLD_UNIT_BYTES, size)
    const words = new Uint32Array(arena.memory.buffer, records, 3)
    return {
      records,
      units,
      sums: new Float64Array(arena.memory.buffer, words[0], size),
      compensations: new Float64Array(arena.memory.buffer, words[1], size),
      counts: new Uint32Array(arena.memory.buffer, words[2], size),
    }
  }

  /** Counts samples as if one series had been read after the other. */
  #count({ records, units }: Totals): void {
    const { context } = this.#options
    for (let unit = 0; unit < units; unit++) {
      const record = records + unit * FOLD_UNIT_BYTES
      const counters = new Float64Array(context.arena.memory.buffer, record + 16, 4)
      const [queryable, read, live, peak] = [counters[0]!, counters[1]!, counters[2]!, counters[3]!]
      context.counters.queryable += queryable
      context.counters.read += read
      context.addLive(peak)
      context.addLive(live - peak)
    }
  }

  #allocJob(reader: SelectionReader, groupOf: Uint32Array): number {
    const { context, grid, input } = this.#options
    const { arena } = context
    const { selector, rangeMs, func, op } = input
    const start = (selector.atMs ?? grid.startMs) - selector.offsetMs
    const window = rangeMs === 0 ? context.lookbackMs : rangeMs
    const chunkStart = copyWords(arena, reader.chunkStart.subarray(0, reader.count + 1))
    const groups = copyWords(arena, groupOf)
    const job = arena.alloc(FOLD_JOB_BYTES)
    const words = [func, op, reader.chunkTable, chunkStart, groups, reader.capacity, grid.steps, 0]
    new Uint32Array(arena.memory.buffer, job, 8).set(words)
    const last = start + (grid.steps - 1) * grid.stepMs
    const times = [start, grid.stepMs, window, start - window + 1, last]
    new Float64Array(arena.memory.buffer, job + 32, 5).set(times)
    return job
  }

  #allocUnits(units: number, size: number): number {
    const { arena } = this.#options.context
    const records = arena.alloc(units * FOLD_UNIT_BYTES)
    for (let unit = 0; unit < units; unit++) {
      const sums = arena.alloc(size * 8)
      const compensations = arena.alloc(size * 8)
      const counts = arena.alloc(size * 4)
      new Uint32Array(arena.memory.buffer, counts, size).fill(0)
      const record = new Uint32Array(arena.memory.buffer, records + unit * FOLD_UNIT_BYTES, 12)
      record.fill(0)
      record.set([sums, compensations, counts])
    }
    return records
  }

  #allocBuffers(reader: SelectionReader): number {
    const { context, grid } = this.#options
    const { arena } = context
    const { capacity } = reader
    const buffers = arena.alloc(FOLD_BUFFERS_BYTES)
    const sizes = [capacity * 8, capacity * 8, capacity * 32, grid.steps * 8, grid.steps]
    const addresses = sizes.map((size) => arena.alloc(size))
    new Uint32Array(arena.memory.buffer, buffers, 5).set(addresses)
    return buffers
  }
}

/** Without the metric's name, and only that, all label sets stay different. */
function losesOnlyName(series: readonly SeriesMeta[]): boolean {
  const first = series[0]?.labels
  if (first === undefined) return true
  return first.get('__type__') === '' && first.get('__unit__') === '' && sameMetric(series)
}

/** First series of each unit, and the end. Depends on the data alone. `size` = accumulators of a unit. */
function cutUnits(reader: SelectionReader, size: number): Uint32Array {
  const { count, sampleCount } = reader
  const byMerging = (sampleCount * MERGED_SHARE) / Math.max(size, 1)
  const units = Math.max(1, Math.floor(Math.min(UNITS_MAX, sampleCount / UNIT_SAMPLES, byMerging, count)))
  return Uint32Array.from({ length: units + 1 }, (_, unit) => Math.floor((count * unit) / units))
}

function copyWords(arena: Arena, words: Uint32Array): number {
  const address = arena.alloc(words.length * 4)
  new Uint32Array(arena.memory.buffer, address, words.length).set(words)
  return address
}
