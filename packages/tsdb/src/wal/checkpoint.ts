// Checkpoints in Prometheus's form: a directory `checkpoint.NNNNNNNN` beside the segments, itself a WAL, that replaces all segments up to
// its number. It is written under a temporary name and renamed, so that a crash leaves either the segments or the checkpoint.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import type { HistogramSample, Labels, MetricMetadata } from '@watchfire/datamodel'
import { checkpointName, lastCheckpoint, listSegments, segmentName } from './format.ts'
import { RecordDecoder, type FloatColumns, type RecordSink } from './record-decoder.ts'
import { RecordEncoder, type ExemplarEntry, type HistogramEntry } from './record-encoder.ts'
import { SegmentReader } from './segment-reader.ts'
import { SegmentWriter } from './segment-writer.ts'

export interface CheckpointOptions {
  readonly walDir: string
  /** Last segment the checkpoint replaces. */
  readonly to: number
  /** Samples older than this are dropped. */
  readonly minTime: number
  /** Whether the series of a reference is still needed. */
  readonly keep: (ref: number) => boolean
  readonly compression?: 'none' | 'snappy' | undefined
}

/** Removes what a crash left of checkpoints and repairs. */
export function removeTemporaryCheckpoints(walDir: string): void {
  for (const name of readdirSync(walDir))
    if (/^checkpoint\..*\.tmp$/.test(name) || name === 'repair.tmp')
      rmSync(join(walDir, name), { recursive: true, force: true })
}

/** Writes the checkpoint in steps, then removes the segments and checkpoints it replaces. */
export function* writeCheckpoint(options: CheckpointOptions): Generator<void> {
  const { walDir, to } = options
  const previous = lastCheckpoint(walDir)
  const target = join(walDir, checkpointName(to))
  const temporary = `${target}.tmp`
  removeTemporaryCheckpoints(walDir)
  mkdirSync(temporary)
  const writer = new SegmentWriter(temporary, 0, { compression: options.compression })
  let open = true
  try {
    const sink = new CheckpointSink(new RecordEncoder(writer), options)
    const decoder = new RecordDecoder()
    const reader = new SegmentReader()
    const files = previous
      ? listSegments(previous.dir).map((segment) => join(previous.dir, segmentName(segment)))
      : []
    for (const segment of listSegments(walDir))
      if (segment > (previous?.index ?? -1) && segment <= to) files.push(join(walDir, segmentName(segment)))
    for (const file of files) {
      const steps = reader.steps(file, {
        record: (bytes, start, end) => {
          const outcome = decoder.decode(bytes, start, end, sink)
          if (outcome === 'unknown') writer.logBytes(bytes, start, end)
          else sink.endRecord()
        },
        damage: ({ offset, reason }) => {
          throw new Error(`cannot write a checkpoint: ${file} is damaged at ${offset}: ${reason}`)
        },
      })
      for (const _ of steps) {
        writer.flush()
        yield
      }
    }
    sink.endCheckpoint()
    open = false
    writer.close()
    syncDir(temporary)
    rmSync(target, { recursive: true, force: true })
    renameSync(temporary, target)
    syncDir(walDir)
  } finally {
    if (open) writer.abandon()
    if (existsSync(temporary)) rmSync(temporary, { recursive: true, force: true })
  }
  yield
  for (const segment of listSegments(walDir)) if (segment <= to) rmSync(join(walDir, segmentName(segment)))
  if (previous && previous.index < to) rmSync(previous.dir, { recursive: true, force: true })
}

function syncDir(dir: string): void {
  const fd = openSync(dir, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Keeps of each record what is still needed. */
class CheckpointSink implements RecordSink {
  readonly #encoder: RecordEncoder
  readonly #keep: (ref: number) => boolean
  readonly #minTime: number
  readonly #series: { ref: number; labels: Labels }[] = []
  readonly #histograms: HistogramEntry[] = []
  readonly #exemplars: ExemplarEntry[] = []
  readonly #tombstones: { ref: number; minTime: number; maxTime: number }[] = []
  readonly #metadata = new Map<number, MetricMetadata>()

  constructor(encoder: RecordEncoder, options: CheckpointOptions) {
    this.#encoder = encoder
    this.#keep = options.keep
    this.#minTime = options.minTime
  }

  series(ref: number, labels: Labels): void {
    if (this.#keep(ref)) this.#series.push({ ref, labels })
  }

  floats(columns: FloatColumns): void {
    const { refs, times, words } = columns
    let kept = 0
    for (let i = 0; i < columns.count; i++) {
      if (!(times[i]! >= this.#minTime) || !this.#keep(refs[i]!)) continue
      refs[kept] = refs[i]!
      times[kept] = times[i]!
      words[2 * kept] = words[2 * i]!
      words[2 * kept + 1] = words[2 * i + 1]!
      kept++
    }
    this.#encoder.floats(refs, times, words, 0, kept)
  }

  histogram(ref: number, timeMs: number, histogram: HistogramSample): void {
    if (timeMs >= this.#minTime && this.#keep(ref)) this.#histograms.push({ ref, timeMs, histogram })
  }

  tombstone(ref: number, minTime: number, maxTime: number): void {
    if (maxTime >= this.#minTime && this.#keep(ref)) this.#tombstones.push({ ref, minTime, maxTime })
  }

  exemplar(ref: number, timeMs: number, value: number, labels: Labels): void {
    if (timeMs >= this.#minTime && this.#keep(ref)) this.#exemplars.push({ ref, timeMs, value, labels })
  }

  metadata(ref: number, metadata: MetricMetadata): void {
    if (this.#keep(ref)) this.#metadata.set(ref, metadata)
  }

  endRecord(): void {
    const encoder = this.#encoder
    if (this.#series.length > 0) encoder.series(this.#series)
    if (this.#histograms.length > 0) encoder.histograms(this.#histograms)
    if (this.#exemplars.length > 0) encoder.exemplars(this.#exemplars)
    if (this.#tombstones.length > 0) encoder.tombstones(this.#tombstones)
    for (const list of [this.#series, this.#histograms, this.#exemplars, this.#tombstones]) list.length = 0
  }

  endCheckpoint(): void {
    if (this.#metadata.size > 0)
      this.#encoder.metadata(Array.from(this.#metadata, ([ref, metadata]) => ({ ref, metadata })))
  }
}
