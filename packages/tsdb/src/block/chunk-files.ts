// Segment files of a block's chunks (chunks/000001 …), version 1. Data plane: chunks go from the file to where the caller wants them.
// A reference is the segment's position (0 = first) × 2^32 + offset of the chunk in the file.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CorruptionError } from './corruption.ts'
import { crc32c } from './crc32c.ts'
import { FileReader, FileWriter } from './files.ts'

export const CHUNKS_DIR = 'chunks'
const MAGIC = 0x85bd40dd
const VERSION = 1
const HEADER_BYTES = 8
const CRC_BYTES = 4
const TWO32 = 2 ** 32
/** Most bytes of one segment. */
export const SEGMENT_BYTES = 512 * 1024 * 1024
/** A longer chunk is damage: the largest chunks, of histograms, take some 100 kB. */
const CHUNK_BYTES_MAX = 64 * 1024 * 1024
/** Read ahead when chunks are read one after the other. */
const WINDOW_BYTES = 64 * 1024
/** Read when a chunk stands alone. */
const PROBE_BYTES = 2048

/** Where a chunk's payload lies after `locate`. */
export interface LocatedChunk {
  encoding: number
  bytes: Uint8Array
  start: number
  end: number
}

export class ChunkFiles {
  readonly #dir: string
  readonly #names: readonly string[]
  readonly #files: (FileReader | undefined)[] = []
  #window = new Uint8Array(WINDOW_BYTES)
  #segment = -1
  #from = 0
  #to = 0
  readonly #chunk: LocatedChunk = { encoding: 0, bytes: this.#window, start: 0, end: 0 }

  /** Lists the segments of a block directory; throws when there is no such directory. */
  constructor(blockDir: string) {
    this.#dir = join(blockDir, CHUNKS_DIR)
    this.#names = readdirSync(this.#dir)
      .filter((name) => /^\d{6,}$/.test(name))
      .sort()
  }

  /** Checks the headers of all segments. Throws CorruptionError. */
  check(): void {
    for (let segment = 0; segment < this.#names.length; segment++) this.#open(segment)
  }

  /** Bytes of all segments. */
  get sizeBytes(): number {
    return this.#names.reduce((sum, _, segment) => sum + this.#open(segment).size, 0)
  }

  /** Finds a chunk and verifies its checksum. The result is overwritten by the next call. `more` = bytes of chunks wanted after it. */
  locate(ref: number, more = 0): LocatedChunk {
    const segment = Math.floor(ref / TWO32)
    const offset = ref % TWO32
    const file = this.#open(segment)
    if (offset < HEADER_BYTES || offset >= file.size)
      throw new CorruptionError(file.path, offset, 'chunk reference is outside of the file')
    this.#load(segment, file, offset, Math.min(PROBE_BYTES, file.size - offset), more)
    let at = offset - this.#from
    const limit = Math.min(this.#to - this.#from, at + 5)
    let length = 0
    let scale = 1
    let byte = 0x80
    while (byte >= 0x80) {
      if (at >= limit) throw new CorruptionError(file.path, offset, 'chunk length is damaged')
      byte = this.#window[at++]!
      length += (byte & 0x7f) * scale
      scale *= 128
    }
    const whole = at - (offset - this.#from) + 1 + length + CRC_BYTES
    if (length > CHUNK_BYTES_MAX || offset + whole > file.size)
      throw new CorruptionError(
        file.path,
        offset,
        `chunk of ${length} bytes reaches past the end of the file`,
      )
    if (offset + whole > this.#to) {
      const head = at - (offset - this.#from)
      this.#load(segment, file, offset, whole, more)
      at = offset - this.#from + head
    }
    const window = this.#window
    const end = at + 1 + length
    const want =
      ((window[end]! << 24) | (window[end + 1]! << 16) | (window[end + 2]! << 8) | window[end + 3]!) >>> 0
    const have = crc32c(window, at, end)
    if (want !== have)
      throw new CorruptionError(
        file.path,
        offset,
        `checksum mismatch expected:${want.toString(16)}, actual:${have.toString(16)}`,
      )
    const chunk = this.#chunk
    chunk.encoding = window[at]!
    chunk.bytes = window
    chunk.start = at + 1
    chunk.end = end
    return chunk
  }

  close(): void {
    for (const file of this.#files) file?.close()
    this.#files.length = 0
  }

  #open(segment: number): FileReader {
    const open = this.#files[segment]
    if (open) return open
    const name = this.#names[segment]
    if (name === undefined)
      throw new CorruptionError(this.#dir, 0, `segment ${segment + 1} of the chunks is missing`)
    const file = new FileReader(join(this.#dir, name))
    try {
      const header = file.read(0, HEADER_BYTES)
      const magic = ((header[0]! << 24) | (header[1]! << 16) | (header[2]! << 8) | header[3]!) >>> 0
      if (magic !== MAGIC)
        throw new CorruptionError(file.path, 0, `invalid magic number ${magic.toString(16)}`)
      if (header[4] !== VERSION)
        throw new CorruptionError(file.path, 4, `invalid chunk format version ${header[4]}`)
    } catch (error) {
      file.close()
      throw error
    }
    this.#files[segment] = file
    return file
  }

  /** Makes the window hold `length` bytes at `offset`; reads ahead when the reading goes on where it was, or `more` says so. */
  #load(segment: number, file: FileReader, offset: number, length: number, more: number): void {
    const same = segment === this.#segment
    if (same && offset >= this.#from && offset + length <= this.#to) return
    const onward = same && offset >= this.#from && offset <= this.#to + WINDOW_BYTES
    const ahead = onward ? WINDOW_BYTES : Math.min(length + more, WINDOW_BYTES)
    const wanted = Math.min(Math.max(length, ahead), file.size - offset)
    if (wanted > this.#window.length) this.#window = new Uint8Array(wanted)
    this.#segment = -1
    const n = file.readInto(this.#window.subarray(0, wanted), offset)
    if (n < length) throw new CorruptionError(file.path, offset, 'the file is shorter than it was')
    this.#segment = segment
    this.#from = offset
    this.#to = offset + n
  }
}

export class ChunkWriter {
  readonly #dir: string
  readonly #segmentBytes: number
  #writer: FileWriter | undefined
  #segment = -1
  readonly #head = new Uint8Array(6)

  /** Writes into `chunks/` of a block directory, which exists and is empty. */
  constructor(blockDir: string, segmentBytes: number = SEGMENT_BYTES) {
    this.#dir = join(blockDir, CHUNKS_DIR)
    this.#segmentBytes = segmentBytes
  }

  /** Writes one chunk's payload; returns its reference. */
  write(encoding: number, bytes: Uint8Array, start: number, end: number): number {
    const head = this.#head
    let n = 0
    let length = end - start
    while (length >= 0x80) {
      head[n++] = (length & 0x7f) | 0x80
      length >>>= 7
    }
    head[n++] = length
    const whole = n + 1 + end - start + CRC_BYTES
    let writer = this.#writer
    if (!writer || (writer.position > HEADER_BYTES && writer.position + whole > this.#segmentBytes))
      writer = this.#next()
    const ref = this.#segment * TWO32 + writer.position
    writer.put(head, 0, n)
    writer.beginChecksum()
    head[0] = encoding
    writer.put(head, 0, 1)
    writer.put(bytes, start, end)
    writer.putChecksum()
    return ref
  }

  close(): void {
    this.#writer?.close()
    this.#writer = undefined
  }

  abandon(): void {
    this.#writer?.abandon()
    this.#writer = undefined
  }

  #next(): FileWriter {
    this.#writer?.close()
    this.#segment++
    const writer = new FileWriter(join(this.#dir, String(this.#segment + 1).padStart(6, '0')))
    writer.be32(MAGIC)
    writer.put(Uint8Array.of(VERSION, 0, 0, 0))
    this.#writer = writer
    return writer
  }
}
