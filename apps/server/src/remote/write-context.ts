// What one request needs beside its bytes and the appender; made once and used again.
import type { Fingerprint, Fingerprinter, SeriesCache } from './series-cache.ts'
import type { SampleBatch } from './sample-batch.ts'
import type { WriteCounters } from './write-result.ts'

export interface WriteContext {
  readonly batch: SampleBatch
  readonly cache: SeriesCache
  readonly fingerprinter: Fingerprinter
  /** Scratch. */
  readonly fingerprint: Fingerprint
  readonly counters: WriteCounters
  /** Whether exemplars are stored. */
  readonly exemplars: boolean
  /** Of the request. */
  refusedSeries: number
  histogramsWritten: number
  exemplarsWritten: number
}
