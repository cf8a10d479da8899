// Walks the series of a block in order of label sets while blocks are merged. Symbols become numbers of the merged table first, which
// keep their order, so that label sets are compared as numbers.
import type { BlockSource } from '../block/block-source.ts'
import { seriesEntry, type SeriesEntry } from '../index/index-reader.ts'

export class SeriesCursor {
  readonly block: BlockSource
  readonly entry: SeriesEntry = seriesEntry()
  /** Names and values of the present series as numbers of the merged table. */
  readonly symbols: number[] = []
  readonly #refs: Uint32Array
  readonly #numbers = new Map<number, number>()
  readonly #table: Uint32Array
  #next = 0
  ref = 0

  constructor(block: BlockSource) {
    this.block = block
    this.#refs = block.index.postings('', '')
    this.#table = new Uint32Array(block.index.version === 1 ? 0 : block.index.symbols.count)
  }

  /** What a symbol of the block is called in the merged table. */
  setNumber(ref: number, merged: number): void {
    if (ref < this.#table.length) this.#table[ref] = merged
    else this.#numbers.set(ref, merged)
  }

  /** Goes to the next series; false at the end. */
  next(): boolean {
    if (this.#next >= this.#refs.length) return false
    this.ref = this.#refs[this.#next++]!
    this.block.index.series(this.ref, this.entry)
    for (let i = 0; i < this.entry.labelCount * 2; i++) {
      const ref = this.entry.symbols[i]!
      this.symbols[i] = ref < this.#table.length ? this.#table[ref]! : (this.#numbers.get(ref) ?? 0)
    }
    return true
  }

  compare(other: SeriesCursor): number {
    const mine = this.entry.labelCount * 2
    const theirs = other.entry.labelCount * 2
    for (let i = 0; i < Math.min(mine, theirs); i++) {
      const order = this.symbols[i]! - other.symbols[i]!
      if (order !== 0) return order
    }
    return mine - theirs
  }
}
