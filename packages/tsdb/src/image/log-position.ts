// Where a log stands: its checkpoint, and the end of its last segment that holds anything. Two equal positions of a directory mean
// that nothing was logged between them: whoever opens the log starts a new segment, and segments only grow.
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32c } from '../block/crc32c.ts'
import { lastCheckpoint, listSegments, segmentName } from '../wal/format.ts'

/** Bytes at the end of the last segment that are summed, so that another log of the same length is told apart. */
const TAIL_BYTES = 4096

export interface LogPosition {
  /** Last segment the checkpoint covers, −1 = no checkpoint. */
  readonly checkpoint: number
  /** Last segment that is not empty, −1 = none. */
  readonly segment: number
  /** Its size. */
  readonly bytes: number
  /** CRC-32C of its last bytes. */
  readonly tail: number
}

/** Position of the log in `dir`, which need not exist. Errors of the disk are thrown. */
export function logPosition(dir: string): LogPosition {
  if (!existsSync(dir)) return { checkpoint: -1, segment: -1, bytes: 0, tail: 0 }
  const checkpoint = lastCheckpoint(dir)?.index ?? -1
  for (const segment of listSegments(dir).reverse()) {
    const file = join(dir, segmentName(segment))
    const bytes = statSync(file).size
    if (bytes > 0) return { checkpoint, segment, bytes, tail: tailSum(file, bytes) }
  }
  return { checkpoint, segment: -1, bytes: 0, tail: 0 }
}

export function samePosition(a: LogPosition, b: LogPosition): boolean {
  return a.checkpoint === b.checkpoint && a.segment === b.segment && a.bytes === b.bytes && a.tail === b.tail
}

function tailSum(file: string, bytes: number): number {
  const tail = new Uint8Array(Math.min(bytes, TAIL_BYTES))
  const fd = openSync(file, 'r')
  try {
    readSync(fd, tail, 0, tail.length, bytes - tail.length)
  } finally {
    closeSync(fd)
  }
  return crc32c(tail)
}
