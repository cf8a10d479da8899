// Histogram objects from decoded chunk images (layout: `histogramImageSize` in the kernels' contract).
import {
  COUNTER_RESET,
  EXPONENTIAL_SCHEMA_MAX,
  isStale,
  reduceResolution,
  type CounterResetHint,
  type FloatHistogram,
  type Span,
} from '@watchfire/datamodel'
import type { SampleColumns } from './samples.ts'

export interface ImageOptions {
  readonly minTime: number
  readonly maxTime: number
  /** Leave out staleness markers. */
  readonly dropStale: boolean
  /** The header's hint is that of the first sample; otherwise only "gauge" counts. */
  readonly trustHint: boolean
  /** Start timestamps (f64 each) begin here; 0 = right after the image, undefined = there are none. */
  readonly startsAddress: number | undefined
}

/** Appends the samples of an image at `address` to the columns. */
export function readImage(
  buffer: ArrayBufferLike,
  address: number,
  options: ImageOptions,
  columns: SampleColumns,
): void {
  const words = new Int32Array(buffer, address, 8)
  const schema = words[0]!
  const headerHint = words[1]! as CounterResetHint
  const zeroThreshold = new Float64Array(buffer, address + 8, 1)[0]!
  const [samples, positiveSpanCount, negativeSpanCount] = [words[4]!, words[5]!, words[6]!]
  const positiveCount = words[7]!
  const more = new Int32Array(buffer, address + 32, 2)
  const negativeCount = more[0]!
  const customCount = more[1]!
  let at = address + 40
  const positiveSpans = readSpans(buffer, at, positiveSpanCount)
  at += positiveSpanCount * 8
  const negativeSpans = readSpans(buffer, at, negativeSpanCount)
  at += negativeSpanCount * 8
  const column = (length: number): Float64Array => {
    const view = new Float64Array(buffer, at, length)
    at += length * 8
    return view
  }
  const customValues = Array.from(column(customCount))
  const times = column(samples)
  const counts = column(samples)
  const zeroCounts = column(samples)
  const sums = column(samples)
  const positive = column(samples * positiveCount)
  const negative = column(samples * negativeCount)
  if (options.startsAddress !== undefined && options.startsAddress > 0) at = options.startsAddress
  const starts = options.startsAddress === undefined ? undefined : column(samples)
  const gauge = headerHint === COUNTER_RESET.gauge
  for (let i = 0; i < samples; i++) {
    const time = times[i]!
    if (time < options.minTime) continue
    if (time > options.maxTime) break
    if (options.dropStale && isStale(sums[i]!)) continue
    let hint: CounterResetHint = COUNTER_RESET.notReset
    if (gauge) hint = COUNTER_RESET.gauge
    else if (i === 0) hint = options.trustHint ? headerHint : COUNTER_RESET.unknown
    const histogram: FloatHistogram = {
      schema,
      zeroThreshold,
      zeroCount: zeroCounts[i]!,
      count: counts[i]!,
      sum: sums[i]!,
      positiveSpans,
      negativeSpans,
      positiveBuckets: positive.slice(i * positiveCount, (i + 1) * positiveCount),
      negativeBuckets: negative.slice(i * negativeCount, (i + 1) * negativeCount),
      customValues,
      counterResetHint: hint,
    }
    columns.histogramTimes.push(time)
    // More resolution than arithmetic knows is given up.
    columns.histograms.push(
      schema > EXPONENTIAL_SCHEMA_MAX ? reduceResolution(histogram, EXPONENTIAL_SCHEMA_MAX) : histogram,
    )
    columns.histogramStarts?.push(starts ? starts[i]! : 0)
  }
}

function readSpans(buffer: ArrayBufferLike, address: number, count: number): Span[] {
  const view = new Int32Array(buffer, address, count * 2)
  return Array.from({ length: count }, (_, i) => ({ offset: view[2 * i]!, length: view[2 * i + 1]! >>> 0 }))
}
