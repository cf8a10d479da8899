// The head's heap: size classes with free lists, everything in the shared memory. Blocks freed while a reader may still see them
// are retired under the current epoch and reused when every pin is newer. Only the writer allocates.
import { CTL, PAGE_BYTES, PIN_BYTES, PIN_SLOTS } from './layout.ts'
import type { HeadMemory } from './head-memory.ts'

/** Classes up to this size are cut from pages of 64 KiB; larger blocks come straight from the top of the heap. */
const PAGED_BYTES_MAX = 8192
const CLASS_BYTES = 16
/** Without fresh memory a block of one of so many larger classes may serve. */
const LARGER_CLASSES = 8
const CLASS_COUNT = 32 + 22 * 4

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

/** What is retired: a block of a size class, or (above all classes) the id of a table slot. */
export const RETIRED = { series: 1000, pair: 1001, symbol: 1002 } as const

export class Allocator {
  readonly #mem: HeadMemory
  /** Triples (kind, address or id, epoch), oldest first from `#retiredFirst` on. */
  #retired = new Uint32Array(3 * 1024)
  #retiredFirst = 0
  #retiredEnd = 0

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

  get bytesInUse(): number {
    return this.#mem.u32[CTL.bytesInUse >>> 2]!
  }

  /** Address of `size` bytes, 16-byte aligned, contents undefined; 0 when the memory is full. */
  alloc(size: number): number {
    const { u32 } = this.#mem
    const index = classOf(size)
    const entry = (CTL.classes + index * CLASS_BYTES) >>> 2
    const bytes = classSize(index)
    if (u32[entry] !== 0) {
      u32[CTL.bytesInUse >>> 2]! += bytes
      return this.#pop(index)
    }
    if (bytes > PAGED_BYTES_MAX) {
      const address = this.#top(bytes) || this.#fromLarger(index)
      if (address !== 0) u32[CTL.bytesInUse >>> 2]! += bytes
      return address
    }
    let next = u32[entry + 1]!
    if (next === 0 || next + bytes > u32[entry + 2]!) {
      next = this.#top(PAGE_BYTES)
      let size = PAGE_BYTES
      if (next === 0) {
        // Cut a freed block up instead.
        const larger = this.#largerClass(index, CLASS_COUNT)
        if (larger === 0) return 0
        next = this.#pop(larger)
        size = classSize(larger)
      }
      u32[entry + 2] = next + size
    }
    u32[entry + 1] = next + bytes
    u32[CTL.bytesInUse >>> 2]! += bytes
    return next
  }

  /** A page of 64 KiB for a table, zeroed, kept for good; 0 when the memory is full. */
  page(): number {
    const address = this.#top(PAGE_BYTES)
    if (address !== 0) this.#mem.u32[CTL.bytesInUse >>> 2]! += PAGE_BYTES
    return address
  }

  /** Gives a block back at once: only for blocks no reader can have seen. */
  free(address: number, size: number): void {
    this.#free(classOf(size), address)
  }

  /** Gives a block back once no reader can see it any more. `size` as given to `alloc`. */
  retire(address: number, size: number): void {
    this.#push(classOf(size), address)
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
      if (kind < CLASS_COUNT) this.#free(kind, address)
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

  #free(index: number, address: number): void {
    const { u32 } = this.#mem
    const entry = (CTL.classes + index * CLASS_BYTES) >>> 2
    u32[address >>> 2] = u32[entry]!
    u32[entry] = address
    u32[CTL.bytesInUse >>> 2]! -= classSize(index)
    u32[CTL.freedBytes >>> 2]! += classSize(index)
  }

  #top(bytes: number): number {
    const { u32 } = this.#mem
    const top = u32[CTL.heapTop >>> 2]!
    if (bytes > u32[CTL.heapLimit >>> 2]! - top) return 0
    u32[CTL.heapTop >>> 2] = top + bytes
    return top
  }

  /** A block of one of the next classes; the surplus is lost, the block belongs to the smaller class from now on. */
  #fromLarger(index: number): number {
    const larger = this.#largerClass(index, index + LARGER_CLASSES)
    return larger === 0 ? 0 : this.#pop(larger)
  }

  /** The next class with a free block, 0 when there is none before `end`. */
  #largerClass(index: number, end: number): number {
    const { u32 } = this.#mem
    for (let larger = index + 1; larger < Math.min(end, CLASS_COUNT); larger++)
      if (u32[(CTL.classes + larger * CLASS_BYTES) >>> 2] !== 0) return larger
    return 0
  }

  /** Takes the first free block of a class. */
  #pop(index: number): number {
    const { u32 } = this.#mem
    const entry = (CTL.classes + index * CLASS_BYTES) >>> 2
    const free = u32[entry]!
    u32[entry] = u32[free >>> 2]!
    u32[CTL.freedBytes >>> 2]! -= classSize(index)
    return free
  }
}
