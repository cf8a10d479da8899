// Labels of series that are not known yet: from the bytes of a message to a sorted label set, or why it cannot be one.
import { METRIC_NAME, Labels, compareUtf8 } from '@watchfire/datamodel'
import { decodeUtf8 } from '../exposition/go-text.ts'
import { WIRE, type WireReader } from './wire-reader.ts'

/** Labels as they came: name0, value0, name1, value1 …; undefined stands for text that is not UTF-8. */
export type RawLabels = (string | undefined)[]

/** Reads one Label message of write 1.0 and adds it. */
export function readLabel(reader: WireReader, into: RawLabels): void {
  const outer = reader.end
  const length = reader.length()
  reader.end = reader.position + length
  let name: string | undefined = ''
  let value: string | undefined = ''
  while (reader.next()) {
    if (reader.field === 1) {
      reader.expect(WIRE.bytes, 'Name')
      name = readText(reader)
    } else if (reader.field === 2) {
      reader.expect(WIRE.bytes, 'Value')
      value = readText(reader)
    } else reader.skip()
  }
  reader.end = outer
  into.push(name, value)
}

/** Reads a text; undefined when it is not UTF-8. */
export function readText(reader: WireReader): string | undefined {
  const length = reader.length()
  const text = decodeUtf8(reader.bytes.slice(reader.position, reader.position + length))
  reader.position += length
  return text
}

export type LabelsFault = 'invalid' | { readonly duplicate: string }

/** A label set, or what forbids it: a missing or empty name, text that is not UTF-8, a label given twice. */
export function labelsFault(raw: RawLabels): LabelsFault | undefined {
  let named = false
  const names = new Set<string>()
  let duplicate: string | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]
    const value = raw[i + 1]
    if (name === undefined || name === '' || value === undefined) return 'invalid'
    if (name === METRIC_NAME) {
      if (value === '') return 'invalid'
      named = true
    }
    if (names.has(name)) duplicate ??= name
    names.add(name)
  }
  if (!named) return 'invalid'
  return duplicate === undefined ? undefined : { duplicate }
}

/** Sorted by name; labels with empty values do not exist. Only for labels without a fault. */
export function labelsOf(raw: RawLabels): Labels {
  const pairs = pairsOf(raw).filter(([, value]) => value !== '')
  return Labels.fromSortedPairs(pairs.flat())
}

/** As Prometheus shows labels that came in, faulty ones too. */
export function labelsText(raw: RawLabels): string {
  return Labels.fromSortedPairs(pairsOf(raw).flat()).toString()
}

function pairsOf(raw: RawLabels): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i] ?? '\ufffd', raw[i + 1] ?? '\ufffd'])
  return pairs.sort(([a], [b]) => compareUtf8(a, b))
}
