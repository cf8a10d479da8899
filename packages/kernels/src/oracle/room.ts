// Buffers for tests of kernels, fenced with canaries: low in a memory, above 2 GiB (negative addresses) and
// at its very top, where the last buffer ends with the memory.
import { HEAP_BASE, MAX_PAGES, type KernelExports } from '../contract.ts'
import { loadKernels } from '../load.ts'

const SIZE = MAX_PAGES * 65536
const FENCE = 48
const CANARY = 0xa5

export interface Place {
  readonly name: string
  /** First address, or where to go down from. */
  readonly base: number
  readonly down: boolean
}

export const PLACES: readonly Place[] = [
  { name: 'low in a memory', base: HEAP_BASE, down: false },
  { name: 'above 2 GiB', base: 0x9000_0000, down: false },
  { name: 'at the top of a memory', base: SIZE, down: true },
]

let shared: { memory: WebAssembly.Memory; kernels: KernelExports; bytes: Uint8Array } | undefined

/** A place with buffers. */
export class Room {
  readonly kernels: KernelExports
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly #place: Place
  readonly #buffers: { address: number; size: number }[] = []
  #next: number

  constructor(place: Place) {
    if (!shared) {
      const memory = new WebAssembly.Memory({ initial: MAX_PAGES, maximum: MAX_PAGES, shared: true })
      shared = { memory, kernels: loadKernels(memory), bytes: new Uint8Array(memory.buffer) }
    }
    this.kernels = shared.kernels
    this.bytes = shared.bytes
    this.view = new DataView(shared.memory.buffer)
    this.#place = place
    this.#next = place.base
  }

  /** A fenced buffer, filled with `fill`. The first of the top place ends with the memory. */
  buffer(size: number, fill = 0): number {
    let address: number
    if (this.#place.down) {
      address = this.#next - size
      this.#next = Math.floor((address - FENCE) / 8) * 8
    } else {
      address = this.#next + FENCE
      this.#next = Math.ceil((address + size + FENCE) / 8) * 8
    }
    this.bytes.fill(CANARY, address - FENCE, address + size + FENCE)
    this.bytes.fill(fill, address, address + size)
    this.#buffers.push({ address, size })
    return address
  }

  /** A fenced buffer with these bytes. */
  put(source: Uint8Array): number {
    const address = this.buffer(source.length)
    this.bytes.set(source, address)
    return address
  }

  /** A fenced column of doubles. */
  column(source: ArrayLike<number>): number {
    const column = Float64Array.from(source)
    return this.put(new Uint8Array(column.buffer))
  }

  get(address: number, size: number): Uint8Array {
    return this.bytes.slice(address, address + size)
  }

  floats(address: number, count: number): Float64Array {
    return new Float64Array(this.bytes.slice(address, address + count * 8).buffer)
  }

  /** Bits of doubles, for comparisons that tell NaNs and zeros apart. */
  bits(address: number, count: number): BigUint64Array {
    return new BigUint64Array(this.bytes.slice(address, address + count * 8).buffer)
  }

  /** Throws when a byte outside the buffers has changed. */
  check(): void {
    for (const { address, size } of this.#buffers) {
      for (let i = 1; i <= FENCE; i++) {
        if (this.bytes[address - i] !== CANARY) throw new Error(`byte ${-i} before a buffer was written`)
        const after = address + size + i - 1
        if (after < this.bytes.length && this.bytes[after] !== CANARY)
          throw new Error(`byte ${i - 1} after a buffer of ${size} was written`)
      }
    }
  }
}
