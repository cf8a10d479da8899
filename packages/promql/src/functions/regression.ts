// deriv, predict_linear and double_exponential_smoothing: trends of floats.
import { WINDOW } from '@watchfire/kernels'
import { executionError } from '../exec/context.ts'
import { KIND } from '../exec/operator.ts'
import { KahanSum } from './kahan.ts'
import { notes } from './notes.ts'
import type { RangeFunction, RangeSpec, RangeWindow } from './range.ts'

export const REGRESSION_FUNCTIONS: ReadonlyMap<string, RangeSpec> = new Map<string, RangeSpec>([
  [
    'deriv',
    {
      compute: trend((window) => regression(window, window.columns.times[window.from]!).slope),
      kernel: WINDOW.deriv,
    },
  ],
  ['predict_linear', { compute: trend(predictLinear) }],
  ['double_exponential_smoothing', { compute: smoothing() }],
])

/** Needs two floats; histograms beside floats are passed over with a note. */
function trend(compute: (window: RangeWindow) => number): RangeFunction {
  return (window, result) => {
    const floats = window.to - window.from
    if (floats > 0 && window.histogramTo > window.histogramFrom)
      notes.histogramsIgnored(window.context.annotations, window.labels, window.position)
    if (floats < 2) return KIND.absent
    result.value = compute(window)
    return KIND.float
  }
}

const x = new KahanSum()
const y = new KahanSum()
const xy = new KahanSum()
const xx = new KahanSum()

/** Least squares; `intercept` is the value at `origin` (ms), `slope` per second. */
function regression(window: RangeWindow, origin: number): { slope: number; intercept: number } {
  const { columns, from, to } = window
  const { times, values } = columns
  const first = values[from]!
  let constant = true
  for (const sum of [x, y, xy, xx]) sum.reset()
  for (let i = from; i < to; i++) {
    const value = values[i]!
    if (value !== first && i > from) constant = false
    const seconds = (times[i]! - origin) / 1000
    x.add(seconds)
    y.add(value)
    xy.add(seconds * value)
    xx.add(seconds * seconds)
  }
  if (constant)
    return Math.abs(first) === Infinity ? { slope: NaN, intercept: NaN } : { slope: 0, intercept: first }
  const n = to - from
  const covariance = xy.value - (x.value * y.value) / n
  const variance = xx.value - (x.value * x.value) / n
  const slope = covariance / variance
  return { slope, intercept: y.value / n - (slope * x.value) / n }
}

function predictLinear(window: RangeWindow): number {
  const { slope, intercept } = regression(window, window.evalTime)
  return slope * window.scalars[0]! + intercept
}

function smoothing(): RangeFunction {
  const inner = trend(smooth)
  return (window, result) => {
    checkFactor('smoothing', window.scalars[0]!)
    checkFactor('trend', window.scalars[1]!)
    return inner(window, result)
  }
}

function checkFactor(name: string, factor: number): void {
  if (factor <= 0 || factor >= 1)
    throw executionError(`invalid ${name} factor. Expected: 0 < ${name[0]}f < 1, got: ${factor.toFixed(6)}`)
}

function smooth({ columns: { values }, from, to, scalars }: RangeWindow): number {
  const smoothingFactor = scalars[0]!
  const trendFactor = scalars[1]!
  let before = 0
  let level = values[from]!
  let slope = values[from + 1]! - values[from]!
  for (let i = from + 1; i < to; i++) {
    if (i > from + 1) slope = trendFactor * (level - before) + (1 - trendFactor) * slope
    const next = smoothingFactor * values[i]! + (1 - smoothingFactor) * (level + slope)
    before = level
    level = next
  }
  return level
}
