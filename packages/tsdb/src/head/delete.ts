// Takes deleted intervals out of a series of the head: its float chunks are decoded and appended again without them.
import { CHUNK_ENCODING } from '@watchfire/datamodel'
import { ROW, ROW_BYTES, SERIES } from './layout.ts'
import type { Head } from './head.ts'

export interface Interval {
  /** ms, both inclusive. */
  readonly minTime: number
  readonly maxTime: number
}

/** Most samples of a chunk. */
const SAMPLES_MAX = 65_535

/** Only under an odd sequence. Returns the number of samples lost because the memory was full. Series with histograms stay whole. */
export function deleteIntervals(head: Head, slot: number, intervals: readonly Interval[]): number {
  const { mem, kernels, allocator } = head
  const { u32 } = mem
  const series = mem.seriesAddress(slot)
  if (head.openEncoding(slot) === CHUNK_ENCODING.xor && !head.floats.close(series)) return 0
  const count = u32[(series + SERIES.rowCount) >>> 2]!
  const rows = Array.from({ length: count }, (_, i) => u32[(series + SERIES.rows) >>> 2]! + i * ROW_BYTES)
  const isFloat = (row: number) => u32[(row + ROW.lengthEncoding) >>> 2]! >>> 24 === CHUNK_ENCODING.xor
  if (head.openEncoding(slot) !== 0 || !rows.every(isFloat)) return 0
  const times = allocator.alloc(SAMPLES_MAX * 8)
  const values = allocator.alloc(SAMPLES_MAX * 8)
  let lost = 0
  if (times !== 0 && values !== 0) {
    const kept: { times: Float64Array; values: Float64Array; count: number }[] = []
    for (const row of rows) {
      const length = u32[(row + ROW.lengthEncoding) >>> 2]! & 0xffffff
      const n = kernels.xorDecode(u32[row >>> 2]!, length, times, values, SAMPLES_MAX)
      kept.push({
        times: mem.f64.slice(times >>> 3, (times >>> 3) + Math.max(n, 0)),
        values: mem.f64.slice(values >>> 3, (values >>> 3) + Math.max(n, 0)),
        count: Math.max(n, 0),
      })
    }
    head.dropChunks(slot, Infinity)
    mem.f64[(series + SERIES.lastTime) >>> 3] = -Infinity
    for (const chunk of kept) {
      for (let i = 0; i < chunk.count; i++) {
        const time = chunk.times[i]!
        if (intervals.some((interval) => time >= interval.minTime && time <= interval.maxTime)) continue
        if (!head.appendFloat(slot, time, chunk.values[i]!)) lost++
      }
    }
  }
  if (times !== 0) allocator.free(times)
  if (values !== 0) allocator.free(values)
  return lost
}
