// An index file, versions 1 and 2, read by position: nothing of it is held whole but what `SymbolReader` and `PostingsTable` remember.
// Sections are opened when they are first needed, each with its checksum.
import { CorruptionError } from '../block/corruption.ts'
import { crc32c } from '../block/crc32c.ts'
import { ByteReader } from '../wal/bytes.ts'
import { CRC_BYTES, MAGIC, SERIES_ALIGN, TOC_BYTES, VERSION_1, VERSION_2, type Toc } from './format.ts'
import { PagedFile } from './paged-file.ts'
import { PostingsTable } from './postings-table.ts'
import { NO_POSTINGS } from './postings.ts'
import { SymbolReader } from './symbols.ts'

/** Read first for a series. */
const SERIES_PROBE_BYTES = 512

/** A series' entry; the arrays are reused from read to read and longer than `labelCount` and `chunkCount` say. */
export interface SeriesEntry {
  /** Names and values in turn, as references of symbols. */
  readonly symbols: number[]
  labelCount: number
  readonly minTimes: number[]
  readonly maxTimes: number[]
  readonly chunkRefs: number[]
  chunkCount: number
}

export function seriesEntry(): SeriesEntry {
  return { symbols: [], labelCount: 0, minTimes: [], maxTimes: [], chunkRefs: [], chunkCount: 0 }
}

export class IndexReader {
  readonly path: string
  readonly #file: PagedFile
  readonly version: number
  readonly toc: Toc
  #symbols: SymbolReader | undefined
  #table: PostingsTable | undefined
  readonly #reader = new ByteReader()

  /** Opens the file and checks header and table of contents. Throws CorruptionError. */
  constructor(path: string) {
    this.path = path
    this.#file = new PagedFile(path)
    try {
      const head = this.#file.view(0, 5)
      const magic = ((head[0]! << 24) | (head[1]! << 16) | (head[2]! << 8) | head[3]!) >>> 0
      if (magic !== MAGIC) throw new CorruptionError(path, 0, `invalid magic number ${magic.toString(16)}`)
      this.version = head[4]!
      if (this.version !== VERSION_1 && this.version !== VERSION_2)
        throw new CorruptionError(path, 4, `unknown index file version ${this.version}`)
      this.toc = this.#readToc()
    } catch (error) {
      this.#file.close()
      throw error
    }
  }

  get sizeBytes(): number {
    return this.#file.size
  }

  get symbols(): SymbolReader {
    return (this.#symbols ??= new SymbolReader(this.#file, this.version, this.toc.symbols))
  }

  get table(): PostingsTable {
    return (this.#table ??= new PostingsTable(this.#file, this.version, this.toc.postingsTable))
  }

  /** References of the series that have the pair; `('', '')` = all, in order of label sets. */
  postings(name: string, value: string): Uint32Array {
    const offset = this.table.find(name, value)
    return offset === undefined ? NO_POSTINGS : this.postingsAt(offset)
  }

  /** The list at an offset the table gave. */
  postingsAt(offset: number): Uint32Array {
    const reader = this.#reader
    reader.reset(this.#file.view(offset, 8), 0, 8)
    const length = reader.be32()
    const count = reader.be32()
    if (length !== 4 + 4 * count)
      throw new CorruptionError(this.path, offset, `postings of ${length} bytes and ${count} entries`)
    const whole = length + CRC_BYTES
    const bytes = whole <= 4096 ? this.#file.view(offset + 4, whole) : this.#file.read(offset + 4, whole)
    this.#verify(bytes, length, offset)
    const refs = new Uint32Array(count)
    for (let i = 0, at = 4; i < count; i++, at += 4)
      refs[i] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    return refs
  }

  /** Reads the entry of a series into `entry`. Throws CorruptionError. */
  series(ref: number, entry: SeriesEntry): void {
    const offset = this.version === VERSION_1 ? ref : ref * SERIES_ALIGN
    let bytes = this.#file.view(offset, Math.min(SERIES_PROBE_BYTES, Math.max(0, this.#file.size - offset)))
    const reader = this.#reader
    reader.reset(bytes, 0, bytes.length)
    const length = reader.uvarint()
    const start = reader.position
    if (reader.failed) throw new CorruptionError(this.path, offset, 'series entry is cut off')
    const end = start + length
    if (end + CRC_BYTES > bytes.length) bytes = this.#file.view(offset, end + CRC_BYTES)
    this.#verify(bytes.subarray(start), length, offset)
    reader.reset(bytes, start, end)
    const labels = reader.uvarint()
    if (labels > length) reader.fail()
    entry.labelCount = labels
    for (let i = 0; i < labels * 2 && !reader.failed; i++) entry.symbols[i] = reader.uvarint()
    const chunks = reader.uvarint()
    if (chunks > length) reader.fail()
    entry.chunkCount = chunks
    let time = 0
    let chunkRef = 0
    for (let i = 0; i < chunks && !reader.failed; i++) {
      const first = i === 0 ? reader.varint() : time + reader.uvarint()
      time = first + reader.uvarint()
      chunkRef = i === 0 ? reader.uvarint() : chunkRef + reader.varint()
      entry.minTimes[i] = first
      entry.maxTimes[i] = time
      entry.chunkRefs[i] = chunkRef
    }
    if (reader.failed) throw new CorruptionError(this.path, offset, 'series entry does not decode')
  }

  close(): void {
    this.#file.close()
  }

  #verify(bytes: Uint8Array, length: number, offset: number): void {
    if (length + CRC_BYTES > bytes.length)
      throw new CorruptionError(this.path, offset, `${length} bytes reach past the end`)
    const want =
      ((bytes[length]! << 24) |
        (bytes[length + 1]! << 16) |
        (bytes[length + 2]! << 8) |
        bytes[length + 3]!) >>>
      0
    const have = crc32c(bytes, 0, length)
    if (want !== have)
      throw new CorruptionError(
        this.path,
        offset,
        `checksum mismatch expected:${want.toString(16)}, actual:${have.toString(16)}`,
      )
  }

  #readToc(): Toc {
    const { size } = this.#file
    const at = size - TOC_BYTES
    if (at < 5) throw new CorruptionError(this.path, 0, 'too short for a table of contents')
    const bytes = this.#file.view(at, TOC_BYTES)
    this.#verify(bytes, TOC_BYTES - CRC_BYTES, at)
    const reader = this.#reader
    reader.reset(bytes, 0, TOC_BYTES)
    const offset = (): number => {
      const value = reader.be64()
      if (value < 0 || value > at) throw new CorruptionError(this.path, at, `section at ${value}`)
      return value
    }
    return {
      symbols: offset(),
      series: offset(),
      labelIndices: offset(),
      labelIndicesTable: offset(),
      postings: offset(),
      postingsTable: offset(),
    }
  }
}
