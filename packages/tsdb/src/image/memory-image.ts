// The memory image: the head's memory as a file, written on a clean stop so that the next start need not replay the log. It is never
// trusted: what does not fit the logs, this program's layout or its own checksums is left aside. docs/format/memory-image.md draws it.
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { HEAP_BASE, HISTOGRAM_SLOT_BYTES, HISTOGRAM_STATE_BYTES, XOR_STATE_BYTES } from '@watchfire/kernels'
import { crc32c } from '../block/crc32c.ts'
import type { Head } from '../head/head.ts'
import { clearControl } from '../head/head-memory.ts'
import { CTL, HEAD_VERSION, HEAP_START, PIN_BYTES, PIN_SLOTS } from '../head/layout.ts'
import type { LogPosition } from './log-position.ts'

/** The image's name in the data directory. */
export const IMAGE_NAME = 'head.image'

/** 'WFHI', first and last word of the file. */
const MAGIC = 0x49484657
const VERSION = 1
/** The memory's part of the file begins here. */
const MEMORY_OFFSET = 4096
const FOOTER_BYTES = 16
/** Each piece has a checksum of its own. */
const PIECE_BYTES = 4 * 1024 * 1024
/** Longer descriptions are not read. */
const DESCRIPTION_BYTES_MAX = 256 * 1024 * 1024

/** Changes whenever memory of another build would be misread. */
const LAYOUT = [
  VERSION,
  HEAD_VERSION,
  HEAP_START,
  XOR_STATE_BYTES,
  HISTOGRAM_STATE_BYTES,
  HISTOGRAM_SLOT_BYTES,
].join('.')

/** What belongs to a head and does not lie in its memory. */
export interface ImageState {
  readonly wal: LogPosition
  readonly wbl: LogPosition
  /** The newest time that was truncated, ms; null = none. */
  readonly minValidTime: number | null
  /** References of the log that stand for a series another reference was given before, and its slot. */
  readonly aliases: readonly (readonly [number, number])[]
  /** References of collected series and the segment that was current then. */
  readonly deletedRefs: readonly (readonly [number, number])[]
  /** Memory and slots that readers may still have seen: kind and address. */
  readonly retired: readonly number[]
}

interface Description extends ImageState {
  readonly layout: string
  /** Bytes from HEAP_BASE on. */
  readonly memoryBytes: number
  readonly sums: readonly number[]
}

/** Writes the image of a head that no one appends to any more; returns its size. Throws when the disk refuses; nothing is left then. */
export function writeImage(dir: string, head: Head, state: ImageState): number {
  const { u8, u32 } = head.mem
  const file = join(dir, IMAGE_NAME)
  const temporary = `${file}.tmp`
  const memoryBytes = u32[CTL.heapTop >>> 2]! - HEAP_BASE
  const fd = openSync(temporary, 'w')
  try {
    const start = new Uint32Array(MEMORY_OFFSET / 4)
    start.set([MAGIC, VERSION, MEMORY_OFFSET])
    writeAll(fd, new Uint8Array(start.buffer), 0)
    const sums: number[] = []
    for (let at = 0; at < memoryBytes; at += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, memoryBytes - at)
      sums.push(head.kernels.crc32c(0, HEAP_BASE + at, length))
      writeAll(fd, u8.subarray(HEAP_BASE + at, HEAP_BASE + at + length), MEMORY_OFFSET + at)
    }
    const description: Description = { ...state, layout: LAYOUT, memoryBytes, sums }
    const json = new TextEncoder().encode(JSON.stringify(description))
    writeAll(fd, json, MEMORY_OFFSET + memoryBytes)
    const footer = new Uint32Array([json.length, crc32c(json), VERSION, MAGIC])
    writeAll(fd, new Uint8Array(footer.buffer), MEMORY_OFFSET + memoryBytes + json.length)
    fsyncSync(fd)
    const { size } = fstatSync(fd)
    renameSync(temporary, file)
    syncDir(dir)
    return size
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}

export type ReadImageResult = { readonly state: ImageState } | { readonly refused: string } | undefined

/**
 * Fills an empty head from the image of a directory if `accept` takes its state (it returns why not). Undefined when there is no image;
 * when it is refused the head is as empty as before.
 */
export function readImage(
  dir: string,
  head: Head,
  accept: (state: ImageState) => string | undefined,
): ReadImageResult {
  let fd: number
  try {
    fd = openSync(join(dir, IMAGE_NAME), 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const description = readDescription(fd)
    const refused = accept(description) ?? loadMemory(fd, head, description)
    return refused === undefined ? { state: description } : { refused }
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) }
  } finally {
    closeSync(fd)
  }
}

/** Removes the image, durably: what is appended from now on is not in it. */
export function removeImage(dir: string): void {
  try {
    rmSync(join(dir, IMAGE_NAME))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  syncDir(dir)
}

function readDescription(fd: number): Description {
  const { size } = fstatSync(fd)
  const footer = new Uint32Array(FOOTER_BYTES / 4)
  const footerBytes = new Uint8Array(footer.buffer)
  if (size < MEMORY_OFFSET + FOOTER_BYTES || !readAll(fd, footerBytes, size - FOOTER_BYTES))
    throw new Error('it is cut off')
  const [length, sum, version, magic] = footer as unknown as [number, number, number, number]
  if (magic !== MAGIC) throw new Error('it does not end as an image does')
  if (version !== VERSION) throw new Error(`it has version ${version}, not ${VERSION}`)
  if (length > Math.min(DESCRIPTION_BYTES_MAX, size - MEMORY_OFFSET - FOOTER_BYTES))
    throw new Error('its description is too long')
  const json = new Uint8Array(length)
  if (!readAll(fd, json, size - FOOTER_BYTES - length) || crc32c(json) !== sum)
    throw new Error('its description is damaged')
  const description = JSON.parse(new TextDecoder().decode(json)) as Description
  if (description.layout !== LAYOUT) throw new Error(`it has layout ${description.layout}, not ${LAYOUT}`)
  if (MEMORY_OFFSET + description.memoryBytes + length + FOOTER_BYTES !== size)
    throw new Error('its parts do not add up to its size')
  return description
}

/** Reads the memory piece by piece; returns why it was refused. */
function loadMemory(fd: number, head: Head, { memoryBytes, sums }: Description): string | undefined {
  const { u8, u32 } = head.mem
  const limit = u32[CTL.heapLimit >>> 2]!
  if (!(memoryBytes >= HEAP_START - HEAP_BASE && HEAP_BASE + memoryBytes <= limit))
    return `its memory of ${memoryBytes} bytes does not fit`
  for (let at = 0, piece = 0; at < memoryBytes; at += PIECE_BYTES, piece++) {
    const length = Math.min(PIECE_BYTES, memoryBytes - at)
    const from = HEAP_BASE + at
    const whole = readAll(fd, u8.subarray(from, from + length), MEMORY_OFFSET + at)
    if (whole && head.kernels.crc32c(0, from, length) === sums[piece]) continue
    // Back to an empty head: fresh memory is zero.
    u8.fill(0, HEAP_BASE, from + length)
    clearControl(head.mem)
    return `its memory is damaged in the ${length} bytes from ${MEMORY_OFFSET + at} on`
  }
  // Readers of the process that wrote it are gone.
  u32[CTL.pauseCount >>> 2] = 0
  u32.fill(0, CTL.pins >>> 2, (CTL.pins + PIN_SLOTS * PIN_BYTES) >>> 2)
  u32[CTL.heapLimit >>> 2] = limit
  return undefined
}

function readAll(fd: number, into: Uint8Array, offset: number): boolean {
  for (let done = 0; done < into.length;) {
    const n = readSync(fd, into, done, into.length - done, offset + done)
    if (n === 0) return false
    done += n
  }
  return true
}

function writeAll(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(fd, bytes, done, bytes.length - done, offset + done)
}

function syncDir(dir: string): void {
  const fd = openSync(dir, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
