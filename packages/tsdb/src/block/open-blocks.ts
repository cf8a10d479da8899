// The blocks one thread has open. They follow the published list; a block that left it is closed when the next query begins, and its files
// live as long as somebody has them open.
import { join } from 'node:path'
import { BlockSource } from './block-source.ts'
import { blockListSequence, publishedBlocks } from './block-list.ts'

const TRIES_MAX = 100

export interface OpenBlockView {
  readonly sequence: number
  readonly headFrom: number
  readonly blocks: readonly BlockSource[]
}

export class OpenBlocks {
  readonly #dir: string
  readonly #list: SharedArrayBuffer
  readonly #open = new Map<string, BlockSource>()
  #view: OpenBlockView | undefined

  constructor(dir: string, list: SharedArrayBuffer) {
    this.#dir = dir
    this.#list = list
  }

  /** The blocks of the present list. Throws when one cannot be opened. */
  view(): OpenBlockView {
    for (let tries = 1; ; tries++) {
      if (this.#view && this.isCurrent(this.#view)) return this.#view
      const { sequence, headFrom, ulids } = publishedBlocks(this.#list)
      try {
        for (const ulid of ulids)
          if (!this.#open.has(ulid)) this.#open.set(ulid, new BlockSource(join(this.#dir, ulid)))
      } catch (error) {
        // Deleted between the list and the opening: the list has moved on.
        if (tries < TRIES_MAX && blockListSequence(this.#list) !== sequence) continue
        throw error
      }
      const wanted = new Set(ulids)
      for (const [ulid, block] of this.#open) {
        if (wanted.has(ulid)) continue
        this.#open.delete(ulid)
        block.close()
      }
      this.#view = { sequence, headFrom, blocks: ulids.map((ulid) => this.#open.get(ulid)!) }
    }
  }

  /** False when blocks came or went since. */
  isCurrent(view: OpenBlockView): boolean {
    return blockListSequence(this.#list) === view.sequence
  }

  close(): void {
    for (const block of this.#open.values()) block.close()
    this.#open.clear()
    this.#view = undefined
  }
}
