// Arithmetic of native histograms. Functions return new histograms and leave their arguments alone.
// Sides are handled as (ascending indices, counts), which makes merging two layouts a merge of sorted lists.
import {
  expandSpans,
  exponentialBound,
  isExponentialSchema,
  reducedIndex,
  spansOf,
  usesCustomBuckets,
} from './bounds.ts'
import { negativeBuckets, positiveBuckets } from './buckets.ts'
import { COUNTER_RESET, type CounterResetHint, type FloatHistogram } from './types.ts'

/** Thrown when exponential and custom buckets are to be combined. */
export class IncompatibleHistogramsError extends Error {
  override name = 'IncompatibleHistogramsError'
  constructor() {
    super('cannot apply this operation on histograms with a mix of exponential and custom bucket schemas')
  }
}

/** Outcome of combining two histograms. */
export interface Combined {
  readonly histogram: FloatHistogram
  /** One said "reset", the other "not reset". */
  readonly counterResetCollision: boolean
  /** Differing custom bounds were reconciled to the common ones. */
  readonly boundsReconciled: boolean
}

/** One side of a histogram: ascending bucket indices with counts and compensations (of Kahan sums). */
export interface Side {
  indices: ArrayLike<number>
  counts: Float64Array
  compensations: Float64Array
}

const EMPTY = new Float64Array(0)

export function copyHistogram(h: FloatHistogram): FloatHistogram {
  return { ...h, positiveBuckets: h.positiveBuckets.slice(), negativeBuckets: h.negativeBuckets.slice() }
}

/** Multiplies counts and sum; a negative factor makes it a gauge. */
export function scaleHistogram(h: FloatHistogram, factor: number): FloatHistogram {
  const times = (v: number): number => v * factor
  return mapCounts(h, times, factor < 0 ? COUNTER_RESET.gauge : h.counterResetHint)
}

/** Divides counts and sum; division by zero removes all buckets. */
export function divideHistogram(h: FloatHistogram, divisor: number): FloatHistogram {
  if (divisor !== 0)
    return mapCounts(h, (v) => v / divisor, divisor < 0 ? COUNTER_RESET.gauge : h.counterResetHint)
  return {
    ...h,
    zeroCount: h.zeroCount / divisor,
    count: h.count / divisor,
    sum: h.sum / divisor,
    positiveSpans: [],
    negativeSpans: [],
    positiveBuckets: EMPTY,
    negativeBuckets: EMPTY,
  }
}

function mapCounts(h: FloatHistogram, f: (v: number) => number, hint: CounterResetHint): FloatHistogram {
  return {
    ...h,
    counterResetHint: hint,
    zeroCount: f(h.zeroCount),
    count: f(h.count),
    sum: f(h.sum),
    positiveBuckets: h.positiveBuckets.map(f),
    negativeBuckets: h.negativeBuckets.map(f),
  }
}

/** Without empty buckets and with the fewest spans. */
export function compactHistogram(h: FloatHistogram): FloatHistogram {
  const positive = compactSide(expandSpans(h.positiveSpans), h.positiveBuckets)
  const negative = compactSide(expandSpans(h.negativeSpans), h.negativeBuckets)
  return {
    ...h,
    positiveSpans: spansOf(positive.indices),
    positiveBuckets: positive.counts,
    negativeSpans: spansOf(negative.indices),
    negativeBuckets: negative.counts,
  }
}

function compactSide(indices: Int32Array, counts: Float64Array): { indices: number[]; counts: Float64Array } {
  const kept: number[] = []
  for (let i = 0; i < indices.length; i++) if (counts[i] !== 0) kept.push(i)
  return { indices: kept.map((i) => indices[i]!), counts: Float64Array.from(kept, (i) => counts[i]!) }
}

/** a + b. Throws `IncompatibleHistogramsError`. */
export function addHistograms(a: FloatHistogram, b: FloatHistogram): Combined {
  const sum = new HistogramSum(a)
  const { counterResetCollision, boundsReconciled } = sum.add(b, false)
  return { histogram: sum.uncompensated(), counterResetCollision, boundsReconciled }
}

/** a − b; the hint is treated as in an addition. Throws `IncompatibleHistogramsError`. */
export function subHistograms(a: FloatHistogram, b: FloatHistogram): Combined {
  const sum = new HistogramSum(a)
  const { counterResetCollision, boundsReconciled } = sum.add(b, true)
  return { histogram: sum.uncompensated(), counterResetCollision, boundsReconciled }
}

/** In the lower resolution `targetSchema`. */
export function reduceResolution(h: FloatHistogram, targetSchema: number): FloatHistogram {
  if (targetSchema === h.schema) return h
  if (!isExponentialSchema(targetSchema) || usesCustomBuckets(h) || targetSchema > h.schema)
    throw new RangeError(`cannot reduce resolution from schema ${h.schema} to ${targetSchema}`)
  const positive = reduceSide(sideOf(h, true), h.schema, targetSchema)
  const negative = reduceSide(sideOf(h, false), h.schema, targetSchema)
  return {
    ...h,
    schema: targetSchema,
    positiveSpans: spansOf(positive.indices),
    positiveBuckets: positive.counts,
    negativeSpans: spansOf(negative.indices),
    negativeBuckets: negative.counts,
  }
}

function sideOf(h: FloatHistogram, positive: boolean): Side {
  const counts = positive ? h.positiveBuckets : h.negativeBuckets
  return {
    indices: expandSpans(positive ? h.positiveSpans : h.negativeSpans),
    counts: counts.slice(),
    compensations: new Float64Array(counts.length),
  }
}

function reduceSide(side: Side, schema: number, targetSchema: number): Side {
  const indices: number[] = []
  const sums: number[] = []
  const compensations: number[] = []
  for (let i = 0; i < side.counts.length; i++) {
    const index = reducedIndex(side.indices[i]!, schema, targetSchema)
    if (indices[indices.length - 1] !== index) {
      indices.push(index)
      sums.push(side.counts[i]!)
      compensations.push(side.compensations[i]!)
    } else {
      const at = indices.length - 1
      ;[sums[at], compensations[at]] = kahanAdd(side.counts[i]!, sums[at]!, compensations[at]!)
      ;[sums[at], compensations[at]] = kahanAdd(side.compensations[i]!, sums[at]!, compensations[at]!)
    }
  }
  return { indices, counts: Float64Array.from(sums), compensations: Float64Array.from(compensations) }
}

/** One step of Kahan–Neumaier summation: [sum, compensation]. */
export function kahanAdd(value: number, sum: number, compensation: number): [number, number] {
  const total = sum + value
  if (Math.abs(total) === Infinity) return [total, 0]
  if (Math.abs(sum) >= Math.abs(value)) return [total, compensation + (sum - total + value)]
  return [total, compensation + (value - total + sum)]
}

function plus(value: number, sum: number, compensation: number): [number, number] {
  return [sum + value, compensation]
}

/**
 * What the zero count would be with a larger threshold. A threshold within a populated bucket moves up to that bucket's
 * far bound; the moved threshold is returned.
 */
function zeroCountFor(h: FloatHistogram, threshold: number): { zeroCount: number; threshold: number } {
  for (;;) {
    let zeroCount = h.zeroCount
    for (const b of positiveBuckets(h)) {
      if (b.lower >= threshold) break
      zeroCount += b.count
      if (b.upper > threshold) {
        if (b.count !== 0) threshold = b.upper
        break
      }
    }
    let redo = false
    for (const b of negativeBuckets(h)) {
      if (b.upper <= -threshold) break
      zeroCount += b.count
      if (b.lower < -threshold) {
        if (b.count !== 0) {
          threshold = -b.lower
          redo = true // the positive side was judged with the old threshold
        }
        break
      }
    }
    if (!redo) return { zeroCount, threshold }
  }
}

/** Running Kahan sum of histograms: counts, sum and every bucket carry a compensation. */
export class HistogramSum {
  #schema: number
  #zeroThreshold: number
  #customValues: readonly number[]
  #hint: CounterResetHint
  #zero: [number, number]
  #count: [number, number]
  #sum: [number, number]
  #positive: Side
  #negative: Side

  constructor(first: FloatHistogram) {
    this.#schema = first.schema
    this.#zeroThreshold = first.zeroThreshold
    this.#customValues = first.customValues
    this.#hint = first.counterResetHint
    this.#zero = [first.zeroCount, 0]
    this.#count = [first.count, 0]
    this.#sum = [first.sum, 0]
    this.#positive = sideOf(first, true)
    this.#negative = sideOf(first, false)
  }

  /** Adds (or subtracts) with compensation. Throws `IncompatibleHistogramsError` and stays as it was. */
  add(
    other: FloatHistogram,
    subtract: boolean = false,
  ): { counterResetCollision: boolean; boundsReconciled: boolean } {
    const custom = usesCustomBuckets(other)
    if (custom !== !isExponentialSchema(this.#schema)) throw new IncompatibleHistogramsError()
    const counterResetCollision = this.#combineHint(other.counterResetHint)
    const step = subtract ? plus : kahanAdd
    const sign = subtract ? -1 : 1
    if (!custom) this.#zero = step(sign * this.#reconcileZero(other), ...this.#zero)
    this.#count = step(sign * other.count, ...this.#count)
    this.#sum = step(sign * other.sum, ...this.#sum)
    if (custom) return { counterResetCollision, boundsReconciled: this.#addCustom(other, sign, step) }
    let positive = sideOf(other, true)
    let negative = sideOf(other, false)
    if (other.schema < this.#schema) {
      this.#positive = reduceSide(this.#positive, this.#schema, other.schema)
      this.#negative = reduceSide(this.#negative, this.#schema, other.schema)
      this.#schema = other.schema
    } else if (other.schema > this.#schema) {
      positive = reduceSide(positive, other.schema, this.#schema)
      negative = reduceSide(negative, other.schema, this.#schema)
    }
    this.#positive = this.#merge(this.#positive, positive, sign, step)
    this.#negative = this.#merge(this.#negative, negative, sign, step)
    return { counterResetCollision, boundsReconciled: false }
  }

  /** Multiplies sum and compensations, as a running mean needs it. */
  scale(factor: number): void {
    const pair = ([total, compensation]: [number, number]): [number, number] => [
      total * factor,
      compensation * factor,
    ]
    this.#zero = pair(this.#zero)
    this.#count = pair(this.#count)
    this.#sum = pair(this.#sum)
    for (const side of [this.#positive, this.#negative])
      for (let i = 0; i < side.counts.length; i++) {
        side.counts[i]! *= factor
        side.compensations[i]! *= factor
      }
  }

  /** An independent copy. */
  clone(): HistogramSum {
    const copy = new HistogramSum(this.uncompensated())
    const side = ({ indices, counts, compensations }: Side): Side => ({
      indices,
      counts: counts.slice(),
      compensations: compensations.slice(),
    })
    copy.#zero = [...this.#zero]
    copy.#count = [...this.#count]
    copy.#sum = [...this.#sum]
    copy.#positive = side(this.#positive)
    copy.#negative = side(this.#negative)
    return copy
  }

  /** The sum with compensations added in. */
  value(): FloatHistogram {
    return this.#build(true)
  }

  /** The sum alone, as plain addition gives it. */
  uncompensated(): FloatHistogram {
    return this.#build(false)
  }

  #build(compensated: boolean): FloatHistogram {
    const side = (s: Side): Float64Array =>
      compensated ? s.counts.map((count, i) => count + s.compensations[i]!) : s.counts.slice()
    const total = (pair: [number, number]): number => (compensated ? pair[0] + pair[1] : pair[0])
    return {
      schema: this.#schema,
      zeroThreshold: this.#zeroThreshold,
      zeroCount: total(this.#zero),
      count: total(this.#count),
      sum: total(this.#sum),
      positiveSpans: spansOf(this.#positive.indices),
      negativeSpans: spansOf(this.#negative.indices),
      positiveBuckets: side(this.#positive),
      negativeBuckets: side(this.#negative),
      customValues: this.#customValues,
      counterResetHint: this.#hint,
    }
  }

  /** Apples to apples keep their hint, a gauge wins, else unknown; reset against not-reset is a collision. */
  #combineHint(other: CounterResetHint): boolean {
    const { unknown, gauge } = COUNTER_RESET
    const own = this.#hint
    if (own === other || own === gauge || own === unknown) {
      if (own === unknown && other === gauge) this.#hint = gauge
      return false
    }
    this.#hint = other === gauge ? gauge : unknown
    return other !== gauge && other !== unknown
  }

  /** Widens the zero bucket until it suits both; returns the other's zero count then. */
  #reconcileZero(other: FloatHistogram): number {
    let zeroCount = other.zeroCount
    let threshold = other.zeroThreshold
    while (threshold !== this.#zeroThreshold) {
      if (this.#zeroThreshold > threshold)
        ({ zeroCount, threshold } = zeroCountFor(other, this.#zeroThreshold))
      if (threshold > this.#zeroThreshold) {
        const widened = zeroCountFor(this.value(), threshold)
        this.#zero = [widened.zeroCount, 0]
        this.#zeroThreshold = widened.threshold
        this.#positive = this.#outside(this.#positive)
        this.#negative = this.#outside(this.#negative)
      }
    }
    return zeroCount
  }

  /** Buckets that begin at or above the zero threshold. */
  #outside(side: Side): Side {
    let first = 0
    while (
      first < side.counts.length &&
      exponentialBound(side.indices[first]! - 1, this.#schema) < this.#zeroThreshold
    )
      first++
    return {
      indices: Array.from(side.indices).slice(first),
      counts: side.counts.slice(first),
      compensations: side.compensations.slice(first),
    }
  }

  #merge(a: Side, b: Side, sign: number, step: typeof kahanAdd): Side {
    let from = 0
    if (isExponentialSchema(this.#schema) && this.#zeroThreshold > 0)
      while (
        from < b.counts.length &&
        exponentialBound(b.indices[from]!, this.#schema) <= this.#zeroThreshold
      )
        from++
    if (from === 0 && sameIndices(a.indices, b.indices)) {
      for (let i = 0; i < a.counts.length; i++)
        [a.counts[i], a.compensations[i]] = step(sign * b.counts[i]!, a.counts[i]!, a.compensations[i]!)
      return a
    }
    const indices: number[] = []
    const counts: number[] = []
    const compensations: number[] = []
    let i = 0
    let j = from
    while (i < a.counts.length || j < b.counts.length) {
      const x = i < a.counts.length ? a.indices[i]! : Infinity
      const y = j < b.counts.length ? b.indices[j]! : Infinity
      indices.push(Math.min(x, y))
      if (x < y) {
        counts.push(a.counts[i]!)
        compensations.push(a.compensations[i++]!)
      } else if (y < x) {
        counts.push(sign * b.counts[j]!)
        compensations.push(sign * b.compensations[j++]!)
      } else {
        let pair = step(sign * b.counts[j]!, a.counts[i]!, a.compensations[i]!)
        if (b.compensations[j] !== 0) pair = step(sign * b.compensations[j]!, ...pair)
        counts.push(pair[0])
        compensations.push(pair[1])
        i++
        j++
      }
    }
    return { indices, counts: Float64Array.from(counts), compensations: Float64Array.from(compensations) }
  }

  #addCustom(other: FloatHistogram, sign: number, step: typeof kahanAdd): boolean {
    const side = sideOf(other, true)
    if (sameIndices(this.#customValues, other.customValues)) {
      this.#positive = this.#merge(this.#positive, side, sign, step)
      return false
    }
    const bounds = commonBounds(this.#customValues, other.customValues)
    const own = mapToBounds(this.#positive, this.#customValues, bounds)
    this.#positive = this.#merge(own, mapToBounds(side, other.customValues, bounds), sign, step)
    this.#customValues = bounds
    return true
  }
}

function sameIndices(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Bounds that both lists have. */
export function commonBounds(a: readonly number[], b: readonly number[]): number[] {
  const set = new Set(b)
  return a.filter((bound) => set.has(bound))
}

/** Moves custom buckets into the (fewer) buckets of `bounds`. */
function mapToBounds(side: Side, from: readonly number[], bounds: readonly number[]): Side {
  const indices: number[] = []
  const counts: number[] = []
  const compensations: number[] = []
  let target = 0
  for (let i = 0; i < side.counts.length; i++) {
    const source = side.indices[i]!
    if (source >= from.length) target = bounds.length
    else while (target < bounds.length && bounds[target]! < from[source]!) target++
    const at = indices.length - 1
    if (indices[at] === target) {
      ;[counts[at], compensations[at]] = kahanAdd(side.counts[i]!, counts[at]!, compensations[at]!)
      ;[counts[at], compensations[at]] = kahanAdd(side.compensations[i]!, counts[at]!, compensations[at]!)
    } else {
      indices.push(target)
      counts.push(side.counts[i]!)
      compensations.push(side.compensations[i]!)
    }
  }
  return { indices, counts: Float64Array.from(counts), compensations: Float64Array.from(compensations) }
}

/** True when a count, sum or bucket is infinite. */
export function hasOverflow(h: FloatHistogram): boolean {
  const infinite = (v: number): boolean => Math.abs(v) === Infinity
  return (
    infinite(h.zeroCount) ||
    infinite(h.count) ||
    infinite(h.sum) ||
    h.positiveBuckets.some(infinite) ||
    h.negativeBuckets.some(infinite) ||
    h.customValues.some(infinite)
  )
}

/** Equal as data: same layout (empty buckets count) and same bits everywhere; the hint is not compared. */
export function equalHistograms(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    Object.is(a.count, b.count) &&
    Object.is(a.sum, b.sum) &&
    a.zeroThreshold === b.zeroThreshold &&
    Object.is(a.zeroCount, b.zeroCount) &&
    sameIndices(a.customValues, b.customValues) &&
    sameIndices(expandSpans(a.positiveSpans), expandSpans(b.positiveSpans)) &&
    sameIndices(expandSpans(a.negativeSpans), expandSpans(b.negativeSpans)) &&
    sameCounts(a.positiveBuckets, b.positiveBuckets) &&
    sameCounts(a.negativeBuckets, b.negativeBuckets)
  )
}

function sameCounts(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((count, i) => Object.is(count, b[i]))
}

/** True when `h`, coming after `previous`, shows that the counter was reset. Hints short-cut the answer. */
export function detectReset(h: FloatHistogram, previous: FloatHistogram): boolean {
  if (h.counterResetHint === COUNTER_RESET.reset) return true
  if (h.counterResetHint === COUNTER_RESET.notReset) return false
  if (h.count < previous.count) return true
  if (usesCustomBuckets(h)) {
    if (!usesCustomBuckets(previous)) return true
    const bounds = commonBounds(h.customValues, previous.customValues)
    return anyDecreased(
      mapToBounds(sideOf(h, true), h.customValues, bounds),
      mapToBounds(sideOf(previous, true), previous.customValues, bounds),
    )
  }
  if (usesCustomBuckets(previous) || h.schema > previous.schema || h.zeroThreshold < previous.zeroThreshold)
    return true
  const { zeroCount, threshold } = zeroCountFor(previous, h.zeroThreshold)
  if (threshold !== h.zeroThreshold || h.zeroCount < zeroCount) return true
  const above = (x: FloatHistogram, positive: boolean): Side => {
    const side = reduceSide(sideOf(x, positive), x.schema, h.schema)
    let first = 0
    if (h.zeroThreshold > 0)
      while (
        first < side.counts.length &&
        exponentialBound(side.indices[first]!, h.schema) <= h.zeroThreshold
      )
        first++
    return { ...side, indices: Array.from(side.indices).slice(first), counts: side.counts.slice(first) }
  }
  return (
    anyDecreased(above(h, true), above(previous, true)) ||
    anyDecreased(above(h, false), above(previous, false))
  )
}

function anyDecreased(current: Side, previous: Side): boolean {
  let i = 0
  for (let j = 0; j < previous.counts.length; j++) {
    const index = previous.indices[j]!
    while (i < current.counts.length && current.indices[i]! < index) i++
    const now = i < current.counts.length && current.indices[i] === index ? current.counts[i]! : 0
    if (now < previous.counts[j]!) return true
  }
  return false
}
