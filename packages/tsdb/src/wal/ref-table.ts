// Series references of a WAL → slots of the head. Small references, the usual ones, index an array; others go to a map.
const DENSE_MAX = 1 << 26

export class RefTable {
  #dense = new Uint32Array(1024)
  readonly #sparse = new Map<number, number>()

  /** 0 when unknown. */
  get(ref: number): number {
    if (ref < this.#dense.length) return this.#dense[ref] ?? 0
    return ref < DENSE_MAX ? 0 : (this.#sparse.get(ref) ?? 0)
  }

  set(ref: number, slot: number): void {
    if (!(ref >= 0 && ref < DENSE_MAX && Number.isInteger(ref))) {
      this.#sparse.set(ref, slot)
      return
    }
    if (ref >= this.#dense.length) {
      const grown = new Uint32Array(Math.min(DENSE_MAX, Math.max(ref + 1, this.#dense.length * 2)))
      grown.set(this.#dense)
      this.#dense = grown
    }
    this.#dense[ref] = slot
  }
}
