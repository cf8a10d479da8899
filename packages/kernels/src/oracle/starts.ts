// Start timestamps behind the samples of a chunk, as encodings 4, 5 and 6 have them.
import { writeVarbitInt, writeVarint, type BitWriter } from './bits.ts'

/** Index of the header byte, and the last sample at which the writing may begin. */
const HEADER_INDEX = 2
const LAST_CHANGE = 127

export class StartWriter {
  readonly #out: BitWriter
  #header = 0
  #start = 0
  #difference = 0
  #changed = false

  constructor(out: BitWriter) {
    this.#out = out
  }

  /** Writes what belongs behind sample `i`. */
  write(i: number, start: number, time: number, timeBefore: number): void {
    const difference = timeBefore - start
    if (i === 0) {
      if (start !== 0) {
        this.#mark(0x80)
        writeVarint(this.#out, BigInt(time - start))
      }
    } else if (this.#changed) {
      writeVarbitInt(this.#out, difference - this.#difference)
      this.#difference = difference
    } else if (start !== this.#start || i === LAST_CHANGE) {
      this.#changed = true
      this.#mark(i)
      writeVarbitInt(this.#out, difference)
      this.#difference = difference
    }
    this.#start = start
  }

  #mark(bits: number): void {
    this.#header |= bits
    this.#out.patch(HEADER_INDEX, this.#header)
  }
}
