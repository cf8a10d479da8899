// The symbols of an index, looked up by position: every 32nd offset is in memory, the rest is read.
import { CorruptionError } from '../block/corruption.ts'
import { ByteReader } from '../wal/bytes.ts'
import { SAMPLING, VERSION_1 } from './format.ts'
import type { PagedFile } from './paged-file.ts'
import { scanSection } from './scan.ts'

/** Strings kept. */
const CACHE_MAX = 20_000
/** Read first for a group of symbols. */
const GROUP_BYTES = 1024

export class SymbolReader {
  readonly #file: PagedFile
  readonly #version: number
  /** First symbol and end of the section without its checksum. */
  readonly #first: number
  readonly #end: number
  readonly count: number
  /** Offsets of every 32nd symbol. */
  #offsets: Float64Array | undefined
  readonly #cache = new Map<number, string>()
  readonly #reader = new ByteReader()

  /** `offset` = start of the section. */
  constructor(file: PagedFile, version: number, offset: number) {
    const head = new ByteReader()
    head.reset(file.view(offset, 8), 0, 8)
    const length = head.be32()
    this.count = head.be32()
    this.#file = file
    this.#version = version
    this.#first = offset + 8
    this.#end = offset + 4 + length
    if (length < 4 || this.#end + 4 > file.size || this.count > length)
      throw new CorruptionError(file.path, offset, `symbol table of ${length} bytes is damaged`)
  }

  /** The symbol a series refers to: its position, or its offset in indexes of version 1. */
  get(ref: number): string {
    const known = this.#cache.get(ref)
    if (known !== undefined) return known
    const text = this.#version === VERSION_1 ? this.#at(ref) : this.#lookup(ref)
    if (this.#cache.size >= CACHE_MAX) this.#cache.clear()
    this.#cache.set(ref, text)
    return text
  }

  /** All symbols in order with what series call them. */
  *all(): Generator<{ readonly ref: number; readonly text: string }> {
    this.#sample()
    for (let group = 0; group < this.#offsets!.length; group++) {
      const start = this.#offsets![group]!
      const end = this.#offsets![group + 1] ?? this.#end
      const reader = new ByteReader()
      reader.reset(this.#file.read(start, end - start), 0, end - start)
      for (let i = 0; i < SAMPLING && group * SAMPLING + i < this.count; i++) {
        const at = start + reader.position
        const text = reader.string()
        if (reader.failed) throw new CorruptionError(this.#file.path, at, 'symbol is cut off')
        yield { ref: this.#version === VERSION_1 ? at : group * SAMPLING + i, text }
      }
    }
  }

  #lookup(position: number): string {
    if (position >= this.count)
      throw new CorruptionError(this.#file.path, this.#first, `unknown symbol ${position}`)
    this.#sample()
    const group = position >>> 5
    const start = this.#offsets![group]!
    const end = this.#offsets![group + 1] ?? this.#end
    const reader = this.#reader
    let length = Math.min(GROUP_BYTES, end - start)
    for (;;) {
      reader.reset(this.#file.view(start, length), 0, length)
      for (let skip = position & (SAMPLING - 1); skip > 0; skip--) {
        const bytes = reader.uvarint()
        if (bytes > reader.left) reader.fail()
        else reader.position += bytes
      }
      const text = reader.string()
      if (!reader.failed) return text
      if (length === end - start) throw new CorruptionError(this.#file.path, start, 'symbol is cut off')
      length = Math.min(length * 4, end - start)
    }
  }

  #at(offset: number): string {
    if (offset < this.#first || offset >= this.#end)
      throw new CorruptionError(this.#file.path, offset, 'unknown symbol offset')
    const reader = this.#reader
    let length = Math.min(GROUP_BYTES, this.#end - offset)
    for (;;) {
      reader.reset(this.#file.view(offset, length), 0, length)
      const text = reader.string()
      if (!reader.failed) return text
      if (length === this.#end - offset)
        throw new CorruptionError(this.#file.path, offset, 'symbol is cut off')
      length = Math.min(length * 4, this.#end - offset)
    }
  }

  /** The one pass over the section: offsets and checksum. */
  #sample(): void {
    if (this.#offsets) return
    const offsets = new Float64Array(Math.ceil(this.count / SAMPLING))
    let seen = 0
    scanSection(this.#file, this.#first - 4, this.#first, this.#end, (reader, offset) => {
      const length = reader.uvarint()
      if (length > reader.left) {
        reader.fail()
        return
      }
      reader.position += length
      if (seen % SAMPLING === 0 && seen < this.count) offsets[seen / SAMPLING] = offset
      seen++
    })
    if (seen !== this.count)
      throw new CorruptionError(
        this.#file.path,
        this.#first,
        `${seen} symbols where ${this.count} are announced`,
      )
    this.#offsets = offsets
  }
}
