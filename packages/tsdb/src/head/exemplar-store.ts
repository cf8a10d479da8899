// The newest exemplars of all series in a ring: a new one takes the place of the oldest. Of a series they are kept in order of time. They
// live in this thread only and are gone with it.
import type { Exemplar, SeriesRef } from '@watchfire/datamodel'

interface Entry {
  readonly ref: SeriesRef
  readonly exemplar: Exemplar
}

export type ExemplarCheck = 'ok' | 'duplicate' | 'outOfOrder'

export class ExemplarStore {
  readonly #max: number
  readonly #ring: Entry[] = []
  #next = 0
  /** By series, oldest first. */
  readonly #series = new Map<SeriesRef, Exemplar[]>()

  /** `max` exemplars, more than 0. */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#ring.length
  }

  /** What adding it would do. */
  check(ref: SeriesRef, exemplar: Exemplar): ExemplarCheck {
    const newest = this.#series.get(ref)?.at(-1)
    if (newest === undefined) return 'ok'
    const sameTime = exemplar.timestampMs === newest.timestampMs
    if (sameTime && Object.is(exemplar.value, newest.value) && exemplar.labels.equals(newest.labels))
      return 'duplicate'
    const older = exemplar.timestampMs < newest.timestampMs
    // Exemplars of one scrape come in order of their buckets.
    return older || (sameTime && exemplar.value < newest.value) ? 'outOfOrder' : 'ok'
  }

  /** Adds it unless `check` has something against it. */
  add(ref: SeriesRef, exemplar: Exemplar): void {
    if (this.check(ref, exemplar) !== 'ok') return
    if (this.#ring.length < this.#max) this.#ring.push({ ref, exemplar })
    else {
      this.#forget(this.#ring[this.#next]!.ref)
      this.#ring[this.#next] = { ref, exemplar }
    }
    this.#next = (this.#next + 1) % this.#max
    const list = this.#series.get(ref)
    if (list) list.push(exemplar)
    else this.#series.set(ref, [exemplar])
  }

  /** Series with exemplars from `start` to `end` (ms, inclusive), each with those. */
  *between(start: number, end: number): Iterable<readonly [SeriesRef, readonly Exemplar[]]> {
    for (const [ref, list] of this.#series) {
      const found = list.filter(({ timestampMs }) => timestampMs >= start && timestampMs <= end)
      if (found.length > 0) yield [ref, found]
    }
  }

  /** The oldest of the ring is the oldest of its series. */
  #forget(ref: SeriesRef): void {
    const list = this.#series.get(ref)!
    list.shift()
    if (list.length === 0) this.#series.delete(ref)
  }
}
