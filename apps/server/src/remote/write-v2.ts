// Data plane. Protocol 2: io.prometheus.write.v2.Request. What can be stored is stored; the rest is listed in the answer.
import type { BatchAppender, SeriesRef } from '@watchfire/datamodel'
import { appendExemplar, appendHistogram } from './append.ts'
import { readFields } from './exemplar-message.ts'
import { readHistogram } from './histogram-message.ts'
import { labelsFault, labelsOf, labelsText, type RawLabels } from './label-message.ts'
import { Symbols } from './symbols.ts'
import { WIRE, WireError, type WireReader } from './wire-reader.ts'
import type { WriteContext } from './write-context.ts'

const REQUEST = { symbols: 4, series: 5 } as const
const SERIES = { labels: 1, samples: 2, histograms: 3, exemplars: 4, metadata: 5 } as const
const METADATA = { help: 3, unit: 4 } as const

/** A list of references that is used again and again. */
class References {
  values = new Uint32Array(64)
  count = 0

  /** Adds the value or the packed values of the current field. */
  read(reader: WireReader): void {
    if (reader.wire === WIRE.varint) {
      this.#add(reader.uint())
      return
    }
    if (reader.wire !== WIRE.bytes)
      throw new WireError(`proto: wrong wireType = ${reader.wire} for field LabelsRefs`)
    const outer = reader.end
    const length = reader.length()
    reader.end = reader.position + length
    while (reader.position < reader.end) this.#add(reader.uint())
    reader.end = outer
  }

  #add(value: number): void {
    if (this.count === this.values.length) {
      const grown = new Uint32Array(this.count * 2)
      grown.set(this.values)
      this.values = grown
    }
    this.values[this.count++] = value
  }
}

export class WriterV2 {
  readonly #context: WriteContext
  readonly #symbols: Symbols
  readonly #labels = new References()
  readonly #exemplarLabels = new References()
  #reader!: WireReader
  #appender!: BatchAppender
  /** Starts of the series whose samples are in the batch. */
  #starts: number[] = []
  #errors: string[] = []

  constructor(context: WriteContext) {
    this.#context = context
    this.#symbols = new Symbols(context.fingerprinter)
  }

  /** Appends a request; returns what could not be stored. Throws `WireError`: then nothing may be kept. */
  write(reader: WireReader, appender: BatchAppender): readonly string[] {
    this.#reader = reader
    this.#appender = appender
    this.#starts = []
    this.#errors = []
    this.#symbols.clear()
    const start = reader.position
    const { end } = reader
    while (reader.next()) {
      if (reader.field === REQUEST.symbols) {
        reader.expect(WIRE.bytes, 'Symbols')
        this.#symbols.add(reader)
      } else reader.skip()
    }
    reader.position = start
    while (reader.next()) {
      if (reader.field !== REQUEST.series) {
        reader.skip()
        continue
      }
      reader.expect(WIRE.bytes, 'Timeseries')
      const length = reader.length()
      const after = reader.position + length
      reader.end = after
      this.#series()
      reader.position = after
      reader.end = end
    }
    this.#context.batch.flush()
    return this.#errors
  }

  /** Told by the batch of a sample that was refused. */
  refused(reason: string, series: number): void {
    const { position, end } = this.#reader
    this.#errors.push(`${reason} for series ${this.#textOf(series)}`)
    this.#reader.position = position
    this.#reader.end = end
  }

  #series(): void {
    const reader = this.#reader
    const { batch } = this.#context
    const start = reader.position
    const labels = this.#labels
    labels.count = 0
    let histograms = 0
    let exemplars = 0
    let metadataFault: string | undefined
    while (reader.next()) {
      switch (reader.field) {
        case SERIES.labels:
          labels.read(reader)
          break
        case SERIES.samples:
          reader.expect(WIRE.bytes, 'Samples')
          batch.read(reader)
          break
        case SERIES.metadata:
          reader.expect(WIRE.bytes, 'Metadata')
          metadataFault = this.#metadataFault()
          break
        case SERIES.histograms:
          histograms++
          reader.skip()
          break
        case SERIES.exemplars:
          exemplars++
          reader.skip()
          break
        default:
          reader.skip()
      }
    }
    const samples = batch.pending
    const ref = this.#resolve(samples, histograms, metadataFault)
    if (ref === 0) {
      batch.drop()
      return
    }
    this.#starts.push(start)
    batch.take(ref, this.#starts.length - 1)
    if (histograms === 0 && (exemplars === 0 || !this.#context.exemplars)) return
    batch.flush()
    const { end } = reader
    this.#each(start, end, SERIES.histograms, () => {
      const fault = appendHistogram(this.#appender, ref, readHistogram(reader), this.#context)
      if (fault !== undefined) this.#errors.push(`${fault} for series ${this.#shown()}`)
    })
    if (this.#context.exemplars) this.#each(start, end, SERIES.exemplars, () => this.#exemplar(ref))
  }

  /** The series of the references just read; 0 when it cannot be stored, which is noted. */
  #resolve(samples: number, histograms: number, metadataFault: string | undefined): SeriesRef {
    const { batch, cache, fingerprint, counters } = this.#context
    const labels = this.#labels
    const known =
      metadataFault === undefined &&
      samples + histograms > 0 &&
      labels.count % 2 === 0 &&
      this.#symbols.fingerprint(labels.values, labels.count, fingerprint)
    if (known) {
      const ref = cache.find(fingerprint)
      if (ref !== 0 && this.#appender.has(ref)) return ref
    }
    // Errors stand in the order of the series.
    batch.flush()
    const fault = this.#referenceFault(labels)
    if (fault !== undefined) {
      this.#errors.push(
        `parsing labels for series [${labels.values.subarray(0, labels.count).join(' ')}]: ${fault}`,
      )
      counters.invalidLabels += samples + histograms
      return 0
    }
    if (metadataFault !== undefined) {
      this.#errors.push(
        `parsing metadata for series [${labels.values.subarray(0, labels.count).join(' ')}]: ${metadataFault}`,
      )
      return 0
    }
    const raw = this.#raw(labels)
    const wrong = labelsFault(raw)
    if (wrong !== undefined) {
      const text = labelsText(raw)
      this.#errors.push(
        wrong === 'invalid'
          ? `invalid metric name or labels, got ${text}`
          : `invalid labels for series, labels ${text}, duplicated label ${wrong.duplicate}`,
      )
      counters.invalidLabels += samples + histograms
      return 0
    }
    if (samples + histograms === 0) {
      this.#errors.push(
        `TimeSeries must contain at least one sample or histogram for series ${labelsText(raw)}`,
      )
      return 0
    }
    const ref = this.#appender.series(labelsOf(raw))
    if (ref === 0) this.#context.refusedSeries++
    else if (known) cache.set(fingerprint, ref)
    return ref
  }

  #referenceFault({ values, count }: References): string | undefined {
    if (count % 2 !== 0) return `invalid labelRefs length ${count}`
    const size = this.#symbols.count
    for (let i = 0; i < count; i += 2) {
      const [name, value] = [values[i]!, values[i + 1]!]
      if (name >= size || value >= size)
        return `labelRefs ${name} (name) = ${value} (value) outside of symbols table (size ${size})`
    }
    return undefined
  }

  #raw({ values, count }: References): RawLabels {
    const { position, end } = this.#reader
    const raw: RawLabels = []
    for (let i = 0; i < count; i++) raw.push(this.#symbols.text(this.#reader, values[i]!))
    this.#reader.position = position
    this.#reader.end = end
    return raw
  }

  #metadataFault(): string | undefined {
    const reader = this.#reader
    const outer = reader.end
    const length = reader.length()
    reader.end = reader.position + length
    let fault: string | undefined
    const size = this.#symbols.count
    const refs = { help: 0, unit: 0 }
    while (reader.next()) {
      if (reader.field === METADATA.help) {
        reader.expect(WIRE.varint, 'HelpRef')
        refs.help = reader.uint()
      } else if (reader.field === METADATA.unit) {
        reader.expect(WIRE.varint, 'UnitRef')
        refs.unit = reader.uint()
      } else reader.skip()
    }
    if (refs.unit >= size) fault = `metadata unit_ref ${refs.unit} outside of symbols table (size ${size})`
    else if (refs.help >= size)
      fault = `metadata help_ref ${refs.help} outside of symbols table (size ${size})`
    reader.end = outer
    return fault
  }

  #exemplar(ref: SeriesRef): void {
    const labels = this.#exemplarLabels
    labels.count = 0
    let fault: string | undefined
    const exemplar = readFields(
      this.#reader,
      'LabelsRefs',
      () => labels.read(this.#reader),
      () => {
        fault = this.#referenceFault(labels)
        return labelsOf(fault === undefined ? this.#raw(labels) : [])
      },
    )
    if (fault !== undefined) {
      this.#errors.push(`parsing exemplar for series ${this.#shown()}: ${fault}`)
      return
    }
    const refusal = appendExemplar(this.#appender, ref, exemplar, this.#context)
    if (refusal !== undefined) this.#errors.push(`${refusal} for series ${this.#shown()}`)
  }

  /** Labels of the series that was read last. */
  #shown(): string {
    return labelsText(this.#raw(this.#labels))
  }

  #textOf(series: number): string {
    const reader = this.#reader
    const labels = new References()
    reader.end = reader.bytes.length
    reader.position = this.#starts[series]!
    // The labels come first in practice; anywhere else they are looked for up to the first field that is no part of a series.
    while (labels.count === 0 && reader.next()) {
      if (reader.field === SERIES.labels) labels.read(reader)
      else reader.skip()
    }
    return labelsText(this.#raw(labels))
  }

  /** Calls back at every field of a kind in the message between `start` and `end`. */
  #each(start: number, end: number, field: number, visit: () => void): void {
    const reader = this.#reader
    reader.position = start
    reader.end = end
    while (reader.next()) {
      if (reader.field === field) visit()
      else reader.skip()
    }
  }
}
