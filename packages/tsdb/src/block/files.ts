// Files of blocks: positional reads with clear errors, a buffered writer with a running checksum, and durable directories.
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { CorruptionError } from './corruption.ts'
import { crc32c } from './crc32c.ts'

/** A file read by position; each thread opens its own. */
export class FileReader {
  readonly path: string
  readonly size: number
  readonly #fd: number

  constructor(path: string) {
    this.path = path
    this.#fd = openSync(path, 'r')
    this.size = fstatSync(this.#fd).size
  }

  /** Fills `into` from `offset`; returns how many bytes the file had, which is less only at its end. */
  readInto(into: Uint8Array, offset: number): number {
    let done = 0
    while (done < into.length) {
      const n = readSync(this.#fd, into, done, into.length - done, offset + done)
      if (n === 0) break
      done += n
    }
    return done
  }

  /** `length` bytes at `offset`. Throws CorruptionError when the file ends before. */
  read(offset: number, length: number): Uint8Array {
    if (length < 0 || offset < 0 || offset + length > this.size)
      throw new CorruptionError(this.path, offset, `${length} bytes reach past the end of the file`)
    const bytes = new Uint8Array(length)
    if (this.readInto(bytes, offset) !== length)
      throw new CorruptionError(this.path, offset, 'the file is shorter than it was')
    return bytes
  }

  close(): void {
    closeSync(this.#fd)
  }
}

const WRITE_BUFFER_BYTES = 1 << 20

/** Writes a new file from start to end. Bytes go through `put`; the running checksum begins anew with `beginChecksum`. */
export class FileWriter {
  readonly path: string
  readonly #fd: number
  readonly #buffer = new Uint8Array(WRITE_BUFFER_BYTES)
  #fill = 0
  #flushed = 0
  #crc = 0
  #closed = false

  constructor(path: string) {
    this.path = path
    this.#fd = openSync(path, 'w+')
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#flushed + this.#fill
  }

  beginChecksum(): void {
    this.#crc = 0
  }

  /** CRC-32C of everything put since `beginChecksum`. */
  get checksum(): number {
    return this.#crc
  }

  put(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    this.#crc = crc32c(bytes, start, end, this.#crc)
    this.#raw(bytes, start, end)
  }

  be32(value: number): void {
    word[0] = value >>> 24
    word[1] = value >>> 16
    word[2] = value >>> 8
    word[3] = value
    this.put(word)
  }

  /** Zeros up to a multiple of `size`. */
  pad(size: number): void {
    const over = this.position % size
    if (over !== 0) this.put(ZEROS, 0, size - over)
  }

  /** The checksum itself, big endian. */
  putChecksum(): void {
    this.be32(this.#crc)
  }

  /** Replaces a big-endian word written before. */
  patch32(offset: number, value: number): void {
    this.#flush()
    word[0] = value >>> 24
    word[1] = value >>> 16
    word[2] = value >>> 8
    word[3] = value
    writeAll(this.#fd, word, 4, offset)
  }

  /** Puts the checksum of bytes written before. */
  putSumOf(from: number, to: number): void {
    const bytes = new Uint8Array(Math.min(WRITE_BUFFER_BYTES, to - from))
    let crc = 0
    for (let at = from; at < to; at += bytes.length) {
      const part = bytes.subarray(0, Math.min(bytes.length, to - at))
      this.readBack(part, at)
      crc = crc32c(part, 0, part.length, crc)
    }
    this.be32(crc)
  }

  /** Reads back bytes that were written. */
  readBack(into: Uint8Array, offset: number): void {
    this.#flush()
    if (readSync(this.#fd, into, 0, into.length, offset) !== into.length)
      throw new Error(`BUG: ${this.path} is shorter than was written`)
  }

  /** Flushes, syncs and closes. */
  close(): void {
    if (this.#closed) return
    this.#flush()
    fsyncSync(this.#fd)
    this.#closed = true
    closeSync(this.#fd)
  }

  /** Closes without caring for what was written. */
  abandon(): void {
    if (this.#closed) return
    this.#closed = true
    closeSync(this.#fd)
  }

  #raw(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > WRITE_BUFFER_BYTES - this.#fill) {
      this.#flush()
      if (end - start >= WRITE_BUFFER_BYTES) {
        writeAll(this.#fd, bytes.subarray(start, end), end - start, this.#flushed)
        this.#flushed += end - start
        return
      }
    }
    if (end - start <= 64) for (let i = start; i < end; i++) this.#buffer[this.#fill++] = bytes[i]!
    else {
      this.#buffer.set(bytes.subarray(start, end), this.#fill)
      this.#fill += end - start
    }
  }

  #flush(): void {
    if (this.#fill === 0) return
    writeAll(this.#fd, this.#buffer, this.#fill, this.#flushed)
    this.#flushed += this.#fill
    this.#fill = 0
  }
}

const word = new Uint8Array(4)
const ZEROS = new Uint8Array(16)

function writeAll(fd: number, bytes: Uint8Array, length: number, offset: number): void {
  for (let done = 0; done < length;) done += writeSync(fd, bytes, done, length - done, offset + done)
}

/** Makes what happened to the entries of a directory durable. */
export function syncDir(dir: string): void {
  const fd = openSync(dir, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Renames durably. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to)
  syncDir(dirname(to))
}

/** Writes a small file so that it is there whole or not at all. */
export function writeFileDurably(dir: string, name: string, bytes: Uint8Array): void {
  const temporary = join(dir, `${name}.tmp`)
  const writer = new FileWriter(temporary)
  try {
    writer.put(bytes)
    writer.close()
    renameDurably(temporary, join(dir, name))
  } catch (error) {
    writer.abandon()
    rmSync(temporary, { force: true })
    throw error
  }
}

/** An empty directory in place of whatever was there. */
export function freshDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
}
