// For tests of isolation: every commit gives all series of `m` the same value, so a reader that sees two values saw half a commit.
import { createArena } from '@watchfire/kernels'
import { Matcher } from '@watchfire/datamodel'
import type { DbHandle } from '../contract.ts'
import { openReader } from '../query/db-reader.ts'

export interface CommitCheck {
  readonly selects: number
  /** Newest common value that was seen. */
  readonly last: number
  readonly distinct: number
}

/** Selects again and again until every series has the value `until`. Throws on a half commit or on values that go back. */
export function checkCommits(handle: DbHandle, until: number): CommitCheck {
  const reader = openReader(handle)
  const arena = createArena(64 * 1024 * 1024)
  const seen = new Set<number>()
  let last = -1
  let selects = 0
  const end = performance.now() + 20_000
  try {
    while (last < until) {
      if (performance.now() > end) throw new Error(`gave up at ${last}`)
      const mark = arena.mark()
      const selection = reader
        .querier(0, 2 ** 50)
        .select([new Matcher('=', '__name__', 'm')], { start: 0, end: 2 ** 50 }, arena)
      const values = arena.alloc(8 * 1024)
      const times = arena.alloc(8 * 1024)
      const view = new DataView(arena.memory.buffer)
      let common: number | undefined
      for (let i = 0; i < selection.count; i++) {
        const row = selection.chunkTable + (selection.chunkStart[i + 1]! - 1) * 48
        const n = arena.kernels.xorDecode(
          view.getUint32(row, true),
          view.getUint32(row + 4, true),
          times,
          values,
          1024,
        )
        if (n <= 0) throw new Error(`chunk of series ${i} does not decode: ${n}`)
        const value = view.getFloat64(values + (n - 1) * 8, true)
        common ??= value
        if (value !== common)
          throw new Error(`half a commit: ${selection.labels(i)} has ${value}, others ${common}`)
        const labels = selection.labels(i).toString()
        if (!labels.startsWith('{__name__="m", i="')) throw new Error(`labels of another series: ${labels}`)
      }
      if (common !== undefined) {
        if (common < last) throw new Error(`went back from ${last} to ${common}`)
        last = common
        seen.add(common)
      }
      arena.release(mark)
      selects++
    }
  } finally {
    reader.close()
  }
  return { selects, last, distinct: seen.size }
}
