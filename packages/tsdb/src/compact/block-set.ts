// The blocks of a data directory as the database's writer keeps them: loaded, published to readers, and deleted in a way that a crash
// cannot leave half a block under its name.
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BlockSource } from '../block/block-source.ts'
import { createBlockList, publishBlocks } from '../block/block-list.ts'
import { CREATION_SUFFIX, DELETION_SUFFIX, blockBytes } from '../block/block-writer.ts'
import { syncDir } from '../block/files.ts'
import {
  HINT_OUT_OF_ORDER,
  HINT_SELECTED_SERIES,
  HINT_STALE_SERIES,
  readMeta,
  type BlockMeta,
} from '../block/meta.ts'
import { isUlid } from '../block/ulid.ts'
import type { DbOptions } from '../contract.ts'

type Log = NonNullable<DbOptions['log']>

export class BlockSet {
  readonly #dir: string
  readonly #log: Log
  /** Shared with readers. */
  readonly list: SharedArrayBuffer = createBlockList()
  /** Oldest first. */
  #metas: readonly BlockMeta[] = []
  readonly #bytes = new Map<string, number>()
  #headFrom = -Infinity

  /** Removes what a crash left behind, then loads the blocks. Throws for a block that is there but damaged. */
  constructor(dir: string, log: Log) {
    this.#dir = dir
    this.#log = log
    for (const name of readdirSync(dir))
      if (
        name.endsWith(CREATION_SUFFIX) ||
        name.endsWith(DELETION_SUFFIX) ||
        /^[0-9A-Z]{26}\.tmp$/.test(name)
      )
        rmSync(join(dir, name), { recursive: true, force: true })
    for (const error of this.reload()) throw error
    const partial = [HINT_OUT_OF_ORDER, HINT_STALE_SERIES, HINT_SELECTED_SERIES]
    for (const { maxTime, compaction } of this.#metas)
      if (!compaction.hints.some((hint) => partial.includes(hint)))
        this.#headFrom = Math.max(this.#headFrom, maxTime)
    this.#publish(this.#metas)
  }

  get metas(): readonly BlockMeta[] {
    return this.#metas
  }

  /** Bytes of all loaded blocks. */
  get bytes(): number {
    return this.#metas.reduce((sum, meta) => sum + this.bytesOf(meta), 0)
  }

  bytesOf({ ulid }: BlockMeta): number {
    let bytes = this.#bytes.get(ulid)
    if (bytes === undefined) {
      bytes = blockBytes(join(this.#dir, ulid))
      this.#bytes.set(ulid, bytes)
    }
    return bytes
  }

  /**
   * Samples before this time are in blocks: the end of the newest block that was there at the start and was cut from the head whole, then
   * of those that are cut. Blocks that somebody else puts there do not count: the head may have samples of their time. −Infinity = none.
   */
  get headFrom(): number {
    return this.#headFrom
  }

  /**
   * Reads the directory anew, publishes what is there, and deletes blocks that were merged into another. A block without a readable
   * meta.json is skipped with a message; damaged ones that are new are left out and returned as errors. `cutBefore` = what the head had
   * before that time is now in `newBlock`.
   */
  reload(newBlock?: string, cutBefore = -Infinity): Error[] {
    const found: BlockMeta[] = []
    for (const name of readdirSync(this.#dir).filter(isUlid)) {
      try {
        const meta = readMeta(join(this.#dir, name))
        if (meta.ulid !== name) throw new Error(`meta.json names another block: ${meta.ulid}`)
        found.push(meta)
      } catch (error) {
        this.#log('error', 'Failed to read meta.json for a block during reloadBlocks. Skipping', {
          dir: join(this.#dir, name),
          err: messageOf(error),
        })
      }
    }
    const merged = new Set(found.flatMap(({ compaction }) => compaction.parents.map(({ ulid }) => ulid)))
    const gone = found.filter(({ ulid, compaction }) => merged.has(ulid) || compaction.deletable)
    const errors: Error[] = []
    const kept = found.filter((meta) => {
      if (gone.includes(meta)) return false
      const error = this.has(meta.ulid) ? undefined : this.#fault(meta)
      if (error) errors.push(error)
      return error === undefined
    })
    if (kept.some(({ ulid }) => ulid === newBlock)) this.#headFrom = Math.max(this.#headFrom, cutBefore)
    this.#publish(kept)
    for (const { ulid } of gone) this.#delete(ulid)
    return errors
  }

  /** True when the block is loaded. */
  has(ulid: string): boolean {
    return this.#metas.some((meta) => meta.ulid === ulid)
  }

  /** Takes blocks out of the list and deletes their files. */
  remove(ulids: readonly string[]): void {
    if (ulids.length === 0) return
    this.#publish(this.#metas.filter(({ ulid }) => !ulids.includes(ulid)))
    for (const ulid of ulids) this.#delete(ulid)
  }

  #publish(metas: readonly BlockMeta[]): void {
    this.#metas = [...metas].sort((a, b) => a.minTime - b.minTime || (a.ulid < b.ulid ? -1 : 1))
    const known = new Set(this.#metas.map(({ ulid }) => ulid))
    for (const ulid of this.#bytes.keys()) if (!known.has(ulid)) this.#bytes.delete(ulid)
    publishBlocks(
      this.list,
      this.#metas.map(({ ulid }) => ulid),
      this.headFrom,
    )
  }

  #fault(meta: BlockMeta): Error | undefined {
    try {
      const block = new BlockSource(join(this.#dir, meta.ulid), meta)
      try {
        block.chunks.check()
      } finally {
        block.close()
      }
      return undefined
    } catch (error) {
      return new Error(`corrupted block ${meta.ulid}: ${messageOf(error)}`, { cause: error })
    }
  }

  #delete(ulid: string): void {
    const from = join(this.#dir, ulid)
    const to = from + DELETION_SUFFIX
    if (!existsSync(from)) return
    rmSync(to, { recursive: true, force: true })
    renameSync(from, to)
    syncDir(this.#dir)
    this.#log('info', 'Deleting obsolete block', { block: ulid })
    rm(to, { recursive: true, force: true }).catch((error: unknown) => {
      this.#log('warn', 'cannot delete a block, it goes at the next start', {
        dir: to,
        err: messageOf(error),
      })
    })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
