// Merges blocks into one: series by series in order of label sets. Chunks that stand alone in time are copied as they are; those that
// overlap or that a deletion touches are decoded, merged and encoded anew.
import { join } from 'node:path'
import { CHUNK_ENCODING, compareUtf8 } from '@watchfire/datamodel'
import { createArena, type Arena } from '@watchfire/kernels'
import { BlockSource } from '../block/block-source.ts'
import { BlockWriter } from '../block/block-writer.ts'
import { withoutIntervals } from '../block/chunk-edit.ts'
import { HINT_OUT_OF_ORDER, type BlockMeta } from '../block/meta.ts'
import type { Interval } from '../block/tombstones.ts'
import { encodeMerged, type DecodedChunk } from './chunk-encoder.ts'
import { SeriesCursor } from './series-cursor.ts'

/** Memory for the chunks of one series that are merged. */
const ARENA_BYTES = 512 * 1024 * 1024

export interface CompactOptions {
  readonly segmentBytes?: number | undefined
}

/** A chunk of the series at hand. */
interface Piece {
  readonly cursor: SeriesCursor
  readonly ref: number
  readonly minTime: number
  readonly maxTime: number
  /** Deletions that touch it. */
  readonly intervals: readonly Interval[]
}

/**
 * Merges blocks of a data directory into the new block `ulid`; undefined when no sample is left. The blocks stay; whoever called deletes
 * them when the new one is in use. Throws CorruptionError for damaged blocks and leaves nothing behind.
 */
export function compactBlocks(
  dir: string,
  ulids: readonly string[],
  ulid: string,
  options: CompactOptions = {},
): BlockMeta | undefined {
  const blocks: BlockSource[] = []
  let writer: BlockWriter | undefined
  try {
    for (const each of ulids) blocks.push(new BlockSource(join(dir, each)))
    blocks.sort((a, b) => a.meta.minTime - b.meta.minTime)
    writer = new BlockWriter(dir, ulid, options)
    const cursors = blocks.map((block) => new SeriesCursor(block))
    mergeSymbols(cursors, writer)
    mergeSeries(cursors, writer, createArena(ARENA_BYTES))
    return writer.finish(
      Math.min(...blocks.map(({ meta }) => meta.minTime)),
      Math.max(...blocks.map(({ meta }) => meta.maxTime)),
      compactionOf(blocks.map(({ meta }) => meta)),
    )
  } catch (error) {
    writer?.abandon()
    throw error
  } finally {
    for (const block of blocks) block.close()
  }
}

function compactionOf(metas: readonly BlockMeta[]): Partial<BlockMeta['compaction']> {
  const sources = new Set(metas.flatMap(({ compaction }) => compaction.sources))
  const inAll = (hint: string): boolean => metas.every(({ compaction }) => compaction.hints.includes(hint))
  const hints = new Set(metas.flatMap(({ compaction }) => compaction.hints))
  return {
    level: Math.max(...metas.map(({ compaction }) => compaction.level)) + 1,
    sources: [...sources].sort(),
    parents: metas.map(({ ulid, minTime, maxTime }) => ({ ulid, minTime, maxTime })),
    hints: [...hints].filter((hint) => inAll(hint) || hint !== HINT_OUT_OF_ORDER).sort(),
  }
}

/** Writes all symbols in order, each once. */
function mergeSymbols(cursors: readonly SeriesCursor[], writer: BlockWriter): void {
  const heads = cursors.map((cursor) => {
    const symbols = cursor.block.index.symbols.all()
    return { cursor, symbols, at: symbols.next() }
  })
  for (;;) {
    let least: string | undefined
    for (const { at } of heads)
      if (!at.done && (least === undefined || compareUtf8(at.value.text, least) < 0)) least = at.value.text
    if (least === undefined) return
    const number = writer.addSymbol(least)
    for (const head of heads) {
      if (head.at.done || head.at.value.text !== least) continue
      head.cursor.setNumber(head.at.value.ref, number)
      head.at = head.symbols.next()
    }
  }
}

function mergeSeries(cursors: readonly SeriesCursor[], writer: BlockWriter, arena: Arena): void {
  let active = cursors.filter((cursor) => cursor.next())
  while (active.length > 0) {
    const least = active.reduce((a, b) => (b.compare(a) < 0 ? b : a))
    const same = active.filter((cursor) => cursor === least || cursor.compare(least) === 0)
    writeChunks(piecesOf(same), writer, arena)
    writer.endSeries(least.symbols, least.entry.labelCount)
    const ended = new Set(same.filter((cursor) => !cursor.next()))
    if (ended.size > 0) active = active.filter((cursor) => !ended.has(cursor))
  }
}

/** Chunks of one series of all blocks in order of time, those deleted whole left out. */
function piecesOf(cursors: readonly SeriesCursor[]): Piece[] {
  const pieces: Piece[] = []
  for (const cursor of cursors) {
    const { entry, block, ref } = cursor
    const deleted = block.tombstones.get(ref) ?? []
    for (let i = 0; i < entry.chunkCount; i++) {
      const minTime = entry.minTimes[i]!
      const maxTime = entry.maxTimes[i]!
      const intervals = deleted.filter((each) => each.minTime <= maxTime && each.maxTime >= minTime)
      if (intervals.some((each) => each.minTime <= minTime && each.maxTime >= maxTime)) continue
      pieces.push({ cursor, ref: entry.chunkRefs[i]!, minTime, maxTime, intervals })
    }
  }
  if (cursors.length > 1) pieces.sort((a, b) => a.minTime - b.minTime)
  return pieces
}

function writeChunks(pieces: readonly Piece[], writer: BlockWriter, arena: Arena): void {
  for (let from = 0; from < pieces.length;) {
    let to = from + 1
    let end = pieces[from]!.maxTime
    while (to < pieces.length && pieces[to]!.minTime <= end) end = Math.max(end, pieces[to++]!.maxTime)
    const { cursor, ref, minTime, maxTime, intervals } = pieces[from]!
    if (to === from + 1 && intervals.length === 0) {
      const chunk = cursor.block.chunks.locate(ref)
      writer.addChunk(chunk.encoding, minTime, maxTime, chunk.bytes, chunk.start, chunk.end)
    } else {
      const mark = arena.mark()
      const decoded = pieces.slice(from, to).flatMap((piece) => decode(piece, arena))
      encodeMerged(arena, decoded, writer.addChunk.bind(writer))
      arena.release(mark)
    }
    from = to
  }
}

/** The samples of a chunk that are not deleted; nothing when none are left. */
function decode({ cursor, ref, intervals }: Piece, arena: Arena): DecodedChunk[] {
  const chunk = cursor.block.chunks.locate(ref)
  const length = chunk.end - chunk.start
  const address = arena.alloc(length)
  arena.bytes().set(chunk.bytes.subarray(chunk.start, chunk.end), address)
  const row = withoutIntervals(arena, chunk.encoding, address, length, intervals)
  const integer = chunk.encoding === CHUNK_ENCODING.histogram || chunk.encoding === CHUNK_ENCODING.histogramSt
  return row ? [{ row, integer }] : []
}
