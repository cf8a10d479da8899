// Memory for bodies while they come in: a few buffers that are used again and again, because a fresh one for every scrape costs
// page faults and collections.

const FIRST_BYTES = 64 * 1024
/** Buffers kept for the next body: at most this many, each at most this big. */
const KEPT_MAX = 4
const KEPT_BYTES_MAX = 8 * 1024 * 1024

const kept: Buffer[] = []

/** Collects one body. */
export class BodyBuffer {
  #buffer: Buffer = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Copies a chunk to the end. */
  append(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length
    if (needed > this.#buffer.length) this.grow(needed)
    this.#buffer.set(chunk, this.#length)
    this.#length = needed
  }

  /** What was collected, valid until `release`. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Gives the memory back; the bytes are gone. */
  release(): void {
    const buffer = this.#buffer
    this.#buffer = Buffer.alloc(0)
    this.#length = 0
    if (buffer.length > 0 && buffer.length <= KEPT_BYTES_MAX && kept.length < KEPT_MAX) kept.push(buffer)
  }

  private grow(needed: number): void {
    const old = this.#buffer
    const size = Math.max(needed, FIRST_BYTES, old.length * 2)
    // The biggest one first: bodies of one target differ little.
    kept.sort((a, b) => a.length - b.length)
    const next =
      (kept.at(-1)?.length ?? 0) >= needed ? (kept.pop() ?? Buffer.alloc(0)) : Buffer.allocUnsafeSlow(size)
    next.set(old.subarray(0, this.#length))
    this.#buffer = next
  }
}
