// Appends records to the segments of a WAL (or checkpoint) directory. Records of one commit are gathered and written with one
// synchronous write before the commit is acknowledged; a failed write leaves the log as it was.
import { closeSync, fdatasyncSync, fdatasync, ftruncateSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import {
  FRAGMENT,
  FRAGMENT_HEADER_BYTES,
  SEGMENT_BYTES_DEFAULT,
  SNAPPY_FLAG,
  WAL_PAGE_BYTES,
  segmentName,
} from './format.ts'
import { WalCodec } from './codec.ts'

/** Records are encoded up to about this size before they are logged. */
export const RECORD_BYTES_TARGET = 64 * 1024
/** Room for one record at `recordBytes`. */
export const RECORD_ROOM_BYTES = 1024 * 1024
const WRITE_BYTES = 1024 * 1024

export interface SegmentWriterOptions {
  readonly compression?: 'none' | 'snappy' | undefined
  readonly segmentBytes?: number | undefined
  /** Called before the first bytes are written; if it throws they are not. */
  readonly beforeFirstWrite?: () => void
}

export class SegmentWriter {
  readonly #dir: string
  readonly #codec = new WalCodec(RECORD_ROOM_BYTES)
  readonly #compress: boolean
  readonly #segmentBytes: number
  #fd: number
  #segment: number
  /** Bytes of the segment that are on file or in the buffer. */
  #size = 0
  #out = new Uint8Array(WRITE_BYTES + 2 * WAL_PAGE_BYTES)
  #outLength = 0
  #closedBytes = 0
  /** Size of the segment when the records being gathered began. */
  #begin = 0
  #syncing = false
  #dirty = false
  #beforeFirstWrite: (() => void) | undefined

  /** Starts a new segment file, which must not exist. */
  constructor(dir: string, segment: number, options: SegmentWriterOptions = {}) {
    this.#dir = dir
    this.#segment = segment
    this.#compress = options.compression !== 'none'
    this.#beforeFirstWrite = options.beforeFirstWrite
    const pages = Math.floor((options.segmentBytes ?? SEGMENT_BYTES_DEFAULT) / WAL_PAGE_BYTES)
    this.#segmentBytes = Math.max(pages, 1) * WAL_PAGE_BYTES
    this.#fd = openSync(join(dir, segmentName(segment)), 'wx')
  }

  get segment(): number {
    return this.#segment
  }

  /** Bytes written by this writer, all segments. */
  get bytesWritten(): number {
    return this.#closedBytes + this.#size
  }

  /** Where the next record is to be encoded, RECORD_ROOM_BYTES long. */
  recordBytes(): Uint8Array {
    return this.#codec.bytes.subarray(this.#codec.input, this.#codec.input + RECORD_ROOM_BYTES)
  }

  /** Adds bytes [start, end) as one record, of any length. */
  logBytes(bytes: Uint8Array, start: number, end: number): void {
    this.#codec.reserve(end - start, 0)
    this.#codec.bytes.set(bytes.subarray(start, end), this.#codec.input)
    this.log(end - start)
  }

  /** Adds the first `length` bytes of `recordBytes()` as one record. It is on file after `flush`. Throws when the disk refuses. */
  log(length: number): void {
    const codec = this.#codec
    let address = codec.input
    let flag = 0
    if (this.#compress && length > 0) {
      const compressed = codec.compress(length)
      if (compressed < length) {
        address = codec.output
        length = compressed
        flag = SNAPPY_FLAG
      }
    }
    const pageLeft = WAL_PAGE_BYTES - (this.#size % WAL_PAGE_BYTES)
    if (pageLeft < FRAGMENT_HEADER_BYTES) this.#pad(pageLeft)
    const left = this.#segmentBytes - this.#size
    const fullPages = Math.max(0, Math.floor(left / WAL_PAGE_BYTES) - (left % WAL_PAGE_BYTES === 0 ? 1 : 0))
    const room =
      left <= 0
        ? -1
        : (left % WAL_PAGE_BYTES || WAL_PAGE_BYTES) -
          FRAGMENT_HEADER_BYTES +
          fullPages * (WAL_PAGE_BYTES - FRAGMENT_HEADER_BYTES)
    if (length > room && this.#size > 0) this.nextSegment()
    this.#fragments(address, length, flag)
  }

  /** Writes what was logged since the last flush. When the disk refuses, none of it stays in this segment. */
  flush(): void {
    this.#write()
    this.#begin = this.#size
  }

  /** Ends this segment and starts the next. */
  nextSegment(): void {
    const rest = this.#size % WAL_PAGE_BYTES
    if (rest > 0) this.#pad(WAL_PAGE_BYTES - rest)
    this.#write()
    const fd = openSync(join(this.#dir, segmentName(this.#segment + 1)), 'wx')
    fdatasyncSync(this.#fd)
    closeSync(this.#fd)
    this.#fd = fd
    this.#segment++
    this.#closedBytes += this.#size
    this.#size = 0
    this.#begin = 0
    this.#dirty = false
  }

  /** Starts an fdatasync in the background unless one runs or nothing was written since. */
  syncSoon(onError: (error: Error) => void): void {
    if (this.#syncing || !this.#dirty) return
    this.#syncing = true
    this.#dirty = false
    const fd = this.#fd
    fdatasync(fd, (error) => {
      this.#syncing = false
      // A segment that was ended meanwhile has been synced and closed.
      if (error && fd === this.#fd) onError(error)
    })
  }

  /** Flushes, syncs and closes. */
  close(): void {
    try {
      this.flush()
      fsyncSync(this.#fd)
    } finally {
      closeSync(this.#fd)
    }
  }

  /** Lets go of the file as a killed process would. */
  abandon(): void {
    closeSync(this.#fd)
  }

  #fragments(address: number, length: number, flag: number): void {
    const bytes = this.#codec.bytes
    let offset = 0
    for (let first = true; first || offset < length; first = false) {
      if (this.#outLength >= WRITE_BYTES) this.#write()
      const inPage = this.#size % WAL_PAGE_BYTES
      const part = Math.min(length - offset, WAL_PAGE_BYTES - inPage - FRAGMENT_HEADER_BYTES)
      const last = offset + part === length
      const type = first ? (last ? FRAGMENT.full : FRAGMENT.first) : last ? FRAGMENT.last : FRAGMENT.middle
      const crc = this.#codec.kernels.crc32c(0, address + offset, part)
      const out = this.#out
      let p = this.#outLength
      out[p++] = type | flag
      out[p++] = part >>> 8
      out[p++] = part
      out[p++] = crc >>> 24
      out[p++] = crc >>> 16
      out[p++] = crc >>> 8
      out[p++] = crc
      out.set(bytes.subarray(address + offset, address + offset + part), p)
      this.#outLength = p + part
      this.#size += FRAGMENT_HEADER_BYTES + part
      offset += part
      const left = WAL_PAGE_BYTES - (this.#size % WAL_PAGE_BYTES)
      if (left < FRAGMENT_HEADER_BYTES) this.#pad(left)
    }
  }

  #write(): void {
    const start = this.#size - this.#outLength
    try {
      if (this.#outLength > 0 && this.#beforeFirstWrite) {
        this.#beforeFirstWrite()
        this.#beforeFirstWrite = undefined
      }
      for (let done = 0; done < this.#outLength;)
        done += writeSync(this.#fd, this.#out, done, this.#outLength - done, start + done)
    } catch (error) {
      this.#outLength = 0
      this.#size = this.#begin
      ftruncateSync(this.#fd, this.#begin)
      throw error
    }
    if (this.#outLength > 0) this.#dirty = true
    this.#outLength = 0
  }

  #pad(length: number): void {
    this.#out.fill(0, this.#outLength, this.#outLength + length)
    this.#outLength += length
    this.#size += length
  }
}
