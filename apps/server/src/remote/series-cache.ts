// Data plane. Known series by a fingerprint of the bytes that name them, so that their labels are not decoded again. A fingerprint has
// 128 bits and a seed of the process: two label sets never meet in practice, and nobody can make them meet. A series is first
// looked for behind the one found last, since senders keep their order.
import { randomBytes } from 'node:crypto'
import type { SeriesRef } from '@watchfire/datamodel'

export interface SeriesCacheOptions {
  /** Most entries, 24 bytes each and 8 to 16 more of table; beyond, all is forgotten and learned again. */
  readonly entriesMax?: number
}

const ENTRIES_MAX = 4_000_000
const ENTRIES_FIRST = 1024

/** 128 bits in four words. */
export type Fingerprint = Uint32Array

/** Odd multipliers, one a lane, as signed integers. */
const M0 = 0x9e3779b1 | 0
const M1 = 0x85ebca77 | 0
const M2 = 0xc2b2ae3d | 0
const M3 = 0x27d4eb2f | 0

export class Fingerprinter {
  readonly #seed: Uint32Array

  constructor(seed: Uint32Array = new Uint32Array(new Uint8Array(randomBytes(16)).buffer)) {
    this.#seed = seed
  }

  /** Of the bytes from `start` to `end`, into `out` at `at`. `kind` keeps different uses apart. */
  bytes(view: DataView, start: number, end: number, kind: number, out: Fingerprint, at = 0): void {
    const seed = this.#seed
    let a = seed[0]! ^ kind
    let b = seed[1]! ^ (end - start)
    let c = seed[2]!
    let d = seed[3]!
    let i = start
    for (; i + 4 <= end; i += 4) {
      const word = view.getInt32(i, true)
      a = Math.imul(((a ^ word) << 13) | ((a ^ word) >>> 19), M0)
      b = Math.imul(((b ^ word) << 11) | ((b ^ word) >>> 21), M1)
      c = Math.imul(((c ^ word) << 17) | ((c ^ word) >>> 15), M2)
      d = Math.imul(((d ^ word) << 7) | ((d ^ word) >>> 25), M3)
    }
    for (; i < end; i++) {
      const byte = view.getUint8(i) | 0x100
      a = Math.imul(((a ^ byte) << 13) | ((a ^ byte) >>> 19), M0)
      b = Math.imul(((b ^ byte) << 11) | ((b ^ byte) >>> 21), M1)
      c = Math.imul(((c ^ byte) << 17) | ((c ^ byte) >>> 15), M2)
      d = Math.imul(((d ^ byte) << 7) | ((d ^ byte) >>> 25), M3)
    }
    finish(out, at, a, b, c, d)
  }

  /** Of `count` words. */
  words(words: Uint32Array, count: number, kind: number, out: Fingerprint, at = 0): void {
    const seed = this.#seed
    let a = seed[0]! ^ kind
    let b = seed[1]! ^ count
    let c = seed[2]!
    let d = seed[3]!
    for (let i = 0; i < count; i++) {
      const word = words[i]!
      a = Math.imul(((a ^ word) << 13) | ((a ^ word) >>> 19), M0)
      b = Math.imul(((b ^ word) << 11) | ((b ^ word) >>> 21), M1)
      c = Math.imul(((c ^ word) << 17) | ((c ^ word) >>> 15), M2)
      d = Math.imul(((d ^ word) << 7) | ((d ^ word) >>> 25), M3)
    }
    finish(out, at, a, b, c, d)
  }
}

function finish(out: Fingerprint, at: number, a: number, b: number, c: number, d: number): void {
  out[at] = mix(a ^ (b >>> 7))
  out[at + 1] = mix(b ^ (c >>> 9))
  out[at + 2] = mix(c ^ (d >>> 11))
  out[at + 3] = mix(d ^ (a >>> 13))
}

function mix(value: number): number {
  let x = value ^ (value >>> 16)
  x = Math.imul(x, 0x7feb352d)
  x ^= x >>> 15
  x = Math.imul(x, 0x846ca68b)
  return x ^ (x >>> 16)
}

/** Fingerprint → series reference. An entry may name a series that is gone: the caller checks and sets it anew. */
export class SeriesCache {
  readonly #entriesMax: number
  #fingerprints = new Uint32Array(4 * ENTRIES_FIRST)
  #refs = new Float64Array(ENTRIES_FIRST)
  /** Entry + 1 by the fingerprint's first word, open addressing; 0 = free. */
  #table = new Uint32Array(2 * ENTRIES_FIRST)
  #count = 0
  #last = -1

  constructor(options: SeriesCacheOptions = {}) {
    this.#entriesMax = options.entriesMax ?? ENTRIES_MAX
  }

  get size(): number {
    return this.#count
  }

  /** The reference, 0 when the series is not known. */
  find(fingerprint: Fingerprint): SeriesRef {
    const guess = this.#last + 1
    if (guess < this.#count && this.#is(guess, fingerprint)) {
      this.#last = guess
      return this.#refs[guess]!
    }
    const place = this.#place(fingerprint)
    const entry = this.#table[place]!
    if (entry === 0) return 0
    this.#last = entry - 1
    return this.#refs[entry - 1]!
  }

  /** Remembers a series. */
  set(fingerprint: Fingerprint, ref: SeriesRef): void {
    let place = this.#place(fingerprint)
    let entry = this.#table[place]!
    if (entry === 0) {
      if (this.#count === this.#refs.length) {
        if (this.#count >= this.#entriesMax) this.clear()
        else this.#grow()
        place = this.#place(fingerprint)
      }
      entry = ++this.#count
      this.#fingerprints.set(fingerprint, 4 * (entry - 1))
      this.#table[place] = entry
    }
    this.#refs[entry - 1] = ref
    this.#last = entry - 1
  }

  clear(): void {
    this.#fingerprints = new Uint32Array(4 * ENTRIES_FIRST)
    this.#refs = new Float64Array(ENTRIES_FIRST)
    this.#table = new Uint32Array(2 * ENTRIES_FIRST)
    this.#count = 0
    this.#last = -1
  }

  #is(entry: number, fingerprint: Fingerprint): boolean {
    const known = this.#fingerprints
    const at = 4 * entry
    return (
      known[at] === fingerprint[0] &&
      known[at + 1] === fingerprint[1] &&
      known[at + 2] === fingerprint[2] &&
      known[at + 3] === fingerprint[3]
    )
  }

  /** Where the entry is, or where it would go. */
  #place(fingerprint: Fingerprint): number {
    const table = this.#table
    const mask = table.length - 1
    let place = fingerprint[0]! & mask
    while (table[place] !== 0 && !this.#is(table[place]! - 1, fingerprint)) place = (place + 1) & mask
    return place
  }

  #grow(): void {
    const size = this.#refs.length * 2
    const fingerprints = new Uint32Array(4 * size)
    fingerprints.set(this.#fingerprints)
    const refs = new Float64Array(size)
    refs.set(this.#refs)
    const table = new Uint32Array(2 * size)
    const mask = table.length - 1
    for (let entry = 0; entry < this.#count; entry++) {
      let place = fingerprints[4 * entry]! & mask
      while (table[place] !== 0) place = (place + 1) & mask
      table[place] = entry + 1
    }
    this.#fingerprints = fingerprints
    this.#refs = refs
    this.#table = table
  }
}
