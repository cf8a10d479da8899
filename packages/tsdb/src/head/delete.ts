// Takes deleted intervals out of a series of the head: its chunks are decoded and appended again without them.
import { CHUNK_ENCODING, type HistogramSample } from '@watchfire/datamodel'
import { readColumns } from './histogram-image.ts'
import { ROW, ROW_BYTES, SERIES } from './layout.ts'
import type { Head } from './head.ts'

export interface Interval {
  /** ms, both inclusive. */
  readonly minTime: number
  readonly maxTime: number
}

export function isDeleted(intervals: readonly Interval[], timeMs: number): boolean {
  return intervals.some(({ minTime, maxTime }) => timeMs >= minTime && timeMs <= maxTime)
}

/** Most samples of a float chunk. */
const SAMPLES_MAX = 65_535

interface Sample {
  readonly timeMs: number
  readonly value: number | HistogramSample
}

/** Only under an odd sequence. Returns the number of samples lost because the memory was full. */
export function deleteIntervals(head: Head, slot: number, intervals: readonly Interval[]): number {
  const { mem } = head
  const { u32 } = mem
  const series = mem.seriesAddress(slot)
  const encoding = head.openEncoding(slot)
  if (encoding !== 0) {
    const open = encoding === CHUNK_ENCODING.xor ? head.floats : head.histograms
    if (!open.close(series)) return 0
  }
  const samples: Sample[] = []
  const rows = u32[(series + SERIES.rows) >>> 2]!
  const count = u32[(series + SERIES.rowCount) >>> 2]!
  for (let row = rows; row < rows + count * ROW_BYTES; row += ROW_BYTES) {
    const packed = u32[(row + ROW.lengthEncoding) >>> 2]!
    const chunk = packed >>> 24 === CHUNK_ENCODING.xor ? decodeFloats : decodeHistograms
    // Without memory to decode it, or if it does not decode, the series stays as it is.
    if (!chunk(head, u32[row >>> 2]!, packed & 0xffffff, packed >>> 24, samples)) return 0
  }
  head.dropChunks(slot, Infinity)
  mem.f64[(series + SERIES.lastTime) >>> 3] = -Infinity
  let lost = 0
  for (const { timeMs, value } of samples) {
    if (isDeleted(intervals, timeMs)) continue
    const isKept =
      typeof value === 'number'
        ? head.appendFloat(slot, timeMs, value)
        : head.appendHistogram(slot, timeMs, value)
    if (!isKept) lost++
  }
  return lost
}

function decodeFloats(head: Head, chunk: number, length: number, _encoding: number, into: Sample[]): boolean {
  const { mem, kernels, allocator } = head
  const times = allocator.alloc(SAMPLES_MAX * 8)
  const values = allocator.alloc(SAMPLES_MAX * 8)
  const n = times === 0 || values === 0 ? -1 : kernels.xorDecode(chunk, length, times, values, SAMPLES_MAX)
  for (let i = 0; i < n; i++)
    into.push({ timeMs: mem.f64[(times >>> 3) + i]!, value: mem.f64[(values >>> 3) + i]! })
  if (times !== 0) allocator.free(times)
  if (values !== 0) allocator.free(values)
  return n >= 0
}

function decodeHistograms(
  head: Head,
  chunk: number,
  length: number,
  encoding: number,
  into: Sample[],
): boolean {
  const { mem, kernels, allocator } = head
  const size = kernels.histogramImageSize(encoding, chunk, length)
  const image = size < 0 ? 0 : allocator.alloc(size)
  if (image === 0) return false
  const n = kernels.histogramDecode(encoding, chunk, length, image, size)
  for (const { timeMs, histogram } of n < 0
    ? []
    : readColumns(mem, image, encoding === CHUNK_ENCODING.histogram))
    into.push({ timeMs, value: histogram })
  allocator.free(image)
  return n >= 0
}
