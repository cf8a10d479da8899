// The kernels a WAL needs (CRC-32C, snappy) on a small memory of their own, apart from the head's: records from disk are untrusted.
import { HEAP_BASE, loadKernels, type KernelExports } from '@watchfire/kernels'

const PAGE = 65536
const PAGES_MAX = 16_384
/** Scratch of the snappy encoder. */
const TABLE_BYTES = 32 * 1024

export class WalCodec {
  readonly kernels: KernelExports
  readonly #memory: WebAssembly.Memory
  #bytes: Uint8Array

  /** Scratch for the snappy encoder; then come `input` and `output`. */
  readonly #table = HEAP_BASE
  readonly input = HEAP_BASE + TABLE_BYTES
  #output: number

  constructor(inputBytes: number) {
    this.#output = this.input + inputBytes
    const pages = Math.ceil((this.#output + inputBytes * 1.2 + PAGE) / PAGE)
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: PAGES_MAX, shared: true })
    this.kernels = loadKernels(this.#memory)
    this.#bytes = new Uint8Array(this.#memory.buffer)
  }

  /** All bytes; stale after `reserve`. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  get output(): number {
    return this.#output
  }

  /** Makes room for this many bytes of input and of output. Contents of the output are lost. */
  reserve(inputBytes: number, outputBytes: number): void {
    if (this.input + inputBytes > this.#output) this.#output = this.input + inputBytes
    const end = this.#output + outputBytes + PAGE
    if (end <= this.#bytes.length) return
    this.#memory.grow(Math.ceil((end - this.#bytes.length) / PAGE))
    this.#bytes = new Uint8Array(this.#memory.buffer)
  }

  /** Compresses `length` bytes at `input` to `output`; returns the compressed length. */
  compress(length: number): number {
    this.reserve(length, this.kernels.snappyBound(length))
    return this.kernels.snappyEncode(this.input, length, this.#output, this.#table)
  }

  /** Decompresses `length` bytes at `input` to `output`; returns the length, or −1 when damaged or longer than `lengthMax`. */
  decompress(length: number, lengthMax: number): number {
    const size = this.kernels.snappyDecodedLength(this.input, length)
    if (size < 0 || size > lengthMax) return -1
    this.reserve(length, size)
    return this.kernels.snappyDecode(this.input, length, this.#output, size) === size ? size : -1
  }
}
