// Numbers of the index file's format; docs/format/block.md draws it.

export const INDEX_FILE = 'index'
export const MAGIC = 0xbaaad700
/** Version 1: references of series are byte offsets, symbols are referred to by offset. Version 2: offset / 16 and position. */
export const VERSION_1 = 1
export const VERSION_2 = 2
export const HEADER_BYTES = 5
/** Six offsets of 8 bytes and the checksum. */
export const TOC_BYTES = 52
export const CRC_BYTES = 4
export const SERIES_ALIGN = 16
/** Every how many symbols and values of a label a place is remembered. */
export const SAMPLING = 32

/** Offsets of the sections. */
export interface Toc {
  readonly symbols: number
  readonly series: number
  readonly labelIndices: number
  readonly labelIndicesTable: number
  readonly postings: number
  readonly postingsTable: number
}

/** Chunks of a series: times in ms, both inclusive. */
export interface ChunkRef {
  readonly minTime: number
  readonly maxTime: number
  readonly ref: number
}
