// What service discovery hands to the scrape pools.

/** Targets with common labels, from one source (a file, a static config …). */
export interface TargetGroup {
  /** Unique within the scrape pool, e.g. `static/0` or `/etc/targets.json:0`. */
  readonly source: string
  readonly labels: Readonly<Record<string, string>>
  /** Each with at least `__address__`. */
  readonly targets: readonly Readonly<Record<string, string>>[]
}
