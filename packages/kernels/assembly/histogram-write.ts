// Writing of histogram chunks; the format is told in histogram-read.ts. Data plane.
import { CORRUPT, NO_ROOM, STALE, UNSUPPORTED } from './common'
import {
  CUSTOM, HINT, IMAGE_HEADER, NEGATIVE, NEGATIVE_SPANS, POSITIVE, POSITIVE_SPANS, SAMPLES, columnsOf,
  flagsOfHint, samplesEnd, writeLayout,
} from './histogram-layout'
import {
  INTEGERS, FLOATS, HEADER_BYTES, EXACT, NUMBER_BITS, CHUNK, CAPACITY, BITS, COUNT, ENCODING,
  STATE_POSITIVE, STATE_NEGATIVE, FIRST_TIME, TIME_SLOT, COUNT_SLOT, ZERO_SLOT, SUM_SLOT, STATE_BYTES,
  SLOT_BYTES, initState,
} from './histogram-state'
import {
  isDry, openStream, overrun, position, seek, writeBits, writeDod, writeVarbitInt, writeVarbitUint,
  writeXor,
} from './stream'

/** Bytes of an image up to the end of its samples. */
function imageSamplesEnd(image: usize): u64 {
  return samplesEnd(
    <u64>load<u32>(image, POSITIVE_SPANS) + load<u32>(image, NEGATIVE_SPANS),
    load<u32>(image, CUSTOM),
    load<u32>(image, SAMPLES),
    <u64>load<u32>(image, POSITIVE) + load<u32>(image, NEGATIVE),
  )
}

/** Whether the spans of an image hold as many buckets as it says. */
function spansAgree(image: usize): bool {
  let p = image + IMAGE_HEADER
  for (let side: usize = 0; side < 2; side++) {
    let total: u64 = 0
    const spans = load<u32>(image + side * 4, POSITIVE_SPANS)
    for (let i: u32 = 0; i < spans; i++, p += 8) total += load<u32>(p, 4)
    if (total != <u64>load<u32>(image + side * 4, POSITIVE)) return false
  }
  return true
}

export function histogramEncode(
  encoding: u32, image: usize, imageSize: u32, chunk: usize, capacity: u32,
): i32 {
  const head = imageSamplesEnd(image)
  const buckets = <u64>load<u32>(image, POSITIVE) + load<u32>(image, NEGATIVE)
  const size = head + STATE_BYTES + buckets * SLOT_BYTES
  if (size > <u64>imageSize) return CORRUPT
  const state = image + <usize>head
  const result = histogramInit(encoding, state, imageSize - <u32>head, chunk, capacity, image)
  return result < 0 ? result : <i32>((load<u32>(state, BITS) + 7) >> 3)
}

export function histogramInit(
  encoding: u32, state: usize, stateCapacity: u32, chunk: usize, capacity: u32, image: usize,
): i32 {
  if (encoding != INTEGERS && encoding != FLOATS) return UNSUPPORTED
  const samples = load<u32>(image, SAMPLES)
  if (capacity < HEADER_BYTES || samples > 65535) return NO_ROOM
  if (!spansAgree(image)) return CORRUPT
  const positive = load<u32>(image, POSITIVE)
  const negative = load<u32>(image, NEGATIVE)
  if (STATE_BYTES + (<u64>positive + negative) * SLOT_BYTES > <u64>stateCapacity) return NO_ROOM
  initState(state, encoding, chunk, capacity, positive, negative)
  store<u16>(chunk, 0)
  store<u8>(chunk, flagsOfHint(load<u32>(image, HINT)), 2)
  for (let k: u32 = 0; k < samples; k++) {
    const result = append(state, image, k)
    if (result != 0) return result == 1 ? NO_ROOM : result
  }
  return 0
}

export function histogramAppend(state: usize, image: usize): i32 {
  return append(state, image, 0)
}

@inline
function isInteger(x: f64): bool {
  return x == floor(x) && abs(x) <= EXACT
}

function allIntegers(column: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) if (!isInteger(load<f64>(column + (<usize>i << 3)))) return false
  return true
}

/** Appends sample `k` of an image: 0, 1 = full (nothing written), or an error. */
function append(state: usize, image: usize, k: u32): i32 {
  const samples = load<u32>(image, SAMPLES)
  if (k >= samples) return CORRUPT
  const encoding = load<u32>(state, ENCODING)
  const written = load<u32>(state, COUNT)
  const positive = load<u32>(image, POSITIVE)
  const negative = load<u32>(image, NEGATIVE)
  const columns = columnsOf(image)
  const column = <usize>samples << 3
  const at = columns + (<usize>k << 3)
  const positives = columns + 4 * column + <usize>k * (<usize>positive << 3)
  const negatives = columns + 4 * column + column * positive + <usize>k * (<usize>negative << 3)
  const stale = load<u64>(at + column * 3) == STALE
  if (!stale) {
    if (positive != load<u32>(state, STATE_POSITIVE)) return CORRUPT
    if (negative != load<u32>(state, STATE_NEGATIVE)) return CORRUPT
    if (encoding == INTEGERS) {
      const count = load<f64>(at + column)
      const zero = load<f64>(at + column * 2)
      if (!isInteger(count) || !isInteger(zero) || count < 0 || zero < 0) return CORRUPT
      if (!allIntegers(positives, positive) || !allIntegers(negatives, negative)) return CORRUPT
    }
  } else if (written == 0) {
    // Without a layout; only stale samples can follow.
    store<u32>(state, 0, STATE_POSITIVE)
    store<u32>(state, 0, STATE_NEGATIVE)
  }
  if (written >= 65535) return 1
  const from = load<u32>(state, BITS)
  const chunk = <usize>load<u32>(state, CHUNK)
  const capacity = load<u32>(state, CAPACITY)
  openStream(chunk, capacity, from)
  const most = (4 + <u64>positive + negative) * NUMBER_BITS
  if (written == 0 || most > <u64>(capacity << 3) - from) {
    seek(from, true)
    encodeSample(state, image, written == 0, stale, at, column, positives, negatives)
    if (overrun()) return 1
    seek(from, false)
  }
  encodeSample(state, image, written == 0, stale, at, column, positives, negatives)
  store<u32>(state, position(), BITS)
  store<u32>(state, written + 1, COUNT)
  store<u16>(chunk, bswap<u16>(<u16>(written + 1)))
  return 0
}

function encodeSample(
  state: usize, image: usize, first: bool, stale: bool, at: usize, column: usize,
  positives: usize, negatives: usize,
): void {
  const floats = load<u32>(state, ENCODING) == FLOATS
  const time = <i64>load<f64>(at)
  const sum = load<u64>(at + column * 3)
  const count = stale ? 0 : load<f64>(at + column)
  const zero = stale ? 0 : load<f64>(at + column * 2)
  if (first) {
    writeLayout(image, stale)
    writeVarbitInt(time)
    setSlot(state + TIME_SLOT, <u64>time)
    if (!isDry()) store<f64>(state, <f64>time, FIRST_TIME)
    const countBits = floats ? reinterpret<u64>(count) : <u64>count
    const zeroBits = floats ? reinterpret<u64>(zero) : <u64>zero
    if (floats) {
      writeBits(countBits, 64)
      writeBits(zeroBits, 64)
    } else {
      writeVarbitUint(countBits)
      writeVarbitUint(zeroBits)
    }
    setSlot(state + COUNT_SLOT, countBits)
    setSlot(state + ZERO_SLOT, zeroBits)
    writeBits(sum, 64)
    setSlot(state + SUM_SLOT, sum)
  } else {
    writeDod(state + TIME_SLOT, time)
    if (floats) {
      writeXor(state + COUNT_SLOT, reinterpret<u64>(count))
      writeXor(state + ZERO_SLOT, reinterpret<u64>(zero))
    } else {
      writeCount(state + COUNT_SLOT, count, stale)
      writeCount(state + ZERO_SLOT, zero, stale)
    }
    writeXor(state + SUM_SLOT, sum)
  }
  if (stale) return
  const slots = state + STATE_BYTES
  const positive = load<u32>(state, STATE_POSITIVE)
  const negative = load<u32>(state, STATE_NEGATIVE)
  writeBuckets(slots, positives, positive, first, floats)
  writeBuckets(slots + <usize>positive * SLOT_BYTES, negatives, negative, first, floats)
}

@inline
function setSlot(slot: usize, value: u64): void {
  if (!isDry()) store<u64>(slot, value)
}

/** A stale sample goes on with the delta before, which takes one bit. */
@inline
function writeCount(slot: usize, count: f64, stale: bool): void {
  writeDod(slot, stale ? load<i64>(slot) + load<i64>(slot, 8) : <i64>count)
}

function writeBuckets(slot: usize, column: usize, count: u32, first: bool, floats: bool): void {
  let before: i64 = 0
  for (let i: u32 = 0; i < count; i++, slot += SLOT_BYTES, column += 8) {
    if (floats) {
      const bits = load<u64>(column)
      if (first) {
        writeBits(bits, 64)
        setSlot(slot, bits)
      } else writeXor(slot, bits)
      continue
    }
    const bucket = <i64>load<f64>(column)
    const step = bucket - before
    before = bucket
    if (first) {
      writeVarbitInt(step)
      setSlot(slot, <u64>step)
    } else writeDod(slot, step)
  }
}
