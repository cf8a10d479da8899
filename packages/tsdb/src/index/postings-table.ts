// Where the postings of each label pair stand. Of a label's values every 32nd and the last are in memory, the rest is read; indexes of
// version 1, whose table has no order, are held whole.
import { compareUtf8 } from '@watchfire/datamodel'
import { CorruptionError } from '../block/corruption.ts'
import { ByteReader } from '../wal/bytes.ts'
import { SAMPLING, VERSION_1 } from './format.ts'
import type { PagedFile } from './paged-file.ts'
import { scanSection } from './scan.ts'

/** Read first for a group of entries. */
const GROUP_BYTES = 2048

interface NameEntries {
  /** Values in order: every 32nd, then the last. */
  readonly values: string[]
  /** Offsets of their table entries; in version 1 of their postings. */
  readonly offsets: number[]
  count: number
  /** End of the last entry in the table. */
  end: number
}

export class PostingsTable {
  readonly #file: PagedFile
  readonly #version: number
  readonly #names = new Map<string, NameEntries>()

  /** Reads the whole table once. `offset` = start of the section. Throws CorruptionError. */
  constructor(file: PagedFile, version: number, offset: number) {
    this.#file = file
    this.#version = version
    const head = new ByteReader()
    head.reset(file.view(offset, 8), 0, 8)
    const length = head.be32()
    const count = head.be32()
    const end = offset + 4 + length
    if (length < 4 || end + 4 > file.size)
      throw new CorruptionError(file.path, offset, `postings offset table of ${length} bytes is damaged`)
    if (version === VERSION_1) this.#readWhole(offset, end, count)
    else this.#readSparse(offset, end, count)
  }

  /** Label names; '' stands for all series. */
  names(): Iterable<string> {
    return this.#names.keys()
  }

  /** Calls `each` with every value of a label in order and the offset of its postings, until it gives false. */
  forEach(name: string, each: (value: string, postings: number) => boolean | void): void {
    const entries = this.#names.get(name)
    if (!entries) return
    if (this.#version === VERSION_1) {
      for (let i = 0; i < entries.count; i++)
        if (each(entries.values[i]!, entries.offsets[i]!) === false) return
      return
    }
    this.#walk(entries, 0, each)
  }

  /** Offset of the postings of a pair, undefined when there are none. */
  find(name: string, value: string): number | undefined {
    const entries = this.#names.get(name)
    if (!entries) return undefined
    let low = 0
    let high = entries.values.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareUtf8(entries.values[middle]!, value) <= 0) low = middle + 1
      else high = middle
    }
    if (low === 0) return undefined
    if (this.#version === VERSION_1)
      return entries.values[low - 1] === value ? entries.offsets[low - 1] : undefined
    let found: number | undefined
    this.#walk(entries, low - 1, (text, postings) => {
      const order = compareUtf8(text, value)
      if (order === 0) found = postings
      return order < 0
    })
    return found
  }

  /** Reads entries of one name from a remembered place on. */
  #walk(entries: NameEntries, from: number, each: (value: string, postings: number) => boolean | void): void {
    const reader = new ByteReader()
    let position = entries.offsets[from]!
    let size = GROUP_BYTES
    while (position < entries.end) {
      const length = Math.min(size, entries.end - position)
      reader.reset(this.#file.view(position, length), 0, length)
      let done = 0
      while (reader.left > 0) {
        reader.uvarint()
        const nameLength = reader.uvarint()
        reader.position += Math.min(nameLength, reader.left)
        const value = reader.string()
        const postings = reader.uvarint()
        if (reader.failed) break
        done = reader.position
        if (each(value, postings) === false) return
      }
      if (done === 0) {
        if (length === entries.end - position)
          throw new CorruptionError(this.#file.path, position, 'postings offset table entry is cut off')
        size *= 4
      }
      position += done
    }
  }

  #readSparse(offset: number, end: number, count: number): void {
    let name: Uint8Array | undefined
    let current: NameEntries | undefined
    let seen = 0
    let last = 0
    const finish = (): void => {
      if (!current || current.offsets.at(-1) === last) return
      const { end: stop } = current
      const bytes = this.#file.read(last, stop - last)
      const reader = new ByteReader()
      reader.reset(bytes, 0, bytes.length)
      reader.uvarint()
      const nameLength = reader.uvarint()
      reader.position += nameLength
      current.values.push(reader.string())
      current.offsets.push(last)
    }
    scanSection(this.#file, offset + 4, offset + 8, end, (reader, at) => {
      const start = reader.position
      const keys = reader.uvarint()
      if (!reader.failed && keys !== 2)
        throw new CorruptionError(this.#file.path, at, `postings offset table entry of ${keys} keys`)
      const nameLength = reader.uvarint()
      const nameAt = reader.position
      if (nameLength > reader.left) reader.fail()
      else reader.position += nameLength
      const valueAt = reader.position
      const valueLength = reader.uvarint()
      if (valueLength > reader.left) reader.fail()
      else reader.position += valueLength
      reader.uvarint()
      if (reader.failed) return
      const after = reader.position
      if (!name || !sameBytes(name, reader.bytes, nameAt, nameLength)) {
        finish()
        name = Uint8Array.prototype.slice.call(reader.bytes, nameAt, nameAt + nameLength)
        const text = Buffer.from(name).toString('utf8')
        if (this.#names.has(text))
          throw new CorruptionError(this.#file.path, at, `label ${JSON.stringify(text)} comes twice`)
        current = { values: [], offsets: [], count: 0, end: 0 }
        this.#names.set(text, current)
      }
      if (current!.count % SAMPLING === 0) {
        reader.position = valueAt
        current!.values.push(reader.string())
        current!.offsets.push(at)
        reader.position = after
      }
      current!.count++
      current!.end = at + after - start
      last = at
      seen++
    })
    finish()
    this.#checkCount(offset, seen, count)
  }

  #readWhole(offset: number, end: number, count: number): void {
    const found = new Map<string, [string, number][]>()
    let seen = 0
    scanSection(this.#file, offset + 4, offset + 8, end, (reader) => {
      reader.uvarint()
      const name = reader.string()
      const value = reader.string()
      const postings = reader.uvarint()
      if (reader.failed) return
      const list = found.get(name)
      if (list) list.push([value, postings])
      else found.set(name, [[value, postings]])
      seen++
    })
    for (const [name, list] of found) {
      list.sort((a, b) => compareUtf8(a[0], b[0]))
      this.#names.set(name, {
        values: list.map(([value]) => value),
        offsets: list.map(([, postings]) => postings),
        count: list.length,
        end,
      })
    }
    this.#checkCount(offset, seen, count)
  }

  #checkCount(offset: number, seen: number, count: number): void {
    if (seen !== count)
      throw new CorruptionError(
        this.#file.path,
        offset,
        `${seen} entries of the postings offset table where ${count} are announced`,
      )
  }
}

function sameBytes(name: Uint8Array, bytes: Uint8Array, at: number, length: number): boolean {
  if (name.length !== length) return false
  for (let i = 0; i < length; i++) if (name[i] !== bytes[at + i]) return false
  return true
}
