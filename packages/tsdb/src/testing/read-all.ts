// For tests: everything a selection holds, decoded.
import type { Matcher } from '@watchfire/datamodel'
import { createArena } from '@watchfire/kernels'
import type { Db, DbReader } from '../contract.ts'

export interface ReadSeries {
  readonly labels: string
  readonly samples: number[][]
  readonly chunks?: { readonly count: number; readonly minTime: number; readonly maxTime: number }[]
}

/** Float samples of all series the matchers select, in order; times filtered to the range. `chunks` is not enumerable. */
export function readAll(
  source: Db | DbReader,
  matchers: readonly Matcher[],
  start = -(2 ** 52),
  end = 2 ** 52,
): ReadSeries[] {
  const reader = 'reader' in source ? source.reader() : source
  const arena = createArena(256 * 1024 * 1024)
  const selection = reader.querier(start, end).select(matchers, { start, end }, arena)
  const capacity = 65_536
  const times = arena.alloc(capacity * 8)
  const values = arena.alloc(capacity * 8)
  const view = new DataView(arena.memory.buffer)
  const result: ReadSeries[] = []
  for (let i = 0; i < selection.count; i++) {
    const samples: number[][] = []
    const chunks = []
    for (let row = selection.chunkStart[i]!; row < selection.chunkStart[i + 1]!; row++) {
      const at = selection.chunkTable + row * 48
      if (view.getUint32(at + 8, true) !== 1) throw new Error('not a float chunk')
      const n = arena.kernels.xorDecode(
        view.getUint32(at, true),
        view.getUint32(at + 4, true),
        times,
        values,
        capacity,
      )
      if (n < 0 || n !== view.getUint32(at + 12, true)) throw new Error(`chunk does not decode: ${n}`)
      const [t, v] = [
        new Float64Array(arena.memory.buffer, times, n),
        new Float64Array(arena.memory.buffer, values, n),
      ]
      for (let k = 0; k < n; k++) if (t[k]! >= start && t[k]! <= end) samples.push([t[k]!, v[k]!])
      chunks.push({
        count: n,
        minTime: view.getFloat64(at + 16, true),
        maxTime: view.getFloat64(at + 24, true),
      })
      if (n > 0 && (chunks.at(-1)!.minTime !== t[0] || chunks.at(-1)!.maxTime !== t[n - 1]))
        throw new Error('chunk bounds are not those of its samples')
    }
    const series: ReadSeries = { labels: selection.labels(i).toString(), samples }
    Object.defineProperty(series, 'chunks', { value: chunks })
    result.push(series)
  }
  if (!('reader' in source)) return result
  reader.close()
  return result
}
