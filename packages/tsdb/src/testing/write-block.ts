// For tests: blocks from plain samples, and what a block holds as plain samples.
import { mkdirSync } from 'node:fs'
import { CHUNK_ROW_BYTES, compareUtf8, type Labels, type Matcher } from '@watchfire/datamodel'
import { XOR_STATE_BYTES, createArena, type Arena } from '@watchfire/kernels'
import { BlockWriter } from '../block/block-writer.ts'
import type { BlockMeta } from '../block/meta.ts'
import type { ChunkSource } from '../query/chunk-source.ts'

export interface PlainSeries {
  readonly labels: Labels
  /** Time in ms and value, in order of time. */
  readonly samples: readonly (readonly [number, number])[]
}

/** Writes float series as a block with `perChunk` samples a chunk; undefined when there are no samples. */
export function writeBlock(
  dir: string,
  ulid: string,
  series: readonly PlainSeries[],
  range: { readonly minTime: number; readonly maxTime: number },
  perChunk = 120,
): BlockMeta | undefined {
  mkdirSync(dir, { recursive: true })
  const sorted = [...series].sort((a, b) => a.labels.compare(b.labels))
  const symbols = [...new Set(sorted.flatMap(({ labels }) => labels.pairs))].sort(compareUtf8)
  const writer = new BlockWriter(dir, ulid)
  const numbers = new Map(symbols.map((text) => [text, writer.addSymbol(text)]))
  const arena = createArena(1 << 20)
  for (const { labels, samples } of sorted) {
    for (let from = 0; from < samples.length; from += perChunk)
      addChunk(writer, arena, samples.slice(from, from + perChunk))
    writer.endSeries(
      labels.pairs.map((text) => numbers.get(text)!),
      labels.size,
    )
  }
  return writer.finish(range.minTime, range.maxTime)
}

function addChunk(writer: BlockWriter, arena: Arena, samples: PlainSeries['samples']): void {
  const mark = arena.mark()
  const state = arena.alloc(XOR_STATE_BYTES)
  const chunk = arena.alloc(16_384)
  arena.kernels.xorInit(state, chunk, 16_384)
  for (const [time, value] of samples)
    if (arena.kernels.xorAppend(state, time, value) !== 0) throw new Error('chunk is full')
  const length = (new DataView(arena.memory.buffer).getUint32(state + 8, true) + 7) >>> 3
  writer.addChunk(1, samples[0]![0], samples.at(-1)![0], arena.bytes(), chunk, chunk + length)
  arena.release(mark)
}

/** Float samples in [minTime, maxTime] of the selected series, in order of label sets; overlapping chunks are merged by time. */
export function readSource(
  source: ChunkSource,
  matchers: readonly Matcher[],
  minTime = -(2 ** 52),
  maxTime = 2 ** 52,
): { labels: string; samples: [number, number][] }[] {
  const arena = createArena(256 * 1024 * 1024)
  const selection = source.select(matchers, minTime, maxTime, 0, arena)
  const capacity = 65_536
  const times = arena.alloc(capacity * 8)
  const values = arena.alloc(capacity * 8)
  const result = []
  for (let i = 0; i < selection.count; i++) {
    const rows = selection.chunkStart[i + 1]! - selection.chunkStart[i]!
    const n = arena.kernels.decodeFloats(
      selection.table + selection.chunkStart[i]! * CHUNK_ROW_BYTES,
      rows,
      minTime,
      maxTime,
      0,
      times,
      values,
      capacity,
    )
    if (n < 0) throw new Error(`series ${i} does not decode: ${n}`)
    const samples = new Map<number, number>()
    const [t, v] = [
      new Float64Array(arena.memory.buffer, times, n),
      new Float64Array(arena.memory.buffer, values, n),
    ]
    for (let k = 0; k < n; k++) samples.set(t[k]!, v[k]!)
    const sorted = [...samples].sort((a, b) => a[0] - b[0])
    if (sorted.length > 0) result.push({ labels: selection.labels(i).toString(), samples: sorted })
  }
  return result
}
