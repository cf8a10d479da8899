// Label sets of selected series as numbers: each distinct pair gets its rank in (name, value) order, so that sorting label sets compares
// numbers, and strings are made once per pair.
import { Labels, compareUtf8 } from '@watchfire/datamodel'
import type { LabelPair } from './label-cache.ts'

export class SeriesOrder {
  readonly #pairs: LabelPair[]
  /** Ranks of all label sets, one after the other. */
  readonly #ranks: Uint32Array
  readonly #start: Uint32Array
  /** Selected positions in order of their label sets. */
  readonly order: Uint32Array

  /** `ids` holds the pair ids of label set i at [start[i], start[i+1]). */
  constructor(ids: Uint32Array, start: Uint32Array, count: number, pairOf: (id: number) => LabelPair) {
    const distinct = new Map<number, number>()
    const end = start[count]!
    for (let i = 0; i < end; i++) if (!distinct.has(ids[i]!)) distinct.set(ids[i]!, 0)
    const entries = [...distinct.keys()].map((id) => ({ id, pair: pairOf(id) }))
    entries.sort((a, b) => compareUtf8(a.pair.name, b.pair.name) || compareUtf8(a.pair.value, b.pair.value))
    entries.forEach(({ id }, rank) => distinct.set(id, rank))
    this.#pairs = entries.map(({ pair }) => pair)
    const ranks = new Uint32Array(end)
    for (let i = 0; i < end; i++) ranks[i] = distinct.get(ids[i]!)!
    this.#ranks = ranks
    this.#start = start
    this.order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => {
      let p = start[a]!
      let q = start[b]!
      const lengths = start[a + 1]! - p - (start[b + 1]! - q)
      const stop = p + Math.min(start[a + 1]! - p, start[b + 1]! - q)
      for (; p < stop; p++, q++) if (ranks[p] !== ranks[q]) return ranks[p]! - ranks[q]!
      return lengths
    })
  }

  /** Labels of the selected position `i` (not of its place in the order). */
  labels(i: number): Labels {
    const pairs: string[] = []
    for (let p = this.#start[i]!; p < this.#start[i + 1]!; p++) {
      const { name, value } = this.#pairs[this.#ranks[p]!]!
      pairs.push(name, value)
    }
    return Labels.fromSortedPairs(pairs)
  }
}
