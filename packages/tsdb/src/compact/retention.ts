// Which blocks are past the retention: by time against the newest block, by size from the oldest on.
import { statfsSync } from 'node:fs'
import type { BlockMeta } from '../block/meta.ts'

export interface RetentionLimits {
  /** 0 = no limit. */
  readonly timeMs: number
  /** Bytes of blocks, WAL and head together; 0 = no limit. */
  readonly bytes: number
  /** Share of the file system, 0–100; counts instead of `bytes` when above 0. */
  readonly percentage: number
}

/** A block's newest sample must be this old relative to the newest block before it goes: so up to a block longer than said. */
export function pastTime(blocks: readonly BlockMeta[], timeMs: number): BlockMeta[] {
  if (timeMs <= 0 || blocks.length === 0) return []
  const newest = Math.max(...blocks.map((meta) => meta.maxTime))
  return blocks.filter((meta) => newest - meta.maxTime >= timeMs)
}

/** The oldest blocks that must go until the rest and `otherBytes` fit into `limit`. */
export function pastSize(
  blocks: readonly BlockMeta[],
  bytesOf: (meta: BlockMeta) => number,
  otherBytes: number,
  limit: number,
): BlockMeta[] {
  if (limit <= 0) return []
  let sum = otherBytes
  const gone: BlockMeta[] = []
  for (const meta of [...blocks].sort((a, b) => b.maxTime - a.maxTime)) {
    sum += bytesOf(meta)
    if (sum > limit) gone.push(meta)
  }
  return gone
}

/** The limit in bytes that holds for a directory, 0 = none. */
export function sizeLimit(limits: RetentionLimits, dir: string): number {
  if (limits.percentage <= 0) return limits.bytes
  const { blocks, bsize } = statfsSync(dir)
  return Math.floor((blocks * bsize * limits.percentage) / 100)
}
