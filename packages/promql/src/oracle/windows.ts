// What functions over ranges give for one window, straight from their definitions.

export interface WindowSample {
  readonly t: number
  readonly value: number
}

export interface WindowPlace {
  readonly end: number
  readonly rangeMs: number
}

/** Undefined = nothing. */
export type WindowOracle = (
  window: readonly WindowSample[],
  place: WindowPlace,
  scalar: number,
) => number | undefined

const some =
  (f: (values: number[]) => number): WindowOracle =>
  (window) =>
    window.length === 0 ? undefined : f(window.map(({ value }) => value))

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const variance = (values: readonly number[]): number => {
  const mean = sum(values) / values.length
  return sum(values.map((value) => (value - mean) ** 2)) / values.length
}
const numbers = (values: readonly number[]): number[] => values.filter((value) => !Number.isNaN(value))
const pairs = (values: readonly number[]): [number, number][] =>
  values.slice(1).map((value, i): [number, number] => [values[i]!, value])
const sameNumber = (a: number, b: number): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b))

/** The φ-quantile with linear interpolation; NaN sorts first. */
export function quantile(q: number, values: readonly number[]): number {
  if (values.length === 0 || Number.isNaN(q)) return NaN
  if (q < 0) return -Infinity
  if (q > 1) return Infinity
  const sorted = [...values].sort((a, b) => (Number.isNaN(a) ? -1 : Number.isNaN(b) ? 1 : a - b))
  const rank = q * (sorted.length - 1)
  const low = Math.floor(rank)
  const weight = rank - low
  return sorted[low]! * (1 - weight) + sorted[Math.min(low + 1, sorted.length - 1)]! * weight
}

/** The increase between first and last sample, stretched towards the ends of the range. */
function extrapolated(counter: boolean, perSecond: boolean): WindowOracle {
  return (window, { end, rangeMs }) => {
    if (window.length < 2) return undefined
    const first = window[0]!
    const last = window.at(-1)!
    let increase = last.value - first.value
    if (counter) for (const [a, b] of pairs(window.map(({ value }) => value))) if (b < a) increase += a
    const sampled = (last.t - first.t) / 1000
    const gap = sampled / (window.length - 1)
    let before = (first.t - (end - rangeMs)) / 1000
    let after = (end - last.t) / 1000
    if (before >= gap * 1.1) before = gap / 2
    if (counter && increase > 0 && first.value >= 0)
      before = Math.min(before, sampled * (first.value / increase))
    if (after >= gap * 1.1) after = gap / 2
    const stretched = increase * ((sampled + before + after) / sampled)
    return perSecond ? stretched / (rangeMs / 1000) : stretched
  }
}

function lastTwo(perSecond: boolean): WindowOracle {
  return (window) => {
    const [before, last] = window.slice(-2)
    if (before === undefined || last === undefined) return undefined
    const reset = perSecond && last.value < before.value
    const difference = reset ? last.value : last.value - before.value
    return perSecond ? difference / ((last.t - before.t) / 1000) : difference
  }
}

/** Slope per second of the least-squares line. */
function slope(window: readonly WindowSample[]): number | undefined {
  if (window.length < 2) return undefined
  const x = window.map(({ t }) => (t - window[0]!.t) / 1000)
  const y = window.map(({ value }) => value)
  const [meanX, meanY] = [sum(x) / x.length, sum(y) / y.length]
  return sum(x.map((own, i) => (own - meanX) * (y[i]! - meanY))) / sum(x.map((own) => (own - meanX) ** 2))
}

export const WINDOW_ORACLES: Readonly<Record<string, WindowOracle>> = {
  rate: extrapolated(true, true),
  increase: extrapolated(true, false),
  delta: extrapolated(false, false),
  irate: lastTwo(true),
  idelta: lastTwo(false),
  deriv: slope,
  sum_over_time: some(sum),
  avg_over_time: some((values) => sum(values) / values.length),
  min_over_time: some((values) => (numbers(values).length > 0 ? Math.min(...numbers(values)) : NaN)),
  max_over_time: some((values) => (numbers(values).length > 0 ? Math.max(...numbers(values)) : NaN)),
  count_over_time: some((values) => values.length),
  last_over_time: some((values) => values.at(-1)!),
  present_over_time: some(() => 1),
  stddev_over_time: some((values) => Math.sqrt(variance(values))),
  stdvar_over_time: some(variance),
  changes: some((values) => pairs(values).filter(([a, b]) => !sameNumber(a, b)).length),
  resets: some((values) => pairs(values).filter(([a, b]) => b < a).length),
  quantile_over_time: (window, _, q) =>
    window.length === 0
      ? undefined
      : quantile(
          q,
          window.map(({ value }) => value),
        ),
}
