// Which blocks are compacted next, by Prometheus's rules: overlapping ones first, then runs that fill a larger range, then one with many
// deletions.
import type { BlockMeta } from '../block/meta.ts'
import { HINT_SELECTED_SERIES, HINT_STALE_SERIES } from '../block/meta.ts'

const STEPS = 10
const FACTOR = 3
/** Share of deleted series above which a block is rewritten. */
const TOMBSTONE_SHARE = 0.05

/** Lengths of blocks: `least`, then three times the one before, none above `most` (but always the first). ms. */
export function blockRanges(least: number, most: number): number[] {
  const ranges = Array.from({ length: STEPS }, (_, i) => least * FACTOR ** i)
  return ranges.filter((range, i) => i === 0 || range <= most)
}

/** End of the aligned range a time lies in. */
export function rangeEnd(timeMs: number, range: number): number {
  return Math.floor(timeMs / range) * range + range
}

/** Blocks to be merged into one, empty when there is nothing to do. */
export function planCompaction(
  blocks: readonly BlockMeta[],
  ranges: readonly number[],
): readonly BlockMeta[] {
  const has = (hint: string) => (meta: BlockMeta) => meta.compaction.hints.includes(hint)
  const stale = blocks.filter(has(HINT_STALE_SERIES))
  const selected = blocks.filter((meta) => !stale.includes(meta) && has(HINT_SELECTED_SERIES)(meta))
  const whole = blocks.filter((meta) => !stale.includes(meta) && !selected.includes(meta))
  // Blocks of a part of the head's series keep their hint only if they are merged among themselves.
  for (const group of [whole, stale, selected]) {
    const chosen = planGroup(group, ranges)
    if (chosen.length > 0) return chosen
  }
  return []
}

function planGroup(blocks: readonly BlockMeta[], ranges: readonly number[]): readonly BlockMeta[] {
  if (blocks.length === 0) return []
  const sorted = [...blocks].sort((a, b) => a.minTime - b.minTime)
  const overlapping = firstOverlap(sorted)
  if (overlapping.length > 0) return overlapping
  // The newest block is left alone for a while, so that it can be copied away as it is.
  const settled = sorted.slice(0, -1)
  const filled = fillRange(settled, ranges)
  if (filled.length > 0) return filled
  const largeEnough = ranges[Math.floor(ranges.length / 2)]!
  for (const meta of settled.reverse()) {
    const { numTombstones, numSeries } = meta.stats
    if (meta.maxTime - meta.minTime < largeEnough) {
      if (numTombstones > 0 && numTombstones >= numSeries) return [meta]
      break
    }
    if (numTombstones / (numSeries + 1) > TOMBSTONE_SHARE) return [meta]
  }
  return []
}

/** The first group of blocks that overlap in time. */
function firstOverlap(sorted: readonly BlockMeta[]): BlockMeta[] {
  let group: BlockMeta[] = []
  let end = -Infinity
  for (const meta of sorted) {
    if (meta.minTime < end) group.push(meta)
    else if (group.length > 1) break
    else group = [meta]
    end = Math.max(end, meta.maxTime)
  }
  return group.length > 1 ? group : []
}

function fillRange(sorted: readonly BlockMeta[], ranges: readonly number[]): readonly BlockMeta[] {
  const last = sorted.at(-1)
  if (!last) return []
  for (const range of ranges.slice(1)) {
    for (const group of splitByRange(sorted, range)) {
      if (group.length < 2 || group.some((meta) => meta.compaction.failed)) continue
      const end = group.at(-1)!.maxTime
      // A range that is not full waits while a block may still come.
      if (end - group[0]!.minTime === range || end <= last.minTime) return group
    }
  }
  return []
}

/** Groups of blocks that lie in the same aligned range; blocks that reach over its edge are in none. */
function splitByRange(sorted: readonly BlockMeta[], range: number): BlockMeta[][] {
  const groups: BlockMeta[][] = []
  for (let i = 0; i < sorted.length;) {
    const end = rangeEnd(sorted[i]!.minTime, range)
    if (sorted[i]!.maxTime > end) {
      i++
      continue
    }
    const group: BlockMeta[] = []
    for (; i < sorted.length && sorted[i]!.maxTime <= end; i++) group.push(sorted[i]!)
    groups.push(group)
  }
  return groups
}
