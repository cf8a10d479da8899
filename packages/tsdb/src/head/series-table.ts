// Series records: created by the writer, found by labels through a hash table of pair ids, published to readers by their postings.
import type { Labels } from '@watchfire/datamodel'
import {
  CTL,
  PAGE_BYTES,
  SERIES,
  SERIES_BUCKETS,
  SERIES_FLAG,
  SERIES_PER_PAGE_SHIFT,
  SERIES_TABLE,
} from './layout.ts'
import { RETIRED, type Allocator } from './allocator.ts'
import { HashIndex } from './hash-index.ts'
import type { HeadMemory } from './head-memory.ts'
import type { PairWriter } from './pairs.ts'
import type { SymbolWriter } from './symbols.ts'

/** Most UTF-8 bytes of a label set's names and values (counted as three per UTF-16 unit). */
export const LABEL_SET_BYTES_MAX = 512 * 1024

export class SeriesWriter {
  readonly #mem: HeadMemory
  readonly #allocator: Allocator
  readonly #symbols: SymbolWriter
  readonly #pairs: PairWriter
  readonly #hash: HashIndex
  #ids = new Uint32Array(64)
  /** What the last `find` did not find, and how many of its pairs are known, in `#ids`. */
  #missing: Labels | undefined
  #known = 0

  constructor(mem: HeadMemory, allocator: Allocator, symbols: SymbolWriter, pairs: PairWriter) {
    this.#mem = mem
    this.#allocator = allocator
    this.#symbols = symbols
    this.#pairs = pairs
    this.#hash = new HashIndex(mem, {
      control: CTL.seriesHash,
      buckets: SERIES_BUCKETS,
      hashOf: (slot) => mem.u32[mem.seriesAddress(slot) >>> 2]!,
      nextOf: (slot) => mem.seriesAddress(slot) + SERIES.next,
    })
  }

  /** Slot of the series with these labels, 0 when there is none. */
  find(labels: Labels): number {
    const { pairs } = labels
    const n = pairs.length / 2
    if (n > this.#ids.length) this.#ids = new Uint32Array(n * 2)
    for (let i = 0; i < n; i++) {
      const name = this.#symbols.find(pairs[2 * i]!)
      const value = name === 0 ? 0 : this.#symbols.find(pairs[2 * i + 1]!)
      const pair = value === 0 ? 0 : this.#pairs.table.find(name, value)
      if (pair === 0) {
        this.#missing = labels
        this.#known = i
        return 0
      }
      this.#ids[i] = pair
    }
    const slot = this.#findIds(n, hashIds(this.#ids, n))
    this.#missing = slot === 0 ? labels : undefined
    this.#known = n
    return slot
  }

  /** Makes a series right after `find` did not find it; not published yet. 0 when the memory is full or the labels are too long. */
  create(labels: Labels, walRef: number): number {
    const { pairs } = labels
    let length = 0
    for (const text of pairs) length += text.length * 3
    if (length > LABEL_SET_BYTES_MAX) return 0
    const n = pairs.length / 2
    if (n > this.#ids.length) this.#ids = new Uint32Array(n * 2)
    const known = this.#missing === labels ? this.#known : 0
    this.#missing = undefined
    for (let i = known; i < n; i++) {
      const name = this.#symbols.intern(pairs[2 * i]!)
      const value = name === 0 ? 0 : this.#symbols.intern(pairs[2 * i + 1]!)
      const pair = value === 0 ? 0 : this.#pairs.intern(name, value)
      if (pair === 0) return 0
      this.#ids[i] = pair
    }
    const list = this.#allocator.alloc(4 + 4 * n)
    const slot = list === 0 ? 0 : this.#slot()
    if (slot === 0) {
      if (list !== 0) this.#allocator.free(list)
      return 0
    }
    const { u32, f64 } = this.#mem
    u32[list >>> 2] = n
    u32.set(this.#ids.subarray(0, n), (list >>> 2) + 1)
    const address = this.#mem.seriesAddress(slot)
    const generation = u32[(address + SERIES.generation) >>> 2]!
    u32.fill(0, address >>> 2, (address + 128) >>> 2)
    u32[(address + SERIES.generation) >>> 2] = generation
    u32[(address + SERIES.hash) >>> 2] = hashIds(this.#ids, n)
    u32[(address + SERIES.labels) >>> 2] = list
    u32[(address + SERIES.flags) >>> 2] = SERIES_FLAG.live
    f64[(address + SERIES.walRef) >>> 3] = walRef
    f64[(address + SERIES.lastTime) >>> 3] = -Infinity
    if (!this.#hash.insert(slot, this.#allocator)) {
      this.#allocator.free(list)
      this.freeSlot(slot)
      return 0
    }
    u32[CTL.seriesCount >>> 2]!++
    return slot
  }

  /** Adds the series to the postings of its pairs. Only under an odd sequence. False when the memory is full. */
  publish(slot: number): boolean {
    const { u32 } = this.#mem
    const address = this.#mem.seriesAddress(slot)
    const list = u32[(address + SERIES.labels) >>> 2]! >>> 2
    const n = u32[list]!
    for (let i = 1; i <= n; i++) if (!this.#pairs.reserve(u32[list + i]!, 1)) return false
    for (let i = 1; i <= n; i++) this.#pairs.add(u32[list + i]!, slot)
    u32[(address + SERIES.flags) >>> 2]! |= SERIES_FLAG.published
    return true
  }

  /** Takes a series out of the hash table: from now on its reference is unknown. Its postings go separately, then `release`. */
  unlink(slot: number): void {
    const { u32 } = this.#mem
    const address = this.#mem.seriesAddress(slot)
    this.#hash.remove(slot)
    u32[(address + SERIES.flags) >>> 2]! &= ~SERIES_FLAG.live
    u32[(address + SERIES.generation) >>> 2] = (u32[(address + SERIES.generation) >>> 2]! + 1) & 0xfffff
    u32[CTL.seriesCount >>> 2]!--
  }

  /** Retires the label list and the slot of an unlinked series that is in no postings any more. */
  release(slot: number): void {
    const { u32 } = this.#mem
    const address = this.#mem.seriesAddress(slot)
    const list = u32[(address + SERIES.labels) >>> 2]!
    this.#allocator.retire(list)
    this.#allocator.retireSlot(RETIRED.series, slot)
  }

  freeSlot(slot: number): void {
    const { u32 } = this.#mem
    const address = this.#mem.seriesAddress(slot)
    u32[(address + SERIES.next) >>> 2] = u32[CTL.freeSeries >>> 2]!
    u32[(address + SERIES.flags) >>> 2] = 0
    u32[CTL.freeSeries >>> 2] = slot
  }

  /** Reference callers hold: generation and slot, so that it is never another series'. */
  reference(slot: number): number {
    return this.#mem.u32[(this.#mem.seriesAddress(slot) + SERIES.generation) >>> 2]! * 2 ** 32 + slot
  }

  /** Slot of a reference, 0 when its series is gone. */
  slotOf(reference: number): number {
    const { u32 } = this.#mem
    const slot = reference >>> 0
    if (slot === 0 || slot >= u32[CTL.seriesSlots >>> 2]!) return 0
    const address = this.#mem.seriesAddress(slot)
    if ((u32[(address + SERIES.flags) >>> 2]! & SERIES_FLAG.live) === 0) return 0
    return u32[(address + SERIES.generation) >>> 2]! * 2 ** 32 + slot === reference ? slot : 0
  }

  #findIds(n: number, hash: number): number {
    const { u32 } = this.#mem
    for (let slot = this.#hash.first(hash); slot !== 0; slot = this.#hash.next(slot)) {
      const address = this.#mem.seriesAddress(slot)
      if (u32[address >>> 2] !== hash) continue
      const list = u32[(address + SERIES.labels) >>> 2]! >>> 2
      if (u32[list] !== n) continue
      let i = 0
      while (i < n && u32[list + 1 + i] === this.#ids[i]) i++
      if (i === n) return slot
    }
    return 0
  }

  #slot(): number {
    const { u32 } = this.#mem
    const free = u32[CTL.freeSeries >>> 2]!
    if (free !== 0) {
      u32[CTL.freeSeries >>> 2] = u32[(this.#mem.seriesAddress(free) + SERIES.next) >>> 2]!
      return free
    }
    const slot = u32[CTL.seriesSlots >>> 2]!
    const page = slot >>> SERIES_PER_PAGE_SHIFT
    if (page >= PAGE_BYTES) return 0
    if (u32[(SERIES_TABLE >>> 2) + page] === 0) {
      const address = this.#allocator.page()
      if (address === 0) return 0
      u32[(SERIES_TABLE >>> 2) + page] = address
    }
    u32[CTL.seriesSlots >>> 2] = slot + 1
    return slot
  }
}

function hashIds(ids: Uint32Array, n: number): number {
  let hash = n
  for (let i = 0; i < n; i++) hash = Math.imul(hash ^ ids[i]!, 0x9e3779b1) ^ (hash >>> 15)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}
