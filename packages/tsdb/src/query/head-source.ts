// The head as a chunk source: what readers in any thread see of the shared memory, the samples in order or the out-of-order ones.
import { Labels, type ByteArena, type Matcher } from '@watchfire/datamodel'
import { CTL, HEAP_START, SERIES, SERIES_FLAG, SYMBOL } from '../head/layout.ts'
import type { HeadMemory } from '../head/head-memory.ts'
import { PairTable } from '../head/pairs.ts'
import type { Pin } from '../head/pins.ts'
import { SymbolTable } from '../head/symbols.ts'
import { ChunkCopy } from './chunk-copy.ts'
import type { ChunkSource, SourceSelection } from './chunk-source.ts'
import { LabelCache } from './label-cache.ts'
import { SeriesMatching } from './matching.ts'
import { SeriesOrder } from './series-order.ts'

export class HeadSource implements ChunkSource {
  readonly mem: HeadMemory
  readonly #pin: Pin
  readonly symbols: SymbolTable
  readonly pairs: PairTable
  readonly labels: LabelCache
  readonly #matching: SeriesMatching
  readonly #late: boolean

  /** `late`: the out-of-order samples instead of the others. */
  constructor(mem: HeadMemory, pin: Pin, late = false) {
    this.#late = late
    this.mem = mem
    this.#pin = pin
    this.symbols = new SymbolTable(mem)
    this.pairs = new PairTable(mem)
    this.labels = new LabelCache(mem, this.symbols, this.pairs)
    this.#matching = new SeriesMatching(mem, this.symbols, this.pairs, this.labels)
  }

  get minTime(): number {
    return this.mem.f64[(this.#late ? CTL.lateMinTime : CTL.minTime) >>> 3]!
  }

  get maxTime(): number {
    return this.mem.f64[(this.#late ? CTL.lateMaxTime : CTL.maxTime) >>> 3]!
  }

  select(
    matchers: readonly Matcher[],
    minTime: number,
    maxTime: number,
    limit: number,
    arena: ByteArena,
  ): SourceSelection {
    return this.pinned(() => {
      const { copy, order } = this.#copy([matchers], minTime, maxTime)
      const chosen = limit > 0 ? order.order.subarray(0, limit) : order.order
      const chunkStart = new Uint32Array(chosen.length + 1)
      const table = copy.writeTo(arena, chosen, chunkStart)
      const labels = (i: number) => order.labels(chosen[i]!)
      return { count: chosen.length, labels, chunkStart, table, overlapping: this.#late }
    })
  }

  series(matcherSets: readonly (readonly Matcher[])[], minTime: number, maxTime: number): Labels[] {
    return this.pinned(() => {
      const { order } = this.#copy(matcherSets, minTime, maxTime)
      return Array.from(order.order, (i) => order.labels(i))
    })
  }

  labelNames(
    matcherSets: readonly (readonly Matcher[])[],
    minTime: number,
    maxTime: number,
  ): Iterable<string> {
    if (matcherSets.length > 0) {
      const names = new Set<string>()
      for (const labels of this.series(matcherSets, minTime, maxTime))
        for (let i = 0; i < labels.pairs.length; i += 2) names.add(labels.pairs[i]!)
      return names
    }
    if (!this.#overlaps(minTime, maxTime)) return []
    return this.pinned(() =>
      this.#pin.consistent(() => this.nameSymbols().map((symbol) => this.symbols.text(symbol))),
    )
  }

  labelValues(
    name: string,
    matcherSets: readonly (readonly Matcher[])[],
    minTime: number,
    maxTime: number,
  ): Iterable<string> {
    if (matcherSets.length > 0) {
      const values = new Set<string>()
      for (const labels of this.series(matcherSets, minTime, maxTime)) values.add(labels.get(name))
      values.delete('')
      return values
    }
    if (!this.#overlaps(minTime, maxTime)) return []
    return this.pinned(() =>
      this.#pin.consistent(() => {
        this.labels.refresh()
        const symbol = this.symbols.find(name)
        return symbol === 0 ? [] : this.pairs.ofName(symbol).map((pair) => this.labels.pair(pair).value)
      }),
    )
  }

  /** Labels of a reference; undefined when its series is gone. */
  seriesLabels(reference: number): Labels | undefined {
    const slot = reference >>> 0
    return this.pinned(() =>
      this.#pin.consistent(() => {
        this.labels.refresh()
        const { u32 } = this.mem
        if (slot === 0 || slot >= u32[CTL.seriesSlots >>> 2]!) return undefined
        const series = this.mem.seriesAddress(slot)
        const live = (u32[(series + SERIES.flags) >>> 2]! & SERIES_FLAG.published) !== 0
        if (!live || u32[(series + SERIES.generation) >>> 2]! * 2 ** 32 + slot !== reference) return undefined
        const { at, count } = this.#matching.labelList(slot)
        const pairs: string[] = []
        for (let i = at; i < at + count; i++) {
          const pair = this.labels.pair(u32[i]!)
          pairs.push(pair.name, pair.value)
        }
        return Labels.fromSortedPairs(pairs)
      }),
    )
  }

  /** Symbols that are label names of published series. */
  nameSymbols(): number[] {
    const { u32 } = this.mem
    const names: number[] = []
    for (let symbol = 1; symbol < u32[CTL.symbolSlots >>> 2]!; symbol++) {
      const address = this.mem.symbolAddress(symbol)
      // A free slot holds the number of the next free one.
      if (address < HEAP_START || u32[(address + SYMBOL.pairCount) >>> 2] === 0) continue
      if (this.pairs.ofName(symbol).length > 0) names.push(symbol)
    }
    return names
  }

  /** Runs with a pin, so that nothing it refers to is reused. */
  pinned<T>(run: () => T): T {
    this.#pin.take()
    try {
      return run()
    } finally {
      this.#pin.release()
    }
  }

  #overlaps(minTime: number, maxTime: number): boolean {
    return this.minTime <= maxTime && this.maxTime >= minTime
  }

  /** Chunk references of all series with samples in the range that a matcher set accepts, and their order. Needs the pin. */
  #copy(
    matcherSets: readonly (readonly Matcher[])[],
    minTime: number,
    maxTime: number,
  ): { copy: ChunkCopy; order: SeriesOrder } {
    const copy = new ChunkCopy(this.mem)
    let slots: Uint32Array | undefined
    let version = -1
    this.#pin.consistent(() => {
      this.labels.refresh()
      const now = Atomics.load(this.mem.u32, CTL.structVersion >>> 2)
      if (slots === undefined || now !== version) {
        version = now
        slots = undefined
        slots = this.#union(matcherSets)
      }
      copy.clear()
      for (const slot of slots) {
        if (this.#late) copy.addLate(slot, this.#matching.labelList(slot), minTime, maxTime)
        else copy.add(slot, this.#matching.labelList(slot), minTime, maxTime)
      }
    })
    // Ids cannot be reused while the pin holds, so strings may be made after the copy.
    const order = new SeriesOrder(copy.labelIds, copy.labelStart, copy.count, (id) => this.labels.pair(id))
    return { copy, order }
  }

  #union(matcherSets: readonly (readonly Matcher[])[]): Uint32Array {
    if (matcherSets.length === 1) return this.#matching.slots(matcherSets[0]!)
    const slots = new Set<number>()
    for (const matchers of matcherSets) for (const slot of this.#matching.slots(matchers)) slots.add(slot)
    return Uint32Array.from(slots)
  }
}
