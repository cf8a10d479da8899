// The tombstones file of a block: deleted intervals by series reference. docs/format/block.md draws it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ByteReader, ByteWriter } from '../wal/bytes.ts'
import { CorruptionError } from './corruption.ts'
import { crc32c } from './crc32c.ts'
import { writeFileDurably } from './files.ts'

export const TOMBSTONES_FILE = 'tombstones'
const MAGIC = 0x0130ba30
const VERSION = 1
const HEADER_BYTES = 5
const CRC_BYTES = 4
/** Three varints. */
const STONE_BYTES_MAX = 30

/** ms, both inclusive. */
export interface Interval {
  readonly minTime: number
  readonly maxTime: number
}

/** Sorted, disjoint intervals by series reference. */
export type Tombstones = ReadonlyMap<number, readonly Interval[]>

/** Reads the file of a block directory; no file is no deletions. Throws CorruptionError. */
export function readTombstones(dir: string): Tombstones {
  const file = join(dir, TOMBSTONES_FILE)
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
    throw error
  }
  return decodeTombstones(bytes, file)
}

export function decodeTombstones(bytes: Uint8Array, file: string): Tombstones {
  const reader = new ByteReader()
  reader.reset(bytes, 0, bytes.length)
  if (bytes.length < HEADER_BYTES + CRC_BYTES) throw new CorruptionError(file, 0, 'too short')
  const magic = reader.be32()
  if (magic !== MAGIC) throw new CorruptionError(file, 0, `invalid magic number ${magic.toString(16)}`)
  const end = bytes.length - CRC_BYTES
  reader.position = end
  const want = reader.be32()
  // The checksum leaves out the version.
  const have = crc32c(bytes, HEADER_BYTES, end)
  if (want !== have) throw new CorruptionError(file, HEADER_BYTES, 'checksum did not match')
  if (bytes[4] !== VERSION) throw new CorruptionError(file, 4, `invalid tombstone format ${bytes[4]}`)
  const stones = new Map<number, Interval[]>()
  reader.reset(bytes, HEADER_BYTES, end)
  while (reader.left > 0) {
    const at = reader.position
    const ref = reader.uvarint()
    const minTime = reader.varint()
    const maxTime = reader.varint()
    if (reader.failed) throw new CorruptionError(file, at, 'a stone is cut off')
    const intervals = stones.get(ref)
    if (intervals) intervals.push({ minTime, maxTime })
    else stones.set(ref, [{ minTime, maxTime }])
  }
  for (const [ref, intervals] of stones) stones.set(ref, mergeIntervals(intervals))
  return stones
}

export function encodeTombstones(stones: Tombstones): Uint8Array {
  let count = 0
  for (const intervals of stones.values()) count += intervals.length
  const writer = new ByteWriter(new Uint8Array(HEADER_BYTES + count * STONE_BYTES_MAX + CRC_BYTES))
  writer.be32(MAGIC)
  writer.u8(VERSION)
  for (const [ref, intervals] of stones) {
    for (const { minTime, maxTime } of intervals) {
      writer.uvarint(ref)
      writer.varint(minTime)
      writer.varint(maxTime)
    }
  }
  writer.be32(crc32c(writer.bytes, HEADER_BYTES, writer.position))
  return writer.bytes.slice(0, writer.position)
}

/** Replaces the file durably. */
export function writeTombstones(dir: string, stones: Tombstones): void {
  writeFileDurably(dir, TOMBSTONES_FILE, encodeTombstones(stones))
}

/** Sorted; those that overlap or touch become one. */
export function mergeIntervals(intervals: readonly Interval[]): Interval[] {
  const merged: { minTime: number; maxTime: number }[] = []
  for (const { minTime, maxTime } of [...intervals].sort((a, b) => a.minTime - b.minTime)) {
    const last = merged.at(-1)
    if (last && minTime <= last.maxTime + 1) last.maxTime = Math.max(last.maxTime, maxTime)
    else merged.push({ minTime, maxTime })
  }
  return merged
}
