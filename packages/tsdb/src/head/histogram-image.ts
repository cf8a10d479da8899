// The image of one histogram sample, the form in which kernels take and give histograms (see kernels' contract), and of
// a chunk's samples in columns.
import { COUNTER_RESET, type CounterResetHint, type HistogramSample, type Span } from '@watchfire/datamodel'
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

/** Samples of the decoded image of a whole chunk. The header's hint is that of the first sample, and of all when it says gauge. */
export function readColumns(
  mem: HeadMemory,
  address: number,
  integer: boolean,
): { readonly timeMs: number; readonly histogram: HistogramSample }[] {
  const { u32, f64 } = mem
  const w = address >>> 2
  const n = u32[w + 4]!
  const [positive, negative, customs] = [u32[w + 7]!, u32[w + 8]!, u32[w + 9]!]
  const times = ((w + 10) >>> 1) + u32[w + 5]! + u32[w + 6]! + customs
  const buckets = times + 4 * n
  // What comes before the columns has the form of a single sample's image.
  const header = readImage(mem, address, integer)
  return Array.from({ length: n }, (_, i) => {
    const [p, q] = [buckets + i * positive, buckets + n * positive + i * negative]
    const histogram: HistogramSample = {
      ...header,
      count: f64[times + n + i]!,
      zeroCount: f64[times + 2 * n + i]!,
      sum: f64[times + 3 * n + i]!,
      positiveBuckets: Float64Array.from(f64.subarray(p, p + positive)),
      negativeBuckets: Float64Array.from(f64.subarray(q, q + negative)),
      counterResetHint:
        i === 0 || header.counterResetHint === COUNTER_RESET.gauge
          ? header.counterResetHint
          : COUNTER_RESET.unknown,
    }
    return { timeMs: f64[times + i]!, histogram }
  })
}
