// Native histogram chunks of encodings 2 (integers) and 3 (floats), and reading of 5 and 6 (with start
// timestamps). Data plane. Payload: u16 BE count, flags, layout, then the samples: time, count, zero count,
// sum, positive and negative buckets. In integer chunks all but the sum are varbit deltas of deltas (buckets
// as differences to their neighbour); sums, and all but the time of float chunks, are Gorilla slots. A stale
// sample is one whose sum is the staleness marker; it has no buckets.
import { CORRUPT, NO_ROOM, STALE, UNSUPPORTED } from './common'
import {
  CUSTOM, HINT, IMAGE_HEADER, NEGATIVE, NEGATIVE_SPANS, POSITIVE, POSITIVE_SPANS, SAMPLES, clearLayout,
  columnsOf, flagsOfHint, hintOfFlags, layoutSamplesEnd, negativeBuckets, positiveBuckets, readLayout,
  samplesEnd, storeHeader, writeLayout,
} from './histogram-layout'
import { openStarts, readStart } from './starts'
import {
  LENGTH_MAX, NO_WINDOW, isDry, openStream, overrun, position, readBits, readDod, readVarbitInt,
  readVarbitUint, readXor, seek, writeBits, writeDod, writeVarbitInt, writeVarbitUint, writeXor,
} from './stream'

const INTEGERS: u32 = 2
const FLOATS: u32 = 3
/**
 * The same with start timestamps; the third byte is their header, the hint shares the first two with the
 * count. Only read.
 */
const INTEGERS_STARTS: u32 = 5
const FLOATS_STARTS: u32 = 6
const HEADER_BYTES: u32 = 3
/** Integers up to here are exact as f64. */
const EXACT: f64 = 9007199254740992
/** Most bits of one number. */
const NUMBER_BITS: u32 = 77

// The state, see HISTOGRAM_STATE_BYTES of src/contract.ts.
const CHUNK: usize = 0
const CAPACITY: usize = 4
const BITS: usize = 8
const COUNT: usize = 12
const ENCODING: usize = 16
const STATE_POSITIVE: usize = 20
const STATE_NEGATIVE: usize = 24
const FIRST_TIME: usize = 32
const TIME_SLOT: usize = 48
const COUNT_SLOT: usize = 64
const ZERO_SLOT: usize = 80
const SUM_SLOT: usize = 96
const STATE_BYTES: usize = 128
const SLOT_BYTES: usize = 16

function initState(
  state: usize, encoding: u32, chunk: usize, capacity: u32, positive: u32, negative: u32,
): void {
  memory.fill(state, 0, STATE_BYTES + <usize>(positive + negative) * SLOT_BYTES)
  store<u32>(state, <u32>chunk, CHUNK)
  store<u32>(state, min<u32>(capacity, LENGTH_MAX), CAPACITY)
  store<u32>(state, HEADER_BYTES * 8, BITS)
  store<u32>(state, encoding, ENCODING)
  store<u32>(state, positive, STATE_POSITIVE)
  store<u32>(state, negative, STATE_NEGATIVE)
  store<u32>(state + SUM_SLOT, NO_WINDOW, 8)
  if (!isFloats(encoding)) return
  store<u32>(state + COUNT_SLOT, NO_WINDOW, 8)
  store<u32>(state + ZERO_SLOT, NO_WINDOW, 8)
  let slot = state + STATE_BYTES
  for (let i: u32 = 0; i < positive + negative; i++, slot += SLOT_BYTES) store<u32>(slot, NO_WINDOW, 8)
}

// ---- reading

/** Opens a chunk and reads its layout, into `image` too when that is not 0. */
function open(encoding: u32, chunk: usize, length: u32, image: usize): i32 {
  if (encoding != INTEGERS && encoding != FLOATS && !hasStarts(encoding)) return UNSUPPORTED
  if (length < HEADER_BYTES || length > LENGTH_MAX) return CORRUPT
  openStream(chunk, length, HEADER_BYTES * 8)
  openStarts(hasStarts(encoding) ? load<u8>(chunk, 2) : 0)
  clearLayout()
  return samplesOf(encoding, chunk) == 0 ? 0 : readLayout(image)
}

@inline
function hasStarts(encoding: u32): bool {
  return encoding == INTEGERS_STARTS || encoding == FLOATS_STARTS
}

@inline
function samplesOf(encoding: u32, chunk: usize): u32 {
  const count = <u32>bswap<u16>(load<u16>(chunk))
  return hasStarts(encoding) ? count & 0x3fff : count
}

@inline
function isFloats(encoding: u32): bool {
  return encoding == FLOATS || encoding == FLOATS_STARTS
}

/** State and buckets of the layout read last. */
function stateBytes(): u64 {
  return STATE_BYTES + (<u64>positiveBuckets() + negativeBuckets()) * SLOT_BYTES
}

export function histogramImageSize(encoding: u32, chunk: usize, length: u32): i32 {
  const result = open(encoding, chunk, length, 0)
  if (result < 0) return result
  const size = layoutSamplesEnd(samplesOf(encoding, chunk)) + stateBytes()
  return size > 0x7fffffff ? NO_ROOM : <i32>size
}

export function histogramDecode(
  encoding: u32, chunk: usize, length: u32, image: usize, imageSize: u32, starts: usize,
): i32 {
  const size = histogramImageSize(encoding, chunk, length)
  if (size < 0) return size
  if (<u32>size > imageSize) return NO_ROOM
  const result = open(encoding, chunk, length, image)
  if (result < 0) return result
  const samples = samplesOf(encoding, chunk)
  storeHeader(image, samples, hintOfFlags(load<u8>(chunk + (hasStarts(encoding) ? 0 : 2))))
  const state = image + <usize>layoutSamplesEnd(samples)
  initState(state, encoding, chunk, length, positiveBuckets(), negativeBuckets())
  return walk(state, samples, columnsOf(image), starts)
}

export function histogramResume(
  encoding: u32, state: usize, stateCapacity: u32, chunk: usize, length: u32, capacity: u32,
): i32 {
  if (hasStarts(encoding)) return UNSUPPORTED
  if (length > capacity) return CORRUPT
  let result = open(encoding, chunk, length, 0)
  if (result < 0) return result
  if (stateBytes() > <u64>stateCapacity) return NO_ROOM
  initState(state, encoding, chunk, capacity, positiveBuckets(), negativeBuckets())
  result = walk(state, samplesOf(encoding, chunk), 0, 0)
  return result < 0 ? result : 0
}

/**
 * Reads all samples from the stream, into the columns when those are not 0, and leaves the state of the
 * chunk's end.
 */
function walk(state: usize, samples: u32, columns: usize, starts: usize): i32 {
  const positive = load<u32>(state, STATE_POSITIVE)
  const negative = load<u32>(state, STATE_NEGATIVE)
  const floats = isFloats(load<u32>(state, ENCODING))
  const column = <usize>samples << 3
  let positives = columns + 4 * column
  let negatives = positives + column * positive
  const slots = state + STATE_BYTES
  for (let k: u32 = 0; k < samples; k++) {
    const before = load<i64>(state + TIME_SLOT)
    const sound = k == 0 ? readFirst(state, floats) : readNext(state, floats)
    const stale = load<u64>(state + SUM_SLOT) == STALE
    if (!sound) return CORRUPT
    if (k == 0 || !stale) {
      if (!readBuckets(slots, positive + negative, k == 0, floats)) return CORRUPT
    }
    const start = readStart(k, load<i64>(state + TIME_SLOT), before)
    if (overrun()) return CORRUPT
    if (starts) store<f64>(starts + (<usize>k << 3), <f64>start)
    if (!columns) continue
    const at = columns + (<usize>k << 3)
    store<f64>(at, <f64>load<i64>(state + TIME_SLOT))
    store<u64>(at + column * 3, load<u64>(state + SUM_SLOT))
    if (stale) {
      store<f64>(at + column, 0)
      store<f64>(at + column * 2, 0)
      memory.fill(positives, 0, <usize>positive << 3)
      memory.fill(negatives, 0, <usize>negative << 3)
    } else if (floats) {
      store<u64>(at + column, load<u64>(state + COUNT_SLOT))
      store<u64>(at + column * 2, load<u64>(state + ZERO_SLOT))
      copyFloats(slots, positives, positive)
      copyFloats(slots + <usize>positive * SLOT_BYTES, negatives, negative)
    } else {
      store<f64>(at + column, <f64>load<u64>(state + COUNT_SLOT))
      store<f64>(at + column * 2, <f64>load<u64>(state + ZERO_SLOT))
      sumIntegers(slots, positives, positive)
      sumIntegers(slots + <usize>positive * SLOT_BYTES, negatives, negative)
    }
    positives += <usize>positive << 3
    negatives += <usize>negative << 3
  }
  store<u32>(state, samples, COUNT)
  store<u32>(state, position(), BITS)
  return <i32>samples
}

function readFirst(state: usize, floats: bool): bool {
  const time = readVarbitInt()
  store<i64>(state + TIME_SLOT, time)
  store<f64>(state, <f64>time, FIRST_TIME)
  store<u64>(state + COUNT_SLOT, floats ? readBits(64) : readVarbitUint())
  store<u64>(state + ZERO_SLOT, floats ? readBits(64) : readVarbitUint())
  store<u64>(state + SUM_SLOT, readBits(64))
  return true
}

function readNext(state: usize, floats: bool): bool {
  readDod(state + TIME_SLOT)
  if (floats) {
    if (!readXor(state + COUNT_SLOT) || !readXor(state + ZERO_SLOT)) return false
  } else {
    readDod(state + COUNT_SLOT)
    readDod(state + ZERO_SLOT)
  }
  return readXor(state + SUM_SLOT)
}

function readBuckets(slot: usize, count: u32, first: bool, floats: bool): bool {
  for (let i: u32 = 0; i < count; i++, slot += SLOT_BYTES) {
    if (first) store<u64>(slot, floats ? readBits(64) : <u64>readVarbitInt())
    else if (!floats) readDod(slot)
    else if (!readXor(slot)) return false
  }
  return true
}

function copyFloats(slot: usize, out: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++, slot += SLOT_BYTES, out += 8) store<u64>(out, load<u64>(slot))
}

function sumIntegers(slot: usize, out: usize, count: u32): void {
  let sum: i64 = 0
  for (let i: u32 = 0; i < count; i++, slot += SLOT_BYTES, out += 8) {
    sum += load<i64>(slot)
    store<f64>(out, <f64>sum)
  }
}

// ---- writing

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
