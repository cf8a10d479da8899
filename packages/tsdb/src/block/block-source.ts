// A block as a chunk source. It opens from its directory in any thread; deletions apply while reading: a chunk that a tombstone touches is
// handed out decoded and without the deleted samples, the others go from the file to the arena as they are.
import { join } from 'node:path'
import { ChunkReadError, Labels, type ByteArena, type Matcher } from '@watchfire/datamodel'
import type { ChunkSource, SourceSelection } from '../query/chunk-source.ts'
import { INDEX_FILE } from '../index/format.ts'
import { IndexReader, seriesEntry, type SeriesEntry } from '../index/index-reader.ts'
import { matchingSeries } from '../index/matching.ts'
import { union } from '../index/postings.ts'
import { ChunkFiles, type LocatedChunk } from './chunk-files.ts'
import { ChunkDecodeError, withoutIntervals } from './chunk-edit.ts'
import { CorruptionError } from './corruption.ts'
import { readMeta, type BlockMeta } from './meta.ts'
import { NumberList, RowList } from './row-list.ts'
import { readTombstones, type Interval, type Tombstones } from './tombstones.ts'

/** Most bytes of chunks read ahead for one series. */
const AHEAD_BYTES_MAX = 64 * 1024
const NO_INTERVALS: readonly Interval[] = []

export class BlockSource implements ChunkSource {
  readonly dir: string
  readonly meta: BlockMeta
  readonly index: IndexReader
  readonly chunks: ChunkFiles
  readonly tombstones: Tombstones
  readonly #entry: SeriesEntry = seriesEntry()

  /** Opens a block directory. Throws CorruptionError, or the system's error for missing files. */
  constructor(dir: string, meta: BlockMeta = readMeta(dir)) {
    this.dir = dir
    this.meta = meta
    this.chunks = new ChunkFiles(dir)
    this.index = new IndexReader(join(dir, INDEX_FILE))
    try {
      this.tombstones = readTombstones(dir)
    } catch (error) {
      this.close()
      throw error
    }
  }

  get minTime(): number {
    return this.meta.minTime
  }

  get maxTime(): number {
    return this.meta.maxTime - 1
  }

  select(
    matchers: readonly Matcher[],
    minTime: number,
    maxTime: number,
    limit: number,
    arena: ByteArena,
  ): SourceSelection {
    const rows = new RowList()
    const symbols = new NumberList()
    const labelStart = new NumberList()
    const chunkStart = new NumberList()
    labelStart.push(0)
    chunkStart.push(0)
    const entry = this.#entry
    for (const ref of matchingSeries(this.index, matchers)) {
      if (limit > 0 && labelStart.length > limit) break
      this.index.series(ref, entry)
      const before = rows.count
      this.#copyChunks(entry, this.#intervals(ref), minTime, maxTime, arena, rows)
      if (rows.count === before) continue
      for (let i = 0; i < entry.labelCount * 2; i++) symbols.push(entry.symbols[i]!)
      labelStart.push(symbols.length)
      chunkStart.push(rows.count)
    }
    // Texts are resolved now: the block may be closed when they are asked for.
    const texts = new Map<number, string>()
    const all = symbols.values()
    const starts = labelStart.values()
    for (const symbol of all) if (!texts.has(symbol)) texts.set(symbol, this.index.symbols.get(symbol))
    return {
      count: labelStart.length - 1,
      labels: (i) =>
        Labels.fromSortedPairs(
          Array.from(all.subarray(starts[i], starts[i + 1]), (symbol) => texts.get(symbol)!),
        ),
      chunkStart: chunkStart.values(),
      table: rows.writeTo(arena),
    }
  }

  series(matcherSets: readonly (readonly Matcher[])[], minTime: number, maxTime: number): Labels[] {
    const found: Labels[] = []
    this.#eachSeries(matcherSets, minTime, maxTime, (entry) => found.push(this.labelsOf(entry)))
    return found
  }

  labelNames(
    matcherSets: readonly (readonly Matcher[])[],
    minTime: number,
    maxTime: number,
  ): Iterable<string> {
    const names = new Set<string>()
    if (matcherSets.length === 0) {
      if (this.#overlaps(minTime, maxTime))
        for (const name of this.index.table.names()) if (name !== '') names.add(name)
    } else {
      const symbols = new Set<number>()
      this.#eachSeries(matcherSets, minTime, maxTime, (entry) => {
        for (let i = 0; i < entry.labelCount * 2; i += 2) symbols.add(entry.symbols[i]!)
      })
      for (const symbol of symbols) names.add(this.index.symbols.get(symbol))
    }
    return names
  }

  labelValues(
    name: string,
    matcherSets: readonly (readonly Matcher[])[],
    minTime: number,
    maxTime: number,
  ): Iterable<string> {
    const values = new Set<string>()
    if (matcherSets.length === 0) {
      if (this.#overlaps(minTime, maxTime) && name !== '')
        this.index.table.forEach(name, (value) => {
          values.add(value)
        })
    } else {
      this.#eachSeries(matcherSets, minTime, maxTime, (entry) => {
        const value = this.labelsOf(entry).get(name)
        if (value !== '') values.add(value)
      })
    }
    return values
  }

  labelsOf(entry: SeriesEntry): Labels {
    const pairs: string[] = []
    for (let i = 0; i < entry.labelCount * 2; i++) pairs.push(this.index.symbols.get(entry.symbols[i]!))
    return Labels.fromSortedPairs(pairs)
  }

  close(): void {
    this.chunks.close()
    this.index.close()
  }

  #overlaps(minTime: number, maxTime: number): boolean {
    return this.minTime <= maxTime && this.maxTime >= minTime
  }

  #intervals(ref: number): readonly Interval[] {
    return this.tombstones.get(ref) ?? NO_INTERVALS
  }

  /** Calls `each` for every series of any set that has samples in the range; what is deleted whole does not count. */
  #eachSeries(
    matcherSets: readonly (readonly Matcher[])[],
    minTime: number,
    maxTime: number,
    each: (entry: SeriesEntry) => void,
  ): void {
    if (!this.#overlaps(minTime, maxTime)) return
    const entry = this.#entry
    for (const ref of union(matcherSets.map((matchers) => matchingSeries(this.index, matchers)))) {
      this.index.series(ref, entry)
      const intervals = this.#intervals(ref)
      for (let i = 0; i < entry.chunkCount; i++) {
        const from = entry.minTimes[i]!
        const to = entry.maxTimes[i]!
        if (from > maxTime || to < minTime || isDeleted(intervals, from, to)) continue
        each(entry)
        break
      }
    }
  }

  /** Copies the chunks of a series that overlap the range to the arena. */
  #copyChunks(
    entry: SeriesEntry,
    intervals: readonly Interval[],
    minTime: number,
    maxTime: number,
    arena: ByteArena,
    rows: RowList,
  ): void {
    for (let i = 0; i < entry.chunkCount; i++) {
      const from = entry.minTimes[i]!
      const to = entry.maxTimes[i]!
      if (from > maxTime) break
      if (to < minTime || isDeleted(intervals, from, to)) continue
      const ref = entry.chunkRefs[i]!
      const last = entry.chunkRefs[entry.chunkCount - 1]!
      const chunk = this.#locate(ref, Math.min(Math.max(0, last - ref), AHEAD_BYTES_MAX))
      const length = chunk.end - chunk.start
      const address = arena.alloc(length)
      const bytes = arena.bytes()
      bytes.set(chunk.bytes.subarray(chunk.start, chunk.end), address)
      const touched = intervals.filter((interval) => interval.minTime <= to && interval.maxTime >= from)
      if (touched.length === 0) {
        const samples = length < 2 ? 0 : (bytes[address]! << 8) | bytes[address + 1]!
        rows.push(address, length, chunk.encoding, samples, from, to, 0)
        continue
      }
      const row = this.#edit(arena, chunk.encoding, address, length, touched, ref)
      if (row && row.minTime <= maxTime && row.maxTime >= minTime) rows.pushRow(row)
    }
  }

  #locate(ref: number, more: number): LocatedChunk {
    try {
      return this.chunks.locate(ref, more)
    } catch (error) {
      throw this.#unreadable(ref, error)
    }
  }

  #unreadable(ref: number, error: unknown): unknown {
    if (!(error instanceof CorruptionError || error instanceof ChunkDecodeError)) return error
    const text = `cannot populate chunk ${ref} from block ${this.meta.ulid}: ${error.message}`
    return new ChunkReadError(text, { cause: error })
  }

  #edit(
    arena: ByteArena,
    encoding: number,
    address: number,
    length: number,
    intervals: readonly Interval[],
    ref: number,
  ): ReturnType<typeof withoutIntervals> {
    try {
      return withoutIntervals(arena, encoding, address, length, intervals)
    } catch (error) {
      throw this.#unreadable(ref, error)
    }
  }
}

/** True when one interval covers the whole range. */
function isDeleted(intervals: readonly Interval[], minTime: number, maxTime: number): boolean {
  return intervals.some((interval) => interval.minTime <= minTime && interval.maxTime >= maxTime)
}
