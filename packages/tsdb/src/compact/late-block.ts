// Makes a block of the head's out-of-order samples that are sealed. Their chunks overlap, so those of a series are merged and encoded anew.
import { threadId } from 'node:worker_threads'
import { CHUNK_ROW_BYTES } from '@watchfire/datamodel'
import { createArena, type Arena } from '@watchfire/kernels'
import { BlockWriter } from '../block/block-writer.ts'
import { withoutIntervals } from '../block/chunk-edit.ts'
import { HINT_OUT_OF_ORDER, type BlockMeta } from '../block/meta.ts'
import type { DbHandle } from '../contract.ts'
import { CTL } from '../head/layout.ts'
import { openHeadMemory, type HeadMemory } from '../head/head-memory.ts'
import { Pin } from '../head/pins.ts'
import { ChunkCopy } from '../query/chunk-copy.ts'
import { encodeMerged, type DecodedChunk } from './chunk-encoder.ts'
import { HeadSeries, type HeadRange } from './head-block.ts'

/** Memory for the chunks of one series. */
const ARENA_BYTES = 512 * 1024 * 1024

/** As `writeHeadBlock`, of the sealed out-of-order samples of a range. */
export function writeLateBlock(
  handle: DbHandle,
  dir: string,
  ulid: string,
  range: HeadRange,
  options: { readonly segmentBytes?: number | undefined } = {},
): BlockMeta | undefined {
  const mem = openHeadMemory(handle.shards[0]!)
  const pin = new Pin(mem, threadId)
  let writer: BlockWriter | undefined
  pin.take()
  try {
    const series = new HeadSeries(mem, pin, () => lateSlots(mem))
    if (series.slots.length === 0) return undefined
    writer = new BlockWriter(dir, ulid, options)
    series.writeSymbols(writer)
    series.sort()
    const arena = createArena(ARENA_BYTES)
    const symbols: number[] = []
    for (const slot of series.slots) {
      writeSeries(mem, pin, series, slot, range, arena, writer)
      writer.endSeries(symbols, series.labelNumbers(slot, symbols))
    }
    return writer.finish(range.minTime, range.maxTime, { hints: [HINT_OUT_OF_ORDER] })
  } catch (error) {
    writer?.abandon()
    throw error
  } finally {
    pin.release()
    pin.close()
  }
}

function lateSlots(mem: HeadMemory): Uint32Array {
  const slots: number[] = []
  const end = mem.u32[CTL.seriesSlots >>> 2]!
  for (let slot = 1; slot < end; slot++) if (mem.lateList(slot, CTL.sealedLate) !== 0) slots.push(slot)
  return Uint32Array.from(slots)
}

function writeSeries(
  mem: HeadMemory,
  pin: Pin,
  series: HeadSeries,
  slot: number,
  { minTime, maxTime }: HeadRange,
  arena: Arena,
  writer: BlockWriter,
): void {
  const copy = new ChunkCopy(mem)
  pin.consistent(() => {
    copy.clear()
    copy.addLate(slot, series.labelList(slot), minTime, maxTime - 1, true)
  })
  if (copy.count === 0) return
  const mark = arena.mark()
  const chunkStart = new Uint32Array(2)
  const table = copy.writeTo(arena, Uint32Array.of(0), chunkStart)
  const decoded: DecodedChunk[] = []
  for (let row = 0; row < chunkStart[1]!; row++) {
    const at = table + row * CHUNK_ROW_BYTES
    const [address, length, encoding] = new Uint32Array(arena.memory.buffer, at, 3) as unknown as [
      number,
      number,
      number,
    ]
    const cut = withoutIntervals(arena, encoding, address, length, [
      { minTime: -Infinity, maxTime: minTime - 1 },
      { minTime: maxTime, maxTime: Infinity },
    ])
    if (cut) decoded.push({ row: cut, integer: false })
  }
  if (decoded.length > 0) encodeMerged(arena, decoded, writer.addChunk.bind(writer))
  arena.release(mark)
}
