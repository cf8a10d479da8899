// Sums and means of histograms, over time and in aggregations.
import {
  COUNTER_RESET,
  HistogramSum,
  IncompatibleHistogramsError,
  addHistograms,
  divideHistogram,
  hasOverflow,
  scaleHistogram,
  type FloatHistogram,
} from '@watchfire/datamodel'
import { notes } from './notes.ts'
import type { RangeWindow } from './range.ts'

/** Collects what annotations of a sum or mean need. */
export class HistogramTotal {
  #sum: HistogramSum | undefined
  #mean: FloatHistogram | undefined
  #count = 0
  #resets = false
  #notResets = false
  /** Differing custom bounds were reconciled. */
  boundsReconciled = false
  readonly #wantMean: boolean

  constructor(wantMean: boolean) {
    this.#wantMean = wantMean
  }

  /** Some sample said its counter was reset, another that its was not. */
  get resetCollision(): boolean {
    return this.#resets && this.#notResets
  }

  /** Throws `IncompatibleHistogramsError`. */
  add(histogram: FloatHistogram): void {
    if (histogram.counterResetHint === COUNTER_RESET.reset) this.#resets = true
    else if (histogram.counterResetHint === COUNTER_RESET.notReset) this.#notResets = true
    this.#count++
    if (this.#mean !== undefined) return this.#addToMean(histogram)
    if (this.#sum === undefined) {
      this.#sum = new HistogramSum(histogram)
      return
    }
    const before = this.#wantMean ? this.#sum.value() : undefined
    if (this.#sum.add(histogram).boundsReconciled) this.boundsReconciled = true
    if (before === undefined || !hasOverflow(this.#sum.uncompensated())) return
    // The sum is too big: go on with a running mean.
    this.#mean = divideHistogram(before, this.#count - 1)
    this.#addToMean(histogram)
  }

  #addToMean(histogram: FloatHistogram): void {
    const share = (this.#count - 1) / this.#count
    const combined = addHistograms(
      scaleHistogram(this.#mean!, share),
      divideHistogram(histogram, this.#count),
    )
    if (combined.boundsReconciled) this.boundsReconciled = true
    this.#mean = combined.histogram
  }

  /** Sum or mean; at least one histogram was added. */
  value(): FloatHistogram {
    if (this.#mean !== undefined) return this.#mean
    const sum = this.#sum!.value()
    return this.#wantMean ? divideHistogram(sum, this.#count) : sum
  }
}

export function sumHistogram(window: RangeWindow): FloatHistogram | undefined {
  return overTime(window, false)
}

export function averageHistogram(window: RangeWindow): FloatHistogram | undefined {
  return overTime(window, true)
}

function overTime(window: RangeWindow, wantMean: boolean): FloatHistogram | undefined {
  const { annotations } = window.context
  const total = new HistogramTotal(wantMean)
  try {
    for (let i = window.histogramFrom; i < window.histogramTo; i++) total.add(window.columns.histograms[i]!)
  } catch (error) {
    if (!(error instanceof IncompatibleHistogramsError)) throw error
    notes.mixedBuckets(annotations, window.labels, window.position)
    return undefined
  }
  if (total.resetCollision) notes.resetCollision(annotations, 'aggregation', window.position)
  if (total.boundsReconciled) notes.boundsReconciled(annotations, 'aggregation', window.position)
  return total.value()
}
