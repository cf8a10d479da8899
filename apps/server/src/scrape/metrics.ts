// Counters of scraping, shown as `prometheus_target_*`.

export interface ScrapeCounters {
  scrapes: number
  poolsCreated: number
  poolsFailed: number
  reloads: number
  reloadsFailed: number
  exceededTargetLimit: number
  exceededLabelLimits: number
  exceededSampleLimit: number
  exceededBodySizeLimit: number
  exceededBucketLimit: number
  duplicateTimestamp: number
  outOfOrder: number
  outOfBounds: number
  exemplarOutOfOrder: number
  cacheFlushForced: number
  /** Samples appended by scrapes. */
  samples: number
  /** Lines that took the fast path. */
  fastSamples: number
}

export function createCounters(): ScrapeCounters {
  return {
    scrapes: 0,
    poolsCreated: 0,
    poolsFailed: 0,
    reloads: 0,
    reloadsFailed: 0,
    exceededTargetLimit: 0,
    exceededLabelLimits: 0,
    exceededSampleLimit: 0,
    exceededBodySizeLimit: 0,
    exceededBucketLimit: 0,
    duplicateTimestamp: 0,
    outOfOrder: 0,
    outOfBounds: 0,
    exemplarOutOfOrder: 0,
    cacheFlushForced: 0,
    samples: 0,
    fastSamples: 0,
  }
}

const OBSERVATIONS_MAX = 512

/** Quantiles over the newest observations, with sum and count over all. */
export class Summary {
  readonly #ring = new Float64Array(OBSERVATIONS_MAX)
  count = 0
  sum = 0

  observe(value: number): void {
    this.#ring[this.count % OBSERVATIONS_MAX] = value
    this.count++
    this.sum += value
  }

  /** NaN without observations. */
  quantile(q: number): number {
    const sorted = this.#ring.slice(0, Math.min(this.count, OBSERVATIONS_MAX)).sort()
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN
  }
}
