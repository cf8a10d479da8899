// Writes an index of version 2: symbols, series, postings, their offset table, table of contents. Symbols come in order, then series in
// order of label sets. Holds 8 bytes a label of each series and 8 a symbol until the end.
import { ByteWriter } from '../wal/bytes.ts'
import { FileWriter } from '../block/files.ts'
import { HEADER_BYTES, MAGIC, SERIES_ALIGN, VERSION_2, type ChunkRef, type Toc } from './format.ts'

const U32_MAX = 2 ** 32 - 1
/** Bytes read back at once when symbols are looked up. */
const WINDOW_BYTES = 64 * 1024

export class IndexWriter {
  readonly #file: FileWriter
  readonly #bytes = new ByteWriter(new Uint8Array(4096))
  readonly #toc: { -readonly [K in keyof Toc]: number } = {
    symbols: HEADER_BYTES,
    series: 0,
    labelIndices: 0,
    labelIndicesTable: 0,
    postings: 0,
    postingsTable: 0,
  }
  #symbolCount = 0
  /** Offsets of symbols, and their end. */
  #symbolAt = new Float64Array(1024)
  #stage: 'symbols' | 'series' | 'done' = 'symbols'
  /** Series references in order. */
  #refs = new Uint32Array(1024)
  #seriesCount = 0
  /** Pairs of all series one after the other, and where those of each series begin. */
  #pairs = new Uint32Array(8192)
  #pairsEnd = 0
  #pairsAt = new Float64Array(1025)
  /** Number of a pair by name symbol × 2^32 + value symbol; pairs count from 0 in order of appearance. */
  readonly #pairIds = new Map<number, number>()
  #window = new Uint8Array(0)
  #windowAt = 0

  constructor(path: string) {
    this.#file = new FileWriter(path)
    this.#file.be32(MAGIC)
    this.#file.put(Uint8Array.of(VERSION_2))
    // Length and count come when they are known.
    this.#file.be32(0)
    this.#file.be32(0)
  }

  get symbolCount(): number {
    return this.#symbolCount
  }

  /** Adds the next symbol in UTF-8 byte order; returns its number. */
  addSymbol(text: string): number {
    if (this.#stage !== 'symbols') throw new Error('BUG: a symbol after series')
    const bytes = this.#room(text.length * 3 + 5)
    bytes.string(text)
    if (this.#symbolCount + 2 > this.#symbolAt.length) {
      const grown = new Float64Array(this.#symbolAt.length * 2)
      grown.set(this.#symbolAt)
      this.#symbolAt = grown
    }
    this.#symbolAt[this.#symbolCount] = this.#file.position
    this.#file.put(bytes.bytes, 0, bytes.position)
    return this.#symbolCount++
  }

  /** `symbols` = `labelCount` names and values in turn. Series come in order of label sets, chunks in order of time and reference. */
  addSeries(symbols: ArrayLike<number>, labelCount: number, chunks: readonly ChunkRef[]): void {
    if (this.#stage === 'symbols') this.#endSymbols()
    const bytes = this.#room(30 + labelCount * 10 + chunks.length * 30)
    bytes.uvarint(labelCount)
    for (let i = 0; i < labelCount * 2; i++) bytes.uvarint(symbols[i]!)
    bytes.uvarint(chunks.length)
    let time = 0
    let ref = 0
    for (let i = 0; i < chunks.length; i++) {
      const chunk = chunks[i]!
      if (i === 0) bytes.varint(chunk.minTime)
      else bytes.uvarint(chunk.minTime - time)
      bytes.uvarint(chunk.maxTime - chunk.minTime)
      if (i === 0) bytes.uvarint(chunk.ref)
      else bytes.varint(chunk.ref - ref)
      time = chunk.maxTime
      ref = chunk.ref
    }
    this.#file.pad(SERIES_ALIGN)
    this.#addToPostings(this.#file.position / SERIES_ALIGN, symbols, labelCount)
    length.position = 0
    length.uvarint(bytes.position)
    this.#file.put(length.bytes, 0, length.position)
    this.#file.beginChecksum()
    this.#file.put(bytes.bytes, 0, bytes.position)
    this.#file.putChecksum()
  }

  /** Writes the rest and makes the file durable. */
  finish(): void {
    if (this.#stage === 'symbols') this.#endSymbols()
    this.#stage = 'done'
    const file = this.#file
    const toc = this.#toc
    toc.labelIndices = file.position
    toc.postings = file.position
    const table = this.#writePostings()
    toc.labelIndicesTable = file.position
    toc.postingsTable = file.position
    this.#writeTable(table)
    const bytes = this.#room(64)
    for (const offset of [
      toc.symbols,
      toc.series,
      toc.labelIndices,
      toc.labelIndicesTable,
      toc.postings,
      toc.postingsTable,
    ])
      bytes.be64(offset)
    file.beginChecksum()
    file.put(bytes.bytes, 0, bytes.position)
    file.putChecksum()
    file.close()
  }

  abandon(): void {
    this.#file.abandon()
  }

  #endSymbols(): void {
    const file = this.#file
    const end = file.position
    this.#symbolAt[this.#symbolCount] = end
    const size = end - this.#toc.symbols - 4
    if (size > U32_MAX) throw new Error(`symbol table size exceeds ${U32_MAX} bytes: ${size}`)
    file.patch32(this.#toc.symbols, size)
    file.patch32(this.#toc.symbols + 4, this.#symbolCount)
    // The count stands before the symbols under one checksum: it is taken again over what is written.
    file.putSumOf(this.#toc.symbols + 4, end)
    this.#toc.series = file.position
    this.#stage = 'series'
  }

  #addToPostings(ref: number, symbols: ArrayLike<number>, labelCount: number): void {
    if (ref > U32_MAX) throw new Error('index exceeds 64 GiB')
    const n = this.#seriesCount
    if (n === this.#refs.length) {
      const refs = new Uint32Array(n * 2)
      refs.set(this.#refs)
      this.#refs = refs
      const at = new Float64Array(n * 2 + 1)
      at.set(this.#pairsAt)
      this.#pairsAt = at
    }
    this.#refs[n] = ref
    if (this.#pairsEnd + labelCount > this.#pairs.length) {
      const pairs = new Uint32Array(Math.max(this.#pairs.length * 1.5, this.#pairsEnd + labelCount))
      pairs.set(this.#pairs)
      this.#pairs = pairs
    }
    for (let i = 0; i < labelCount; i++) {
      const key = symbols[2 * i]! * 2 ** 32 + symbols[2 * i + 1]!
      let id = this.#pairIds.get(key)
      if (id === undefined) {
        id = this.#pairIds.size
        this.#pairIds.set(key, id)
      }
      this.#pairs[this.#pairsEnd++] = id
    }
    this.#seriesCount = n + 1
    this.#pairsAt[n + 1] = this.#pairsEnd
  }

  /** Writes all lists; returns pairs in order and where the list of each is. */
  #writePostings(): { keys: Float64Array; offsets: Float64Array } {
    const file = this.#file
    const pairCount = this.#pairIds.size
    const starts = new Uint32Array(pairCount + 1)
    for (let i = 0; i < this.#pairsEnd; i++) starts[this.#pairs[i]! + 1]!++
    for (let i = 0; i < pairCount; i++) starts[i + 1]! += starts[i]!
    const fill = starts.slice()
    const members = new Uint32Array(this.#pairsEnd)
    for (let series = 0; series < this.#seriesCount; series++)
      for (let p = this.#pairsAt[series]!; p < this.#pairsAt[series + 1]!; p++)
        members[fill[this.#pairs[p]!]!++] = this.#refs[series]!
    file.pad(4)
    const keys = new Float64Array(pairCount + 1)
    const offsets = new Float64Array(pairCount + 1)
    keys[0] = -1
    offsets[0] = file.position
    this.#writeList(this.#refs, 0, this.#seriesCount)
    // Symbols are numbered in order, so numbers sort as their texts do.
    const sorted = Float64Array.from(this.#pairIds.keys()).sort()
    for (let i = 0; i < pairCount; i++) {
      const id = this.#pairIds.get(sorted[i]!)!
      file.pad(4)
      keys[i + 1] = sorted[i]!
      offsets[i + 1] = file.position
      this.#writeList(members, starts[id]!, starts[id + 1]!)
    }
    return { keys, offsets }
  }

  #writeList(refs: Uint32Array, from: number, to: number): void {
    const file = this.#file
    file.be32(4 + 4 * (to - from))
    file.beginChecksum()
    file.be32(to - from)
    const bytes = this.#room(4 * 1024)
    for (let i = from; i < to;) {
      bytes.position = 0
      for (let stop = Math.min(to, i + 1024); i < stop; i++) bytes.be32(refs[i]!)
      file.put(bytes.bytes, 0, bytes.position)
    }
    file.putChecksum()
  }

  #writeTable({ keys, offsets }: { keys: Float64Array; offsets: Float64Array }): void {
    const file = this.#file
    const start = file.position
    file.be32(0)
    file.beginChecksum()
    file.be32(keys.length)
    let name = EMPTY
    let nameNumber = -1
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      if (key >= 0 && Math.floor(key / 2 ** 32) !== nameNumber) {
        nameNumber = Math.floor(key / 2 ** 32)
        name = this.#symbol(nameNumber).slice()
      }
      const value = key < 0 ? EMPTY : this.#symbol(key % 2 ** 32)
      const bytes = this.#room(name.length + value.length + 30)
      bytes.uvarint(2)
      bytes.uvarint(name.length)
      bytes.bytes.set(name, bytes.position)
      bytes.position += name.length
      bytes.uvarint(value.length)
      bytes.bytes.set(value, bytes.position)
      bytes.position += value.length
      bytes.uvarint(offsets[i]!)
      file.put(bytes.bytes, 0, bytes.position)
    }
    const crc = file.checksum
    const size = file.position - start - 4
    if (size > U32_MAX) throw new Error(`postings offset table exceeds ${U32_MAX} bytes: ${size}`)
    file.be32(crc)
    file.patch32(start, size)
  }

  /** UTF-8 of a symbol, read back from the file; overwritten by a later call. */
  #symbol(number: number): Uint8Array {
    const start = this.#symbolAt[number]!
    const end = this.#symbolAt[number + 1]!
    if (start < this.#windowAt || end > this.#windowAt + this.#window.length) {
      const last = this.#symbolAt[this.#symbolCount]!
      this.#window = new Uint8Array(Math.min(Math.max(end - start, WINDOW_BYTES), last - start))
      this.#windowAt = start
      this.#file.readBack(this.#window, start)
    }
    let at = start - this.#windowAt
    while (this.#window[at]! >= 0x80) at++
    return this.#window.subarray(at + 1, end - this.#windowAt)
  }

  /** The scratch writer, empty, with room for so many bytes. */
  #room(bytes: number): ByteWriter {
    if (this.#bytes.bytes.length < bytes) this.#bytes.bytes = new Uint8Array(bytes * 2)
    this.#bytes.position = 0
    return this.#bytes
  }
}

const EMPTY = new Uint8Array(0)
const length = new ByteWriter(new Uint8Array(10))
