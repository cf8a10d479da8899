// Reads the series of one selection: decodes chunks in the query's own memory into columns. Data plane where
// a series has only float chunks; histograms become objects.
import {
  CHUNK_ENCODING,
  CHUNK_ROW_BYTES,
  COUNTER_RESET,
  detectReset,
  isStale,
  type FloatHistogram,
  type Labels,
  type SeriesSelection,
} from '@watchfire/datamodel'
import { DECODE, type Arena } from '@watchfire/kernels'
import type { SelectorNode } from '../plan/nodes.ts'
import { SERIES_BYTES } from './block.ts'
import { executionError, type QueryContext } from './context.ts'
import { readImage } from './histogram-image.ts'
import type { SampleColumns } from './samples.ts'

/** What the chunks of a series hold. */
export const CONTENT = { floats: 1, histograms: 2, both: 3 } as const

export interface LoadOptions {
  /** Inclusive, ms. */
  readonly minTime: number
  readonly maxTime: number
  /** Leave out staleness markers. */
  readonly dropStale: boolean
  /** Fill the start timestamps. */
  readonly starts: boolean
}

export class SelectionReader {
  readonly #context: QueryContext
  readonly #arena: Arena
  readonly #selection: SeriesSelection
  readonly #words: Uint32Array
  readonly #content: Uint8Array
  readonly #capacity: number
  readonly #sampleCount: number
  readonly #statisticsOnly: boolean
  readonly timesAddress: number
  readonly valuesAddress: number
  readonly #times: Float64Array
  readonly #values: Float64Array
  readonly #columns: SampleColumns

  /** Selects; the decoding buffers are as big as the biggest series. */
  constructor(context: QueryContext, node: SelectorNode) {
    this.#context = context
    this.#statisticsOnly = node.statisticsOnly
    this.#arena = context.arena
    this.#selection = context.querier.select(node.matchers, node.hints, context.arena)
    for (const warning of this.#selection.warnings) context.storageWarning(warning)
    const { count, chunkStart, chunkTable } = this.#selection
    context.chargeHeap(count * SERIES_BYTES)
    const rows = count === 0 ? 0 : chunkStart[count]!
    this.#words = new Uint32Array(this.#arena.memory.buffer, chunkTable, (rows * CHUNK_ROW_BYTES) / 4)
    this.#content = new Uint8Array(count)
    let most = 0
    let total = 0
    for (let i = 0; i < count; i++) {
      let samples = 0
      let content = 0
      for (let row = chunkStart[i]!; row < chunkStart[i + 1]!; row++) {
        samples += this.#words[row * 12 + 3]!
        content |= isFloatEncoding(this.#words[row * 12 + 2]!) ? CONTENT.floats : CONTENT.histograms
      }
      this.#content[i] = content
      if (samples > most) most = samples
      total += samples
    }
    this.#capacity = most
    this.#sampleCount = total
    this.timesAddress = this.#arena.alloc(most * 8)
    this.valuesAddress = this.#arena.alloc(most * 8)
    // The memory is shared: views stay good when it grows.
    this.#times = new Float64Array(this.#arena.memory.buffer, this.timesAddress, most)
    this.#values = new Float64Array(this.#arena.memory.buffer, this.valuesAddress, most)
    this.#columns = {
      times: this.#times,
      values: this.#values,
      count: 0,
      starts: undefined,
      timesAddress: this.timesAddress,
      valuesAddress: this.valuesAddress,
      histogramTimes: [],
      histograms: [],
      histogramStarts: undefined,
    }
  }

  get count(): number {
    return this.#selection.count
  }

  /** Most float samples of a series. */
  get capacity(): number {
    return this.#capacity
  }

  /** True when kernels can read all series as they are: floats in order of time. */
  get plainFloats(): boolean {
    return !this.#selection.overlapping && this.#content.every((content) => content <= CONTENT.floats)
  }

  get chunkTable(): number {
    return this.#selection.chunkTable
  }

  get chunkStart(): Uint32Array {
    return this.#selection.chunkStart
  }

  /** Samples in all chunks. */
  get sampleCount(): number {
    return this.#sampleCount
  }

  labels(i: number): Labels {
    return this.#selection.labels(i)
  }

  /** `CONTENT` of series i, 0 when it has no chunks. */
  content(i: number): number {
    return this.#content[i]!
  }

  /** Decodes series i. The columns belong to the reader and are overwritten by the next load. */
  load(i: number, options: LoadOptions): SampleColumns {
    const columns = this.#columns
    columns.histogramTimes = []
    columns.histograms = []
    columns.starts = undefined
    columns.histogramStarts = options.starts ? [] : undefined
    columns.count = 0
    if ((this.#content[i]! & CONTENT.floats) !== 0) this.#loadFloats(i, options)
    if ((this.#content[i]! & CONTENT.histograms) !== 0) this.#loadHistograms(i, options)
    if (this.#statisticsOnly && columns.histograms.length > 0) stripBuckets(columns)
    return columns
  }

  #loadFloats(i: number, options: LoadOptions): void {
    const { chunkStart, chunkTable, overlapping } = this.#selection
    const first = chunkStart[i]!
    const rows = chunkStart[i + 1]! - first
    const count = this.#arena.kernels.decodeFloats(
      chunkTable + first * CHUNK_ROW_BYTES,
      rows,
      options.minTime,
      options.maxTime,
      options.dropStale ? DECODE.dropStale : 0,
      this.timesAddress,
      this.valuesAddress,
      this.#capacity,
    )
    if (count < 0) throw corrupt(this.labels(i), count)
    this.#columns.count = count
    if (options.starts) this.#columns.starts = this.#floatStarts(i, options)
    if (overlapping && rows > 1) this.#columns.count = sortSamples(this.#columns, count)
  }

  /** Start timestamps of the samples that `decodeFloats` kept, in the same order; XOR chunks have none. */
  #floatStarts(i: number, options: LoadOptions): Float64Array {
    const starts = new Float64Array(this.#columns.count)
    const { chunkStart } = this.#selection
    let at = 0
    for (let row = chunkStart[i]!; row < chunkStart[i + 1]!; row++) {
      const encoding = this.#words[row * 12 + 2]!
      if (!isFloatEncoding(encoding)) continue
      const address = this.#words[row * 12]!
      const samples = this.#words[row * 12 + 3]!
      if (encoding === CHUNK_ENCODING.xor) {
        // No start timestamps here: skip as many samples as lie in the chunk.
        const end = lastTimeOf(this.#words, row)
        while (at < starts.length && this.#times[at]! <= end) at++
        continue
      }
      const mark = this.#arena.mark()
      const raw = encoding === CHUNK_ENCODING.raw ? address : this.#decodeStarts(i, row)
      const { buffer } = this.#arena.memory
      const times = new Float64Array(buffer, raw, samples)
      const values = new Float64Array(buffer, raw + samples * 8, samples)
      const hasStarts = raw !== address || (this.#words[row * 12 + 8]! & 1) !== 0
      const own = hasStarts ? new Float64Array(buffer, raw + samples * 16, samples) : undefined
      for (let k = 0; k < samples; k++) {
        if (times[k]! < options.minTime || times[k]! > options.maxTime) continue
        if (options.dropStale && isStale(values[k]!)) continue
        starts[at++] = own ? own[k]! : 0
      }
      this.#arena.release(mark)
    }
    return starts
  }

  /** An XOR2 chunk as a RAW one with start timestamps; its address. */
  #decodeStarts(i: number, row: number): number {
    const samples = this.#words[row * 12 + 3]!
    const raw = this.#arena.alloc(samples * 24)
    const [address, length] = [this.#words[row * 12]!, this.#words[row * 12 + 1]!]
    const { kernels } = this.#arena
    const values = raw + samples * 8
    const count = kernels.xor2Decode(address, length, raw, values, raw + samples * 16, samples)
    if (count !== samples) throw corrupt(this.labels(i), count)
    return raw
  }

  #loadHistograms(i: number, options: LoadOptions): void {
    const { chunkStart, overlapping } = this.#selection
    const { kernels, memory } = this.#arena
    for (let row = chunkStart[i]!; row < chunkStart[i + 1]!; row++) {
      const encoding = this.#words[row * 12 + 2]!
      if (isFloatEncoding(encoding)) continue
      const address = this.#words[row * 12]!
      const length = this.#words[row * 12 + 1]!
      const hasStarts = (this.#words[row * 12 + 8]! & 1) !== 0
      if (encoding === HISTOGRAM_IMAGE) {
        const startsAddress = hasStarts ? 0 : undefined
        readImage(memory.buffer, address, { ...options, trustHint: true, startsAddress }, this.#columns)
        continue
      }
      const mark = this.#arena.mark()
      const size = kernels.histogramImageSize(encoding, address, length)
      if (size < 0) throw corrupt(this.labels(i), size)
      const image = this.#arena.alloc(size)
      const startsAddress = options.starts ? this.#arena.alloc(this.#words[row * 12 + 3]! * 8) : undefined
      const samples = kernels.histogramDecode(encoding, address, length, image, size, startsAddress ?? 0)
      if (samples < 0) throw corrupt(this.labels(i), samples)
      readImage(memory.buffer, image, { ...options, trustHint: false, startsAddress }, this.#columns)
      this.#arena.release(mark)
    }
    if (overlapping) sortHistograms(this.#columns)
    this.#context.poll()
  }
}

/** Leaves count, sum and the counter resets, which are found while the buckets are still there. */
function stripBuckets(columns: SampleColumns): void {
  let previous: FloatHistogram | undefined
  columns.histograms = columns.histograms.map((histogram) => {
    if (isStale(histogram.sum)) return histogram
    let hint = histogram.counterResetHint
    if (hint === COUNTER_RESET.unknown && previous !== undefined)
      hint = detectReset(histogram, previous) ? COUNTER_RESET.reset : COUNTER_RESET.notReset
    previous = { ...histogram, counterResetHint: hint }
    return {
      schema: histogram.schema,
      zeroThreshold: 0,
      zeroCount: 0,
      count: histogram.count,
      sum: histogram.sum,
      positiveSpans: [],
      negativeSpans: [],
      positiveBuckets: EMPTY,
      negativeBuckets: EMPTY,
      customValues: [],
      counterResetHint: hint,
    }
  })
}

const EMPTY = new Float64Array(0)

/** Encoding of a chunk that is a decoded histogram image already; exists only in a query's memory. */
const HISTOGRAM_IMAGE = 254

function isFloatEncoding(encoding: number): boolean {
  return (
    encoding === CHUNK_ENCODING.xor || encoding === CHUNK_ENCODING.raw || encoding === CHUNK_ENCODING.xor2
  )
}

function lastTimeOf(words: Uint32Array, row: number): number {
  return new Float64Array(words.buffer, words.byteOffset + row * CHUNK_ROW_BYTES + 24, 1)[0]!
}

/** A chunk that kernels could not decode. */
export function corrupt(labels: Labels, code: number): Error {
  return executionError(`cannot decode a chunk of series ${labels.toString()} (code ${code})`)
}

/**
 * Orders samples of overlapping chunks; of equal times the later chunk's sample stays. Returns the new count.
 */
function sortSamples(columns: SampleColumns, count: number): number {
  const { times, values, starts } = columns
  let sorted = true
  for (let i = 1; i < count && sorted; i++) sorted = times[i]! > times[i - 1]!
  if (sorted) return count
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => times[a]! - times[b]! || a - b)
  const oldTimes = times.slice(0, count)
  const oldValues = values.slice(0, count)
  const oldStarts = starts?.slice(0, count)
  let n = 0
  for (const from of order) {
    if (n > 0 && oldTimes[from] === times[n - 1]) n--
    times[n] = oldTimes[from]!
    values[n] = oldValues[from]!
    if (starts) starts[n] = oldStarts![from]!
    n++
  }
  return n
}

function sortHistograms(columns: SampleColumns): void {
  const { histogramTimes: times, histograms, histogramStarts: starts } = columns
  const order = times.map((_, i) => i).sort((a, b) => times[a]! - times[b]! || a - b)
  const kept = order.filter((index, i) => i + 1 === order.length || times[order[i + 1]!] !== times[index])
  columns.histogramTimes = kept.map((i) => times[i]!)
  columns.histograms = kept.map((i) => histograms[i]!)
  if (starts) columns.histogramStarts = kept.map((i) => starts[i]!)
}
