// The head's heap, all in the shared memory: pages of 64 KiB, each cut into blocks of one size class or part of a large block. A page
// whose blocks are all free goes back to the pages, so chunks that outgrow one size after another leave nothing behind.
// Blocks freed while a reader may still see them are retired under the current epoch and reused when every pin is newer. Only the
// writer allocates.
import { CTL, HEAP_START, PAGE_BYTES, PAGE_STATES, PIN_BYTES, PIN_SLOTS } from './layout.ts'
import type { HeadMemory } from './head-memory.ts'

/** Classes up to this size are cut from a page; larger blocks are pages of their own. */
const PAGED_BYTES_MAX = 32768
const CLASS_BYTES = 16
const PAGE_SHIFT = 16
const CLASS_COUNT = 32 + 22 * 4
/** Without fresh memory a free block of one of so many larger classes serves. */
const LARGER_CLASSES = 8
/** With less fresh memory than this no class keeps empty pages for itself. */
const TIGHT_BYTES = 16 * PAGE_BYTES

/** State of a page: low byte one of these or class + 1, the rest the number of its blocks in use. 0 = never handed out. */
const STATE_MASK = 0xff
const STATE_FREE = 0xff
/** A table's page, or not the first of a large block: given back as a page. */
const STATE_KEPT = 0xfe
const ONE_BLOCK = 0x100

/** Class of a size: steps of 16 bytes up to 512, then four per doubling. */
function classOf(size: number): number {
  if (size <= 512) return size <= 16 ? 0 : ((size + 15) >>> 4) - 1
  const exponent = 31 - Math.clz32(size - 1)
  const step = 2 ** (exponent - 2)
  return 32 + (exponent - 9) * 4 + (Math.ceil(size / step) - 5)
}

function classSize(index: number): number {
  if (index < 32) return (index + 1) * 16
  return (5 + ((index - 32) & 3)) * 2 ** (7 + ((index - 32) >>> 2))
}

/** What is retired: a block, or the id of a table slot. */
export const RETIRED = { block: 0, series: 1, pair: 2, symbol: 3 } as const

export class Allocator {
  readonly #mem: HeadMemory
  /** Triples (kind, address or id, epoch), oldest first from `#retiredFirst` on. */
  #retired = new Uint32Array(3 * 1024)
  #retiredFirst = 0
  #retiredEnd = 0
  /** No page below this one is free. */
  #freePageFrom = HEAP_START >>> PAGE_SHIFT

  constructor(mem: HeadMemory) {
    this.#mem = mem
  }

  /** Bytes `alloc(size)` really gives. */
  static roundUp(size: number): number {
    return classSize(classOf(size))
  }

  /** Bytes that were never handed out, and freed ones (which may lie in blocks of sizes nobody asks for). */
  get freeBytes(): number {
    const { u32 } = this.#mem
    return u32[CTL.heapLimit >>> 2]! - u32[CTL.heapTop >>> 2]! + u32[CTL.freedBytes >>> 2]!
  }

  /** Freed bytes, which need no more memory of the system when they are used again. */
  get reusableBytes(): number {
    return this.#mem.u32[CTL.freedBytes >>> 2]!
  }

  get bytesInUse(): number {
    return this.#mem.u32[CTL.bytesInUse >>> 2]!
  }

  /** Address of `size` bytes, 16-byte aligned, contents undefined; 0 when the memory is full. */
  alloc(size: number): number {
    const { u32 } = this.#mem
    const index = classOf(size)
    const bytes = classSize(index)
    if (bytes > PAGED_BYTES_MAX) return this.#allocLarge(index, bytes)
    const entry = (CTL.classes + index * CLASS_BYTES) >>> 2
    if (u32[entry] !== 0) return this.#pop(index)
    let next = u32[entry + 1]!
    if (next === 0 || next + bytes > u32[entry + 2]!) {
      next = this.#pages(1)
      if (next === 0) return this.#fromLarger(index)
      u32[this.#state(next)] = index + 1
      u32[entry + 2] = next + PAGE_BYTES
    }
    u32[entry + 1] = next + bytes
    u32[this.#state(next)]! += ONE_BLOCK
    u32[CTL.bytesInUse >>> 2]! += bytes
    return next
  }

  /** A page of 64 KiB for a table, zeroed; 0 when the memory is full. */
  page(): number {
    const { u32 } = this.#mem
    const address = this.#pages(1)
    if (address === 0) return 0
    u32.fill(0, address >>> 2, (address + PAGE_BYTES) >>> 2)
    u32[this.#state(address)] = STATE_KEPT
    u32[CTL.bytesInUse >>> 2]! += PAGE_BYTES
    return address
  }

  /** Gives a block back at once: only for blocks no reader can have seen. */
  free(address: number): void {
    this.#free(address)
  }

  /** Gives a block back once no reader can see it any more. */
  retire(address: number): void {
    this.#push(RETIRED.block, address)
  }

  /** Gives a table slot back once no reader can see it. `kind` is one of RETIRED. */
  retireSlot(kind: number, id: number): void {
    this.#push(kind, id)
  }

  /** Reuses what no pin protects; `freeSlot` gets table slots. Called after each commit. */
  reclaim(freeSlot: (kind: number, id: number) => void): void {
    if (this.#retiredFirst === this.#retiredEnd) return
    const oldest = this.oldestPin()
    const retired = this.#retired
    while (this.#retiredFirst < this.#retiredEnd && retired[this.#retiredFirst + 2]! < oldest) {
      const kind = retired[this.#retiredFirst]!
      const address = retired[this.#retiredFirst + 1]!
      if (kind === RETIRED.block) this.#free(address)
      else freeSlot(kind, address)
      this.#retiredFirst += 3
    }
    if (this.#retiredFirst === this.#retiredEnd) this.#retiredFirst = this.#retiredEnd = 0
  }

  /** What is retired and not reused yet, as pairs (kind, address or id). */
  retired(): number[] {
    const pairs: number[] = []
    for (let i = this.#retiredFirst; i < this.#retiredEnd; i += 3)
      pairs.push(this.#retired[i]!, this.#retired[i + 1]!)
    return pairs
  }

  /** Takes over what `retired` told. */
  adoptRetired(pairs: readonly number[]): void {
    for (let i = 0; i + 1 < pairs.length; i += 2) this.#push(pairs[i]!, pairs[i + 1]!)
  }

  /** Lowest pinned epoch, or the current one when nothing is pinned. */
  oldestPin(): number {
    const { u32 } = this.#mem
    let oldest = Atomics.load(u32, CTL.epoch >>> 2)
    for (let slot = 0; slot < PIN_SLOTS; slot++) {
      const epoch = Atomics.load(u32, (CTL.pins + slot * PIN_BYTES + 4) >>> 2)
      if (epoch !== 0 && epoch < oldest) oldest = epoch
    }
    return oldest
  }

  #push(kind: number, address: number): void {
    if (this.#retiredEnd === this.#retired.length) this.#makeRoom()
    this.#retired[this.#retiredEnd] = kind
    this.#retired[this.#retiredEnd + 1] = address
    this.#retired[this.#retiredEnd + 2] = this.#mem.u32[CTL.epoch >>> 2]!
    this.#retiredEnd += 3
  }

  #makeRoom(): void {
    const kept = this.#retired.subarray(this.#retiredFirst, this.#retiredEnd)
    const next =
      kept.length * 2 > this.#retired.length ? new Uint32Array(this.#retired.length * 2) : this.#retired
    if (next === this.#retired) next.copyWithin(0, this.#retiredFirst, this.#retiredEnd)
    else next.set(kept)
    this.#retired = next
    this.#retiredEnd = kept.length
    this.#retiredFirst = 0
  }

  /** Index of the word that holds the state of the page an address lies in. */
  #state(address: number): number {
    return (PAGE_STATES >>> 2) + (address >>> PAGE_SHIFT)
  }

  #allocLarge(index: number, bytes: number): number {
    const { u32 } = this.#mem
    const address = this.#pages(Math.ceil(bytes / PAGE_BYTES))
    if (address === 0) return 0
    u32[this.#state(address)] = (index + 1) | ONE_BLOCK
    u32[CTL.bytesInUse >>> 2]! += bytes
    return address
  }

  #free(address: number): void {
    const { u32 } = this.#mem
    const state = this.#state(address)
    if (u32[state] === STATE_KEPT) {
      u32[CTL.bytesInUse >>> 2]! -= PAGE_BYTES
      this.#freePages(address >>> PAGE_SHIFT, 1)
      return
    }
    const index = (u32[state]! & STATE_MASK) - 1
    const bytes = classSize(index)
    u32[CTL.bytesInUse >>> 2]! -= bytes
    if (bytes > PAGED_BYTES_MAX) {
      this.#freePages(address >>> PAGE_SHIFT, Math.ceil(bytes / PAGE_BYTES))
      return
    }
    const entry = (CTL.classes + index * CLASS_BYTES) >>> 2
    const first = u32[entry]!
    u32[address >>> 2] = first
    u32[(address + 4) >>> 2] = 0
    if (first !== 0) u32[(first + 4) >>> 2] = address
    u32[entry] = address
    u32[entry + 3]!++
    u32[CTL.freedBytes >>> 2]! += bytes
    u32[state]! -= ONE_BLOCK
    if (u32[state]! < ONE_BLOCK) this.#pageEmptied(address & ~(PAGE_BYTES - 1), index, bytes)
  }

  /** A page without blocks in use goes back, unless its class has hardly any free blocks besides. */
  #pageEmptied(signedPage: number, index: number, bytes: number): void {
    const { u32 } = this.#mem
    const page = signedPage >>> 0
    const entry = (CTL.classes + index * CLASS_BYTES) >>> 2
    const blocks = Math.floor(PAGE_BYTES / bytes)
    const tight = u32[CTL.heapLimit >>> 2]! - u32[CTL.heapTop >>> 2]! < TIGHT_BYTES
    if (u32[entry + 3]! < 2 * blocks && !tight) return
    if (u32[entry + 2] === page + PAGE_BYTES) {
      if (u32[entry + 1]! + bytes <= u32[entry + 2]!) return
      u32[entry + 1] = u32[entry + 2] = 0
    }
    for (let i = 0, block = page; i < blocks; i++, block += bytes) this.#unlink(entry, block)
    u32[entry + 3]! -= blocks
    u32[CTL.freedBytes >>> 2]! -= blocks * bytes
    this.#freePages(page >>> PAGE_SHIFT, 1)
  }

  #unlink(entry: number, block: number): void {
    const { u32 } = this.#mem
    const next = u32[block >>> 2]!
    const previous = u32[(block + 4) >>> 2]!
    if (previous === 0) u32[entry] = next
    else u32[previous >>> 2] = next
    if (next !== 0) u32[(next + 4) >>> 2] = previous
  }

  #freePages(first: number, count: number): void {
    const { u32 } = this.#mem
    const states = PAGE_STATES >>> 2
    for (let page = first; page < first + count; page++) u32[states + page] = STATE_FREE
    u32[CTL.freePages >>> 2]! += count
    u32[CTL.freedBytes >>> 2]! += count * PAGE_BYTES
    if (first < this.#freePageFrom) this.#freePageFrom = first
  }

  /** Address of consecutive pages, contents undefined, the first free ones or from the top; 0 when there are none. */
  #pages(count: number): number {
    const { u32 } = this.#mem
    const states = PAGE_STATES >>> 2
    let first = 0
    if (u32[CTL.freePages >>> 2]! >= count) first = this.#findFree(count)
    if (first !== 0) {
      u32[CTL.freePages >>> 2]! -= count
      u32[CTL.freedBytes >>> 2]! -= count * PAGE_BYTES
    } else {
      const top = u32[CTL.heapTop >>> 2]!
      if (count * PAGE_BYTES > u32[CTL.heapLimit >>> 2]! - top) return 0
      u32[CTL.heapTop >>> 2] = top + count * PAGE_BYTES
      first = top >>> PAGE_SHIFT
    }
    for (let page = first + 1; page < first + count; page++) u32[states + page] = STATE_KEPT
    return first * PAGE_BYTES
  }

  /** First of `count` consecutive free pages, 0 when there are none. */
  #findFree(count: number): number {
    const { u32 } = this.#mem
    const states = PAGE_STATES >>> 2
    const end = u32[CTL.heapTop >>> 2]! >>> PAGE_SHIFT
    let run = 0
    let lowest = 0
    for (let page = this.#freePageFrom; page < end; page++) {
      if (u32[states + page] !== STATE_FREE) {
        run = 0
        continue
      }
      if (lowest === 0) lowest = page
      if (++run < count) continue
      const first = page - count + 1
      this.#freePageFrom = lowest === first ? page + 1 : lowest
      return first
    }
    if (lowest !== 0) this.#freePageFrom = lowest
    return 0
  }

  /** A free block of one of the next classes; it stays of its class. */
  #fromLarger(index: number): number {
    const { u32 } = this.#mem
    for (let larger = index + 1; larger < Math.min(index + LARGER_CLASSES, CLASS_COUNT); larger++)
      if (u32[(CTL.classes + larger * CLASS_BYTES) >>> 2] !== 0) return this.#pop(larger)
    return 0
  }

  /** Takes the first free block of a class. */
  #pop(index: number): number {
    const { u32 } = this.#mem
    const entry = (CTL.classes + index * CLASS_BYTES) >>> 2
    const bytes = classSize(index)
    const block = u32[entry]!
    const next = u32[block >>> 2]!
    u32[entry] = next
    if (next !== 0) u32[(next + 4) >>> 2] = 0
    u32[entry + 3]!--
    u32[this.#state(block)]! += ONE_BLOCK
    u32[CTL.freedBytes >>> 2]! -= bytes
    u32[CTL.bytesInUse >>> 2]! += bytes
    return block
  }
}
