// What grows while a selection is made: numbers, and rows of a chunk table, which are written to the arena at once. Data plane.
import { CHUNK_ROW_BYTES, type ByteArena } from '@watchfire/datamodel'
import type { ChunkRow } from './chunk-edit.ts'

/** A growing list of u32. */
export class NumberList {
  #values = new Uint32Array(256)
  length = 0

  push(value: number): void {
    if (this.length === this.#values.length) {
      const values = new Uint32Array(this.length * 2)
      values.set(this.#values)
      this.#values = values
    }
    this.#values[this.length++] = value
  }

  values(): Uint32Array {
    return this.#values.subarray(0, this.length)
  }
}

const ROW_WORDS = CHUNK_ROW_BYTES / 4

export class RowList {
  #words = new Uint32Array(64 * ROW_WORDS)
  #doubles = new Float64Array(this.#words.buffer)
  count = 0

  push(
    address: number,
    length: number,
    encoding: number,
    samples: number,
    minTime: number,
    maxTime: number,
    flags: number,
  ): void {
    const w = this.#grow()
    this.#words[w] = address
    this.#words[w + 1] = length
    this.#words[w + 2] = encoding
    this.#words[w + 3] = samples
    this.#doubles[(w >>> 1) + 2] = minTime
    this.#doubles[(w >>> 1) + 3] = maxTime
    this.#words[w + 8] = flags
  }

  pushRow(row: ChunkRow): void {
    this.push(row.address, row.length, row.encoding, row.count, row.minTime, row.maxTime, row.flags)
  }

  /** A row of a table that lies in the arena already. */
  pushFrom(arena: ByteArena, table: number, row: number): void {
    const w = this.#grow()
    this.#words.set(new Uint32Array(arena.memory.buffer, table + row * CHUNK_ROW_BYTES, ROW_WORDS), w)
  }

  minTime(row: number): number {
    return this.#doubles[(row * ROW_WORDS) / 2 + 2]!
  }

  maxTime(row: number): number {
    return this.#doubles[(row * ROW_WORDS) / 2 + 3]!
  }

  /** Orders the rows from `from` on by first time; equal ones stay as they were. True when some overlap. */
  sortFrom(from: number): boolean {
    let sorted = true
    let overlapping = false
    for (let i = from + 1; i < this.count; i++) {
      if (this.minTime(i) < this.minTime(i - 1)) sorted = false
      if (this.minTime(i) <= this.maxTime(i - 1)) overlapping = true
    }
    if (sorted) return overlapping
    const order = Array.from({ length: this.count - from }, (_, i) => from + i)
    order.sort((a, b) => this.minTime(a) - this.minTime(b) || a - b)
    const copy = this.#words.slice(from * ROW_WORDS, this.count * ROW_WORDS)
    let end = -Infinity
    overlapping = false
    order.forEach((row, i) => {
      const at = (row - from) * ROW_WORDS
      this.#words.set(copy.subarray(at, at + ROW_WORDS), (from + i) * ROW_WORDS)
      if (this.minTime(from + i) <= end) overlapping = true
      end = Math.max(end, this.maxTime(from + i))
    })
    return overlapping
  }

  /** Writes the table; returns its address. */
  writeTo(arena: ByteArena): number {
    const table = arena.alloc(this.count * CHUNK_ROW_BYTES)
    new Uint32Array(arena.memory.buffer, table, this.count * ROW_WORDS).set(
      this.#words.subarray(0, this.count * ROW_WORDS),
    )
    return table
  }

  #grow(): number {
    const w = this.count * ROW_WORDS
    if (w + ROW_WORDS > this.#words.length) {
      const words = new Uint32Array(this.#words.length * 2)
      words.set(this.#words)
      this.#words = words
      this.#doubles = new Float64Array(words.buffer)
    }
    this.count++
    return w
  }
}
