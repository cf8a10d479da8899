// Private memory of one query: a bump allocator on a shared WebAssembly.Memory that grows up to a budget,
// with the kernels on it. Released bytes are reused, never given back: a query's worker drops the whole
// arena.
import { GUARD_BYTES, HEAP_BASE, MAX_PAGES, type KernelExports } from './contract.ts'
import { loadKernels } from './load.ts'

const PAGE = 65536
/**
 * A grown memory grows by at least this many pages, so that small allocations do not each replace the views.
 */
const GROWTH_PAGES = 16

/** Thrown when an arena's budget is used up. */
export class MemoryBudgetError extends Error {
  override name = 'MemoryBudgetError'
}

/** The shape of datamodel's ByteArena, with the kernels bound to its memory. */
export interface Arena {
  readonly memory: WebAssembly.Memory
  readonly kernels: KernelExports
  /** Bytes that may be allocated in all. */
  readonly budgetBytes: number
  /** Bytes allocated now. */
  readonly usedBytes: number
  /** Most bytes that were ever allocated. */
  readonly peakBytes: number
  /**
   * Address of `size` bytes (unsigned), 16-byte aligned, contents undefined. Throws past the budget. Views
   * taken before may be stale after.
   */
  alloc(size: number): number
  /** Current view of all bytes. */
  bytes(): Uint8Array
  mark(): number
  /** Gives back everything allocated after the mark. */
  release(mark: number): void
}

export interface ArenaOptions {
  /** Class of the error past the budget; its name should be 'MemoryBudgetError'. */
  readonly budgetError?: new (message: string) => Error
}

/**
 * Creates an arena; memory is reserved as address space and touched only as it is used. At most just below 4
 * GiB.
 */
export function createArena(budgetBytes: number, options: ArenaOptions = {}): Arena {
  return new BumpArena(budgetBytes, options.budgetError ?? MemoryBudgetError)
}

class BumpArena implements Arena {
  readonly memory: WebAssembly.Memory
  readonly kernels: KernelExports
  readonly budgetBytes: number
  readonly #budgetError: new (message: string) => Error
  readonly #maxPages: number
  readonly #limit: number
  #top = HEAP_BASE
  #peak = HEAP_BASE
  #size: number
  #view: Uint8Array | undefined

  constructor(budgetBytes: number, budgetError: new (message: string) => Error) {
    if (!(budgetBytes >= 0)) throw new RangeError(`arena budget must not be negative: ${budgetBytes}`)
    this.budgetBytes = Math.min(budgetBytes - (budgetBytes % 16), MAX_PAGES * PAGE - HEAP_BASE - GUARD_BYTES)
    this.#budgetError = budgetError
    this.#limit = HEAP_BASE + this.budgetBytes
    this.#maxPages = Math.ceil((this.#limit + GUARD_BYTES) / PAGE)
    const initial = Math.min(2, this.#maxPages)
    this.memory = new WebAssembly.Memory({ initial, maximum: this.#maxPages, shared: true })
    this.#size = initial * PAGE
    this.kernels = loadKernels(this.memory)
  }

  get usedBytes(): number {
    return this.#top - HEAP_BASE
  }

  get peakBytes(): number {
    return this.#peak - HEAP_BASE
  }

  alloc(size: number): number {
    if (!(size >= 0)) throw new RangeError(`arena allocation must not be negative: ${size}`)
    const address = this.#top
    const top = address + Math.ceil(size / 16) * 16
    if (top > this.#limit) throw this.#overBudget(size)
    if (top + GUARD_BYTES > this.#size) this.#grow(top + GUARD_BYTES, size)
    this.#top = top
    if (top > this.#peak) this.#peak = top
    return address
  }

  bytes(): Uint8Array {
    if (this.#view?.buffer !== this.memory.buffer) this.#view = new Uint8Array(this.memory.buffer)
    return this.#view!
  }

  mark(): number {
    return this.#top
  }

  release(mark: number): void {
    if (!(mark >= HEAP_BASE && mark <= this.#top))
      throw new RangeError(`arena mark ${mark} is not between ${HEAP_BASE} and ${this.#top}`)
    this.#top = mark
  }

  #grow(needed: number, size: number): void {
    const pages = this.#size / PAGE
    const least = Math.ceil(needed / PAGE) - pages
    const wanted = Math.max(least, GROWTH_PAGES, pages >> 2)
    const room = this.#maxPages - pages
    if (least > room) throw this.#overBudget(size)
    try {
      this.memory.grow(Math.min(wanted, room))
    } catch {
      throw this.#overBudget(size)
    }
    this.#size = (pages + Math.min(wanted, room)) * PAGE
  }

  #overBudget(size: number): Error {
    return new this.#budgetError(
      `query memory budget of ${this.budgetBytes} bytes exceeded: ` +
        `${this.usedBytes} in use, ${size} more wanted`,
    )
  }
}
