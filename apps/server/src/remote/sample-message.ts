// Data plane. A Sample message, the same in protocols 1 and 2: value, time and (2 only) a start timestamp.
import { WIRE, WireError, type WireReader } from './wire-reader.ts'

/** Where samples go; `words` are the values' bits, so that no NaN is changed. */
export interface SampleColumns {
  readonly times: Float64Array
  readonly words: Uint32Array
  count: number
}

const VALUE_TAG = 0x09
const TIME_TAG = 0x10

/** Reads the message that is the current field's value into the next row, for which there must be room. */
export function readSample(reader: WireReader, columns: SampleColumns): void {
  const { bytes, view, end } = reader
  let at = reader.position
  const row = columns.count
  // The usual form: a length below 128, value, then time.
  const stop = at + 1 + bytes[at]!
  if (
    bytes[at]! < 0x80 &&
    stop <= end &&
    stop >= at + 12 &&
    bytes[at + 1] === VALUE_TAG &&
    bytes[at + 10] === TIME_TAG
  ) {
    columns.words[2 * row] = view.getUint32(at + 2, true)
    columns.words[2 * row + 1] = view.getUint32(at + 6, true)
    at += 11
    let time = 0
    let scale = 1
    let byte = bytes[at++]!
    while (byte >= 0x80 && at < stop && scale < 2 ** 42) {
      time += (byte & 0x7f) * scale
      scale *= 128
      byte = bytes[at++]!
    }
    if (byte < 0x80 && at === stop) {
      columns.times[row] = time + byte * scale
      columns.count = row + 1
      reader.position = stop
      return
    }
  }
  readAnySample(reader, columns)
}

function readAnySample(reader: WireReader, columns: SampleColumns): void {
  const outer = reader.end
  const length = reader.length()
  reader.end = reader.position + length
  const row = columns.count
  columns.words[2 * row] = 0
  columns.words[2 * row + 1] = 0
  columns.times[row] = 0
  while (reader.next()) {
    if (reader.field === 1) {
      reader.expect(WIRE.fixed64, 'Value')
      if (reader.end - reader.position < 8) throw new WireError('unexpected EOF')
      columns.words[2 * row] = reader.view.getUint32(reader.position, true)
      columns.words[2 * row + 1] = reader.view.getUint32(reader.position + 4, true)
      reader.position += 8
    } else if (reader.field === 2) {
      reader.expect(WIRE.varint, 'Timestamp')
      columns.times[row] = reader.int()
    } else reader.skip()
  }
  reader.end = outer
  columns.count = row + 1
}
