// The remote write receiver at the database: a compressed body in, one commit, the answer out. Runs in the ingest worker, synchronously.
import type { BatchAppender } from '@watchfire/datamodel'
import { createArena, type Arena } from '@watchfire/kernels'
import { SampleBatch } from './sample-batch.ts'
import { Fingerprinter, SeriesCache, type SeriesCacheOptions } from './series-cache.ts'
import { WireError, WireReader } from './wire-reader.ts'
import type { WriteContext } from './write-context.ts'
import {
  WriteRefused,
  writeCounters,
  type WriteCounters,
  type WriteProtocol,
  type WriteResult,
} from './write-result.ts'
import { writeV1 } from './write-v1.ts'
import { WriterV2 } from './write-v2.ts'

export interface RemoteWriterOptions {
  readonly appender: () => BatchAppender
  readonly now: () => number
  /** Whether exemplars are stored; otherwise they are passed over. */
  readonly exemplars?: boolean
  /** Largest decoded body in bytes. */
  readonly bodyBytesMax?: number
  readonly cache?: SeriesCacheOptions
}

/** Largest decoded body. */
export const WRITE_BODY_BYTES_MAX: number = 32 * 1024 * 1024
/** Readable bytes behind a body. */
const GUARD_BYTES = 64
const CORRUPT = 's2: corrupt input'

export class RemoteWriter {
  readonly counters: WriteCounters = writeCounters()
  readonly #appender: () => BatchAppender
  readonly #now: () => number
  readonly #bodyBytesMax: number
  readonly #arena: Arena
  readonly #reader = new WireReader()
  readonly #context: WriteContext
  readonly #v2: WriterV2
  #protocol: WriteProtocol = 1

  constructor(options: RemoteWriterOptions) {
    this.#appender = options.appender
    this.#now = options.now
    this.#bodyBytesMax = options.bodyBytesMax ?? WRITE_BODY_BYTES_MAX
    // A body that is not compressible is a little longer compressed than decoded.
    this.#arena = createArena(3 * this.#bodyBytesMax + 65_536)
    const batch = new SampleBatch((reason, series) => {
      if (this.#protocol === 1) throw new WriteRefused(reason)
      this.#v2.refused(reason, series)
    })
    this.#context = {
      batch,
      cache: new SeriesCache(options.cache),
      fingerprinter: new Fingerprinter(),
      fingerprint: new Uint32Array(4),
      counters: this.counters,
      exemplars: options.exemplars ?? false,
      refusedSeries: 0,
      histogramsWritten: 0,
      exemplarsWritten: 0,
    }
    this.#v2 = new WriterV2(this.#context)
  }

  /** Everything is durable and visible when this returns with a status below 300. */
  write(body: Uint8Array, protocol: WriteProtocol): WriteResult {
    this.counters.requests++
    const start = this.#arena.mark()
    try {
      return this.#decoded(body, protocol)
    } finally {
      this.#arena.release(start)
    }
  }

  #decoded(body: Uint8Array, protocol: WriteProtocol): WriteResult {
    const arena = this.#arena
    // More than this cannot decode to a body that is allowed.
    if (body.length > this.#bodyBytesMax + this.#bodyBytesMax / 6 + 64)
      return refusal(this.#tooLarge(body.length))
    const source = arena.alloc(body.length + GUARD_BYTES)
    arena.bytes().set(body, source)
    const length = arena.kernels.snappyDecodedLength(source, body.length)
    if (length < 0) return refusal(CORRUPT)
    if (length > this.#bodyBytesMax) return refusal(this.#tooLarge(length))
    const decoded = arena.alloc(length + GUARD_BYTES)
    if (arena.kernels.snappyDecode(source, body.length, decoded, length) !== length) return refusal(CORRUPT)
    if (protocol === 'none') return { status: 204, text: '', samples: 0, histograms: 0, exemplars: 0 }
    this.#reader.reset(arena.bytes(), decoded, decoded + length)
    return this.#append(protocol)
  }

  #append(protocol: WriteProtocol): WriteResult {
    const context = this.#context
    const appender = this.#appender()
    this.#protocol = protocol
    context.refusedSeries = 0
    context.histogramsWritten = 0
    context.exemplarsWritten = 0
    context.batch.begin(appender, this.#now())
    let errors: readonly string[] = []
    try {
      if (protocol === 1) writeV1(this.#reader, appender, context)
      else errors = this.#v2.write(this.#reader, appender)
    } catch (error) {
      appender.rollback()
      if (error instanceof WireError || error instanceof WriteRefused) return refusal(error.message)
      return refusal(error instanceof Error ? error.message : String(error), 500)
    }
    const written = {
      samples: context.batch.written,
      histograms: context.histogramsWritten,
      exemplars: context.exemplarsWritten,
    }
    try {
      appender.commit()
    } catch (error) {
      return refusal(error instanceof Error ? error.message : String(error), 500)
    }
    this.counters.samples += written.samples
    this.counters.histograms += written.histograms
    this.counters.exemplars += written.exemplars
    const refused = context.refusedSeries
    if (refused > 0) errors = [...errors, `${refused} new series refused: the head is at its limit`]
    return errors.length === 0
      ? { status: 204, text: '', ...written }
      : { status: 400, text: errors.join('\n'), ...written }
  }

  #tooLarge(bytes: number): string {
    return `remote write request of ${bytes} bytes exceeds the limit of ${this.#bodyBytesMax} bytes`
  }
}

function refusal(text: string, status = 400): WriteResult {
  return { status, text, samples: 0, histograms: 0, exemplars: 0 }
}
