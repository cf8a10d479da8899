// Read access to the database from any thread: queriers over its chunk sources.
import { threadId } from 'node:worker_threads'
import {
  compareUtf8,
  type ByteArena,
  type Labels,
  type Matcher,
  type Querier,
  type SelectHints,
  type SeriesSelection,
} from '@watchfire/datamodel'
import type { DbHandle, DbReader, HeadCardinality } from '../contract.ts'
import { openHeadMemory } from '../head/head-memory.ts'
import { Pin, releasePins } from '../head/pins.ts'
import { headCardinality } from './cardinality.ts'
import { MergedSource } from '../block/merged-source.ts'
import { OpenBlocks } from '../block/open-blocks.ts'
import type { ChunkSource } from './chunk-source.ts'
import { HeadSource } from './head-source.ts'

/** Opens a reader of a database that another thread (or this one) writes. Close it; `releaseReaders` does it for dead threads. */
export function openReader(handle: DbHandle): DbReader {
  const memory = handle.shards[0]
  if (handle.kind !== 'watchfire-db-handle' || memory === undefined) throw new Error('not a database handle')
  const mem = openHeadMemory(memory)
  const pin = new Pin(mem, threadId)
  const [head, late] = [new HeadSource(mem, pin), new HeadSource(mem, pin, true)]
  return new HeadReader(head, late, new OpenBlocks(handle.dir, handle.blocks), pin)
}

/** Frees what readers of a thread that has ended still held. To be called by whoever saw the thread's `exit`. */
export function releaseReaders(handle: DbHandle, ofThread: number): void {
  for (const memory of handle.shards) releasePins(openHeadMemory(memory), ofThread)
}

class HeadReader implements DbReader {
  readonly #head: HeadSource
  readonly #blocks: OpenBlocks
  readonly #source: MergedSource
  readonly #pin: Pin

  constructor(head: HeadSource, late: HeadSource, blocks: OpenBlocks, pin: Pin) {
    this.#head = head
    this.#blocks = blocks
    this.#source = new MergedSource(head, late, blocks)
    this.#pin = pin
  }

  querier(minTime: number, maxTime: number): Querier {
    return new SourceQuerier(this.#source, minTime, maxTime)
  }

  cardinality(limit: number): HeadCardinality {
    return headCardinality(this.#head, limit)
  }

  seriesLabels(ref: number): Labels | undefined {
    return this.#head.seriesLabels(ref)
  }

  close(): void {
    this.#blocks.close()
    this.#pin.close()
  }
}

class SourceQuerier implements Querier {
  readonly #source: ChunkSource
  readonly #minTime: number
  readonly #maxTime: number

  constructor(source: ChunkSource, minTime: number, maxTime: number) {
    this.#source = source
    this.#minTime = minTime
    this.#maxTime = maxTime
  }

  select(matchers: readonly Matcher[], hints: SelectHints, arena: ByteArena): SeriesSelection {
    const minTime = Math.max(this.#minTime, hints.start)
    const maxTime = Math.min(this.#maxTime, hints.end)
    const { count, labels, chunkStart, table, overlapping } = this.#source.select(
      matchers,
      minTime,
      maxTime,
      hints.limit ?? 0,
      arena,
    )
    return { count, labels, chunkStart, chunkTable: table, overlapping: overlapping ?? false, warnings: [] }
  }

  series(matcherSets: readonly (readonly Matcher[])[], start: number, end: number, limit: number): Labels[] {
    return limited(this.#source.series(matcherSets, this.#from(start), this.#to(end)), limit)
  }

  labelNames(
    matcherSets: readonly (readonly Matcher[])[],
    start: number,
    end: number,
    limit: number,
  ): string[] {
    return sorted(this.#source.labelNames(matcherSets, this.#from(start), this.#to(end)), limit)
  }

  labelValues(
    name: string,
    matcherSets: readonly (readonly Matcher[])[],
    start: number,
    end: number,
    limit: number,
  ): string[] {
    return sorted(this.#source.labelValues(name, matcherSets, this.#from(start), this.#to(end)), limit)
  }

  close(): void {
    // Nothing is held between calls: pins last for one copy.
  }

  #from(start: number): number {
    return Math.max(this.#minTime, start)
  }

  #to(end: number): number {
    return Math.min(this.#maxTime, end)
  }
}

function sorted(values: Iterable<string>, limit: number): string[] {
  return limited([...values].sort(compareUtf8), limit)
}

function limited<T>(items: T[], limit: number): T[] {
  return limit > 0 ? items.slice(0, limit) : items
}
