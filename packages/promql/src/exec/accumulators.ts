// Running aggregates of groups: columns of groups × steps that rows are added into. Data plane for floats.
import {
  IncompatibleHistogramsError,
  compactHistogram,
  type FloatHistogram,
  type Labels,
} from '@watchfire/datamodel'
import { HistogramTotal } from '../functions/over-time-histogram.ts'
import { notes } from '../functions/notes.ts'
import type { Annotations } from './annotations.ts'
import { KIND, type Row } from './operator.ts'

export interface Accumulator {
  /** Adds a row to the group whose columns begin at `at`. */
  add(row: Row, at: number, labels: Labels): void
  /** Writes the group's result. */
  finish(at: number, row: Row): void
}

export interface AccumulatorOptions {
  /** Groups × steps. */
  readonly size: number
  readonly annotations: Annotations
  /** Position of the aggregated expression. */
  readonly position: number
}

const SEEN_FLOAT = 1
const SEEN_HISTOGRAM = 2
const INCOMPATIBLE = 4

/** Histograms of groups that have any, for sum and avg. */
class HistogramColumns {
  readonly #totals = new Map<number, HistogramTotal>()
  readonly #options: AccumulatorOptions
  readonly #wantMean: boolean

  constructor(options: AccumulatorOptions, wantMean: boolean) {
    this.#options = options
    this.#wantMean = wantMean
  }

  /** False when the histogram does not go with those before. */
  add(position: number, histogram: FloatHistogram, labels: Labels): boolean {
    let total = this.#totals.get(position)
    if (total === undefined) {
      total = new HistogramTotal(this.#wantMean)
      this.#totals.set(position, total)
    }
    const reconciled = total.boundsReconciled
    try {
      total.add(histogram)
    } catch (error) {
      if (!(error instanceof IncompatibleHistogramsError)) throw error
      notes.mixedBuckets(this.#options.annotations, labels, this.#options.position)
      return false
    }
    if (total.boundsReconciled && !reconciled)
      notes.boundsReconciled(this.#options.annotations, 'aggregation', this.#options.position)
    return true
  }

  finish(position: number): FloatHistogram {
    const total = this.#totals.get(position)!
    if (total.resetCollision)
      notes.resetCollision(this.#options.annotations, 'aggregation', this.#options.position)
    return compactHistogram(total.value())
  }
}

/** sum and avg. */
abstract class TotalAccumulator implements Accumulator {
  protected readonly seen: Uint8Array
  readonly #histograms: HistogramColumns
  readonly #options: AccumulatorOptions

  constructor(options: AccumulatorOptions, wantMean: boolean) {
    this.#options = options
    this.seen = new Uint8Array(options.size)
    this.#histograms = new HistogramColumns(options, wantMean)
  }

  protected abstract addFloats(row: Row, at: number): void
  protected abstract floatAt(position: number): number

  add(row: Row, at: number, labels: Labels): void {
    this.addFloats(row, at)
    if (!row.hasHistograms) return
    const { kinds, histograms } = row
    for (let i = 0; i < kinds.length; i++) {
      if (kinds[i] !== KIND.histogram || (this.seen[at + i]! & INCOMPATIBLE) !== 0) continue
      // A group that began with floats is void already: no need to add histograms up.
      const began = this.seen[at + i] === SEEN_FLOAT
      this.seen[at + i]! |= SEEN_HISTOGRAM
      if (!began && !this.#histograms.add(at + i, histograms[i]!, labels)) this.seen[at + i]! |= INCOMPATIBLE
    }
  }

  finish(at: number, row: Row): void {
    row.hasHistograms = false
    for (let i = 0; i < row.kinds.length; i++) {
      const seen = this.seen[at + i]!
      row.kinds[i] = KIND.absent
      if ((seen & SEEN_FLOAT) !== 0 && (seen & SEEN_HISTOGRAM) !== 0)
        notes.mixedAggregation(this.#options.annotations, this.#options.position)
      else if ((seen & SEEN_FLOAT) !== 0) {
        row.kinds[i] = KIND.float
        row.values[i] = this.floatAt(at + i)
      } else if (seen === SEEN_HISTOGRAM) {
        row.kinds[i] = KIND.histogram
        row.histograms[i] = this.#histograms.finish(at + i)
        row.hasHistograms = true
      }
    }
  }
}

/** Kahan–Neumaier sums. */
export class SumAccumulator extends TotalAccumulator {
  readonly #sums: Float64Array
  readonly #compensations: Float64Array

  constructor(options: AccumulatorOptions) {
    super(options, false)
    this.#sums = new Float64Array(options.size)
    this.#compensations = new Float64Array(options.size)
  }

  protected override addFloats(row: Row, at: number): void {
    addSums(row.values, row.kinds, this.#sums, this.#compensations, this.seen, at)
  }

  protected override floatAt(position: number): number {
    return this.#sums[position]! + this.#compensations[position]!
  }
}

function addSums(
  values: Float64Array,
  kinds: Uint8Array,
  sums: Float64Array,
  compensations: Float64Array,
  seen: Uint8Array,
  at: number,
): void {
  for (let i = 0; i < values.length; i++) {
    if (kinds[i] !== 1) continue
    const position = at + i
    const value = values[i]!
    if (seen[position] === 0) {
      seen[position] = SEEN_FLOAT
      sums[position] = value
      continue
    }
    if ((seen[position]! & INCOMPATIBLE) !== 0) continue
    seen[position]! |= SEEN_FLOAT
    const sum = sums[position]!
    const total = sum + value
    if (total === Infinity || total === -Infinity) compensations[position] = 0
    else if (Math.abs(sum) >= Math.abs(value)) compensations[position]! += sum - total + value
    else compensations[position]! += value - total + sum
    sums[position] = total
  }
}

/** Means: of a plain sum as long as that is finite, incremental from then on. */
export class AverageAccumulator extends TotalAccumulator {
  readonly #sums: Float64Array
  readonly #compensations: Float64Array
  readonly #counts: Float64Array
  readonly #incremental: Uint8Array

  constructor(options: AccumulatorOptions) {
    super(options, true)
    this.#sums = new Float64Array(options.size)
    this.#compensations = new Float64Array(options.size)
    this.#counts = new Float64Array(options.size)
    this.#incremental = new Uint8Array(options.size)
  }

  protected override addFloats(row: Row, at: number): void {
    const { values, kinds } = row
    for (let i = 0; i < values.length; i++) if (kinds[i] === 1) this.#addFloat(at + i, values[i]!)
  }

  #addFloat(position: number, value: number): void {
    if ((this.seen[position]! & INCOMPATIBLE) !== 0) return
    this.seen[position]! |= SEEN_FLOAT
    const count = ++this.#counts[position]!
    const sum = this.#sums[position]!
    const compensation = this.#compensations[position]!
    if (count === 1) {
      this.#sums[position] = value
      return
    }
    if (this.#incremental[position] === 0) {
      const total = sum + value
      if (total !== Infinity && total !== -Infinity) {
        this.#sums[position] = total
        this.#compensations[position] =
          compensation + (Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum)
        return
      }
      this.#incremental[position] = 1
      this.#sums[position] = sum / (count - 1)
      this.#compensations[position] = compensation / (count - 1)
    }
    const share = (count - 1) / count
    const mean = this.#sums[position]! * share
    const part = value / count
    const total = mean + part
    const kept = this.#compensations[position]! * share
    if (total === Infinity || total === -Infinity) this.#compensations[position] = 0
    else if (Math.abs(mean) >= Math.abs(part)) this.#compensations[position] = kept + (mean - total + part)
    else this.#compensations[position] = kept + (part - total + mean)
    this.#sums[position] = total
  }

  protected override floatAt(position: number): number {
    const sum = this.#sums[position]!
    const compensation = this.#compensations[position]!
    if (this.#incremental[position] === 1) return sum + compensation
    const count = this.#counts[position]!
    return sum / count + compensation / count
  }
}

/** min and max: NaN loses to any number. */
export class ExtremeAccumulator implements Accumulator {
  readonly #best: Float64Array
  readonly #seen: Uint8Array
  readonly #sign: number
  readonly #name: string
  readonly #options: AccumulatorOptions

  constructor(name: 'min' | 'max', options: AccumulatorOptions) {
    this.#name = name
    this.#sign = name === 'max' ? 1 : -1
    this.#options = options
    this.#best = new Float64Array(options.size)
    this.#seen = new Uint8Array(options.size)
  }

  add(row: Row, at: number): void {
    const { values, kinds } = row
    const best = this.#best
    const sign = this.#sign
    for (let i = 0; i < values.length; i++) {
      if (kinds[i] !== KIND.float) continue
      const old = best[at + i]!
      if (this.#seen[at + i] !== 0 && !(sign * values[i]! > sign * old) && old === old) continue
      this.#seen[at + i] = 1
      best[at + i] = values[i]!
    }
    noteHistograms(row, this.#name, this.#options)
  }

  finish(at: number, row: Row): void {
    row.values.set(this.#best.subarray(at, at + row.values.length))
    row.kinds.set(this.#seen.subarray(at, at + row.values.length))
    row.hasHistograms = false
  }
}

/** count and group: samples of all kinds. */
export class CountAccumulator implements Accumulator {
  readonly #counts: Float64Array
  readonly #one: boolean

  constructor(name: 'count' | 'group', options: AccumulatorOptions) {
    this.#counts = new Float64Array(options.size)
    this.#one = name === 'group'
  }

  add(row: Row, at: number): void {
    const { kinds } = row
    for (let i = 0; i < kinds.length; i++) if (kinds[i] !== KIND.absent) this.#counts[at + i]!++
  }

  finish(at: number, row: Row): void {
    row.hasHistograms = false
    for (let i = 0; i < row.kinds.length; i++) {
      const count = this.#counts[at + i]!
      row.kinds[i] = count > 0 ? KIND.float : KIND.absent
      row.values[i] = this.#one ? 1 : count
    }
  }
}

/** stddev and stdvar of the population (Welford). */
export class DeviationAccumulator implements Accumulator {
  readonly #counts: Float64Array
  readonly #means: Float64Array
  readonly #squares: Float64Array
  readonly #name: 'stddev' | 'stdvar'
  readonly #options: AccumulatorOptions

  constructor(name: 'stddev' | 'stdvar', options: AccumulatorOptions) {
    this.#name = name
    this.#options = options
    this.#counts = new Float64Array(options.size)
    this.#means = new Float64Array(options.size)
    this.#squares = new Float64Array(options.size)
  }

  add(row: Row, at: number): void {
    const { values, kinds } = row
    for (let i = 0; i < values.length; i++) {
      if (kinds[i] !== KIND.float) continue
      const value = values[i]!
      const count = ++this.#counts[at + i]!
      if (count === 1) {
        this.#means[at + i] = value
        this.#squares[at + i] = Number.isFinite(value) ? 0 : NaN
        continue
      }
      const delta = value - this.#means[at + i]!
      this.#means[at + i]! += delta / count
      this.#squares[at + i]! += delta * (value - this.#means[at + i]!)
    }
    noteHistograms(row, this.#name, this.#options)
  }

  finish(at: number, row: Row): void {
    row.hasHistograms = false
    for (let i = 0; i < row.kinds.length; i++) {
      const count = this.#counts[at + i]!
      row.kinds[i] = count > 0 ? KIND.float : KIND.absent
      const variance = this.#squares[at + i]! / count
      row.values[i] = this.#name === 'stdvar' ? variance : Math.sqrt(variance)
    }
  }
}

export function noteHistograms(row: Row, aggregation: string, options: AccumulatorOptions): void {
  if (row.hasHistograms && row.kinds.includes(KIND.histogram))
    notes.histogramIgnoredIn(options.annotations, aggregation, options.position)
}
