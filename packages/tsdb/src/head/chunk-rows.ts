// Lists of chunks, those a series has closed above all: grown at the end and cut at the front, only under an odd sequence. Data plane.
import { CTL, ROW, ROW_BYTES, ROW_LIST } from './layout.ts'
import type { Allocator } from './allocator.ts'
import type { HeadMemory } from './head-memory.ts'

/** Appends a row to the list at address `list`. `chunk` was allocated with `length`. False when the memory is full. */
export function addRow(
  mem: HeadMemory,
  allocator: Allocator,
  list: number,
  chunk: number,
  length: number,
  encoding: number,
  minTime: number,
  maxTime: number,
): boolean {
  const { u32, f64 } = mem
  const count = u32[(list + ROW_LIST.count) >>> 2]!
  const capacity = u32[(list + ROW_LIST.capacity) >>> 2]!
  if (count === capacity) {
    const bytes = Math.max(2, count + Math.max(1, count >>> 2)) * ROW_BYTES
    const grown = allocator.alloc(bytes)
    if (grown === 0) return false
    const old = u32[(list + ROW_LIST.rows) >>> 2]!
    if (capacity > 0) {
      u32.copyWithin(grown >>> 2, old >>> 2, (old + count * ROW_BYTES) >>> 2)
      allocator.retire(old)
    }
    u32[(list + ROW_LIST.rows) >>> 2] = grown
    u32[(list + ROW_LIST.capacity) >>> 2] = bytes / ROW_BYTES
  }
  const row = u32[(list + ROW_LIST.rows) >>> 2]! + count * ROW_BYTES
  u32[(row + ROW.address) >>> 2] = chunk
  u32[(row + ROW.lengthEncoding) >>> 2] = (encoding << 24) | length
  f64[(row + ROW.minTime) >>> 3] = minTime
  f64[(row + ROW.maxTime) >>> 3] = maxTime
  u32[(list + ROW_LIST.count) >>> 2] = count + 1
  u32[CTL.chunkCount >>> 2]!++
  return true
}

/** Drops the rows that end before `timeMs`; returns how many. */
export function dropRows(mem: HeadMemory, allocator: Allocator, list: number, timeMs: number): number {
  const { u32, f64 } = mem
  const count = u32[(list + ROW_LIST.count) >>> 2]!
  const rows = u32[(list + ROW_LIST.rows) >>> 2]!
  let gone = 0
  while (gone < count && f64[(rows + gone * ROW_BYTES + ROW.maxTime) >>> 3]! < timeMs) {
    const row = rows + gone * ROW_BYTES
    allocator.retire(u32[row >>> 2]!)
    gone++
  }
  if (gone === 0) return 0
  u32.copyWithin(rows >>> 2, (rows + gone * ROW_BYTES) >>> 2, (rows + count * ROW_BYTES) >>> 2)
  u32[(list + ROW_LIST.count) >>> 2] = count - gone
  u32[CTL.chunkCount >>> 2]! -= gone
  if (gone === count) {
    allocator.retire(rows)
    u32[(list + ROW_LIST.rows) >>> 2] = 0
    u32[(list + ROW_LIST.capacity) >>> 2] = 0
  }
  return gone
}
