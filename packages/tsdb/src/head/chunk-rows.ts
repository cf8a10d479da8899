// The closed chunks of a series: a list of rows, grown at the end and cut at the front, only under an odd sequence. Data plane.
import { CTL, ROW, ROW_BYTES, SERIES } from './layout.ts'
import type { Allocator } from './allocator.ts'
import type { HeadMemory } from './head-memory.ts'

/** Appends a row. `chunk` was allocated with `length`. False when the memory is full. */
export function addRow(
  mem: HeadMemory,
  allocator: Allocator,
  series: number,
  chunk: number,
  length: number,
  encoding: number,
  minTime: number,
  maxTime: number,
): boolean {
  const { u32, f64 } = mem
  const count = u32[(series + SERIES.rowCount) >>> 2]!
  const capacity = u32[(series + SERIES.rowCapacity) >>> 2]!
  if (count === capacity) {
    const bytes = Math.max(2, count + Math.max(1, count >>> 2)) * ROW_BYTES
    const list = allocator.alloc(bytes)
    if (list === 0) return false
    const old = u32[(series + SERIES.rows) >>> 2]!
    if (capacity > 0) {
      u32.copyWithin(list >>> 2, old >>> 2, (old + count * ROW_BYTES) >>> 2)
      allocator.retire(old)
    }
    u32[(series + SERIES.rows) >>> 2] = list
    u32[(series + SERIES.rowCapacity) >>> 2] = bytes / ROW_BYTES
  }
  const row = u32[(series + SERIES.rows) >>> 2]! + count * ROW_BYTES
  u32[(row + ROW.address) >>> 2] = chunk
  u32[(row + ROW.lengthEncoding) >>> 2] = (encoding << 24) | length
  f64[(row + ROW.minTime) >>> 3] = minTime
  f64[(row + ROW.maxTime) >>> 3] = maxTime
  u32[(series + SERIES.rowCount) >>> 2] = count + 1
  u32[CTL.chunkCount >>> 2]!++
  return true
}

/** Drops the rows that end before `timeMs`; returns how many. */
export function dropRows(mem: HeadMemory, allocator: Allocator, series: number, timeMs: number): number {
  const { u32, f64 } = mem
  const count = u32[(series + SERIES.rowCount) >>> 2]!
  const rows = u32[(series + SERIES.rows) >>> 2]!
  let gone = 0
  while (gone < count && f64[(rows + gone * ROW_BYTES + ROW.maxTime) >>> 3]! < timeMs) {
    const row = rows + gone * ROW_BYTES
    allocator.retire(u32[row >>> 2]!)
    gone++
  }
  if (gone === 0) return 0
  u32.copyWithin(rows >>> 2, (rows + gone * ROW_BYTES) >>> 2, (rows + count * ROW_BYTES) >>> 2)
  u32[(series + SERIES.rowCount) >>> 2] = count - gone
  u32[CTL.chunkCount >>> 2]! -= gone
  if (gone === count) {
    allocator.retire(rows)
    u32[(series + SERIES.rows) >>> 2] = 0
    u32[(series + SERIES.rowCapacity) >>> 2] = 0
  }
  return gone
}
