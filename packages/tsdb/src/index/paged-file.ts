// Reads of an index by position through a page cache that all indexes of a thread share, so that its size is bounded whatever their
// number and size.
import { CorruptionError } from '../block/corruption.ts'
import { FileReader } from '../block/files.ts'

const PAGE_SHIFT = 14
const PAGE = 1 << PAGE_SHIFT
const PAGES_PER_FILE_MAX = 2 ** 26
/** 8 MiB a thread. */
const CACHE_PAGES = 512

/** Oldest first. */
const cache = new Map<number, Uint8Array>()
let nextFile = 1

export class PagedFile {
  readonly path: string
  readonly size: number
  readonly #file: FileReader
  readonly #id = nextFile++

  constructor(path: string) {
    this.#file = new FileReader(path)
    this.path = path
    this.size = this.#file.size
  }

  /** Bytes that must not be changed and may belong to the cache. Throws CorruptionError past the end. */
  view(offset: number, length: number): Uint8Array {
    if (length < 0 || offset < 0 || offset + length > this.size)
      throw new CorruptionError(this.path, offset, `${length} bytes reach past the end of the file`)
    const page = Math.floor(offset / PAGE)
    const at = offset - page * PAGE
    if (at + length <= PAGE) return this.#page(page).subarray(at, at + length)
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length;) {
      const from = offset + done
      const own = Math.floor(from / PAGE)
      const part = this.#page(own).subarray(
        from - own * PAGE,
        Math.min(PAGE, from - own * PAGE + length - done),
      )
      bytes.set(part, done)
      done += part.length
    }
    return bytes
  }

  /** Bytes of the caller's own, not cached: for what is read once. */
  read(offset: number, length: number): Uint8Array {
    return this.#file.read(offset, length)
  }

  /** Bytes are read into `into`; see FileReader. */
  readInto(into: Uint8Array, offset: number): number {
    return this.#file.readInto(into, offset)
  }

  close(): void {
    this.#file.close()
    const first = this.#id * PAGES_PER_FILE_MAX
    for (const key of cache.keys()) if (key >= first && key < first + PAGES_PER_FILE_MAX) cache.delete(key)
  }

  #page(page: number): Uint8Array {
    const key = this.#id * PAGES_PER_FILE_MAX + page
    let bytes = cache.get(key)
    if (bytes) {
      // Moves to the young end.
      cache.delete(key)
      cache.set(key, bytes)
      return bytes
    }
    bytes = this.#file.read(page * PAGE, Math.min(PAGE, this.size - page * PAGE))
    if (cache.size >= CACHE_PAGES) cache.delete(cache.keys().next().value!)
    cache.set(key, bytes)
    return bytes
  }
}
