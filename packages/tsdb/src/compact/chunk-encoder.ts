// Merges decoded chunks of a series sample by sample and encodes the result anew, 120 samples a chunk. For chunks that overlap, or that
// deletions or a block's edge have cut.
import { CHUNK_ENCODING, isStale, type ByteArena } from '@watchfire/datamodel'
import { HISTOGRAM_SLOT_BYTES, HISTOGRAM_STATE_BYTES, XOR_APPEND, XOR_STATE_BYTES } from '@watchfire/kernels'
import { ChunkDecodeError, type ChunkRow } from '../block/chunk-edit.ts'
import { histogramColumns, type HistogramColumns } from '../block/histogram-columns.ts'
import { kernelsOf } from '../block/kernels-of.ts'

const SAMPLES_PER_CHUNK = 120
/** 120 samples of at most 18 bytes each, and the count. */
const XOR_BYTES_MAX = 4096

/** A decoded chunk; `integer` tells the kinds of histograms apart. */
export interface DecodedChunk {
  readonly row: ChunkRow
  readonly integer: boolean
}

export type ChunkSink = (
  encoding: number,
  minTime: number,
  maxTime: number,
  bytes: Uint8Array,
  start: number,
  end: number,
) => void

interface Source {
  readonly chunk: DecodedChunk
  readonly times: Float64Array
  /** Undefined for floats. */
  readonly columns: HistogramColumns | undefined
}

/** A sample by its source and position. */
interface Pick {
  readonly source: Source
  readonly index: number
}

/** Of samples of the same time the one of the later chunk is kept. The arena is as before afterwards. */
export function encodeMerged(arena: ByteArena, chunks: readonly DecodedChunk[], sink: ChunkSink): void {
  const mark = arena.mark()
  const sources = chunks.map((chunk) => sourceOf(arena, chunk))
  const picks = mergedOrder(sources)
  for (let from = 0; from < picks.length;) {
    const first = picks[from]!
    let to = from + 1
    if (first.source.columns === undefined) {
      while (to < picks.length && to - from < SAMPLES_PER_CHUNK && picks[to]!.source.columns === undefined)
        to++
      encodeFloats(arena, picks, from, to, sink)
    } else {
      while (to < picks.length && to - from < SAMPLES_PER_CHUNK && goesOn(arena, picks[to - 1]!, picks[to]!))
        to++
      encodeHistograms(arena, picks, from, to, chunks.length === 1, sink)
    }
    arena.release(mark)
    from = to
  }
}

function sourceOf(arena: ByteArena, chunk: DecodedChunk): Source {
  const { row } = chunk
  const { buffer } = arena.memory
  if (row.encoding === CHUNK_ENCODING.raw)
    return { chunk, times: new Float64Array(buffer, row.address, row.count), columns: undefined }
  const columns = histogramColumns(new DataView(buffer, row.address))
  return { chunk, times: new Float64Array(buffer, row.address + columns.times, row.count), columns }
}

function mergedOrder(sources: readonly Source[]): Pick[] {
  const picks: Pick[] = []
  for (const source of sources)
    for (let index = 0; index < source.times.length; index++) picks.push({ source, index })
  if (sources.length === 1) return picks
  const time = ({ source, index }: Pick): number => source.times[index]!
  // The sort is stable: of equal times the later source comes last.
  picks.sort((a, b) => time(a) - time(b))
  return picks.filter((pick, i) => i + 1 === picks.length || time(picks[i + 1]!) !== time(pick))
}

function encodeFloats(
  arena: ByteArena,
  picks: readonly Pick[],
  from: number,
  to: number,
  sink: ChunkSink,
): void {
  const kernels = kernelsOf(arena.memory)
  const state = arena.alloc(XOR_STATE_BYTES)
  const chunk = arena.alloc(XOR_BYTES_MAX)
  kernels.xorInit(state, chunk, XOR_BYTES_MAX)
  for (let i = from; i < to; i++) {
    const { source, index } = picks[i]!
    const value = source.chunk.row.address + (source.times.length + index) * 8
    if (kernels.xorAppendAt(state, source.times[index]!, value) !== XOR_APPEND.ok)
      throw new Error('BUG: an XOR chunk of 120 samples is too long')
  }
  const bits = new DataView(arena.memory.buffer).getUint32(state + 8, true)
  sink(
    CHUNK_ENCODING.xor,
    timeOf(picks[from]!),
    timeOf(picks[to - 1]!),
    arena.bytes(),
    chunk,
    chunk + ((bits + 7) >>> 3),
  )
}

function encodeHistograms(
  arena: ByteArena,
  picks: readonly Pick[],
  from: number,
  to: number,
  keepHint: boolean,
  sink: ChunkSink,
): void {
  const kernels = kernelsOf(arena.memory)
  const { source, index } = picks[from]!
  const columns = source.columns!
  const { widths } = columns
  const n = to - from
  const numbers = widths.reduce((sum, width) => sum + width, 0)
  const scratch = HISTOGRAM_STATE_BYTES + HISTOGRAM_SLOT_BYTES * (widths[4]! + widths[5]!)
  const size = columns.times + n * numbers * 8 + scratch
  const image = arena.alloc(size)
  const capacity = size * 2 + 1024
  const chunk = arena.alloc(capacity)
  const u8 = arena.bytes()
  const view = new DataView(arena.memory.buffer, image)
  u8.copyWithin(image, source.chunk.row.address, source.chunk.row.address + columns.times)
  view.setUint32(16, n, true)
  // Whether the first sample is a reset is known only if what came before it is what the chunk was made after.
  if (view.getUint32(4, true) !== 3 && !(keepHint && index === 0)) view.setUint32(4, 0, true)
  let at = image + columns.times
  for (let column = 0; column < widths.length; column++) {
    const bytes = widths[column]! * 8
    for (let i = from; i < to; i++) {
      const pick = picks[i]!
      const start = columnAt(pick.source, column) + pick.index * bytes
      u8.copyWithin(at, start, start + bytes)
      at += bytes
    }
  }
  const encoding = source.chunk.integer ? CHUNK_ENCODING.histogram : CHUNK_ENCODING.floatHistogram
  const length = kernels.histogramEncode(encoding, image, size, chunk, capacity)
  if (length < 0) throw new ChunkDecodeError(`histograms do not encode (code ${length})`)
  sink(encoding, timeOf(picks[from]!), timeOf(picks[to - 1]!), u8, chunk, chunk + length)
}

function timeOf({ source, index }: Pick): number {
  return source.times[index]!
}

/** Address of a column in a source's image. */
function columnAt({ chunk, columns, times }: Source, column: number): number {
  let at = chunk.row.address + columns!.times
  for (let i = 0; i < column; i++) at += columns!.widths[i]! * 8 * times.length
  return at
}

/** True when a histogram may follow another in one chunk: same layout, and no reset of the counter between. */
function goesOn(arena: ByteArena, previous: Pick, next: Pick): boolean {
  const a = previous.source
  const b = next.source
  if (b.columns === undefined || a.chunk.integer !== b.chunk.integer) return false
  if (a !== b && !sameLayout(arena, a, b)) return false
  const { buffer } = arena.memory
  const number = ({ source, index }: Pick, column: number, k = 0): number => {
    const width = source.columns!.widths[column]!
    return new DataView(buffer, columnAt(source, column) + (index * width + k) * 8).getFloat64(0, true)
  }
  // After a stale marker a chunk takes nothing but stale markers.
  if (isStale(number(next, 3))) return true
  if (isStale(number(previous, 3))) return false
  if (a === b) return true
  const isGauge = new DataView(buffer, a.chunk.row.address).getUint32(4, true) === 3
  if (isGauge) return true
  if (number(next, 1) < number(previous, 1) || number(next, 2) < number(previous, 2)) return false
  for (const column of [4, 5])
    for (let k = 0; k < a.columns!.widths[column]!; k++)
      if (number(next, column, k) < number(previous, column, k)) return false
  return true
}

function sameLayout(arena: ByteArena, a: Source, b: Source): boolean {
  if (a.columns!.times !== b.columns!.times) return false
  const u8 = arena.bytes()
  const [x, y] = [a.chunk.row.address, b.chunk.row.address]
  for (let i = 0; i < a.columns!.times; i++) {
    if (i >= 16 && i < 20) continue
    // Of the hints only "gauge" makes a difference.
    if (i === 4 && (u8[x + i] === 3) === (u8[y + i] === 3)) continue
    if (u8[x + i] !== u8[y + i]) return false
  }
  return true
}
