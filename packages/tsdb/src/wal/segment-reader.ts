// Reads the records of a segment. Damage costs the record it hits and what else is in its 32 KiB page: reading goes on at the next page
// with the next record that begins there.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import {
  FRAGMENT,
  FRAGMENT_HEADER_BYTES,
  FRAGMENT_TYPE_MASK,
  RECORD_BYTES_MAX,
  SNAPPY_FLAG,
  WAL_PAGE_BYTES,
  ZSTD_FLAG,
} from './format.ts'
import { WalCodec } from './codec.ts'

const READ_PAGES = 32

/** One damage: where, and what was found. */
export interface WalDamage {
  readonly file: string
  readonly offset: number
  readonly reason: string
}

export interface ReadSegmentHandlers {
  /** A record's bytes [start, end); the view is reused. */
  record(bytes: Uint8Array, start: number, end: number): void
  damage(damage: WalDamage): void
}

export class SegmentReader {
  readonly #codec = new WalCodec(4 * 1024 * 1024)
  readonly #pages = new Uint8Array(READ_PAGES * WAL_PAGE_BYTES)
  /** Bytes of the record gathered so far at the codec's input; −1 = no record has begun. */
  #gathered = -1

  /** Reads the whole file. Errors of the disk are thrown. */
  read(file: string, handlers: ReadSegmentHandlers): void {
    for (const _ of this.steps(file, handlers));
  }

  /** Reads the file in steps of 1 MiB. */
  *steps(file: string, handlers: ReadSegmentHandlers): Generator<void> {
    const fd = openSync(file, 'r')
    try {
      const size = fstatSync(fd).size
      this.#gathered = -1
      for (let offset = 0; offset < size; offset += this.#pages.length) {
        const length = readFully(fd, this.#pages, offset)
        for (let page = 0; page < length; page += WAL_PAGE_BYTES)
          this.#page(page, Math.min(page + WAL_PAGE_BYTES, length), file, offset, handlers)
        if (length < this.#pages.length) break
        yield
      }
      if (this.#gathered >= 0)
        handlers.damage({ file, offset: size, reason: 'the segment ends within a record' })
    } finally {
      closeSync(fd)
    }
  }

  #page(start: number, end: number, file: string, base: number, handlers: ReadSegmentHandlers): void {
    const pages = this.#pages
    let p = start
    let damaged = false
    const problem = (reason: string) => {
      this.#gathered = -1
      // What follows a damage in its page may be a consequence of it.
      if (!damaged) handlers.damage({ file, offset: base + p, reason })
      damaged = true
    }
    while (p < end) {
      const header = pages[p]!
      const type = header & FRAGMENT_TYPE_MASK
      if (type === FRAGMENT.pageEnd) {
        if (pages.subarray(p, end).some((byte) => byte !== 0))
          problem('unexpected non-zero byte in padded page')
        return
      }
      if (end - p < FRAGMENT_HEADER_BYTES) return problem('the file ends within a fragment header')
      const length = (pages[p + 1]! << 8) | pages[p + 2]!
      if (length > end - p - FRAGMENT_HEADER_BYTES)
        return problem(`fragment of ${length} bytes reaches past the page or the file`)
      const begins = type === FRAGMENT.full || type === FRAGMENT.first
      if (begins && this.#gathered >= 0) problem('a record begins before the one before ended')
      const at = begins ? 0 : Math.max(this.#gathered, 0)
      if (at + length > RECORD_BYTES_MAX) return problem('record is too long')
      const codec = this.#codec
      codec.reserve(at + length, 0)
      const data = p + FRAGMENT_HEADER_BYTES
      codec.bytes.set(pages.subarray(data, data + length), codec.input + at)
      const crc = codec.kernels.crc32c(0, codec.input + at, length) >>> 0
      const want =
        ((pages[p + 3]! << 24) | (pages[p + 4]! << 16) | (pages[p + 5]! << 8) | pages[p + 6]!) >>> 0
      if (crc !== want || type > FRAGMENT.last) {
        // If only the data is damaged the next fragment follows; if the length is, its checksum will not fit either.
        if (damaged) return
        problem(`unexpected checksum ${crc.toString(16)}, expected ${want.toString(16)}`)
      } else if (begins || this.#gathered >= 0) {
        this.#gathered = at + length
        if (type === FRAGMENT.full || type === FRAGMENT.last) {
          this.#finish(header, problem, handlers)
          this.#gathered = -1
        }
      } else if (base + p === 0) problem('the segment begins within a record')
      p = data + length
    }
  }

  #finish(header: number, problem: (reason: string) => void, handlers: ReadSegmentHandlers): void {
    const codec = this.#codec
    const length = this.#gathered
    if (header & ZSTD_FLAG) return problem('record is compressed with zstd, which is not supported')
    if ((header & SNAPPY_FLAG) === 0) {
      handlers.record(codec.bytes, codec.input, codec.input + length)
      return
    }
    const size = codec.decompress(length, RECORD_BYTES_MAX)
    if (size < 0) return problem('record does not decompress')
    handlers.record(codec.bytes, codec.output, codec.output + size)
  }
}

/** Fills the buffer from the file; returns fewer bytes only at its end. */
function readFully(fd: number, into: Uint8Array, offset: number): number {
  let length = 0
  while (length < into.length) {
    const n = readSync(fd, into, length, into.length - length, offset + length)
    if (n === 0) break
    length += n
  }
  return length
}
