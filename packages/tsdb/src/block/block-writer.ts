// Writes a block: symbols, then series in order of label sets with their chunks as they are. Everything goes into a directory with a
// temporary name that takes its real one when all of it is durable, so that a crash leaves the whole block or nothing.
import { mkdirSync, renameSync, rmSync, statSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CHUNK_ENCODING } from '@watchfire/datamodel'
import { INDEX_FILE, type ChunkRef } from '../index/format.ts'
import { IndexWriter } from '../index/index-writer.ts'
import { CHUNKS_DIR, ChunkWriter } from './chunk-files.ts'
import { freshDir, syncDir } from './files.ts'
import { writeMeta, type BlockMeta, type BlockStats } from './meta.ts'
import { writeTombstones } from './tombstones.ts'

export const CREATION_SUFFIX = '.tmp-for-creation'
export const DELETION_SUFFIX = '.tmp-for-deletion'

export interface BlockWriterOptions {
  /** Most bytes of a chunk segment. */
  readonly segmentBytes?: number | undefined
}

export class BlockWriter {
  readonly #parent: string
  readonly #ulid: string
  readonly #dir: string
  readonly #index: IndexWriter
  readonly #chunks: ChunkWriter
  #refs: ChunkRef[] = []
  #floats = 0
  #histograms = 0
  #series = 0
  #chunkCount = 0

  /** Begins the block `ulid` in a data directory. */
  constructor(parent: string, ulid: string, options: BlockWriterOptions = {}) {
    this.#parent = parent
    this.#ulid = ulid
    this.#dir = join(parent, ulid + CREATION_SUFFIX)
    freshDir(this.#dir)
    mkdirSync(join(this.#dir, CHUNKS_DIR))
    this.#chunks = new ChunkWriter(this.#dir, options.segmentBytes)
    this.#index = new IndexWriter(join(this.#dir, INDEX_FILE))
  }

  /** Adds the next symbol in UTF-8 byte order, before any series; returns its number. */
  addSymbol(text: string): number {
    return this.#index.addSymbol(text)
  }

  /** Adds a chunk of the next series, in order of time: the on-disk payload of its encoding. */
  addChunk(
    encoding: number,
    minTime: number,
    maxTime: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const samples = (bytes[start]! << 8) | bytes[start + 1]!
    if (encoding === CHUNK_ENCODING.xor || encoding === CHUNK_ENCODING.xor2) this.#floats += samples
    else this.#histograms += samples
    this.#refs.push({ minTime, maxTime, ref: this.#chunks.write(encoding, bytes, start, end) })
  }

  /** Ends the series whose chunks were added: `labelCount` symbol numbers of names and values in turn. No chunks = no series. */
  endSeries(symbols: ArrayLike<number>, labelCount: number): void {
    if (this.#refs.length === 0) return
    this.#index.addSeries(symbols, labelCount, this.#refs)
    this.#series++
    this.#chunkCount += this.#refs.length
    this.#refs = []
  }

  get stats(): BlockStats {
    return {
      numSamples: this.#floats + this.#histograms,
      numFloatSamples: this.#floats,
      numHistogramSamples: this.#histograms,
      numSeries: this.#series,
      numChunks: this.#chunkCount,
      numTombstones: 0,
    }
  }

  /** Makes the block durable under its name; undefined, and nothing left behind, when it has no samples. */
  finish(
    minTime: number,
    maxTime: number,
    compaction: Partial<BlockMeta['compaction']> = {},
  ): BlockMeta | undefined {
    if (this.stats.numSamples === 0) {
      this.abandon()
      return undefined
    }
    this.#chunks.close()
    syncDir(join(this.#dir, CHUNKS_DIR))
    this.#index.finish()
    writeTombstones(this.#dir, new Map())
    const meta: BlockMeta = {
      ulid: this.#ulid,
      minTime,
      maxTime,
      stats: this.stats,
      compaction: {
        level: 1,
        sources: [this.#ulid],
        deletable: false,
        parents: [],
        failed: false,
        hints: [],
        ...compaction,
      },
    }
    writeMeta(this.#dir, meta)
    renameSync(this.#dir, join(this.#parent, this.#ulid))
    syncDir(this.#parent)
    return meta
  }

  /** Gives up and removes what was written. */
  abandon(): void {
    this.#chunks.abandon()
    this.#index.abandon()
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

/** Bytes of all files of a block directory. */
export function blockBytes(dir: string): number {
  let sum = 0
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    sum += entry.isDirectory() ? blockBytes(path) : statSync(path).size
  }
  return sum
}
