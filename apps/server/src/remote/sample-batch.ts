// Data plane. Samples of one request on their way to the appender: columns that are handed over in batches, and what the appender says
// about them in Prometheus's words.
import { APPEND, formatGo, isStale, type BatchAppender, type SeriesRef } from '@watchfire/datamodel'
import { readSample, type SampleColumns } from './sample-message.ts'
import type { WireReader } from './wire-reader.ts'

/** Samples a batch should have before it is handed over. */
const BATCH_SAMPLES = 2048
/** How far samples may lie in the future. */
const AHEAD_MS_MAX = 600_000

export const TOO_FAR_AHEAD = 'out of bounds: timestamp is too far in the future'

/** Told of every refused sample: the reason and the position of its series' labels. */
export type RefusedSample = (reason: string, series: number) => void

export class SampleBatch implements SampleColumns {
  times = new Float64Array(BATCH_SAMPLES + 64)
  values = new Float64Array(BATCH_SAMPLES + 64)
  words = new Uint32Array(this.values.buffer)
  count = 0
  readonly #refused: RefusedSample
  #refs = new Float64Array(BATCH_SAMPLES + 64)
  #series = new Uint32Array(BATCH_SAMPLES + 64)
  #results = new Uint8Array(BATCH_SAMPLES + 64)
  #appender!: BatchAppender
  #timeMsMax = 0
  /** First sample of the series that is being read. */
  #from = 0
  written = 0

  constructor(refused: RefusedSample) {
    this.#refused = refused
  }

  begin(appender: BatchAppender, nowMs: number): void {
    this.#appender = appender
    this.#timeMsMax = nowMs + AHEAD_MS_MAX
    this.count = 0
    this.#from = 0
    this.written = 0
  }

  get timeMsMax(): number {
    return this.#timeMsMax
  }

  /** Samples read since the last `take` or `drop`. */
  get pending(): number {
    return this.count - this.#from
  }

  /** Reads a Sample message, whose bytes are the current field's. */
  read(reader: WireReader): void {
    if (this.count === this.times.length) this.#grow()
    readSample(reader, this)
  }

  /** The pending samples are of this series; `series` is what `refused` is told. */
  take(ref: SeriesRef, series: number): void {
    const { count } = this
    for (let i = this.#from; i < count; i++) {
      this.#refs[i] = ref
      this.#series[i] = series
    }
    this.#from = count
    if (count >= BATCH_SAMPLES) this.flush()
  }

  /** Forgets the pending samples. */
  drop(): void {
    this.count = this.#from
  }

  /** Hands everything over that was taken. */
  flush(): void {
    const count = this.#from
    if (count === 0) return
    let ahead = false
    const { times } = this
    for (let i = 0; i < count; i++) if (times[i]! > this.#timeMsMax) ahead = true
    this.#results.fill(APPEND.ok, 0, count)
    if (ahead) this.#appendOneByOne(count)
    else this.#appender.samples(this.#refs, times, this.values, this.#results, count)
    // What is pending goes to the front first: `refused` may end the request.
    const pending = this.count - count
    const refused: number[] = []
    for (let i = 0; i < count; i++)
      if (this.#results[i] === APPEND.ok) this.written++
      else refused.push(i)
    const reasons = refused.map((i) => [this.#reason(i), this.#series[i]!] as const)
    // What Prometheus drops without a word counts as written.
    for (const [reason] of reasons) if (reason === undefined) this.written++
    times.copyWithin(0, count, count + pending)
    this.values.copyWithin(0, count, count + pending)
    this.count = pending
    this.#from = 0
    for (const [reason, series] of reasons) if (reason !== undefined) this.#refused(reason, series)
  }

  #appendOneByOne(count: number): void {
    for (let i = 0; i < count; i++)
      if (this.times[i]! > this.#timeMsMax) this.#results[i] = AHEAD
      else
        this.#appender.samples(
          this.#refs.subarray(i, i + 1),
          this.times.subarray(i, i + 1),
          this.values.subarray(i, i + 1),
          this.#results.subarray(i, i + 1),
          1,
        )
  }

  /** Undefined for a sample that Prometheus drops without a word: one that collides only with others of its request. */
  #reason(i: number): string | undefined {
    const result = this.#results[i]
    if (result === AHEAD) return TOO_FAR_AHEAD
    if (result === APPEND.outOfBounds) return 'out of bounds'
    if (result === APPEND.tooOld) return 'too old sample'
    const time = this.times[i]!
    const newest = this.#appender.newest(this.#refs[i]!)
    if (newest === undefined || time > newest.timeMs) return undefined
    if (result === APPEND.outOfOrder) return 'out of order sample'
    const existing = newest.value === undefined ? 'is a histogram' : valueText(newest.value)
    return `duplicate sample for timestamp ${time}; overrides not allowed: existing ${existing}, new value ${valueText(this.values[i]!)}`
  }

  #grow(): void {
    const size = this.times.length * 2
    const { times, values } = this
    this.times = new Float64Array(size)
    this.times.set(times)
    this.values = new Float64Array(size)
    this.words = new Uint32Array(this.values.buffer)
    this.words.set(new Uint32Array(values.buffer))
    const [refs, series] = [this.#refs, this.#series]
    this.#refs = new Float64Array(size)
    this.#refs.set(refs)
    this.#series = new Uint32Array(size)
    this.#series.set(series)
    this.#results = new Uint8Array(size)
  }
}

/** Beside the appender's results. */
const AHEAD = 255

function valueText(value: number): string {
  return isStale(value) ? 'NaN' : formatGo(value)
}
