// meta.json of a block: what it covers, what it was made from. Read leniently, written as Prometheus writes it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from './files.ts'
import { isUlid } from './ulid.ts'

export const META_FILE = 'meta.json'

/** The block was made from out-of-order samples. */
export const HINT_OUT_OF_ORDER = 'from-out-of-order'
/** Hints of blocks that hold a part of the head's series only. */
export const HINT_STALE_SERIES = 'from-stale-series'
export const HINT_SELECTED_SERIES = 'from-selected-series'

export interface BlockStats {
  readonly numSamples: number
  readonly numFloatSamples: number
  readonly numHistogramSamples: number
  readonly numSeries: number
  readonly numChunks: number
  readonly numTombstones: number
}

export interface BlockDesc {
  readonly ulid: string
  readonly minTime: number
  readonly maxTime: number
}

export interface BlockMeta extends BlockDesc {
  /** ms, inclusive. */
  readonly minTime: number
  /** ms, exclusive. */
  readonly maxTime: number
  readonly stats: BlockStats
  readonly compaction: {
    readonly level: number
    readonly sources: readonly string[]
    /** Nothing is left in it: it goes with the next reload. */
    readonly deletable: boolean
    readonly parents: readonly BlockDesc[]
    /** Compacting it has failed: it is left alone. */
    readonly failed: boolean
    readonly hints: readonly string[]
  }
}

export const NO_STATS: BlockStats = {
  numSamples: 0,
  numFloatSamples: 0,
  numHistogramSamples: 0,
  numSeries: 0,
  numChunks: 0,
  numTombstones: 0,
}

/** Reads and checks meta.json of a block directory. Throws with the file's name when it is missing or broken. */
export function readMeta(dir: string): BlockMeta {
  const file = join(dir, META_FILE)
  const text = readFileSync(file, 'utf8')
  try {
    return parseMeta(text)
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

export function parseMeta(text: string): BlockMeta {
  const root = record(JSON.parse(text), 'document')
  if (root.version !== 1) throw new Error(`unexpected meta file version ${String(root.version)}`)
  const { ulid, minTime, maxTime } = desc(root)
  const stats = record(root.stats ?? {}, 'stats')
  const compaction = record(root.compaction ?? {}, 'compaction')
  return {
    ulid,
    minTime,
    maxTime,
    stats: {
      numSamples: count(stats, 'numSamples'),
      numFloatSamples: count(stats, 'numFloatSamples'),
      numHistogramSamples: count(stats, 'numHistogramSamples'),
      numSeries: count(stats, 'numSeries'),
      numChunks: count(stats, 'numChunks'),
      numTombstones: count(stats, 'numTombstones'),
    },
    compaction: {
      level: count(compaction, 'level'),
      sources: texts(compaction.sources, 'sources'),
      deletable: compaction.deletable === true,
      parents: list(compaction.parents, 'parents').map((parent) => desc(record(parent, 'parent'))),
      failed: compaction.failed === true,
      hints: texts(compaction.hints, 'hints'),
    },
  }
}

/** Tabs, Prometheus's order of fields, and nothing that is 0 or empty where it leaves that out. */
export function formatMeta(meta: BlockMeta): string {
  const { stats, compaction } = meta
  const document = {
    ulid: meta.ulid,
    minTime: meta.minTime,
    maxTime: meta.maxTime,
    stats: {
      numSamples: stats.numSamples || undefined,
      numFloatSamples: stats.numFloatSamples || undefined,
      numHistogramSamples: stats.numHistogramSamples || undefined,
      numSeries: stats.numSeries || undefined,
      numChunks: stats.numChunks || undefined,
      numTombstones: stats.numTombstones || undefined,
    },
    compaction: {
      level: compaction.level,
      sources: compaction.sources.length > 0 ? compaction.sources : undefined,
      deletable: compaction.deletable || undefined,
      parents:
        compaction.parents.length > 0
          ? compaction.parents.map(({ ulid, minTime, maxTime }) => ({ ulid, minTime, maxTime }))
          : undefined,
      failed: compaction.failed || undefined,
      hints: compaction.hints.length > 0 ? compaction.hints : undefined,
    },
    version: 1,
  }
  return JSON.stringify(document, undefined, '\t')
}

/** Replaces meta.json durably. */
export function writeMeta(dir: string, meta: BlockMeta): void {
  writeFileDurably(dir, META_FILE, Buffer.from(formatMeta(meta)))
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what} is not an object`)
  return value as Record<string, unknown>
}

function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new Error(`${what} is not a list`)
  return value as readonly unknown[]
}

function texts(value: unknown, what: string): string[] {
  return list(value, what).map((item) => {
    if (typeof item !== 'string') throw new Error(`${what} has an item that is no text`)
    return item
  })
}

function count(parent: Record<string, unknown>, name: string): number {
  const value = parent[name] ?? 0
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new Error(`${name} is not a count: ${JSON.stringify(value)}`)
  return value as number
}

function desc(parent: Record<string, unknown>): BlockDesc {
  const { ulid, minTime, maxTime } = parent
  if (typeof ulid !== 'string' || !isUlid(ulid)) throw new Error(`ulid is not one: ${JSON.stringify(ulid)}`)
  if (!Number.isSafeInteger(minTime) || !Number.isSafeInteger(maxTime))
    throw new Error('minTime and maxTime must be whole numbers of ms')
  return { ulid, minTime: minTime as number, maxTime: maxTime as number }
}
