// Out-of-order samples staged in a commit, in columns that are reused. Data plane.

export class LateSamples {
  count = 0
  slots = new Uint32Array(256)
  refs = new Float64Array(256)
  times = new Float64Array(256)
  values = new Float64Array(256)
  /** The values as pairs (low, high). */
  words = new Uint32Array(this.values.buffer)

  push(slot: number, ref: number, timeMs: number, low: number, high: number): void {
    const i = this.count
    if (i === this.slots.length) this.#grow()
    this.slots[i] = slot
    this.refs[i] = ref
    this.times[i] = timeMs
    this.words[2 * i] = low
    this.words[2 * i + 1] = high
    this.count = i + 1
  }

  #grow(): void {
    const { slots, refs, times, words } = this
    const n = slots.length * 2
    this.slots = new Uint32Array(n)
    this.slots.set(slots)
    this.refs = new Float64Array(n)
    this.refs.set(refs)
    this.times = new Float64Array(n)
    this.times.set(times)
    this.values = new Float64Array(n)
    this.words = new Uint32Array(this.values.buffer)
    this.words.set(words)
  }
}
