// One bit stream under the hand, for the codecs whose samples have many fields. Data plane. Its registers are
// WebAssembly globals: they belong to the instance (one thread), not to the memory. They hold nothing between
// calls of exports.
import { peek64, putBits } from './common'

let base: usize = 0
let end: usize = 0
let endBit: u32 = 0
let at: u32 = 0
/** Counts bits instead of writing them. */
let dry: bool = false

/** Longest stream: positions in bits, and a few fields past the end, stay inside u32. */
export const LENGTH_MAX: u32 = 0x8000000

export function openStream(address: usize, length: u32, bit: u32): void {
  base = address
  end = address + length
  endBit = length << 3
  at = bit
  dry = false
}

@inline
export function position(): u32 {
  return at
}

/** Moves to a bit; what is written from here on is counted only when `counting`. */
export function seek(bit: u32, counting: bool): void {
  at = bit
  dry = counting
}

@inline
export function isDry(): bool {
  return dry
}

/** Bits left to read. */
@inline
export function bitsLeft(): u32 {
  return at < endBit ? endBit - at : 0
}

/** More was read, or counted, than there is. Reading past the end gives zeros. */
@inline
export function overrun(): bool {
  return at > endBit
}

/** Marks the stream as damaged. */
export function fail(): void {
  at = endBit + 1
}

@inline
function advance(n: u32): void {
  if (at <= endBit) at += n
}

/** 1…64 bits. */
@inline
export function readBits(n: u32): u64 {
  const word = peek64(base, at, end) >> <u64>(64 - n)
  advance(n)
  return word
}

/** 1…64 bits; nothing is written past the end. */
export function writeBits(value: u64, n: u32): void {
  if (!dry && at <= endBit && n <= endBit - at) putBits(base, at, end, value, n)
  advance(n)
}

/** Sizes of the groups of varbit numbers after 0…7 ones, a byte each. */
const VARBIT_SIZES: u64 = 0x381912_0c09_06_03_00

function readVarbit(signed: bool): u64 {
  const word = peek64(base, at, end)
  if (<i64>word >= 0) {
    advance(1)
    return 0
  }
  const ones = <u32>clz(~word)
  if (ones >= 8) {
    advance(8)
    return readBits(64)
  }
  const size = <u32>(VARBIT_SIZES >> <u64>(ones << 3)) & 255
  const value = (word << <u64>(ones + 1)) >> <u64>(64 - size)
  advance(ones + 1 + size)
  // Signed numbers of n bits hold -2^(n-1)+1 … 2^(n-1).
  if (signed && value > <u64>1 << <u64>(size - 1)) return value - (<u64>1 << <u64>size)
  return value
}

export function readVarbitInt(): i64 {
  return <i64>readVarbit(true)
}

export function readVarbitUint(): u64 {
  return readVarbit(false)
}

/** Writes the group of a number that needs `bits` of them. */
function writeGroup(value: u64, bits: u32): void {
  let ones: u32 = 1
  while (ones < 8 && (<u32>(VARBIT_SIZES >> <u64>(ones << 3)) & 255) < bits) ones++
  if (ones == 8) {
    writeBits(255, 8)
    writeBits(value, 64)
    return
  }
  const size = <u32>(VARBIT_SIZES >> <u64>(ones << 3)) & 255
  const mask = ((<u64>1) << <u64>size) - 1
  const prefix = ((<u64>1) << <u64>(ones + 1)) - 2
  writeBits((prefix << <u64>size) | (value & mask), ones + 1 + size)
}

export function writeVarbitInt(value: i64): void {
  if (value == 0) return writeBits(0, 1)
  // n bits hold value when -2^(n-1) < value ≤ 2^(n-1): those of |value| - (value > 0), and one more.
  const reach = value > 0 ? <u64>value - 1 : -(<u64>value)
  writeGroup(<u64>value, 65 - <u32>clz(reach))
}

export function writeVarbitUint(value: u64): void {
  if (value == 0) return writeBits(0, 1)
  writeGroup(value, 64 - <u32>clz(value))
}

// A Gorilla slot: +0 bits of the last value, +8 u32 leading zeros (NO_WINDOW = none yet), +12 u32 trailing
// zeros.
export const NO_WINDOW: u32 = 0xff

/** False when damaged. */
export function readXor(slot: usize): bool {
  const word = peek64(base, at, end)
  if (<i64>word >= 0) {
    advance(1)
    return true
  }
  let leading = load<u32>(slot, 8)
  let trailing = load<u32>(slot, 12)
  if (word & 0x4000000000000000) {
    leading = <u32>(word >> 57) & 31
    let significant = <u32>(word >> 51) & 63
    if (significant == 0) significant = 64
    if (leading + significant > 64) return false
    trailing = 64 - leading - significant
    store<u32>(slot, leading, 8)
    store<u32>(slot, trailing, 12)
    advance(13)
  } else {
    if (leading == NO_WINDOW) {
      leading = 0
      trailing = 0
    }
    advance(2)
  }
  const change = readBits(64 - leading - trailing) << <u64>trailing
  store<u64>(slot, load<u64>(slot) ^ change)
  return true
}

export function writeXor(slot: usize, bits: u64): void {
  const change = bits ^ load<u64>(slot)
  if (change == 0) return writeBits(0, 1)
  let leading = load<u32>(slot, 8)
  let trailing = load<u32>(slot, 12)
  const newLeading = min<u32>(<u32>clz(change), 31)
  const newTrailing = <u32>ctz(change)
  if (leading != NO_WINDOW && newLeading >= leading && newTrailing >= trailing) {
    writeBits(0b10, 2)
  } else {
    leading = newLeading
    trailing = newTrailing
    writeBits((0b11 << 11) | (leading << 6) | ((64 - leading - trailing) & 63), 13)
  }
  writeBits(change >> <u64>trailing, 64 - leading - trailing)
  if (dry) return
  store<u64>(slot, bits)
  store<u32>(slot, leading, 8)
  store<u32>(slot, trailing, 12)
}

// A slot of integers: +0 i64 last value, +8 i64 last delta.

export function readDod(slot: usize): i64 {
  const delta = load<i64>(slot, 8) + readVarbitInt()
  const value = load<i64>(slot) + delta
  store<i64>(slot, value)
  store<i64>(slot, delta, 8)
  return value
}

export function writeDod(slot: usize, value: i64): void {
  const delta = value - load<i64>(slot)
  writeVarbitInt(delta - load<i64>(slot, 8))
  if (dry) return
  store<i64>(slot, value)
  store<i64>(slot, delta, 8)
}

/** Go's uvarint, at any bit. A longer one than 64 bits damages the stream. */
export function readUvarint(): u64 {
  let value: u64 = 0
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    const byte = readBits(8)
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value
  }
  fail()
  return 0
}

/** Go's varint. */
export function readVarint(): i64 {
  const zigzag = readUvarint()
  return <i64>(zigzag >> 1) ^ -<i64>(zigzag & 1)
}

/** The next three bits without taking them. */
@inline
export function peekThree(): u32 {
  return <u32>(peek64(base, at, end) >> 61)
}

@inline
export function peekFive(): u32 {
  return <u32>(peek64(base, at, end) >> 59)
}

@inline
export function skip(n: u32): void {
  advance(n)
}
