// Native histogram chunks of encodings 2 (integers) and 3 (floats), and reading of 5 and 6 (with start
// timestamps). Data plane. Payload: u16 BE count, flags, layout, then the samples: time, count, zero count,
// sum, positive and negative buckets. In integer chunks all but the sum are varbit deltas of deltas (buckets
// as differences to their neighbour); sums, and all but the time of float chunks, are Gorilla slots. A stale
// sample is one whose sum is the staleness marker; it has no buckets.
import { CORRUPT, NO_ROOM, STALE, UNSUPPORTED } from './common'
import {
  clearLayout, columnsOf, hintOfFlags, layoutSamplesEnd, negativeBuckets, positiveBuckets, readLayout,
  storeHeader,
} from './histogram-layout'
import {
  INTEGERS, FLOATS, HEADER_BYTES, BITS, COUNT, ENCODING, STATE_POSITIVE, STATE_NEGATIVE, FIRST_TIME,
  TIME_SLOT, COUNT_SLOT, ZERO_SLOT, SUM_SLOT, STATE_BYTES, SLOT_BYTES, initState, hasStarts, isFloats,
} from './histogram-state'
import { openStarts, readStart } from './starts'
import {
  LENGTH_MAX, bitsLeft, openStream, overrun, position, readBits, readDod, readVarbitInt,
  readVarbitUint, readXor,
} from './stream'

/** Opens a chunk and reads its layout, into `image` too when that is not 0. */
function open(encoding: u32, chunk: usize, length: u32, image: usize): i32 {
  if (encoding != INTEGERS && encoding != FLOATS && !hasStarts(encoding)) return UNSUPPORTED
  if (length < HEADER_BYTES || length > LENGTH_MAX) return CORRUPT
  openStream(chunk, length, HEADER_BYTES * 8)
  openStarts(hasStarts(encoding) ? load<u8>(chunk, 2) : 0)
  clearLayout()
  const samples = samplesOf(encoding, chunk)
  if (samples == 0) return 0
  const result = readLayout(image)
  if (result < 0) return result
  // A sample takes four bits at least, so that a short chunk cannot ask for a large image.
  return samples - 1 > bitsLeft() >> 2 ? CORRUPT : 0
}

@inline
function samplesOf(encoding: u32, chunk: usize): u32 {
  const count = <u32>bswap<u16>(load<u16>(chunk))
  return hasStarts(encoding) ? count & 0x3fff : count
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
