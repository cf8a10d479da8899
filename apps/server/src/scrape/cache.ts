// What a target's scrapes remember: labels and reference of every series by its exposed text, dropped series, which series
// were there last time (for staleness), and metadata.
import type { Labels, MetricType, SeriesRef } from '@watchfire/datamodel'

/** Scrapes after which metadata of a family that is no longer exposed is forgotten. */
const METADATA_SCRAPES = 10
/** Failing scrapes may leave this many entries more than twice the last good count before the cache is cleaned. */
const GROWTH_ALLOWED = 1000

/** A series as exposed. */
export interface SeriesEntry {
  readonly text: string
  readonly labels: Labels
  ref: SeriesRef
  /** Scrape in which it was seen last. */
  seen: number
  /** Scrape in which it was noted for staleness last. */
  tracked: number
  /** Start timestamp for which a zero was stored, ms. */
  startMs: number
}

export interface MetadataEntry {
  type: MetricType
  help: string
  unit: string
  seen: number
}

export class ScrapeCache {
  /** Number of the current scrape. */
  iteration = 1
  readonly series = new Map<string, SeriesEntry>()
  readonly metadata = new Map<string, MetadataEntry>()
  readonly #dropped = new Map<string, number>()
  #current: SeriesEntry[] = []
  #previous: SeriesEntry[] = []
  #goodCount = 0

  /** A cache that knows which series to end, and nothing else: after a change of the job's configuration. */
  successor(): ScrapeCache {
    const next = new ScrapeCache()
    next.#previous = this.#previous
    next.#previous.forEach((entry) => (entry.tracked = 0))
    for (const [family, entry] of this.metadata) next.metadata.set(family, { ...entry, seen: next.iteration })
    return next
  }

  add(text: string, labels: Labels, ref: SeriesRef): SeriesEntry {
    const entry: SeriesEntry = { text, labels, ref, seen: this.iteration, tracked: 0, startMs: 0 }
    this.series.set(text, entry)
    return entry
  }

  addDropped(text: string): void {
    this.#dropped.set(text, this.iteration)
  }

  /** True when relabelling dropped this series before. */
  isDropped(text: string): boolean {
    if (!this.#dropped.has(text)) return false
    this.#dropped.set(text, this.iteration)
    return true
  }

  /** The series has to end when it is missing next time. */
  track(entry: SeriesEntry): void {
    if (entry.tracked === this.iteration) return
    entry.tracked = this.iteration
    this.#current.push(entry)
  }

  /** Series of the last scrape that are missing now. */
  vanished(): readonly SeriesEntry[] {
    const gone = this.#previous.filter((entry) => entry.tracked !== this.iteration)
    if (gone.length === 0) return gone
    const live = new Set(this.#current.map((entry) => entry.ref))
    return gone.filter((entry) => !live.has(entry.ref))
  }

  /** The scrape failed: forget what it noted, so that everything ends. */
  forgetCurrent(): void {
    for (const entry of this.#current) entry.tracked = 0
    for (const entry of this.#previous) if (entry.tracked === this.iteration) entry.tracked = 0
    this.#current = []
  }

  /** Ends the scrape. After a good one, entries that were not seen are dropped. Returns true when a clean-up was forced. */
  finish(good: boolean): boolean {
    const count = this.series.size + this.#dropped.size + this.metadata.size
    const forced = !good && count > this.#goodCount * 2 + GROWTH_ALLOWED
    if (good) this.#goodCount = count
    if (good || forced) {
      for (const [text, entry] of this.series) if (entry.seen !== this.iteration) this.series.delete(text)
      for (const [text, seen] of this.#dropped) if (seen !== this.iteration) this.#dropped.delete(text)
      for (const [family, entry] of this.metadata)
        if (this.iteration - entry.seen > METADATA_SCRAPES) this.metadata.delete(family)
    }
    this.#previous = this.#current
    this.#current = []
    this.iteration++
    return forced
  }

  /** The same series as last time, in whatever order: nothing vanished, everything stays noted. */
  finishUnchanged(): void {
    this.#current = []
  }

  setMetadata(family: string, change: Partial<Pick<MetadataEntry, 'type' | 'help' | 'unit'>>): void {
    let entry = this.metadata.get(family)
    if (entry === undefined) {
      entry = { type: 'unknown', help: '', unit: '', seen: 0 }
      this.metadata.set(family, entry)
    }
    Object.assign(entry, change)
    entry.seen = this.iteration
  }
}
