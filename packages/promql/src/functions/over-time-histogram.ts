// Sums and means of histograms, over time and in aggregations.
import {
  COUNTER_RESET,
  HistogramSum,
  IncompatibleHistogramsError,
  divideHistogram,
  hasOverflow,
  type FloatHistogram,
} from '@watchfire/datamodel'
import { notes } from './notes.ts'
import type { RangeWindow } from './range.ts'

/** A running sum or mean of histograms; a mean is taken of the sum as long as that does not overflow. */
export class HistogramTotal {
  #total: HistogramSum | undefined
  #incremental = false
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
    if (this.#total === undefined) {
      this.#total = new HistogramSum(histogram)
      return
    }
    if (!this.#incremental) {
      const before = this.#wantMean ? this.#total.clone() : undefined
      this.#addTo(this.#total, histogram)
      if (before === undefined || !hasOverflow(this.#total.uncompensated())) return
      // The sum is too big: go on with a running mean.
      this.#incremental = true
      this.#total = before
      before.scale(1 / (this.#count - 1))
    }
    this.#total.scale((this.#count - 1) / this.#count)
    this.#addTo(this.#total, divideHistogram(histogram, this.#count))
  }

  #addTo(total: HistogramSum, histogram: FloatHistogram): void {
    if (total.add(histogram).boundsReconciled) this.boundsReconciled = true
  }

  /** Sum or mean; at least one histogram was added. */
  value(): FloatHistogram {
    const total = this.#total!.value()
    return this.#wantMean && !this.#incremental ? divideHistogram(total, this.#count) : total
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
