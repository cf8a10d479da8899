// What a write request ends with.

/** Which message a body is; with 'none' it is only decompressed. */
export type WriteProtocol = 1 | 2 | 'none'

/** Status and text of the answer; what was written is told only by protocol 2. */
export interface WriteResult {
  readonly status: number
  /** Empty when all went well. */
  readonly text: string
  readonly samples: number
  readonly histograms: number
  readonly exemplars: number
}

/** Counters of the receiver. */
export interface WriteCounters {
  requests: number
  samples: number
  histograms: number
  exemplars: number
  /** Samples and series refused for their labels. */
  invalidLabels: number
}

export function writeCounters(): WriteCounters {
  return { requests: 0, samples: 0, histograms: 0, exemplars: 0, invalidLabels: 0 }
}

/** Ends a request of protocol 1: nothing of it is kept. */
export class WriteRefused extends Error {
  override name = 'WriteRefused'
}
