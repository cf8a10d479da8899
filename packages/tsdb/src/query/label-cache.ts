// A reader's bounded memory of label pairs as strings. Ids are recycled, so it is emptied when the head's generation moves.
import { CTL } from '../head/layout.ts'
import type { HeadMemory } from '../head/head-memory.ts'
import type { PairTable } from '../head/pairs.ts'
import type { SymbolTable } from '../head/symbols.ts'

const CACHE_MAX = 200_000

export interface LabelPair {
  readonly name: string
  readonly value: string
}

export class LabelCache {
  readonly #mem: HeadMemory
  readonly #symbols: SymbolTable
  readonly #pairs: PairTable
  readonly #names = new Map<number, string>()
  readonly #cache = new Map<number, LabelPair>()
  #generation = -1

  constructor(mem: HeadMemory, symbols: SymbolTable, pairs: PairTable) {
    this.#mem = mem
    this.#symbols = symbols
    this.#pairs = pairs
  }

  /** To be called at the start of every consistent copy. */
  refresh(): void {
    const generation = Atomics.load(this.#mem.u32, CTL.generation >>> 2)
    if (generation === this.#generation && this.#cache.size < CACHE_MAX) return
    this.#generation = generation
    this.#cache.clear()
    this.#names.clear()
  }

  pair(id: number): LabelPair {
    const known = this.#cache.get(id)
    if (known) return known
    const pair = { name: this.#name(this.#pairs.name(id)), value: this.#symbols.text(this.#pairs.value(id)) }
    this.#cache.set(id, pair)
    return pair
  }

  #name(symbol: number): string {
    const known = this.#names.get(symbol)
    if (known !== undefined) return known
    const text = this.#symbols.text(symbol)
    this.#names.set(symbol, text)
    return text
  }
}
