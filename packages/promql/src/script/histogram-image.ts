// Writes a histogram as an image: the decoded form of a histogram chunk (layout: `histogramImageSize` in the kernels'
// contract), here of one sample, with its start timestamp after it.
import { setStale, type FloatHistogram, type Span } from '@watchfire/datamodel'

const HEADER_BYTES = 40

export function imageBytes(h: FloatHistogram): number {
  const spans = h.positiveSpans.length + h.negativeSpans.length
  const numbers = h.customValues.length + 4 + h.positiveBuckets.length + h.negativeBuckets.length + 1
  return HEADER_BYTES + 8 * (spans + numbers)
}

/** `stale` marks the sum; `startMs` 0 = none. */
export function writeImage(
  buffer: ArrayBufferLike,
  address: number,
  h: FloatHistogram,
  sample: { timeMs: number; startMs: number; stale: boolean },
): void {
  const view = new DataView(buffer, address, imageBytes(h))
  view.setInt32(0, h.schema, true)
  view.setUint32(4, h.counterResetHint, true)
  view.setFloat64(8, h.zeroThreshold, true)
  const counts = [
    1,
    h.positiveSpans.length,
    h.negativeSpans.length,
    h.positiveBuckets.length,
    h.negativeBuckets.length,
    h.customValues.length,
  ]
  counts.forEach((count, i) => view.setUint32(16 + 4 * i, count, true))
  let at = HEADER_BYTES
  const putSpans = (spans: readonly Span[]): void => {
    for (const { offset, length } of spans) {
      view.setInt32(at, offset, true)
      view.setUint32(at + 4, length, true)
      at += 8
    }
  }
  const put = (...values: readonly number[]): void => {
    for (const value of values) {
      view.setFloat64(at, value, true)
      at += 8
    }
  }
  putSpans(h.positiveSpans)
  putSpans(h.negativeSpans)
  put(...h.customValues)
  put(sample.timeMs, h.count, h.zeroCount)
  if (sample.stale) setStale(new Float64Array(buffer, address + at, 1), 0)
  else view.setFloat64(at, h.sum, true)
  at += 8
  put(...h.positiveBuckets, ...h.negativeBuckets, sample.startMs)
}
