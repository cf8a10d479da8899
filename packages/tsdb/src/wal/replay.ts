// Rebuilds the head from a WAL directory: the last checkpoint, then the segments after it; then the out-of-order samples of the WBL. Damaged records are skipped and counted;
// a damaged segment is rewritten without them, so that the log is whole again for us and for Prometheus.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HistogramSample, Labels } from '@watchfire/datamodel'
import { CTL } from '../head/layout.ts'
import type { Head } from '../head/head.ts'
import { beginChange, endChange } from '../head/pins.ts'
import { lastCheckpoint, listSegments, segmentName } from './format.ts'
import { RecordDecoder, type FloatColumns, type RecordSink } from './record-decoder.ts'
import { RefTable } from './ref-table.ts'
import { SegmentReader, type WalDamage } from './segment-reader.ts'
import { SegmentWriter } from './segment-writer.ts'
import { deleteIntervals, isDeleted, type Interval } from '../head/delete.ts'

/** Longer gaps of segments are left open: a stray file must not make a million others. */
const GAP_MAX = 1000

export interface ReplayOptions {
  readonly compression?: 'none' | 'snappy' | undefined
  /** Directory of the log of out-of-order samples, which need not exist. */
  readonly wblDir: string
  /** Older samples are past the retention and left out, ms. */
  readonly minTime: number
  readonly log: (
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields?: Record<string, unknown>,
  ) => void
  readonly onSegment?: ((progress: { segment: number; first: number; last: number }) => void) | undefined
}

export interface ReplayResult {
  /** Last segment on disk, −1 when there is none. */
  readonly lastSegment: number
  /** The same of the log of out-of-order samples. */
  readonly lastWblSegment: number
  readonly floats: number
  readonly histograms: number
  /** Damaged records and places. */
  readonly corruptions: number
  /** Samples whose series record is missing. */
  readonly unknownSamples: number
  readonly unknownRecords: number
  /** Samples the head had no room for. */
  readonly droppedSamples: number
  /** References that stand for a series another reference was given before. */
  readonly aliases: Map<number, number>
}

/** Replays `walDir` into an empty head. */
export function replayWal(walDir: string, head: Head, options: ReplayOptions): ReplayResult {
  const sink = new ReplaySink(head, options.minTime)
  const decoder = new RecordDecoder()
  const reader = new SegmentReader()
  let corruptions = 0
  let unknownRecords = 0

  const replayDir = (dir: string, segments: readonly number[]) => {
    for (const segment of segments) {
      const damages: WalDamage[] = []
      const file = join(dir, segmentName(segment))
      reader.read(file, {
        record: (bytes, start, end) => {
          beginChange(head.mem)
          const outcome = decoder.decode(bytes, start, end, sink)
          endChange(head.mem)
          head.reclaim()
          if (outcome === 'unknown') unknownRecords++
          else if (outcome === 'damaged')
            damages.push({ file, offset: NaN, reason: 'record does not decode' })
        },
        damage: (damage) => damages.push(damage),
      })
      for (const damage of damages)
        options.log('warn', 'WAL is damaged, the record is skipped', { ...damage })
      corruptions += damages.length
      if (damages.length > 0) rewriteSegment(reader, dir, segment, options.compression)
      options.onSegment?.({ segment, first: segments[0]!, last: segments.at(-1)! })
    }
  }

  const checkpoint = lastCheckpoint(walDir)
  if (checkpoint) replayDir(checkpoint.dir, listSegments(checkpoint.dir))
  const all = listSegments(walDir)
  const segments = all.filter((segment) => segment > (checkpoint?.index ?? -1))
  for (let i = 1; i < segments.length; i++) {
    if (segments[i] === segments[i - 1]! + 1) continue
    corruptions++
    options.log('warn', 'WAL segments are missing', { after: segments[i - 1], before: segments[i] })
    fillGap(walDir, segments[i - 1]! + 1, segments[i]!)
  }
  replayDir(walDir, segments)
  sink.finish()
  const late = existsSync(options.wblDir) ? listSegments(options.wblDir) : []
  sink.late = true
  replayDir(options.wblDir, late)
  return {
    lastSegment: Math.max(all.at(-1) ?? -1, checkpoint?.index ?? -1),
    lastWblSegment: late.at(-1) ?? -1,
    floats: sink.floatCount,
    histograms: sink.histogramCount,
    corruptions,
    unknownSamples: sink.unknownSamples,
    unknownRecords,
    droppedSamples: sink.dropped,
    aliases: sink.aliases,
  }
}

/** Puts empty segments in a gap: Prometheus opens no log whose segments are not sequential. */
function fillGap(walDir: string, from: number, to: number): void {
  if (to - from > GAP_MAX) return
  for (let segment = from; segment < to; segment++)
    writeFileSync(join(walDir, segmentName(segment)), '', { flag: 'wx' })
}

/** Writes the intact records of a segment to a new file that takes its place. */
function rewriteSegment(
  reader: SegmentReader,
  dir: string,
  segment: number,
  compression: 'none' | 'snappy' | undefined,
): void {
  const temporary = join(dir, 'repair.tmp')
  rmSync(temporary, { recursive: true, force: true })
  mkdirSync(temporary)
  const writer = new SegmentWriter(temporary, segment, { compression, segmentBytes: 2 ** 40 })
  reader.read(join(dir, segmentName(segment)), {
    record: (bytes, start, end) => writer.logBytes(bytes, start, end),
    damage: () => {},
  })
  writer.close()
  renameSync(join(temporary, segmentName(segment)), join(dir, segmentName(segment)))
  rmSync(temporary, { recursive: true })
}

class ReplaySink implements RecordSink {
  readonly #head: Head
  readonly #minTime: number
  readonly #slots = new RefTable()
  readonly #deleted = new Map<number, Interval[]>()
  readonly aliases = new Map<number, number>()
  floatCount = 0
  histogramCount = 0
  unknownSamples = 0
  dropped = 0
  /** From here on samples are out of order: those of the WBL. */
  late = false
  #word: Float64Array = new Float64Array(0)
  #wordsOf: ArrayBufferLike | undefined

  constructor(head: Head, minTime: number) {
    this.#head = head
    this.#minTime = minTime
  }

  series(ref: number, labels: Labels): void {
    const head = this.#head
    const known = head.series.find(labels)
    if (known !== 0) {
      if (head.walRef(known) !== ref) this.aliases.set(ref, known)
      this.#slots.set(ref, known)
      // A later record may give this reference out again only after the highest one.
      if (ref > head.mem.f64[CTL.lastRef >>> 3]!) head.mem.f64[CTL.lastRef >>> 3] = ref
      return
    }
    const slot = labels.size === 0 ? 0 : head.createSeries(labels, ref)
    if (slot === 0) return
    if (!head.series.publish(slot)) return
    this.#slots.set(ref, slot)
  }

  floats(columns: FloatColumns): void {
    const head = this.#head
    const { refs, times, words, count } = columns
    if (words.buffer !== this.#wordsOf) {
      this.#wordsOf = words.buffer
      this.#word = new Float64Array(words.buffer)
    }
    const values = this.#word
    for (let i = 0; i < count; i++) {
      const slot = this.#slots.get(refs[i]!)
      if (slot === 0) this.unknownSamples++
      else if (this.late) {
        // A marker of Prometheus says that what came before is in chunks_head, too; the log has it as well.
        const deleted = this.#deleted.get(slot)
        if (deleted && isDeleted(deleted, times[i]!)) continue
        const outcome = head.outOfOrder.insert(slot, times[i]!, values[i]!)
        if (outcome === 'ok') this.floatCount++
        else if (outcome === 'full') this.dropped++
      } else if (times[i]! > head.lastTime(slot) && times[i]! >= this.#minTime) {
        if (head.appendFloat(slot, times[i]!, values[i]!)) this.floatCount++
        else this.dropped++
      }
    }
  }

  histogram(ref: number, timeMs: number, histogram: HistogramSample): void {
    const slot = this.#slots.get(ref)
    if (slot === 0 || this.late) this.unknownSamples++
    else if (timeMs > this.#head.lastTime(slot) && timeMs >= this.#minTime) {
      if (this.#head.appendHistogram(slot, timeMs, histogram)) this.histogramCount++
      else this.dropped++
    }
  }

  tombstone(ref: number, minTime: number, maxTime: number): void {
    const slot = this.#slots.get(ref)
    if (slot === 0) return
    const intervals = this.#deleted.get(slot)
    if (intervals) intervals.push({ minTime, maxTime })
    else this.#deleted.set(slot, [{ minTime, maxTime }])
  }

  exemplar(): void {
    // Exemplars are not kept in memory; the log carries them for remote write and for Prometheus.
  }

  metadata(): void {
    // Metadata belongs to scrape targets; the log only carries it along.
  }

  /** Applies deletions: they were logged after the samples they remove. */
  finish(): void {
    if (this.#deleted.size === 0) return
    beginChange(this.#head.mem)
    for (const [slot, intervals] of this.#deleted)
      this.dropped += deleteIntervals(this.#head, slot, intervals)
    endChange(this.#head.mem)
    this.#head.reclaim()
  }
}
