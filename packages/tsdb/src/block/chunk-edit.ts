// Takes deleted intervals out of a chunk in an arena: the chunk is decoded and what is left becomes a decoded row (RAW or a histogram
// image), which query engines read as they read chunks.
import { CHUNK_ENCODING, type ByteArena } from '@watchfire/datamodel'
import { histogramColumns } from './histogram-columns.ts'
import { kernelsOf } from './kernels-of.ts'
import type { Interval } from './tombstones.ts'

/** Fields of a row of a chunk table. */
export interface ChunkRow {
  readonly address: number
  readonly length: number
  readonly encoding: number
  readonly count: number
  readonly minTime: number
  readonly maxTime: number
  readonly flags: number
}

/** A chunk's payload does not decode. */
export class ChunkDecodeError extends Error {
  override name = 'ChunkDecodeError'
}

/** Row of the samples outside of the intervals, undefined when none are left. Throws ChunkDecodeError, MemoryBudgetError. */
export function withoutIntervals(
  arena: ByteArena,
  encoding: number,
  address: number,
  length: number,
  intervals: readonly Interval[],
): ChunkRow | undefined {
  const isFloat = encoding === CHUNK_ENCODING.xor || encoding === CHUNK_ENCODING.xor2
  return isFloat
    ? floatsWithout(arena, encoding, address, length, intervals)
    : histogramsWithout(arena, encoding, address, length, intervals)
}

/** First and last + 1 of runs of samples that stay. */
function runsOf(times: Float64Array, intervals: readonly Interval[]): [number, number][] {
  const runs: [number, number][] = []
  let next = 0
  for (let i = 0; i < times.length; i++) {
    while (next < intervals.length && intervals[next]!.maxTime < times[i]!) next++
    if (next < intervals.length && intervals[next]!.minTime <= times[i]!) continue
    const last = runs.at(-1)
    if (last && last[1] === i) last[1] = i + 1
    else runs.push([i, i + 1])
  }
  return runs
}

function floatsWithout(
  arena: ByteArena,
  encoding: number,
  address: number,
  length: number,
  intervals: readonly Interval[],
): ChunkRow | undefined {
  const kernels = kernelsOf(arena.memory)
  const bytes = arena.bytes()
  const n = length < 2 ? 0 : (bytes[address]! << 8) | bytes[address + 1]!
  const hasStarts = encoding === CHUNK_ENCODING.xor2
  const out = arena.alloc(n * 24)
  const mark = arena.mark()
  const times = arena.alloc(n * 8)
  const values = arena.alloc(n * 8)
  const starts = arena.alloc(n * 8)
  const count = hasStarts
    ? kernels.xor2Decode(address, length, times, values, starts, n)
    : kernels.xorDecode(address, length, times, values, n)
  if (count < 0) throw new ChunkDecodeError(`chunk of encoding ${encoding} does not decode (code ${count})`)
  const { buffer } = arena.memory
  const runs = runsOf(new Float64Array(buffer, times, count), intervals)
  const kept = runs.reduce((sum, [from, to]) => sum + to - from, 0)
  const u8 = arena.bytes()
  let at = out
  // Whole bytes are moved: a stale marker keeps its bits.
  for (const column of hasStarts ? [times, values, starts] : [times, values]) {
    for (const [from, to] of runs) {
      u8.copyWithin(at, column + from * 8, column + to * 8)
      at += (to - from) * 8
    }
  }
  arena.release(mark)
  if (kept === 0) return undefined
  const keptTimes = new Float64Array(buffer, out, kept)
  return {
    address: out,
    length: at - out,
    encoding: CHUNK_ENCODING.raw,
    count: kept,
    minTime: keptTimes[0]!,
    maxTime: keptTimes[kept - 1]!,
    flags: hasStarts ? 1 : 0,
  }
}

function histogramsWithout(
  arena: ByteArena,
  encoding: number,
  address: number,
  length: number,
  intervals: readonly Interval[],
): ChunkRow | undefined {
  const kernels = kernelsOf(arena.memory)
  const size = kernels.histogramImageSize(encoding, address, length)
  if (size < 0) throw new ChunkDecodeError(`chunk of encoding ${encoding} has no image (code ${size})`)
  const image = arena.alloc(size)
  const count = kernels.histogramDecode(encoding, address, length, image, size)
  if (count < 0) throw new ChunkDecodeError(`chunk of encoding ${encoding} does not decode (code ${count})`)
  const { buffer } = arena.memory
  const view = new DataView(buffer, image)
  const { times, widths } = histogramColumns(view)
  const runs = runsOf(new Float64Array(buffer, image + times, count), intervals)
  const kept = runs.reduce((sum, [from, to]) => sum + to - from, 0)
  if (kept === 0) return undefined
  const u8 = arena.bytes()
  let from = image + times
  let at = from
  for (const width of widths) {
    for (const [first, end] of runs) {
      u8.copyWithin(at, from + first * width * 8, from + end * width * 8)
      at += (end - first) * width * 8
    }
    from += count * width * 8
  }
  view.setUint32(16, kept, true)
  // What came before the first sample is not what the chunk's header speaks of.
  if (runs[0]![0] > 0 && view.getUint32(4, true) !== 3) view.setUint32(4, 0, true)
  const keptTimes = new Float64Array(buffer, image + times, kept)
  return {
    address: image,
    length: at - image,
    encoding: CHUNK_ENCODING.histogramImage,
    count: kept,
    minTime: keptTimes[0]!,
    maxTime: keptTimes[kept - 1]!,
    flags: 0,
  }
}
