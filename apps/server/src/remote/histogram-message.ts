// Native histograms of remote write, which look the same in 1.0 and 2.0.
import {
  COUNTER_RESET,
  histogramFault,
  isStale,
  reduceResolution,
  type CounterResetHint,
  type HistogramSample,
  type Span,
} from '@watchfire/datamodel'
import { WIRE, WireError, type WireReader } from './wire-reader.ts'

/** Finest resolution that is stored, and that is understood. */
const SCHEMA_MAX = 8
const SCHEMA_MAX_RESERVED = 52

/** A histogram with its time in ms. `startTimeMs` 0 = none. */
export interface TimedHistogram {
  readonly timeMs: number
  readonly startTimeMs: number
  readonly histogram: HistogramSample
}

/** Reads a Histogram message, whose bytes are the current field's. Throws `WireError`. */
export function readHistogram(reader: WireReader): TimedHistogram {
  const outer = reader.end
  const length = reader.length()
  reader.end = reader.position + length
  let integer = true
  let count = 0
  let zeroCount = 0
  let timeMs = 0
  let startTimeMs = 0
  let hint = 0
  const numbers = { sum: 0, schema: 0, zeroThreshold: 0 }
  const spans: { positive: Span[]; negative: Span[] } = { positive: [], negative: [] }
  const buckets = {
    positiveDeltas: [] as number[],
    negativeDeltas: [] as number[],
    positiveCounts: [] as number[],
    negativeCounts: [] as number[],
  }
  const customValues: number[] = []
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        reader.expect(WIRE.varint, 'CountInt')
        count = reader.uint()
        integer = true
        break
      case 2:
        reader.expect(WIRE.fixed64, 'CountFloat')
        count = reader.double()
        integer = false
        break
      case 3:
        reader.expect(WIRE.fixed64, 'Sum')
        numbers.sum = reader.double()
        break
      case 4:
        reader.expect(WIRE.varint, 'Schema')
        numbers.schema = reader.sint()
        break
      case 5:
        reader.expect(WIRE.fixed64, 'ZeroThreshold')
        numbers.zeroThreshold = reader.double()
        break
      case 6:
        reader.expect(WIRE.varint, 'ZeroCountInt')
        zeroCount = reader.uint()
        break
      case 7:
        reader.expect(WIRE.fixed64, 'ZeroCountFloat')
        zeroCount = reader.double()
        break
      case 8:
        spans.negative.push(readSpan(reader, 'NegativeSpans'))
        break
      case 9:
        readRepeated(reader, WIRE.varint, 'NegativeDeltas', buckets.negativeDeltas)
        break
      case 10:
        readRepeated(reader, WIRE.fixed64, 'NegativeCounts', buckets.negativeCounts)
        break
      case 11:
        spans.positive.push(readSpan(reader, 'PositiveSpans'))
        break
      case 12:
        readRepeated(reader, WIRE.varint, 'PositiveDeltas', buckets.positiveDeltas)
        break
      case 13:
        readRepeated(reader, WIRE.fixed64, 'PositiveCounts', buckets.positiveCounts)
        break
      case 14:
        reader.expect(WIRE.varint, 'ResetHint')
        hint = reader.uint()
        break
      case 15:
        reader.expect(WIRE.varint, 'Timestamp')
        timeMs = reader.int()
        break
      case 16:
        readRepeated(reader, WIRE.fixed64, 'CustomValues', customValues)
        break
      case 17:
        reader.expect(WIRE.varint, 'StartTimestamp')
        startTimeMs = reader.int()
        break
      default:
        reader.skip()
    }
  }
  reader.end = outer
  const histogram: HistogramSample = {
    integer,
    ...numbers,
    count,
    zeroCount,
    positiveSpans: spans.positive,
    negativeSpans: spans.negative,
    positiveBuckets: integer ? summed(buckets.positiveDeltas) : Float64Array.from(buckets.positiveCounts),
    negativeBuckets: integer ? summed(buckets.negativeDeltas) : Float64Array.from(buckets.negativeCounts),
    customValues,
    counterResetHint: isHint(hint) ? hint : COUNTER_RESET.unknown,
  }
  return { timeMs, startTimeMs, histogram }
}

/** A histogram that can be stored, in a lower resolution where its own is too fine, or what is wrong with it. */
export function storable(histogram: HistogramSample): HistogramSample | string {
  const { schema } = histogram
  const tooFine = schema > SCHEMA_MAX && schema <= SCHEMA_MAX_RESERVED
  const fault = histogramFault(tooFine ? { ...histogram, schema: SCHEMA_MAX } : histogram)
  if (fault !== undefined) return fault
  if (!tooFine || isStale(histogram.sum)) return histogram
  return { ...reduceResolution(histogram, SCHEMA_MAX), integer: histogram.integer }
}

function isHint(value: number): value is CounterResetHint {
  return value >= 0 && value <= 3
}

function summed(deltas: readonly number[]): Float64Array {
  let count = 0
  return Float64Array.from(deltas, (delta) => (count += delta))
}

function readSpan(reader: WireReader, name: string): Span {
  reader.expect(WIRE.bytes, name)
  const outer = reader.end
  const length = reader.length()
  reader.end = reader.position + length
  const span = { offset: 0, length: 0 }
  while (reader.next()) {
    if (reader.field === 1) {
      reader.expect(WIRE.varint, 'Offset')
      span.offset = reader.sint()
    } else if (reader.field === 2) {
      reader.expect(WIRE.varint, 'Length')
      span.length = reader.uint()
    } else reader.skip()
  }
  reader.end = outer
  return span
}

/** One value or a packed list of zigzag numbers (`varint`) or doubles (`fixed64`). */
function readRepeated(reader: WireReader, wire: number, name: string, into: number[]): void {
  const one = (): number => (wire === WIRE.varint ? reader.sint() : reader.double())
  if (reader.wire === wire) {
    into.push(one())
    return
  }
  if (reader.wire !== WIRE.bytes)
    throw new WireError(`proto: wrong wireType = ${reader.wire} for field ${name}`)
  const outer = reader.end
  const length = reader.length()
  reader.end = reader.position + length
  while (reader.position < reader.end) into.push(one())
  reader.end = outer
}
