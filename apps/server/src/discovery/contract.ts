// What service discovery hands to the scrape pools.

/** Targets with common labels, from one source (a file, a static config …). */
export interface TargetGroup {
  /** Unique within the scrape pool, e.g. `static/0` or `/etc/targets.json:0`. */
  readonly source: string
  readonly labels: Readonly<Record<string, string>>
  /** Each with at least `__address__`. */
  readonly targets: readonly Readonly<Record<string, string>>[]
}

/** A running discovery. It hands over all its groups whenever they change, and keeps quiet while its source fails. */
export interface Discoverer {
  /** Begins. A promise resolves when the first groups were handed over; without one they follow some time later. */
  start(): Promise<void> | void
  stop(): void
}
