// Head and blocks as one chunk source: series are merged by label sets, their chunks put in order of time. The head answers from the time
// on that the list of blocks names, so that what was cut into a block is not seen twice and not missed while the head drops it.
import type { ByteArena, Labels, Matcher } from '@watchfire/datamodel'
import type { ChunkSource, SourceSelection } from '../query/chunk-source.ts'
import type { OpenBlocks, OpenBlockView } from './open-blocks.ts'
import { RowList } from './row-list.ts'

/** The list moves a few times an hour. */
const TRIES_MAX = 100

/** A source and the range asked of it. */
interface Part {
  readonly source: ChunkSource
  readonly minTime: number
  readonly maxTime: number
}

export class MergedSource implements ChunkSource {
  readonly #head: ChunkSource
  readonly #late: ChunkSource
  readonly #blocks: OpenBlocks

  /** `late` are the head's out-of-order samples, of any time. */
  constructor(head: ChunkSource, late: ChunkSource, blocks: OpenBlocks) {
    this.#head = head
    this.#late = late
    this.#blocks = blocks
  }

  get minTime(): number {
    return [this.#head, this.#late, ...this.#blocks.view().blocks]
      .map(({ minTime }) => minTime)
      .reduce((least, time) => (time < least || Number.isNaN(least) ? time : least), NaN)
  }

  get maxTime(): number {
    return [this.#head, this.#late, ...this.#blocks.view().blocks]
      .map(({ maxTime }) => maxTime)
      .reduce((most, time) => (time > most || Number.isNaN(most) ? time : most), NaN)
  }

  select(
    matchers: readonly Matcher[],
    minTime: number,
    maxTime: number,
    limit: number,
    arena: ByteArena,
  ): SourceSelection {
    const mark = arena.mark()
    return this.#stable(
      (view) => {
        const selections = this.#parts(view, minTime, maxTime).map((part) =>
          part.source.select(matchers, part.minTime, part.maxTime, limit, arena),
        )
        return mergeSelections(
          selections.filter(({ count }) => count > 0),
          limit,
          arena,
        )
      },
      () => arena.release(mark),
    )
  }

  series(matcherSets: readonly (readonly Matcher[])[], minTime: number, maxTime: number): Labels[] {
    return this.#stable((view) => {
      const lists = this.#parts(view, minTime, maxTime).map((part) =>
        part.source.series(matcherSets, part.minTime, part.maxTime),
      )
      if (lists.length === 1) return lists[0]!
      const byKey = new Map<string, Labels>()
      for (const list of lists) for (const labels of list) byKey.set(labels.key(), labels)
      return [...byKey.values()].sort((a, b) => a.compare(b))
    })
  }

  labelNames(
    matcherSets: readonly (readonly Matcher[])[],
    minTime: number,
    maxTime: number,
  ): Iterable<string> {
    return this.#union(minTime, maxTime, (part) =>
      part.source.labelNames(matcherSets, part.minTime, part.maxTime),
    )
  }

  labelValues(
    name: string,
    matcherSets: readonly (readonly Matcher[])[],
    minTime: number,
    maxTime: number,
  ): Iterable<string> {
    return this.#union(minTime, maxTime, (part) =>
      part.source.labelValues(name, matcherSets, part.minTime, part.maxTime),
    )
  }

  #union(minTime: number, maxTime: number, read: (part: Part) => Iterable<string>): Set<string> {
    return this.#stable((view) => {
      const all = new Set<string>()
      for (const part of this.#parts(view, minTime, maxTime)) for (const text of read(part)) all.add(text)
      return all
    })
  }

  /** Blocks that overlap the range, oldest first, then the head, then its out-of-order samples. */
  #parts(view: OpenBlockView, minTime: number, maxTime: number): Part[] {
    const parts: Part[] = view.blocks
      .filter((block) => block.minTime <= maxTime && block.maxTime >= minTime)
      .map((source) => ({ source, minTime, maxTime }))
    if (maxTime >= view.headFrom)
      parts.push({ source: this.#head, minTime: Math.max(minTime, view.headFrom), maxTime })
    if (this.#late.minTime <= maxTime && this.#late.maxTime >= minTime)
      parts.push({ source: this.#late, minTime, maxTime })
    return parts
  }

  /** Reads again when the head may have dropped what a new block holds. */
  #stable<T>(read: (view: OpenBlockView) => T, undo?: () => void): T {
    for (let tries = 1; ; tries++) {
      const view = this.#blocks.view()
      try {
        const result = read(view)
        if (this.#blocks.isCurrent(view) || tries === TRIES_MAX) return result
      } catch (error) {
        // Files of a block that went meanwhile may be gone.
        if (this.#blocks.isCurrent(view) || tries === TRIES_MAX) throw error
      }
      undo?.()
    }
  }
}

function mergeSelections(
  selections: readonly SourceSelection[],
  limit: number,
  arena: ByteArena,
): SourceSelection {
  if (selections.length === 1) return selections[0]!
  const rows = new RowList()
  const chunkStart = [0]
  /** Of each merged series a selection that has it and its position there. */
  const origin: { readonly selection: SourceSelection; readonly i: number }[] = []
  const cursors = selections
    .filter(({ count }) => count > 0)
    .map((selection) => ({ selection, i: 0, labels: selection.labels(0) }))
  let overlapping = selections.some((selection) => selection.overlapping === true)
  while (cursors.length > 0 && !(limit > 0 && origin.length >= limit)) {
    let least = cursors[0]!
    for (const cursor of cursors) if (cursor.labels.compare(least.labels) < 0) least = cursor
    const { labels } = least
    origin.push({ selection: least.selection, i: least.i })
    const first = rows.count
    for (let c = 0; c < cursors.length; c++) {
      const cursor = cursors[c]!
      if (cursor !== least && !cursor.labels.equals(labels)) continue
      const { selection } = cursor
      for (let row = selection.chunkStart[cursor.i]!; row < selection.chunkStart[cursor.i + 1]!; row++)
        rows.pushFrom(arena, selection.table, row)
      if (++cursor.i < selection.count) cursor.labels = selection.labels(cursor.i)
      else cursors.splice(c--, 1)
    }
    if (rows.sortFrom(first)) overlapping = true
    chunkStart.push(rows.count)
  }
  return {
    count: origin.length,
    labels: (i) => origin[i]!.selection.labels(origin[i]!.i),
    chunkStart: Uint32Array.from(chunkStart),
    table: rows.writeTo(arena),
    overlapping,
  }
}
