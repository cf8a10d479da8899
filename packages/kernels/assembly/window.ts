// Window functions over (t-range, t] for a row of steps, in Prometheus's order of arithmetic. Data plane.
// Both ends of the window only move forward. Sums, averages and regressions start afresh in every window: a
// sliding sum would round differently.

// Numbers of WINDOW in src/contract.ts.
const RATE: u32 = 0
const INCREASE: u32 = 1
const DELTA: u32 = 2
const IRATE: u32 = 3
const IDELTA: u32 = 4
const SUM: u32 = 5
const AVG: u32 = 6
const MIN: u32 = 7
const MAX: u32 = 8
const COUNT: u32 = 9
const LAST: u32 = 10
const FIRST: u32 = 11
const PRESENT: u32 = 12
const CHANGES: u32 = 13
const RESETS: u32 = 14
const STDDEV: u32 = 15
const STDVAR: u32 = 16
const DERIV: u32 = 17

@inline
function f(column: usize, i: u32): f64 {
  return load<f64>(column + (<usize>i << 3))
}

@inline
function u(column: usize, i: u32): u32 {
  return load<u32>(column + (<usize>i << 2))
}

@inline
function isInf(x: f64): bool {
  return abs(x) == Infinity
}

/** The compensation after adding `x` to `sum` (Neumaier); `t` is their sum. */
@inline
function compensate(x: f64, sum: f64, c: f64, t: f64): f64 {
  if (isInf(t)) return 0
  return abs(sum) >= abs(x) ? c + (sum - t + x) : c + (x - t + sum)
}

// Samples in the windows of the last call: in all of them; without those that the window before had too; most
// of one window; of the last window; and the steps with a result.
let total: u64 = 0
let fresh: u64 = 0
let most: u32 = 0
let newest: u32 = 0
let results: u32 = 0
/** End of the window before. */
let reached: u32 = 0

@inline
function countWindow(low: u32, high: u32, found: bool): void {
  const size = high - low
  total += size
  fresh += high - max(low, reached)
  reached = high
  most = max(most, size)
  newest = size
  results += u32(found)
}

export function windowFloats(
  func: u32, times: usize, values: usize, count: u32, start: f64, step: f64, steps: u32, range: f64,
  out: usize, present: usize, scratch: usize, counts: usize,
): void {
  total = 0
  fresh = 0
  most = 0
  newest = 0
  results = 0
  reached = 0
  compute(func, times, values, count, start, step, steps, range, out, present, scratch)
  if (!counts) return
  store<f64>(counts, <f64>total)
  store<f64>(counts, <f64>fresh, 8)
  store<f64>(counts, <f64>most, 16)
  store<f64>(counts, <f64>newest, 24)
  store<f64>(counts, <f64>results, 32)
}

function compute(
  func: u32, times: usize, values: usize, count: u32, start: f64, step: f64, steps: u32, range: f64,
  out: usize, present: usize, scratch: usize,
): void {
  if (func == RATE || func == INCREASE || func == DELTA)
    return extrapolated(func, times, values, count, start, step, steps, range, out, present, scratch)
  if ((func == MIN || func == MAX) && steps > 1)
    return extreme(func == MAX, times, values, count, start, step, steps, range, out, present, scratch)
  if (func == CHANGES || func == RESETS) prefixCounts(func, values, count, scratch)
  let low: u32 = 0
  let high: u32 = 0
  for (let k: u32 = 0; k < steps; k++) {
    const end = start + step * <f64>k
    const begin = end - range
    while (high < count && f(times, high) <= end) high++
    while (low < high && f(times, low) <= begin) low++
    let result: f64 = 0
    let found = high > low
    if (found) {
      switch (func) {
        case SUM:
          result = sum(values, low, high)
          break
        case AVG:
          result = average(values, low, high)
          break
        case MIN:
          result = smallest(values, low, high)
          break
        case MAX:
          result = largest(values, low, high)
          break
        case COUNT:
          result = <f64>(high - low)
          break
        case LAST:
          result = f(values, high - 1)
          break
        case FIRST:
          result = f(values, low)
          break
        case PRESENT:
          result = 1
          break
        case CHANGES:
        case RESETS:
          result = <f64>(u(scratch, high - 1) - u(scratch, low))
          break
        case STDDEV:
          result = sqrt(variance(values, low, high))
          break
        case STDVAR:
          result = variance(values, low, high)
          break
        case DERIV:
          found = high - low > 1
          if (found) result = slope(times, values, low, high)
          break
        case IRATE:
        case IDELTA: {
          const interval = high - low > 1 ? f(times, high - 1) - f(times, high - 2) : 0
          found = interval != 0
          if (found) result = lastTwo(func == IRATE, values, high, interval)
          break
        }
        default:
          found = false
      }
    }
    store<f64>(out + (<usize>k << 3), result)
    store<u8>(present + k, u8(found))
    countWindow(low, high, found)
  }
}

/** `scratch` u32 i = how many samples up to i changed (or fell) against the one before. */
function prefixCounts(func: u32, values: usize, count: u32, scratch: usize): void {
  let total: u32 = 0
  let previous: f64 = 0
  for (let i: u32 = 0; i < count; i++) {
    const value = f(values, i)
    if (i > 0) {
      if (func == RESETS) total += u32(value < previous)
      else total += u32(value != previous && !(value != value && previous != previous))
    }
    store<u32>(scratch + (<usize>i << 2), total)
    previous = value
  }
}

@inline
function lastTwo(isRate: bool, values: usize, high: u32, interval: f64): f64 {
  const last = f(values, high - 1)
  const before = f(values, high - 2)
  let result = last
  if (!isRate || !(last < before)) result = last - before
  return isRate ? result / (interval / 1000) : result
}

function sum(values: usize, low: u32, high: u32): f64 {
  let sum: f64 = 0
  let c: f64 = 0
  for (let i = low; i < high; i++) {
    const x = f(values, i)
    const t = sum + x
    c = compensate(x, sum, c, t)
    sum = t
  }
  return isInf(sum) ? sum : sum + c
}

/** Index of the first number, or of the last sample when there is none. */
@inline
function firstNumber(values: usize, low: u32, high: u32): u32 {
  while (low < high - 1 && f(values, low) != f(values, low)) low++
  return low
}

/** Of one window alone: a queue would be of no use. */
function smallest(values: usize, low: u32, high: u32): f64 {
  let i = firstNumber(values, low, high)
  let best = f(values, i)
  for (; i < high; i++) {
    const x = f(values, i)
    best = select<f64>(x, best, x < best)
  }
  return best
}

function largest(values: usize, low: u32, high: u32): f64 {
  let i = firstNumber(values, low, high)
  let best = f(values, i)
  for (; i < high; i++) {
    const x = f(values, i)
    best = select<f64>(x, best, x > best)
  }
  return best
}

/** The direct mean while the sum stays finite, the incremental mean from then on. */
function average(values: usize, low: u32, high: u32): f64 {
  let sum = f(values, low)
  let c: f64 = 0
  let mean: f64 = 0
  let incremental = false
  let count: f64 = 1
  for (let i = low + 1; i < high; i++) {
    const x = f(values, i)
    count = <f64>(i - low + 1)
    if (!incremental) {
      const t = sum + x
      if (!isInf(t)) {
        c = compensate(x, sum, c, t)
        sum = t
        continue
      }
      incremental = true
      mean = sum / (count - 1)
      c /= count - 1
    }
    const q = (count - 1) / count
    const part = x / count
    const old = q * mean
    mean = old + part
    c = compensate(part, old, q * c, mean)
  }
  return incremental ? mean + c : sum / count + c / count
}

/** Welford's recurrence with compensated sums. */
function variance(values: usize, low: u32, high: u32): f64 {
  let count: f64 = 0
  let mean: f64 = 0
  let meanC: f64 = 0
  let aux: f64 = 0
  let auxC: f64 = 0
  for (let i = low; i < high; i++) {
    const x = f(values, i)
    count += 1
    const delta = x - (mean + meanC)
    const part = delta / count
    let t = mean + part
    meanC = compensate(part, mean, meanC, t)
    mean = t
    const square = delta * (x - (mean + meanC))
    t = aux + square
    auxC = compensate(square, aux, auxC, t)
    aux = t
  }
  return (aux + auxC) / count
}

/** Slope per second of the least-squares line; time counts from the first sample. */
function slope(times: usize, values: usize, low: u32, high: u32): f64 {
  const firstY = f(values, low)
  const origin = f(times, low)
  let constant = true
  let n: f64 = 0
  let sumX: f64 = 0, cX: f64 = 0
  let sumY: f64 = 0, cY: f64 = 0
  let sumXY: f64 = 0, cXY: f64 = 0
  let sumX2: f64 = 0, cX2: f64 = 0
  for (let i = low; i < high; i++) {
    const y = f(values, i)
    if (i > low && y != firstY) constant = false
    n += 1
    const x = (f(times, i) - origin) / 1000
    let t = sumX + x
    cX = compensate(x, sumX, cX, t)
    sumX = t
    t = sumY + y
    cY = compensate(y, sumY, cY, t)
    sumY = t
    const xy = x * y
    t = sumXY + xy
    cXY = compensate(xy, sumXY, cXY, t)
    sumXY = t
    const x2 = x * x
    t = sumX2 + x2
    cX2 = compensate(x2, sumX2, cX2, t)
    sumX2 = t
  }
  if (constant) return isInf(firstY) ? NaN : 0
  sumX += cX
  sumY += cY
  sumXY += cXY
  sumX2 += cX2
  return (sumXY - (sumX * sumY) / n) / (sumX2 - (sumX * sumX) / n)
}

/**
 * Smallest or largest by a monotonic queue of indices in `scratch`; NaN only where all are NaN; of equal ones
 * the first.
 */
function extreme(
  largest: bool, times: usize, values: usize, count: u32, start: f64, step: f64, steps: u32, range: f64,
  out: usize, present: usize, scratch: usize,
): void {
  let low: u32 = 0
  let high: u32 = 0
  let head: u32 = 0
  let tail: u32 = 0
  for (let k: u32 = 0; k < steps; k++) {
    const end = start + step * <f64>k
    const begin = end - range
    while (high < count && f(times, high) <= end) {
      const x = f(values, high)
      if (x == x) {
        while (tail > head) {
          const y = f(values, u(scratch, tail - 1))
          if (largest ? y >= x : y <= x) break
          tail--
        }
        store<u32>(scratch + (<usize>tail << 2), high)
        tail++
      }
      high++
    }
    while (low < high && f(times, low) <= begin) low++
    while (head < tail && u(scratch, head) < low) head++
    let result: f64 = 0
    if (high > low) result = f(values, head < tail ? u(scratch, head) : high - 1)
    store<f64>(out + (<usize>k << 3), result)
    store<u8>(present + k, u8(high > low))
    countWindow(low, high, high > low)
  }
}

/** Lists in `scratch` (u32) where a value is less than the one before; returns how many there are. */
function findResets(values: usize, count: u32, scratch: usize): u32 {
  let found: u32 = 0
  let i: u32 = 1
  // Four at a time: resets are rare.
  for (; i + 4 <= count; i += 4) {
    const p = values + (<usize>i << 3)
    const near = f64x2.lt(v128.load(p), v128.load(p - 8))
    const far = f64x2.lt(v128.load(p, 16), v128.load(p - 8, 16))
    if (!v128.any_true(v128.or(near, far))) continue
    for (let k = i; k < i + 4; k++) {
      store<u32>(scratch + (<usize>found << 2), k)
      found += u32(f(values, k) < f(values, k - 1))
    }
  }
  for (; i < count; i++) {
    store<u32>(scratch + (<usize>found << 2), i)
    found += u32(f(values, i) < f(values, i - 1))
  }
  return found
}

/**
 * rate, increase and delta. Counter resets are found once and listed in `scratch`; a window adds those inside
 * it one by one, so the result has the bits of a plain walk over the window.
 */
function extrapolated(
  func: u32, times: usize, values: usize, count: u32, start: f64, step: f64, steps: u32, range: f64,
  out: usize, present: usize, scratch: usize,
): void {
  const isCounter = func != DELTA
  const seconds = floor(range / 1000)
  const rangeSeconds = seconds + ((range - seconds * 1000) * 1000000) / 1000000000
  let resetCount: u32 = 0
  if (isCounter) resetCount = findResets(values, count, scratch)
  let low: u32 = 0
  let high: u32 = 0
  let firstReset: u32 = 0
  for (let k: u32 = 0; k < steps; k++) {
    const end = start + step * <f64>k
    const begin = end - range
    while (high < count && f(times, high) <= end) high++
    while (low < high && f(times, low) <= begin) low++
    const found = high > low + 1
    let result: f64 = 0
    if (found) {
      const firstValue = f(values, low)
      result = f(values, high - 1) - firstValue
      while (firstReset < resetCount && u(scratch, firstReset) <= low) firstReset++
      for (let r = firstReset; r < resetCount; r++) {
        const i = u(scratch, r)
        if (i >= high) break
        result += f(values, i - 1)
      }
      const firstTime = f(times, low)
      const lastTime = f(times, high - 1)
      let toStart = (firstTime - begin) / 1000
      let toEnd = (end - lastTime) / 1000
      const sampled = (lastTime - firstTime) / 1000
      const average = sampled / <f64>(high - low - 1)
      const threshold = average * 1.1
      if (toStart >= threshold) toStart = average / 2
      if (isCounter && result > 0 && firstValue >= 0) {
        const toZero = sampled * (firstValue / result)
        if (toZero < toStart) toStart = toZero
      }
      if (toEnd >= threshold) toEnd = average / 2
      let factor: f64 = 1
      if (sampled != 0) factor = (sampled + toStart + toEnd) / sampled
      if (func == RATE) factor /= rangeSeconds
      result *= factor
    }
    store<f64>(out + (<usize>k << 3), result)
    store<u8>(present + k, u8(found))
    countWindow(low, high, found)
  }
}
