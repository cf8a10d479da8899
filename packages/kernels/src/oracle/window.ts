// Window functions the slow and obvious way: every window is cut out and walked on its own.
import { WINDOW, type WindowFunction } from '../contract.ts'

export interface Sample {
  readonly t: number
  readonly v: number
}

/** Sum with Neumaier's compensation. */
class Sum {
  total = 0
  c = 0
  add(x: number): this {
    const t = this.total + x
    if (Math.abs(t) === Infinity) this.c = 0
    else if (Math.abs(this.total) >= Math.abs(x)) this.c += this.total - t + x
    else this.c += x - t + this.total
    this.total = t
    return this
  }
  get value(): number {
    return this.total + this.c
  }
}

/** Value of the function at `end` over (end − range, end], undefined when there is none. */
export function windowAt(
  func: WindowFunction,
  samples: readonly Sample[],
  end: number,
  range: number,
): number | undefined {
  const window = samples.filter(({ t }) => t > end - range && t <= end)
  const first = window[0]
  const last = window.at(-1)
  if (!first || !last) return undefined
  const values = window.map(({ v }) => v)
  const pairs = window.slice(1).map((sample, i) => [window[i]!, sample] as const)
  switch (func) {
    case WINDOW.rate:
    case WINDOW.increase:
    case WINDOW.delta:
      return window.length < 2 ? undefined : extrapolated(func, window, end, range)
    case WINDOW.irate:
    case WINDOW.idelta: {
      const before = window.at(-2)
      if (!before || before.t === last.t) return undefined
      const change = func === WINDOW.irate && last.v < before.v ? last.v : last.v - before.v
      return func === WINDOW.irate ? change / ((last.t - before.t) / 1000) : change
    }
    case WINDOW.sumOverTime: {
      const sum = new Sum()
      for (const v of values) sum.add(v)
      return Math.abs(sum.total) === Infinity ? sum.total : sum.value
    }
    case WINDOW.avgOverTime:
      return average(values)
    case WINDOW.minOverTime:
      return values.reduce((a, b) => (b < a || a !== a ? b : a))
    case WINDOW.maxOverTime:
      return values.reduce((a, b) => (b > a || a !== a ? b : a))
    case WINDOW.countOverTime:
      return window.length
    case WINDOW.lastOverTime:
      return last.v
    case WINDOW.firstOverTime:
      return first.v
    case WINDOW.presentOverTime:
      return 1
    case WINDOW.changes:
      return pairs.filter(([a, b]) => a.v !== b.v && !(Number.isNaN(a.v) && Number.isNaN(b.v))).length
    case WINDOW.resets:
      return pairs.filter(([a, b]) => b.v < a.v).length
    case WINDOW.stddevOverTime:
      return Math.sqrt(variance(values))
    case WINDOW.stdvarOverTime:
      return variance(values)
    case WINDOW.deriv:
      return window.length < 2 ? undefined : slope(window)
  }
}

function extrapolated(func: WindowFunction, window: readonly Sample[], end: number, range: number): number {
  const first = window[0]!
  const last = window.at(-1)!
  let change = last.v - first.v
  if (func !== WINDOW.delta)
    for (let i = 1; i < window.length; i++) if (window[i]!.v < window[i - 1]!.v) change += window[i - 1]!.v
  let toStart = (first.t - (end - range)) / 1000
  let toEnd = (end - last.t) / 1000
  const sampled = (last.t - first.t) / 1000
  const spacing = sampled / (window.length - 1)
  if (toStart >= spacing * 1.1) toStart = spacing / 2
  if (func !== WINDOW.delta && change > 0 && first.v >= 0)
    toStart = Math.min(toStart, sampled * (first.v / change))
  if (toEnd >= spacing * 1.1) toEnd = spacing / 2
  const factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled
  // Go makes seconds of a duration from its whole seconds and its nanoseconds.
  const seconds = Math.floor(range / 1000) + ((range % 1000) * 1e6) / 1e9
  return change * (func === WINDOW.rate ? factor / seconds : factor)
}

function average(values: readonly number[]): number {
  let sum = new Sum()
  sum.total = values[0]!
  for (let i = 1; i < values.length; i++) {
    const next = new Sum()
    next.total = sum.total
    next.c = sum.c
    next.add(values[i]!)
    if (Math.abs(next.total) === Infinity) return incremental(values, i, sum.total / i, sum.c / i)
    sum = next
  }
  return sum.total / values.length + sum.c / values.length
}

function incremental(values: readonly number[], from: number, mean: number, c: number): number {
  const running = new Sum()
  running.total = mean
  running.c = c
  for (let i = from; i < values.length; i++) {
    const share = i / (i + 1)
    running.total *= share
    running.c *= share
    running.add(values[i]! / (i + 1))
  }
  return running.value
}

function variance(values: readonly number[]): number {
  const mean = new Sum()
  const squares = new Sum()
  values.forEach((v, i) => {
    const delta = v - mean.value
    mean.add(delta / (i + 1))
    squares.add(delta * (v - mean.value))
  })
  return squares.value / values.length
}

function slope(window: readonly Sample[]): number {
  const first = window[0]!
  if (window.every(({ v }, i) => i === 0 || v === first.v)) return Math.abs(first.v) === Infinity ? NaN : 0
  const [x, y, xy, xx] = [new Sum(), new Sum(), new Sum(), new Sum()]
  for (const { t, v } of window) {
    const seconds = (t - first.t) / 1000
    x.add(seconds)
    y.add(v)
    xy.add(seconds * v)
    xx.add(seconds * seconds)
  }
  const n = window.length
  return (xy.value - (x.value * y.value) / n) / (xx.value - (x.value * x.value) / n)
}
