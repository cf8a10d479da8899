// Cuts a block from the head: all samples of a range that takes no more samples. Works from any thread on the shared memory, and pins it
// for the whole time, so that label sets stay where they are; chunks are copied batch by batch.
import { threadId } from 'node:worker_threads'
import { CHUNK_ENCODING, CHUNK_ROW_BYTES, compareUtf8 } from '@watchfire/datamodel'
import { createArena, type Arena } from '@watchfire/kernels'
import { BlockWriter } from '../block/block-writer.ts'
import { withoutIntervals } from '../block/chunk-edit.ts'
import type { BlockMeta } from '../block/meta.ts'
import type { DbHandle } from '../contract.ts'
import { HISTOGRAM_OPEN, ROW, SERIES, SERIES_FLAG, XOR, CTL } from '../head/layout.ts'
import { openHeadMemory, type HeadMemory } from '../head/head-memory.ts'
import { PairTable } from '../head/pairs.ts'
import { Pin } from '../head/pins.ts'
import { SymbolTable } from '../head/symbols.ts'
import { ChunkCopy } from '../query/chunk-copy.ts'
import { encodeMerged } from './chunk-encoder.ts'

/** Series whose chunks are copied at once. */
const BATCH = 256
/** Memory for the chunks of a batch. */
const ARENA_BYTES = 1024 * 1024 * 1024

/** The range [minTime, maxTime) of the head's samples, ms. */
export interface HeadRange {
  readonly minTime: number
  readonly maxTime: number
}

/** Writes the block `ulid` of a range into a data directory; undefined when it has no samples. Leaves nothing behind when it throws. */
export function writeHeadBlock(
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
    const series = new HeadSeries(mem, pin, () => liveSlots(mem, range.maxTime))
    if (series.slots.length === 0) return undefined
    writer = new BlockWriter(dir, ulid, options)
    series.writeSymbols(writer)
    series.sort()
    const arena = createArena(ARENA_BYTES)
    for (let from = 0; from < series.slots.length; from += BATCH)
      writeBatch(mem, pin, series, from, range, arena, writer)
    return writer.finish(range.minTime, range.maxTime)
  } catch (error) {
    writer?.abandon()
    throw error
  } finally {
    pin.release()
    pin.close()
  }
}

/** Series of the head in order of label sets, and the numbers of their symbols in the block. */
export class HeadSeries {
  readonly #mem: HeadMemory
  readonly #pairs: PairTable
  readonly #symbols: SymbolTable
  /** By symbol id. */
  #numbers = new Uint32Array(0)
  slots: Uint32Array

  /** `find` lists the slots, in any order. */
  constructor(mem: HeadMemory, pin: Pin, find: () => Uint32Array) {
    this.#mem = mem
    this.#symbols = new SymbolTable(mem)
    this.#pairs = new PairTable(mem)
    this.slots = pin.consistent(find)
  }

  /** Place and length of a series' list of pairs. */
  labelList(slot: number): { at: number; count: number } {
    const { u32 } = this.#mem
    const list = u32[(this.#mem.seriesAddress(slot) + SERIES.labels) >>> 2]! >>> 2
    return { at: list + 1, count: u32[list]! }
  }

  /** Names and values of a series in turn as numbers; overwrites `into`, returns the number of labels. */
  labelNumbers(slot: number, into: number[]): number {
    const { at, count } = this.labelList(slot)
    const { u32 } = this.#mem
    for (let i = 0; i < count; i++) {
      into[2 * i] = this.#numbers[this.#pairs.name(u32[at + i]!)]!
      into[2 * i + 1] = this.#numbers[this.#pairs.value(u32[at + i]!)]!
    }
    return count
  }

  writeSymbols(writer: BlockWriter): void {
    const { u32 } = this.#mem
    const used = new Uint8Array(u32[CTL.symbolSlots >>> 2]!)
    for (const slot of this.slots) {
      const { at, count } = this.labelList(slot)
      for (let i = at; i < at + count; i++) {
        used[this.#pairs.name(u32[i]!)] = 1
        used[this.#pairs.value(u32[i]!)] = 1
      }
    }
    const texts: { readonly id: number; readonly text: string }[] = []
    for (let id = 1; id < used.length; id++)
      if (used[id] === 1) texts.push({ id, text: this.#symbols.text(id) })
    texts.sort((a, b) => compareUtf8(a.text, b.text))
    this.#numbers = new Uint32Array(used.length)
    for (const { id, text } of texts) this.#numbers[id] = writer.addSymbol(text)
  }

  sort(): void {
    this.slots.sort((a, b) => {
      const x = this.labelList(a)
      const y = this.labelList(b)
      const { u32 } = this.#mem
      for (let i = 0; i < Math.min(x.count, y.count); i++) {
        const p = u32[x.at + i]!
        const q = u32[y.at + i]!
        if (p === q) continue
        const names = this.#numbers[this.#pairs.name(p)]! - this.#numbers[this.#pairs.name(q)]!
        if (names !== 0) return names
        return this.#numbers[this.#pairs.value(p)]! - this.#numbers[this.#pairs.value(q)]!
      }
      return x.count - y.count
    })
  }
}

function liveSlots(mem: HeadMemory, maxTime: number): Uint32Array {
  const { u32 } = mem
  const end = u32[CTL.seriesSlots >>> 2]!
  const slots = new Uint32Array(u32[CTL.seriesCount >>> 2]!)
  const both = SERIES_FLAG.live | SERIES_FLAG.published
  let n = 0
  for (let slot = 1; slot < end && n < slots.length; slot++) {
    const flags = u32[(mem.seriesAddress(slot) + SERIES.flags) >>> 2]!
    if ((flags & both) === both && firstTime(mem, slot) < maxTime) slots[n++] = slot
  }
  return slots.slice(0, n)
}

/** First time of a series' oldest chunk, Infinity when it has none. */
function firstTime(mem: HeadMemory, slot: number): number {
  const { u32, f64 } = mem
  const series = mem.seriesAddress(slot)
  if (u32[(series + SERIES.rowCount) >>> 2]! > 0)
    return f64[(u32[(series + SERIES.rows) >>> 2]! + ROW.minTime) >>> 3]!
  const encoding = u32[(series + SERIES.flags) >>> 2]! & SERIES_FLAG.encodingMask
  if (encoding === 0) return Infinity
  if (encoding === CHUNK_ENCODING.xor) return f64[(series + SERIES.xor + XOR.firstTime) >>> 3]!
  return f64[(u32[(series + SERIES.histogramState) >>> 2]! + HISTOGRAM_OPEN.firstTime) >>> 3]!
}

function writeBatch(
  mem: HeadMemory,
  pin: Pin,
  series: HeadSeries,
  from: number,
  range: HeadRange,
  arena: Arena,
  writer: BlockWriter,
): void {
  const copy = new ChunkCopy(mem)
  const slots: number[] = []
  const last = range.maxTime - 1
  pin.consistent(() => {
    copy.clear()
    slots.length = 0
    for (const slot of series.slots.subarray(from, from + BATCH)) {
      const before = copy.count
      copy.add(slot, series.labelList(slot), range.minTime, last)
      if (copy.count > before) slots.push(slot)
    }
  })
  const mark = arena.mark()
  const chunkStart = new Uint32Array(slots.length + 1)
  const table = copy.writeTo(
    arena,
    Uint32Array.from(slots, (_, i) => i),
    chunkStart,
  )
  const symbols: number[] = []
  slots.forEach((slot, i) => {
    for (let row = chunkStart[i]!; row < chunkStart[i + 1]!; row++)
      writeRow(arena, table + row * CHUNK_ROW_BYTES, range, writer)
    writer.endSeries(symbols, series.labelNumbers(slot, symbols))
  })
  arena.release(mark)
}

/** Writes one chunk; one that reaches over the range's edges is cut. */
function writeRow(arena: Arena, row: number, { minTime, maxTime }: HeadRange, writer: BlockWriter): void {
  const view = new DataView(arena.memory.buffer, row)
  const [address, length, encoding] = [0, 4, 8].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
  ]
  const first = view.getFloat64(16, true)
  const last = view.getFloat64(24, true)
  if (first >= minTime && last < maxTime) {
    writer.addChunk(encoding, first, last, arena.bytes(), address, address + length)
    return
  }
  const mark = arena.mark()
  const cut = withoutIntervals(arena, encoding, address, length, [
    { minTime: -Infinity, maxTime: minTime - 1 },
    { minTime: maxTime, maxTime: Infinity },
  ])
  if (cut)
    encodeMerged(
      arena,
      [{ row: cut, integer: encoding === CHUNK_ENCODING.histogram }],
      writer.addChunk.bind(writer),
    )
  arena.release(mark)
}
