// Data plane. The symbols of a request of protocol 2, decoded only where a series is new; each has a fingerprint, and a series' fingerprint is made of
// those of its symbols.
import type { Fingerprint, Fingerprinter } from './series-cache.ts'
import { readText } from './label-message.ts'
import type { WireReader } from './wire-reader.ts'

/** Keep fingerprints of symbols and of series apart from others. */
const KIND_SYMBOL = 2
const KIND_SERIES = 3

export class Symbols {
  readonly #fingerprinter: Fingerprinter
  #starts = new Uint32Array(256)
  #fingerprints = new Uint32Array(1024)
  #texts: (string | undefined)[] = []
  #isRead = new Uint8Array(256)
  #words = new Uint32Array(256)
  count = 0

  constructor(fingerprinter: Fingerprinter) {
    this.#fingerprinter = fingerprinter
  }

  clear(): void {
    this.count = 0
    this.#texts = []
  }

  /** Adds the text that is the current field's value and passes over it. */
  add(reader: WireReader): void {
    const i = this.count
    if (i === this.#starts.length) this.#grow()
    this.#starts[i] = reader.position
    this.#isRead[i] = 0
    const length = reader.length()
    const end = reader.position + length
    this.#fingerprinter.bytes(reader.view, reader.position, end, KIND_SYMBOL, this.#fingerprints, 4 * i)
    reader.position = end
    this.count = i + 1
  }

  /** A symbol's text; undefined when it is not UTF-8. The reader is moved. */
  text(reader: WireReader, i: number): string | undefined {
    if (this.#isRead[i] === 0) {
      const { end } = reader
      reader.end = reader.bytes.length
      reader.position = this.#starts[i]!
      this.#texts[i] = readText(reader)
      this.#isRead[i] = 1
      reader.end = end
    }
    return this.#texts[i]
  }

  /** Fingerprint of a series with these references; false when one of them is no symbol. */
  fingerprint(refs: Uint32Array, count: number, out: Fingerprint): boolean {
    if (this.#words.length < 4 * count) this.#words = new Uint32Array(8 * count)
    const words = this.#words
    for (let i = 0; i < count; i++) {
      const symbol = refs[i]!
      if (symbol >= this.count) return false
      const from = 4 * symbol
      words[4 * i] = this.#fingerprints[from]!
      words[4 * i + 1] = this.#fingerprints[from + 1]!
      words[4 * i + 2] = this.#fingerprints[from + 2]!
      words[4 * i + 3] = this.#fingerprints[from + 3]!
    }
    this.#fingerprinter.words(words, 4 * count, KIND_SERIES, out)
    return true
  }

  #grow(): void {
    const size = this.#starts.length * 2
    const starts = new Uint32Array(size)
    starts.set(this.#starts)
    this.#starts = starts
    const isRead = new Uint8Array(size)
    isRead.set(this.#isRead)
    this.#isRead = isRead
    const fingerprints = new Uint32Array(4 * size)
    fingerprints.set(this.#fingerprints)
    this.#fingerprints = fingerprints
  }
}
