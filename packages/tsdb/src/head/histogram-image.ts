// The image of one histogram sample, the form in which kernels take and give histograms (see kernels' contract).
import type { CounterResetHint, HistogramSample, Span } from '@watchfire/datamodel'
import type { HeadMemory } from './head-memory.ts'

const HEADER_BYTES = 40

/** Bytes of the image of one sample. */
export function imageBytes(h: HistogramSample): number {
  const spans = h.positiveSpans.length + h.negativeSpans.length
  const buckets = h.positiveBuckets.length + h.negativeBuckets.length
  return HEADER_BYTES + 8 * (spans + h.customValues.length + 4 + buckets)
}

/** Writes the image of one sample at `address`. */
export function writeImage(
  mem: HeadMemory,
  address: number,
  timeMs: number,
  h: HistogramSample,
  hint: CounterResetHint,
): void {
  const { i32, u32, f64 } = mem
  const w = address >>> 2
  i32[w] = h.schema
  u32[w + 1] = hint
  f64[(address + 8) >>> 3] = h.zeroThreshold
  u32[w + 4] = 1
  u32[w + 5] = h.positiveSpans.length
  u32[w + 6] = h.negativeSpans.length
  u32[w + 7] = h.positiveBuckets.length
  u32[w + 8] = h.negativeBuckets.length
  u32[w + 9] = h.customValues.length
  let p = w + 10
  for (const spans of [h.positiveSpans, h.negativeSpans])
    for (const span of spans) {
      i32[p++] = span.offset
      u32[p++] = span.length
    }
  let q = p >>> 1
  for (const value of h.customValues) f64[q++] = value
  f64[q++] = timeMs
  f64[q++] = h.count
  f64[q++] = h.zeroCount
  f64[q++] = h.sum
  f64.set(h.positiveBuckets, q)
  f64.set(h.negativeBuckets, q + h.positiveBuckets.length)
}

/** Reads the image of one sample. */
export function readImage(mem: HeadMemory, address: number, integer: boolean): HistogramSample {
  const { i32, u32, f64 } = mem
  const w = address >>> 2
  let p = w + 10
  const spans = (n: number): Span[] =>
    Array.from({ length: n }, () => ({ offset: i32[p++]!, length: u32[p++]! }))
  const positiveSpans = spans(u32[w + 5]!)
  const negativeSpans = spans(u32[w + 6]!)
  let q = p >>> 1
  const column = (n: number): Float64Array => Float64Array.from(f64.subarray(q, (q += n)))
  const customValues = [...column(u32[w + 9]!)]
  q++
  const count = f64[q++]!
  const zeroCount = f64[q++]!
  const sum = f64[q++]!
  return {
    integer,
    schema: i32[w]!,
    zeroThreshold: f64[(address + 8) >>> 3]!,
    zeroCount,
    count,
    sum,
    positiveSpans,
    negativeSpans,
    positiveBuckets: column(u32[w + 7]!),
    negativeBuckets: column(u32[w + 8]!),
    customValues,
    counterResetHint: u32[w + 1]! as CounterResetHint,
  }
}
