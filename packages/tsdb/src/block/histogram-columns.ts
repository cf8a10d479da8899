// Where the columns of a histogram image lie (layout: `histogramImageSize` in the kernels' contract).

export interface HistogramColumns {
  readonly samples: number
  /** Offset of the times from the start of the image, bytes. */
  readonly times: number
  /** Numbers a sample of each column: time, count, zero count, sum, positive buckets, negative buckets. */
  readonly widths: readonly number[]
  /** Positive and negative spans together. */
  readonly spans: number
  readonly customValues: number
}

const HEADER_BYTES = 40

/** `view` begins at the image. */
export function histogramColumns(view: DataView): HistogramColumns {
  const spans = view.getUint32(20, true) + view.getUint32(24, true)
  const customValues = view.getUint32(36, true)
  return {
    samples: view.getUint32(16, true),
    times: HEADER_BYTES + 8 * (spans + customValues),
    widths: [1, 1, 1, 1, view.getUint32(28, true), view.getUint32(32, true)],
    spans,
    customValues,
  }
}
