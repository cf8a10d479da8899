// Exemplars of remote write. In protocol 1 their labels are spelled out, in protocol 2 they refer to symbols.
import type { Exemplar } from '@watchfire/datamodel'
import { labelsOf, readLabel, type RawLabels } from './label-message.ts'
import { WIRE, type WireReader } from './wire-reader.ts'

/** Reads an Exemplar message of protocol 1, whose bytes are the current field's. */
export function readExemplar(reader: WireReader): Exemplar {
  const raw: RawLabels = []
  return readFields(
    reader,
    'Labels',
    () => readLabel(reader, raw),
    () => labelsOf(raw),
  )
}

/** Reads an Exemplar message of protocol 2; `labels` reads one field of references, `done` resolves them. */
export function readFields(
  reader: WireReader,
  labelsName: string,
  labels: () => void,
  done: () => Exemplar['labels'],
): Exemplar {
  const outer = reader.end
  const length = reader.length()
  reader.end = reader.position + length
  let value = 0
  let timestampMs = 0
  while (reader.next()) {
    if (reader.field === 1) {
      if (labelsName === 'Labels') reader.expect(WIRE.bytes, labelsName)
      labels()
    } else if (reader.field === 2) {
      reader.expect(WIRE.fixed64, 'Value')
      value = reader.double()
    } else if (reader.field === 3) {
      reader.expect(WIRE.varint, 'Timestamp')
      timestampMs = reader.int()
    } else reader.skip()
  }
  reader.end = outer
  return { labels: done(), value, timestampMs }
}
