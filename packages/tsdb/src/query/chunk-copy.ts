// A consistent copy of what a query selects from the head: label ids, chunk references, and the bytes of open chunks. Data plane.
// Filled inside `Pin.consistent`; closed chunks are copied afterwards, the pin keeps them in place.
import { CHUNK_ENCODING, CHUNK_ROW_BYTES, type ByteArena } from '@watchfire/datamodel'
import { CTL, HISTOGRAM_OPEN, ROW, ROW_BYTES, ROW_LIST, SERIES, SERIES_FLAG, XOR } from '../head/layout.ts'
import type { HeadMemory } from '../head/head-memory.ts'

/** Longer open chunks or row lists are torn. */
const OPEN_BYTES_MAX = 16 * 1024 * 1024
const ROWS_MAX = 16 * 1024 * 1024

export class ChunkCopy {
  readonly #mem: HeadMemory
  count = 0
  labelIds = new Uint32Array(256)
  labelStart = new Uint32Array(64)
  /** Rows of series i: [rowStart[i], rowStart[i+1]). */
  rowStart = new Uint32Array(64)
  rowCount = 0
  /** Address in the head, or offset in `#open` where `#isOpen` is 1. */
  #address = new Uint32Array(64)
  #length = new Uint32Array(64)
  #encoding = new Uint8Array(64)
  #isOpen = new Uint8Array(64)
  #minTime = new Float64Array(64)
  #maxTime = new Float64Array(64)
  #open = new Uint8Array(4096)
  #openLength = 0

  constructor(mem: HeadMemory) {
    this.#mem = mem
  }

  clear(): void {
    this.count = 0
    this.rowCount = 0
    this.#openLength = 0
    this.labelStart[0] = 0
    this.rowStart[0] = 0
  }

  /** Adds the series if it has chunks that overlap [minTime, maxTime]. Throws on torn data. */
  add(slot: number, labels: { at: number; count: number }, minTime: number, maxTime: number): void {
    const { u32, f64 } = this.#mem
    const series = this.#mem.seriesAddress(slot)
    const firstRow = this.rowCount
    const n = u32[(series + SERIES.rowCount) >>> 2]!
    if (n > ROWS_MAX) throw new Error('BUG: torn chunk rows')
    const rows = u32[(series + SERIES.rows) >>> 2]!
    for (let i = firstOverlap(f64, rows, n, minTime); i < n; i++) {
      const row = rows + i * ROW_BYTES
      const first = f64[(row + ROW.minTime) >>> 3]!
      if (!(first <= maxTime)) break
      const packed = u32[(row + ROW.lengthEncoding) >>> 2]!
      this.#push(u32[row >>> 2]!, packed & 0xffffff, packed >>> 24, first, f64[(row + ROW.maxTime) >>> 3]!, 0)
    }
    const encoding = u32[(series + SERIES.flags) >>> 2]! & SERIES_FLAG.encodingMask
    if (encoding !== 0) this.#addOpen(series, encoding, minTime, maxTime)
    if (this.rowCount > firstRow) this.#endSeries(labels)
  }

  /** Adds the series if it has out-of-order chunks that overlap [minTime, maxTime], all or the sealed ones; in order of first times. */
  addLate(
    slot: number,
    labels: { at: number; count: number },
    minTime: number,
    maxTime: number,
    sealedOnly = false,
  ): void {
    const { u32, f64 } = this.#mem
    const rows: number[] = []
    for (const table of sealedOnly ? [CTL.sealedLate] : [CTL.sealedLate, CTL.late]) {
      const list = this.#mem.lateList(slot, table)
      if (list === 0) continue
      const n = u32[(list + ROW_LIST.count) >>> 2]!
      if (n > ROWS_MAX) throw new Error('BUG: torn chunk rows')
      const first = u32[(list + ROW_LIST.rows) >>> 2]!
      for (let row = first; row < first + n * ROW_BYTES; row += ROW_BYTES)
        if (f64[(row + ROW.minTime) >>> 3]! <= maxTime && f64[(row + ROW.maxTime) >>> 3]! >= minTime)
          rows.push(row)
    }
    if (rows.length === 0) return
    rows.sort((a, b) => f64[(a + ROW.minTime) >>> 3]! - f64[(b + ROW.minTime) >>> 3]! || a - b)
    for (const row of rows) {
      const packed = u32[(row + ROW.lengthEncoding) >>> 2]!
      const [from, to] = [f64[(row + ROW.minTime) >>> 3]!, f64[(row + ROW.maxTime) >>> 3]!]
      this.#push(u32[row >>> 2]!, packed & 0xffffff, packed >>> 24, from, to, 0)
    }
    this.#endSeries(labels)
  }

  #endSeries(labels: { at: number; count: number }): void {
    const { u32 } = this.#mem
    const i = this.count
    if (i + 2 > this.rowStart.length) {
      this.rowStart = grown(this.rowStart, i + 2)
      this.labelStart = grown(this.labelStart, i + 2)
    }
    const start = this.labelStart[i]!
    if (start + labels.count > this.labelIds.length)
      this.labelIds = grown(this.labelIds, start + labels.count)
    for (let k = 0; k < labels.count; k++) this.labelIds[start + k] = u32[labels.at + k]!
    this.labelStart[i + 1] = start + labels.count
    this.rowStart[i + 1] = this.rowCount
    this.count = i + 1
  }

  /** Writes table and bytes of all chunks to the arena, series in the given order; returns the table's address. */
  writeTo(arena: ByteArena, order: Uint32Array, chunkStart: Uint32Array): number {
    let rows = 0
    let bytes = 0
    for (const i of order)
      for (let r = this.rowStart[i]!; r < this.rowStart[i + 1]!; r++) {
        rows++
        bytes += (this.#length[r]! + 7) & ~7
      }
    const table = arena.alloc(rows * CHUNK_ROW_BYTES)
    let at = arena.alloc(bytes)
    const buffer = arena.bytes().buffer
    const u8 = new Uint8Array(buffer)
    const u32 = new Uint32Array(buffer, 0, buffer.byteLength >>> 2)
    const f64 = new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8))
    let row = table
    chunkStart[0] = 0
    for (let k = 0; k < order.length; k++) {
      const i = order[k]!
      for (let r = this.rowStart[i]!; r < this.rowStart[i + 1]!; r++) {
        const length = this.#length[r]!
        const address = this.#address[r]!
        if (this.#isOpen[r] === 1) u8.set(this.#open.subarray(address, address + length), at)
        else copyWords(this.#mem.u32, address >>> 2, u32, at >>> 2, (length + 3) >>> 2)
        const w = row >>> 2
        u32[w] = at
        u32[w + 1] = length
        u32[w + 2] = this.#encoding[r]!
        u32[w + 3] = (u8[at]! << 8) | u8[at + 1]!
        f64[(row + 16) >>> 3] = this.#minTime[r]!
        f64[(row + 24) >>> 3] = this.#maxTime[r]!
        u32.fill(0, w + 8, w + 12)
        at += (length + 7) & ~7
        row += CHUNK_ROW_BYTES
      }
      chunkStart[k + 1] = (row - table) / CHUNK_ROW_BYTES
    }
    return table
  }

  #addOpen(series: number, encoding: number, minTime: number, maxTime: number): void {
    const { u8, u32, f64 } = this.#mem
    let state = series + SERIES.xor
    let first = f64[(state + XOR.firstTime) >>> 3]!
    if (encoding !== CHUNK_ENCODING.xor) {
      const block = u32[(series + SERIES.histogramState) >>> 2]!
      state = block + u32[(block + HISTOGRAM_OPEN.stateOffset) >>> 2]!
      first = f64[(block + HISTOGRAM_OPEN.firstTime) >>> 3]!
    }
    const last = f64[(series + SERIES.lastTime) >>> 3]!
    if (!(first <= maxTime && last >= minTime)) return
    const chunk = u32[(state + XOR.chunk) >>> 2]!
    const length = (u32[(state + XOR.bits) >>> 2]! + 7) >>> 3
    if (length > OPEN_BYTES_MAX) throw new Error('BUG: torn open chunk')
    const at = this.#openLength
    if (at + length > this.#open.length) {
      const open = new Uint8Array(Math.max(at + length, this.#open.length * 2))
      open.set(this.#open)
      this.#open = open
    }
    for (let i = 0; i < length; i++) this.#open[at + i] = u8[chunk + i]!
    this.#openLength = at + length
    this.#push(at, length, encoding, first, last, 1)
  }

  #push(
    address: number,
    length: number,
    encoding: number,
    minTime: number,
    maxTime: number,
    open: number,
  ): void {
    const r = this.rowCount
    if (r === this.#address.length) {
      this.#address = grown(this.#address, r + 1)
      this.#length = grown(this.#length, r + 1)
      this.#encoding = grown(this.#encoding, r + 1)
      this.#isOpen = grown(this.#isOpen, r + 1)
      this.#minTime = grown(this.#minTime, r + 1)
      this.#maxTime = grown(this.#maxTime, r + 1)
    }
    this.#address[r] = address
    this.#length[r] = length
    this.#encoding[r] = encoding
    this.#isOpen[r] = open
    this.#minTime[r] = minTime
    this.#maxTime[r] = maxTime
    this.rowCount = r + 1
  }
}

/** First row that ends at or after `minTime`; rows stand in order of time. */
function firstOverlap(f64: Float64Array, rows: number, n: number, minTime: number): number {
  let low = 0
  let high = n
  while (low < high) {
    const middle = (low + high) >>> 1
    if (f64[(rows + middle * ROW_BYTES + ROW.maxTime) >>> 3]! < minTime) low = middle + 1
    else high = middle
  }
  return low
}

function copyWords(from: Uint32Array, at: number, to: Uint32Array, into: number, count: number): void {
  for (let i = 0; i < count; i++) to[into + i] = from[at + i]!
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(array: T, least: number): T {
  const next = new (array.constructor as new (length: number) => T)(Math.max(least, array.length * 2))
  next.set(array)
  return next
}
