// For tests: the histogram chunks of a selection, decoded sample by sample.
import type { HistogramSample, Matcher, Span } from '@watchfire/datamodel'
import { createArena } from '@watchfire/kernels'
import type { Db } from '../contract.ts'

export interface ReadHistogramChunk {
  readonly encoding: number
  readonly hint: number
  readonly samples: readonly { readonly time: number; readonly histogram: HistogramSample }[]
}

/** Float chunks are left undecoded, and are an error unless `floats`. */
export function readHistograms(db: Db, matchers: readonly Matcher[], floats = false): ReadHistogramChunk[] {
  const [start, end] = [-(2 ** 52), 2 ** 52]
  const reader = db.reader()
  const arena = createArena(64 * 1024 * 1024)
  const selection = reader.querier(start, end).select(matchers, { start, end }, arena)
  reader.close()
  const chunks: ReadHistogramChunk[] = []
  for (let row = 0; row < selection.chunkStart[selection.count]!; row++) {
    const at = selection.chunkTable + row * 48
    const view = () => new DataView(arena.memory.buffer)
    const [chunk, length, encoding] = [0, 4, 8].map((o) => view().getUint32(at + o, true)) as [
      number,
      number,
      number,
    ]
    if (encoding === 1) {
      if (!floats) throw new Error('not a histogram chunk')
      chunks.push({ encoding, hint: 0, samples: [] })
      continue
    }
    const size = arena.kernels.histogramImageSize(encoding, chunk, length)
    if (size < 0) throw new Error(`chunk has no image: ${size}`)
    const image = arena.alloc(size)
    const n = arena.kernels.histogramDecode(encoding, chunk, length, image, size)
    if (n < 0 || n !== view().getUint32(at + 12, true)) throw new Error(`chunk does not decode: ${n}`)
    chunks.push(decodeImage(view(), image, encoding === 2, n))
  }
  return chunks
}

function decodeImage(view: DataView, image: number, integer: boolean, n: number): ReadHistogramChunk {
  const u32 = (o: number) => view.getUint32(image + o, true)
  const [positive, negative, customs] = [u32(28), u32(32), u32(36)]
  let at = image + 40
  const spans = (count: number): Span[] =>
    Array.from({ length: count }, () => {
      const span = { offset: view.getInt32(at, true), length: view.getUint32(at + 4, true) }
      at += 8
      return span
    })
  const positiveSpans = spans(u32(20))
  const negativeSpans = spans(u32(24))
  const column = (count: number) =>
    Float64Array.from({ length: count }, () => view.getFloat64((at += 8) - 8, true))
  const customValues = [...column(customs)]
  const [times, counts, zeros, sums] = [column(n), column(n), column(n), column(n)]
  const positives = column(n * positive)
  const negatives = column(n * negative)
  const samples = Array.from(times, (time, i) => ({
    time,
    histogram: {
      integer,
      schema: view.getInt32(image, true),
      zeroThreshold: view.getFloat64(image + 8, true),
      zeroCount: zeros[i]!,
      count: counts[i]!,
      sum: sums[i]!,
      positiveSpans,
      negativeSpans,
      positiveBuckets: positives.slice(i * positive, (i + 1) * positive),
      negativeBuckets: negatives.slice(i * negative, (i + 1) * negative),
      customValues,
      counterResetHint: u32(4) as HistogramSample['counterResetHint'],
    },
  }))
  return { encoding: integer ? 2 : 3, hint: u32(4), samples }
}
