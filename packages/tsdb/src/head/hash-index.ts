// A chained hash table that grows one bucket at a time (linear hashing), so that no insert has to move the whole table.
// Bucket heads lie in pages, chains run through a word of the records themselves. Readers may look things up without a lock:
// a chain is only re-linked while `hashSequence` is odd, and lookups are repeated when it moved.
import { CTL, PAGE_BYTES } from './layout.ts'
import type { Allocator } from './allocator.ts'
import type { HeadMemory } from './head-memory.ts'

const LEVEL_MIN = 8
const HEADS_PER_PAGE_SHIFT = 14

/** Chain walks of a torn table end here; the reader then finds that the sequence moved. */
const CHAIN_MAX = 100_000

export interface HashIndexPlace {
  /** Address of the table's words in the control block. */
  readonly control: number
  /** Address of its page table. */
  readonly buckets: number
  hashOf(id: number): number
  /** Address of the record's chain word. */
  nextOf(id: number): number
}

/** Ids are table slots, 0 = none. */
export class HashIndex {
  readonly #mem: HeadMemory
  readonly #place: HashIndexPlace

  constructor(mem: HeadMemory, place: HashIndexPlace) {
    this.#mem = mem
    this.#place = place
  }

  /** First id of the chain of a hash. */
  first(hash: number): number {
    const address = this.#headAddress(this.#bucket(hash))
    return address === 0 ? 0 : Atomics.load(this.#mem.u32, address >>> 2)
  }

  next(id: number): number {
    return this.#mem.u32[this.#place.nextOf(id) >>> 2]!
  }

  /** Inserts an id that is not in the table. False when the memory is full. */
  insert(id: number, allocator: Allocator): boolean {
    const { u32 } = this.#mem
    const control = this.#place.control >>> 2
    if (u32[this.#place.buckets >>> 2] === 0) {
      const page = allocator.page()
      if (page === 0) return false
      u32[this.#place.buckets >>> 2] = page
      u32[control] = LEVEL_MIN
    }
    const head = this.#headAddress(this.#bucket(this.#place.hashOf(id))) >>> 2
    u32[this.#place.nextOf(id) >>> 2] = u32[head]!
    Atomics.store(u32, head, id)
    const count = ++u32[control + 2]!
    if (count > (1 << u32[control]!) + u32[control + 1]!) this.#split(allocator)
    return true
  }

  remove(id: number): void {
    const { u32 } = this.#mem
    let link = this.#headAddress(this.#bucket(this.#place.hashOf(id))) >>> 2
    while (u32[link] !== id) {
      if (u32[link] === 0) throw new Error(`BUG: hash table does not hold ${id}`)
      link = this.#place.nextOf(u32[link]!) >>> 2
    }
    Atomics.add(u32, CTL.hashSequence >>> 2, 1)
    u32[link] = u32[this.#place.nextOf(id) >>> 2]!
    Atomics.add(u32, CTL.hashSequence >>> 2, 1)
    u32[(this.#place.control >>> 2) + 2]!--
  }

  /**
   * Lookup from another thread: the id for which `matches` holds, or 0. Repeats while the table changes; gives up with an error when it
   * never holds still.
   */
  lookup(hash: number, matches: (id: number) => boolean): number {
    const { u32 } = this.#mem
    for (let attempt = 0; attempt < 1_000_000; attempt++) {
      const before = Atomics.load(u32, CTL.hashSequence >>> 2)
      if (before & 1) continue
      let id = this.first(hash)
      for (let steps = 0; id !== 0 && steps < CHAIN_MAX && !matches(id); steps++) id = this.next(id)
      if (Atomics.load(u32, CTL.hashSequence >>> 2) === before) return id
    }
    throw new Error('BUG: hash table of the head never came to rest')
  }

  #bucket(hash: number): number {
    const { u32 } = this.#mem
    const control = this.#place.control >>> 2
    const level = u32[control]!
    const bucket = hash & ((1 << level) - 1)
    return bucket < u32[control + 1]! ? hash & ((2 << level) - 1) : bucket
  }

  #headAddress(bucket: number): number {
    const page = this.#mem.u32[(this.#place.buckets >>> 2) + (bucket >>> HEADS_PER_PAGE_SHIFT)]!
    return page === 0 ? 0 : page + ((bucket & ((1 << HEADS_PER_PAGE_SHIFT) - 1)) << 2)
  }

  /** Splits one bucket in two. Without memory for a page of heads chains just grow longer. */
  #split(allocator: Allocator): void {
    const { u32 } = this.#mem
    const control = this.#place.control >>> 2
    const level = u32[control]!
    const split = u32[control + 1]!
    const bucket = (1 << level) + split
    const pageSlot = (this.#place.buckets >>> 2) + (bucket >>> HEADS_PER_PAGE_SHIFT)
    if (bucket >>> HEADS_PER_PAGE_SHIFT >= PAGE_BYTES / 4) return
    if (u32[pageSlot] === 0) {
      const page = allocator.page()
      if (page === 0) return
      u32[pageSlot] = page
    }
    const bit = 1 << level
    Atomics.add(u32, CTL.hashSequence >>> 2, 1)
    let low = this.#headAddress(split) >>> 2
    let high = this.#headAddress(bucket) >>> 2
    let id = u32[low]!
    while (id !== 0) {
      const next = this.#place.nextOf(id) >>> 2
      const following = u32[next]!
      if (this.#place.hashOf(id) & bit) {
        u32[high] = id
        high = next
      } else {
        u32[low] = id
        low = next
      }
      id = following
    }
    u32[low] = 0
    u32[high] = 0
    if (split + 1 === bit) {
      u32[control + 1] = 0
      u32[control] = level + 1
    } else u32[control + 1] = split + 1
    Atomics.add(u32, CTL.hashSequence >>> 2, 1)
  }
}
