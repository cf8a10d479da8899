// Layout at the head of histogram chunks: zero threshold, schema, spans, custom bounds. And the image they
// decode to, see histogramImageSize in src/contract.ts. Data plane.
import { CORRUPT } from './common'
import {
  bitsLeft, fail, overrun, readBits, readVarbitInt, readVarbitUint, writeBits, writeVarbitInt,
  writeVarbitUint,
} from './stream'

export const IMAGE_HEADER: usize = 40
export const SCHEMA: usize = 0
export const HINT: usize = 4
export const ZERO_THRESHOLD: usize = 8
export const SAMPLES: usize = 16
export const POSITIVE_SPANS: usize = 20
export const NEGATIVE_SPANS: usize = 24
export const POSITIVE: usize = 28
export const NEGATIVE: usize = 32
export const CUSTOM: usize = 36

export const CUSTOM_SCHEMA: i32 = -53
const SCHEMA_MIN: i32 = -9
const SCHEMA_MAX: i32 = 52

/** Counter-reset bits of the chunk's third byte ↔ hint of the image: 10 reset, 01 not reset, 11 gauge. */
export function hintOfFlags(flags: u32): u32 {
  const bits = flags >> 6
  return bits == 1 ? 2 : bits == 2 ? 1 : bits
}

export function flagsOfHint(hint: u32): u8 {
  return <u8>((hint == 1 ? 2 : hint == 2 ? 1 : hint & 3) << 6)
}

// Numbers of the layout read last; registers like those of the stream.
let schema: i32 = 0
let zeroThreshold: u64 = 0
let positiveSpans: u32 = 0
let negativeSpans: u32 = 0
let positive: u32 = 0
let negative: u32 = 0
let custom: u32 = 0

@inline
export function positiveBuckets(): u32 {
  return positive
}

@inline
export function negativeBuckets(): u32 {
  return negative
}

/** Forgets the layout read last: that of a chunk without samples. */
export function clearLayout(): void {
  schema = 0
  zeroThreshold = 0
  positiveSpans = negativeSpans = positive = negative = custom = 0
}

/** Bytes of an image up to the end of its samples; u64 so that nothing wraps. */
export function samplesEnd(spans: u64, bounds: u64, samples: u64, buckets: u64): u64 {
  return IMAGE_HEADER + (spans + bounds) * 8 + samples * 8 * (4 + buckets)
}

/** The same for the layout read last. */
export function layoutSamplesEnd(samples: u32): u64 {
  return samplesEnd(<u64>positiveSpans + negativeSpans, custom, samples, <u64>positive + negative)
}

/** Address of the columns behind the spans and bounds of an image. */
export function columnsOf(image: usize): usize {
  const words = load<u32>(image, POSITIVE_SPANS) + load<u32>(image, NEGATIVE_SPANS) + load<u32>(image, CUSTOM)
  return image + IMAGE_HEADER + (<usize>words << 3)
}

/** Writes the header of an image of the layout read last. */
export function storeHeader(image: usize, samples: u32, hint: u32): void {
  store<i32>(image, schema, SCHEMA)
  store<u32>(image, hint, HINT)
  store<u64>(image, zeroThreshold, ZERO_THRESHOLD)
  store<u32>(image, samples, SAMPLES)
  store<u32>(image, positiveSpans, POSITIVE_SPANS)
  store<u32>(image, negativeSpans, NEGATIVE_SPANS)
  store<u32>(image, positive, POSITIVE)
  store<u32>(image, negative, NEGATIVE)
  store<u32>(image, custom, CUSTOM)
}

/** Reads the layout from the stream; writes its spans and bounds into `image` when that is not 0. */
export function readLayout(image: usize): i32 {
  clearLayout()
  const threshold = <u32>readBits(8)
  if (threshold == 255) zeroThreshold = readBits(64)
  else if (threshold != 0) zeroThreshold = <u64>(threshold + 779) << 52
  const number = readVarbitInt()
  if (!((number >= SCHEMA_MIN && number <= SCHEMA_MAX) || number == CUSTOM_SCHEMA)) return CORRUPT
  schema = <i32>number
  const p = image ? image + IMAGE_HEADER : 0
  positiveSpans = readSpans(p)
  positive = spanBuckets
  negativeSpans = readSpans(p ? p + (<usize>positiveSpans << 3) : 0)
  negative = spanBuckets
  // Every bucket takes a bit of the first sample at least.
  if (overrun() || <u64>positive + negative > bitsLeft()) return CORRUPT
  if (schema == CUSTOM_SCHEMA) custom = readBounds(p ? p + (<usize>(positiveSpans + negativeSpans) << 3) : 0)
  return overrun() ? CORRUPT : 0
}

/** Buckets of the spans read last; too many when they are damaged. */
let spanBuckets: u32 = 0

function readSpans(p: usize): u32 {
  spanBuckets = 0
  const spans = readVarbitUint()
  let total: u64 = 0
  let damaged = spans > bitsLeft() >> 1
  for (let i: u64 = 0; i < spans && !damaged; i++) {
    const length = readVarbitUint()
    const offset = readVarbitInt()
    total += length
    damaged = length > 0xffffffff || total > 0xffffffff || offset != <i64>(<i32>offset)
    if (p) {
      store<i32>(p, <i32>offset)
      store<u32>(p, <u32>length, 4)
      p += 8
    }
  }
  spanBuckets = damaged ? u32.MAX_VALUE : <u32>total
  return damaged ? 0 : <u32>spans
}

function readBounds(p: usize): u32 {
  const bounds = readVarbitUint()
  if (bounds > bitsLeft()) {
    fail()
    return 0
  }
  for (let i: u64 = 0; i < bounds; i++) {
    const number = readVarbitUint()
    const bound = number == 0 ? reinterpret<f64>(readBits(64)) : <f64>(number - 1) / 1000
    if (p) {
      store<f64>(p, bound)
      p += 8
    }
  }
  return <u32>bounds
}

@inline
function roundHalfUp(x: f64): f64 {
  const whole = floor(x)
  return x - whole >= 0.5 ? whole + 1 : whole
}

function writeThreshold(threshold: f64): void {
  const bits = reinterpret<u64>(threshold)
  const exponent = <i32>(bits >> 52)
  if (threshold == 0) writeBits(0, 8)
  // Positive powers of two from 2^-243 to 2^10 take one byte.
  else if ((bits & 0xfffffffffffff) == 0 && exponent >= 780 && exponent <= 1033) writeBits(exponent - 779, 8)
  else {
    writeBits(255, 8)
    writeBits(bits, 64)
  }
}

function writeBound(bound: f64): void {
  const thousand = bound * 1000
  // Bounds with up to three decimals and not too large become an integer.
  if (thousand >= 0 && thousand <= 33554430) {
    const whole = roundHalfUp(thousand)
    if (whole / 1000 == bound) return writeVarbitUint(<u64>whole + 1)
  }
  writeBits(0, 1)
  writeBits(reinterpret<u64>(bound), 64)
}

/** Writes the layout of an image, an empty one for stale samples. */
export function writeLayout(image: usize, empty: bool): void {
  if (empty) {
    writeBits(0, 8)
    writeBits(0, 3)
    return
  }
  const schema = load<i32>(image, SCHEMA)
  writeThreshold(load<f64>(image, ZERO_THRESHOLD))
  writeVarbitInt(schema)
  let p = image + IMAGE_HEADER
  for (let side: usize = 0; side < 2; side++) {
    const spans = load<u32>(image + side * 4, POSITIVE_SPANS)
    writeVarbitUint(spans)
    for (let i: u32 = 0; i < spans; i++, p += 8) {
      writeVarbitUint(load<u32>(p, 4))
      writeVarbitInt(load<i32>(p))
    }
  }
  if (schema != CUSTOM_SCHEMA) return
  const bounds = load<u32>(image, CUSTOM)
  writeVarbitUint(bounds)
  for (let i: u32 = 0; i < bounds; i++, p += 8) writeBound(load<f64>(p))
}
