// What a part of the database (the head, later each block) offers to a querier. The querier merges sources by label sets.
import type { ByteArena, Labels, Matcher } from '@watchfire/datamodel'

/** Selected series in order of label sets, with rows of a chunk table already in the arena. */
export interface SourceSelection {
  readonly count: number
  labels(i: number): Labels
  /** Series i has the rows chunkStart[i] … chunkStart[i+1]−1 from `table` on. */
  readonly chunkStart: Uint32Array
  readonly table: number
  /** Chunks of a series may overlap in time; of equal times the later chunk counts. */
  readonly overlapping?: boolean
}

export interface ChunkSource {
  /** Bounds of its samples in ms, inclusive; NaN when empty. */
  readonly minTime: number
  readonly maxTime: number
  /** Copies all chunks of the matching series that overlap [minTime, maxTime] into the arena. `limit` 0 = all series. */
  select(
    matchers: readonly Matcher[],
    minTime: number,
    maxTime: number,
    limit: number,
    arena: ByteArena,
  ): SourceSelection
  /** Label sets of matching series with samples in the range, sorted. */
  series(matcherSets: readonly (readonly Matcher[])[], minTime: number, maxTime: number): Labels[]
  /** Names, or values of one name, of such series; without matchers those of the whole source. Unsorted, unique. */
  labelNames(matcherSets: readonly (readonly Matcher[])[], minTime: number, maxTime: number): Iterable<string>
  labelValues(
    name: string,
    matcherSets: readonly (readonly Matcher[])[],
    minTime: number,
    maxTime: number,
  ): Iterable<string>
}
