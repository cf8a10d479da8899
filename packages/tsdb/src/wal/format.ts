// The outer form of Prometheus's WAL: segment files of 32 KiB pages that hold record fragments.
// Fragment: u8 type (bits 0–2) and compression (bit 3 snappy, bit 4 zstd), u16 BE length, u32 BE CRC-32C of the data, data.
// A page ends with zeros when less than a fragment header is left; records do not cross segments.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

export const WAL_PAGE_BYTES = 32 * 1024
export const FRAGMENT_HEADER_BYTES = 7
export const SEGMENT_BYTES_DEFAULT = 128 * 1024 * 1024

export const FRAGMENT = { pageEnd: 0, full: 1, first: 2, middle: 3, last: 4 } as const
export const FRAGMENT_TYPE_MASK = 0b111
export const SNAPPY_FLAG = 0b1000
export const ZSTD_FLAG = 0b10000

/** Types of records, their first byte. */
export const RECORD = {
  series: 1,
  samples: 2,
  tombstones: 3,
  exemplars: 4,
  mmapMarkers: 5,
  metadata: 6,
  histograms: 7,
  floatHistograms: 8,
  customHistograms: 9,
  customFloatHistograms: 10,
  samplesV2: 11,
  histogramsV2: 12,
  floatHistogramsV2: 13,
} as const

/** Longest record that is read, decompressed: damaged lengths must not ask for more memory. */
export const RECORD_BYTES_MAX = 256 * 1024 * 1024

const CHECKPOINT = /^checkpoint\.(\d{6,})$/

/** File name of a segment. */
export function segmentName(index: number): string {
  return String(index).padStart(8, '0')
}

/** Segments of a WAL or checkpoint directory, ascending. Other names are ignored. */
export function listSegments(dir: string): number[] {
  return readdirSync(dir)
    .filter((name) => /^\d{6,}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

/** The newest checkpoint of a WAL directory and the last segment it covers. */
export function lastCheckpoint(walDir: string): { dir: string; index: number } | undefined {
  let last: { dir: string; index: number } | undefined
  for (const name of readdirSync(walDir)) {
    const match = CHECKPOINT.exec(name)
    const index = match ? Number(match[1]) : -1
    if (index > (last?.index ?? -1)) last = { dir: join(walDir, name), index }
  }
  return last
}

/** Name of the checkpoint that replaces the segments up to `index`. */
export function checkpointName(index: number): string {
  return `checkpoint.${segmentName(index)}`
}
