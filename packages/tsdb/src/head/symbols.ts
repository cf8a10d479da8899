// The symbol table: every label name and value once, as UTF-8, with a number. The writer makes and drops symbols, readers look them up.
import { CTL, PAGE_BYTES, SYMBOL, SYMBOL_BUCKETS, SYMBOL_TABLE, SYMBOLS_PER_PAGE_SHIFT } from './layout.ts'
import { RETIRED, type Allocator } from './allocator.ts'
import { HashIndex } from './hash-index.ts'
import type { HeadMemory } from './head-memory.ts'

/** Most strings the writer remembers with their symbols. */
const CACHE_MAX = 65_536
/** Longer label names or values are not cached as strings. */
const CACHED_LENGTH_MAX = 512

const encoder = new TextEncoder()
const decoder = new TextDecoder()
let scratch = Buffer.alloc(4096)

/** FNV-1a, finished so that low bits are good. */
function hashBytes(bytes: Uint8Array, length: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** UTF-8 of `text` in the scratch buffer; returns the length. */
function encode(text: string): number {
  if (text.length * 3 > scratch.length) scratch = Buffer.alloc(text.length * 3)
  return encoder.encodeInto(text, scratch).written
}

export class SymbolTable {
  readonly #mem: HeadMemory
  readonly #hash: HashIndex

  constructor(mem: HeadMemory) {
    this.#mem = mem
    this.#hash = new HashIndex(mem, {
      control: CTL.symbolHash,
      buckets: SYMBOL_BUCKETS,
      hashOf: (id) => mem.u32[(mem.symbolAddress(id) + SYMBOL.hash) >>> 2]!,
      nextOf: (id) => mem.symbolAddress(id) + SYMBOL.next,
    })
  }

  /** The symbol of a string, 0 when there is none. For readers: safe while the writer inserts. */
  find(text: string): number {
    const length = encode(text)
    return this.#hash.lookup(hashBytes(scratch, length), (id) => this.#equals(id, length))
  }

  /** The string of a symbol. */
  text(id: number): string {
    const address = this.#mem.symbolAddress(id)
    const length = Math.min(this.#mem.u32[(address + SYMBOL.length) >>> 2]!, this.#mem.u8.length - address)
    const bytes = this.#mem.u8.subarray(address + SYMBOL.bytes, address + SYMBOL.bytes + length)
    if (length > scratch.length) return decoder.decode(new Uint8Array(bytes))
    let ascii = 0
    for (let i = 0; i < length; i++) ascii |= scratch[i] = bytes[i]!
    return scratch.toString(ascii < 0x80 ? 'latin1' : 'utf8', 0, length)
  }

  /** Table of a writer. */
  get index(): HashIndex {
    return this.#hash
  }

  #equals(id: number, length: number): boolean {
    const { u8, u32 } = this.#mem
    const address = this.#mem.symbolAddress(id)
    if (u32[(address + SYMBOL.length) >>> 2] !== length) return false
    for (let i = 0; i < length; i++) if (u8[address + SYMBOL.bytes + i] !== scratch[i]) return false
    return true
  }
}

/** The writer's side: makes symbols and counts their uses. */
export class SymbolWriter {
  readonly table: SymbolTable
  readonly #mem: HeadMemory
  readonly #allocator: Allocator
  readonly #cache = new Map<string, number>()

  constructor(mem: HeadMemory, allocator: Allocator) {
    this.#mem = mem
    this.#allocator = allocator
    this.table = new SymbolTable(mem)
  }

  /** The symbol of a string, 0 when there is none. */
  find(text: string): number {
    const cached = this.#cache.get(text)
    if (cached !== undefined) return cached
    const id = this.table.find(text)
    if (id !== 0) this.#remember(text, id)
    return id
  }

  /** The symbol of a string, made if new; 0 when the memory is full. */
  intern(text: string): number {
    const known = this.find(text)
    if (known !== 0) return known
    const mem = this.#mem
    const length = encode(text)
    const address = this.#allocator.alloc(SYMBOL.bytes + length)
    const id = address === 0 ? 0 : this.#slot()
    if (id === 0) {
      if (address !== 0) this.#allocator.free(address)
      return 0
    }
    const { u32 } = mem
    u32.fill(0, address >>> 2, (address + SYMBOL.bytes) >>> 2)
    u32[(address + SYMBOL.length) >>> 2] = length
    u32[(address + SYMBOL.hash) >>> 2] = hashBytes(scratch, length)
    for (let i = 0; i < length; i++) mem.u8[address + SYMBOL.bytes + i] = scratch[i]!
    Atomics.store(u32, mem.symbolSlot(id) >>> 2, address)
    if (!this.table.index.insert(id, this.#allocator)) {
      this.#allocator.free(address)
      this.freeSlot(id)
      return 0
    }
    u32[CTL.symbolCount >>> 2]!++
    u32[CTL.symbolBytes >>> 2]! += length
    this.#remember(text, id)
    return id
  }

  addUse(id: number): void {
    this.#mem.u32[(this.#mem.symbolAddress(id) + SYMBOL.refs) >>> 2]!++
  }

  /** Drops a use; the symbol goes with the last one. */
  dropUse(id: number): void {
    const { u32 } = this.#mem
    const address = this.#mem.symbolAddress(id)
    if (--u32[(address + SYMBOL.refs) >>> 2]! > 0) return
    const length = u32[(address + SYMBOL.length) >>> 2]!
    this.table.index.remove(id)
    this.#cache.clear()
    this.#allocator.retire(address)
    this.#allocator.retireSlot(RETIRED.symbol, id)
    u32[CTL.symbolCount >>> 2]!--
    u32[CTL.symbolBytes >>> 2]! -= length
  }

  /** A retired id may be used again. */
  freeSlot(id: number): void {
    const { u32 } = this.#mem
    u32[this.#mem.symbolSlot(id) >>> 2] = u32[CTL.freeSymbols >>> 2]!
    u32[CTL.freeSymbols >>> 2] = id
  }

  #slot(): number {
    const { u32 } = this.#mem
    const free = u32[CTL.freeSymbols >>> 2]!
    if (free !== 0) {
      u32[CTL.freeSymbols >>> 2] = u32[this.#mem.symbolSlot(free) >>> 2]!
      Atomics.add(u32, CTL.generation >>> 2, 1)
      return free
    }
    const id = u32[CTL.symbolSlots >>> 2]!
    const page = id >>> SYMBOLS_PER_PAGE_SHIFT
    if (page >= PAGE_BYTES / 4) return 0
    if (u32[(SYMBOL_TABLE >>> 2) + page] === 0) {
      const address = this.#allocator.page()
      if (address === 0) return 0
      u32[(SYMBOL_TABLE >>> 2) + page] = address
    }
    u32[CTL.symbolSlots >>> 2] = id + 1
    return id
  }

  #remember(text: string, id: number): void {
    if (text.length > CACHED_LENGTH_MAX) return
    if (this.#cache.size >= CACHE_MAX) this.#cache.clear()
    this.#cache.set(text, id)
  }
}
