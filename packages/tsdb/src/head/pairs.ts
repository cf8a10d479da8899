// Label pairs (name, value) and their postings: the series that have the pair. A pair with one series, the common case of
// unique labels, keeps it in its own record. Postings are published and shrunk only under an odd commit sequence.
import { CTL, PAIR, PAIRS_PER_PAGE_SHIFT, PAIR_BUCKETS, PAIR_TABLE, PAGE_BYTES, SYMBOL } from './layout.ts'
import { Allocator, RETIRED } from './allocator.ts'
import { HashIndex } from './hash-index.ts'
import type { HeadMemory } from './head-memory.ts'
import type { SymbolWriter } from './symbols.ts'

function hashPair(name: number, value: number): number {
  let hash = Math.imul(name, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x7feb352d)
  return (hash ^ (hash >>> 15)) >>> 0
}

/** Pairs as a reader sees them. */
export class PairTable {
  readonly #mem: HeadMemory
  readonly index: HashIndex

  constructor(mem: HeadMemory) {
    this.#mem = mem
    this.index = new HashIndex(mem, {
      control: CTL.pairHash,
      buckets: PAIR_BUCKETS,
      hashOf: (id) => {
        const address = mem.pairAddress(id) >>> 2
        return hashPair(mem.u32[address]!, mem.u32[address + 1]!)
      },
      nextOf: (id) => mem.pairAddress(id) + PAIR.next,
    })
  }

  /** The pair of two symbols, 0 when there is none. */
  find(name: number, value: number): number {
    const mem = this.#mem
    return this.index.lookup(hashPair(name, value), (id) => {
      const address = mem.pairAddress(id) >>> 2
      return mem.u32[address] === name && mem.u32[address + 1] === value
    })
  }

  name(id: number): number {
    return this.#mem.u32[(this.#mem.pairAddress(id) + PAIR.name) >>> 2]!
  }

  value(id: number): number {
    return this.#mem.u32[(this.#mem.pairAddress(id) + PAIR.value) >>> 2]!
  }

  /** Number of published series with the pair. */
  count(id: number): number {
    return this.#mem.u32[(this.#mem.pairAddress(id) + PAIR.count) >>> 2]!
  }

  /** Appends the pair's series to `into` at `offset`; returns the new end. Torn reads stay within bounds. */
  copyPostings(id: number, into: Uint32Array, offset: number): number {
    const { u32 } = this.#mem
    const address = this.#mem.pairAddress(id) >>> 2
    const count = Math.min(u32[address + (PAIR.count >>> 2)]!, into.length - offset)
    const postings = u32[address + (PAIR.postings >>> 2)]!
    if (u32[address + (PAIR.capacity >>> 2)] === 0) {
      if (count > 0) into[offset] = postings
      return offset + Math.min(count, 1)
    }
    into.set(u32.subarray(postings >>> 2, (postings >>> 2) + count), offset)
    return offset + count
  }

  /** All pairs of a name that some published series has. */
  ofName(nameSymbol: number): number[] {
    const { u32 } = this.#mem
    const symbol = this.#mem.symbolAddress(nameSymbol)
    const ids: number[] = []
    const countMax = u32[(symbol + SYMBOL.pairCount) >>> 2]! + 1024
    let id = Atomics.load(u32, (symbol + SYMBOL.firstPair) >>> 2)
    while (id !== 0 && ids.length < countMax) {
      const address = this.#mem.pairAddress(id) >>> 2
      if (u32[address + (PAIR.count >>> 2)] !== 0) ids.push(id)
      id = u32[address + (PAIR.nextOfName >>> 2)]!
    }
    return ids
  }
}

/** The writer's side. */
export class PairWriter {
  readonly table: PairTable
  readonly #mem: HeadMemory
  readonly #allocator: Allocator
  readonly #symbols: SymbolWriter

  constructor(mem: HeadMemory, allocator: Allocator, symbols: SymbolWriter) {
    this.#mem = mem
    this.#allocator = allocator
    this.#symbols = symbols
    this.table = new PairTable(mem)
  }

  /** The pair, made if new; 0 when the memory is full. */
  intern(name: number, value: number): number {
    const known = this.table.find(name, value)
    if (known !== 0) return known
    const id = this.#slot()
    if (id === 0) return 0
    const { u32 } = this.#mem
    const address = this.#mem.pairAddress(id) >>> 2
    u32.fill(0, address, address + 8)
    u32[address] = name
    u32[address + 1] = value
    if (!this.table.index.insert(id, this.#allocator)) {
      this.freeSlot(id)
      return 0
    }
    const symbol = this.#mem.symbolAddress(name)
    const first = (symbol + SYMBOL.firstPair) >>> 2
    const old = u32[first]!
    u32[address + (PAIR.nextOfName >>> 2)] = old
    if (old !== 0) u32[(this.#mem.pairAddress(old) + PAIR.previousOfName) >>> 2] = id
    u32[(symbol + SYMBOL.pairCount) >>> 2]!++
    Atomics.store(u32, first, id)
    this.#symbols.addUse(name)
    this.#symbols.addUse(value)
    u32[CTL.pairCount >>> 2]!++
    return id
  }

  /** Makes room for one more series, so that `add` cannot fail. */
  reserve(id: number, more: number): boolean {
    const { u32 } = this.#mem
    const address = this.#mem.pairAddress(id) >>> 2
    const count = u32[address + (PAIR.count >>> 2)]!
    const capacity = u32[address + (PAIR.capacity >>> 2)]!
    const wanted = count + more
    if (wanted <= Math.max(capacity, 1)) return true
    const bytes = Allocator.roundUp(Math.max(wanted, Math.min(count * 1.5, count + 65_536)) * 4)
    const list = this.#allocator.alloc(bytes)
    if (list === 0) return false
    const old = u32[address + (PAIR.postings >>> 2)]!
    if (capacity === 0) u32[list >>> 2] = old
    else {
      u32.copyWithin(list >>> 2, old >>> 2, (old >>> 2) + count)
      this.#allocator.retire(old)
    }
    u32[address + (PAIR.postings >>> 2)] = list
    u32[address + (PAIR.capacity >>> 2)] = bytes / 4
    return true
  }

  /** Adds a series to the postings. Only under an odd sequence, after `reserve`. */
  add(id: number, series: number): void {
    const { u32 } = this.#mem
    const address = this.#mem.pairAddress(id) >>> 2
    const count = u32[address + (PAIR.count >>> 2)]!
    const postings = address + (PAIR.postings >>> 2)
    if (u32[address + (PAIR.capacity >>> 2)] === 0) u32[postings] = series
    else u32[(u32[postings]! >>> 2) + count] = series
    u32[address + (PAIR.count >>> 2)] = count + 1
  }

  /** Removes the series for which `dead` is 1. Only under an odd sequence. Returns how many are left. */
  compact(id: number, dead: Uint8Array): number {
    const { u32 } = this.#mem
    const address = this.#mem.pairAddress(id) >>> 2
    const count = u32[address + (PAIR.count >>> 2)]!
    const postings = address + (PAIR.postings >>> 2)
    if (u32[address + (PAIR.capacity >>> 2)] === 0) {
      if (count === 1 && dead[u32[postings]!] === 1) u32[address + (PAIR.count >>> 2)] = 0
      return u32[address + (PAIR.count >>> 2)]!
    }
    const list = u32[postings]! >>> 2
    let kept = 0
    for (let i = 0; i < count; i++) {
      const series = u32[list + i]!
      if (dead[series] !== 1) u32[list + kept++] = series
    }
    u32[address + (PAIR.count >>> 2)] = kept
    return kept
  }

  /** Drops a pair without series. Only under an odd sequence. */
  drop(id: number): void {
    const { u32 } = this.#mem
    const address = this.#mem.pairAddress(id) >>> 2
    const [name, value] = [u32[address]!, u32[address + 1]!]
    this.table.index.remove(id)
    const next = u32[address + (PAIR.nextOfName >>> 2)]!
    const previous = u32[address + (PAIR.previousOfName >>> 2)]!
    const symbol = this.#mem.symbolAddress(name)
    if (previous !== 0) u32[(this.#mem.pairAddress(previous) + PAIR.nextOfName) >>> 2] = next
    else u32[(symbol + SYMBOL.firstPair) >>> 2] = next
    if (next !== 0) u32[(this.#mem.pairAddress(next) + PAIR.previousOfName) >>> 2] = previous
    u32[(symbol + SYMBOL.pairCount) >>> 2]!--
    const capacity = u32[address + (PAIR.capacity >>> 2)]!
    if (capacity > 0) this.#allocator.retire(u32[address + (PAIR.postings >>> 2)]!)
    this.#allocator.retireSlot(RETIRED.pair, id)
    this.#symbols.dropUse(value)
    this.#symbols.dropUse(name)
    u32[CTL.pairCount >>> 2]!--
  }

  /** A retired id may be used again. */
  freeSlot(id: number): void {
    const { u32 } = this.#mem
    const address = this.#mem.pairAddress(id) >>> 2
    u32.fill(0, address, address + 8)
    u32[address + (PAIR.next >>> 2)] = u32[CTL.freePairs >>> 2]!
    u32[CTL.freePairs >>> 2] = id
  }

  #slot(): number {
    const { u32 } = this.#mem
    const free = u32[CTL.freePairs >>> 2]!
    if (free !== 0) {
      u32[CTL.freePairs >>> 2] = u32[(this.#mem.pairAddress(free) + PAIR.next) >>> 2]!
      Atomics.add(u32, CTL.generation >>> 2, 1)
      return free
    }
    const id = u32[CTL.pairSlots >>> 2]!
    const page = id >>> PAIRS_PER_PAGE_SHIFT
    if (page >= PAGE_BYTES) return 0
    if (u32[(PAIR_TABLE >>> 2) + page] === 0) {
      const address = this.#allocator.page()
      if (address === 0) return 0
      u32[(PAIR_TABLE >>> 2) + page] = address
    }
    u32[CTL.pairSlots >>> 2] = id + 1
    return id
  }
}
