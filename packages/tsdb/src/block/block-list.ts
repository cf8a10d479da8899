// The list of loaded blocks as all threads see it: names in shared memory under an odd/even sequence number, and the time from which on
// the head answers. Layout: i32 sequence, i32 count, f64 time, 48 bytes 0, then 16 bytes a ULID, oldest block first.
import { ULID_BYTES, ulidBytes, ulidText } from './ulid.ts'

const HEADER_BYTES = 64
/** 15 days of 2-hour blocks are 180; compaction keeps the number far lower. */
export const BLOCKS_MAX = 16_384

export interface PublishedBlocks {
  /** Even; another one means another list. */
  readonly sequence: number
  /** Samples before this time, ms, are in blocks and not looked for in the head. −Infinity = all are in the head. */
  readonly headFrom: number
  readonly ulids: readonly string[]
}

export function createBlockList(): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(HEADER_BYTES + BLOCKS_MAX * ULID_BYTES)
  new Float64Array(buffer)[1] = -Infinity
  return buffer
}

/** Replaces the list. Only by the database's writer. */
export function publishBlocks(buffer: SharedArrayBuffer, ulids: readonly string[], headFrom: number): void {
  if (ulids.length > BLOCKS_MAX) throw new Error(`too many blocks: ${ulids.length}, at most ${BLOCKS_MAX}`)
  const words = new Int32Array(buffer)
  const bytes = new Uint8Array(buffer)
  Atomics.add(words, 0, 1)
  words[1] = ulids.length
  new Float64Array(buffer)[1] = headFrom
  ulids.forEach((ulid, i) => bytes.set(ulidBytes(ulid), HEADER_BYTES + i * ULID_BYTES))
  Atomics.add(words, 0, 1)
  Atomics.notify(words, 0)
}

export function blockListSequence(buffer: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(buffer, 0, 1), 0)
}

/** The list as it was at one moment. */
export function publishedBlocks(buffer: SharedArrayBuffer): PublishedBlocks {
  const words = new Int32Array(buffer)
  const bytes = new Uint8Array(buffer)
  for (;;) {
    const sequence = Atomics.load(words, 0)
    if ((sequence & 1) === 1) {
      Atomics.wait(words, 0, sequence, 1)
      continue
    }
    const count = Math.min(words[1]!, BLOCKS_MAX)
    const headFrom = new Float64Array(buffer)[1]!
    const copy = bytes.slice(HEADER_BYTES, HEADER_BYTES + count * ULID_BYTES)
    if (Atomics.load(words, 0) !== sequence) continue
    const ulids = Array.from({ length: count }, (_, i) =>
      ulidText(copy.subarray(i * ULID_BYTES, (i + 1) * ULID_BYTES)),
    )
    return { sequence, headFrom, ulids }
  }
}
