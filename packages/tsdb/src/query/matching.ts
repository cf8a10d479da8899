// From matchers to series of the head: the cheapest matcher gives candidates from its postings, the others are checked on the
// candidates' own labels, each distinct value once. Runs inside a consistent copy, so it may see torn data.
import type { Matcher } from '@watchfire/datamodel'
import { CTL, SERIES, SERIES_FLAG } from '../head/layout.ts'
import type { HeadMemory } from '../head/head-memory.ts'
import type { PairTable } from '../head/pairs.ts'
import type { SymbolTable } from '../head/symbols.ts'
import type { LabelCache } from './label-cache.ts'

/** More labels than any label set has: a longer list is torn. */
const LABELS_MAX = 100_000

interface Condition {
  readonly matcher: Matcher
  /** Symbol of the label's name, 0 when no series has it. */
  readonly name: number
  /** Verdicts by pair. */
  readonly verdicts: Map<number, boolean>
}

export class SeriesMatching {
  readonly #mem: HeadMemory
  readonly #symbols: SymbolTable
  readonly #pairs: PairTable
  readonly #labels: LabelCache

  constructor(mem: HeadMemory, symbols: SymbolTable, pairs: PairTable, labels: LabelCache) {
    this.#mem = mem
    this.#symbols = symbols
    this.#pairs = pairs
    this.#labels = labels
  }

  /** Slots of the series all matchers accept, in no particular order. */
  slots(matchers: readonly Matcher[]): Uint32Array {
    let best: { pairs: number[]; count: number; matcher: Matcher } | undefined
    for (const matcher of matchers) {
      if (matcher.matchesEmpty()) continue
      const pairs = this.#pairsOf(matcher)
      const count = pairs.reduce((sum, pair) => sum + this.#pairs.count(pair), 0)
      if (count === 0) return new Uint32Array(0)
      if (best === undefined || count < best.count) best = { pairs, count, matcher }
    }
    const candidates = best ? this.#postings(best.pairs, best.count) : this.#allSeries()
    const conditions = matchers
      .filter((matcher) => matcher !== best?.matcher)
      .map((matcher) => ({
        matcher,
        name: this.#symbols.find(matcher.name),
        verdicts: new Map<number, boolean>(),
      }))
    let kept = 0
    for (const slot of candidates)
      if (this.#isLive(slot) && this.#accepts(slot, conditions)) candidates[kept++] = slot
    return candidates.subarray(0, kept)
  }

  /** Address of the series' label list and its length; throws when torn. */
  labelList(slot: number): { at: number; count: number } {
    const { u32 } = this.#mem
    const list = u32[(this.#mem.seriesAddress(slot) + SERIES.labels) >>> 2]! >>> 2
    const count = u32[list]!
    if (!(count <= LABELS_MAX)) throw new Error('BUG: torn label list')
    return { at: list + 1, count }
  }

  /** Pairs of the label whose values the matcher accepts. */
  #pairsOf(matcher: Matcher): number[] {
    const name = this.#symbols.find(matcher.name)
    if (name === 0) return []
    const literals =
      matcher.type === '=' ? [matcher.value] : matcher.type === '=~' && matcher.regex!.setMatches
    if (literals) {
      const pairs: number[] = []
      for (const value of new Set(literals)) {
        const symbol = value === '' ? 0 : this.#symbols.find(value)
        const pair = symbol === 0 ? 0 : this.#pairs.find(name, symbol)
        if (pair !== 0) pairs.push(pair)
      }
      return pairs
    }
    return this.#pairs.ofName(name).filter((pair) => matcher.matches(this.#labels.pair(pair).value))
  }

  #postings(pairs: readonly number[], count: number): Uint32Array {
    if (count > this.#mem.u32[CTL.seriesSlots >>> 2]!) throw new Error('BUG: torn postings')
    const slots = new Uint32Array(count)
    let end = 0
    for (const pair of pairs) end = this.#pairs.copyPostings(pair, slots, end)
    return slots.subarray(0, end)
  }

  #allSeries(): Uint32Array {
    const { u32 } = this.#mem
    const slots = new Uint32Array(u32[CTL.seriesCount >>> 2]!)
    const end = u32[CTL.seriesSlots >>> 2]!
    let count = 0
    for (let slot = 1; slot < end && count < slots.length; slot++)
      if (this.#isLive(slot)) slots[count++] = slot
    return slots.subarray(0, count)
  }

  #isLive(slot: number): boolean {
    const both = SERIES_FLAG.live | SERIES_FLAG.published
    return (this.#mem.u32[(this.#mem.seriesAddress(slot) + SERIES.flags) >>> 2]! & both) === both
  }

  #accepts(slot: number, conditions: readonly Condition[]): boolean {
    if (conditions.length === 0) return true
    const { u32 } = this.#mem
    const { at, count } = this.labelList(slot)
    for (const { matcher, name, verdicts } of conditions) {
      let pair = 0
      if (name !== 0) {
        for (let i = at; i < at + count; i++) {
          if (this.#pairs.name(u32[i]!) === name) {
            pair = u32[i]!
            break
          }
        }
      }
      let verdict = verdicts.get(pair)
      if (verdict === undefined) {
        verdict = matcher.matches(pair === 0 ? '' : this.#labels.pair(pair).value)
        verdicts.set(pair, verdict)
      }
      if (!verdict) return false
    }
    return true
  }
}
