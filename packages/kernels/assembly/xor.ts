// Float chunks of encoding 1 (Gorilla as in Prometheus). Data plane. Payload: u16 BE count; varint t0, f64
// v0; uvarint t1-t0, value; then for each sample the delta of deltas and the value. Delta of deltas: 0 |
// 10+14 bits | 110+17 | 1110+20 | 1111+64. Value, XOR with the one before: 0 | 10+bits of the window before |
// 11 + 5 bits leading zeros + 6 bits count of significant bits (0 = 64) + bits.
import { CORRUPT, NO_ROOM, STALE, peek64, putBits } from './common'

// The state, see XOR_STATE_BYTES of src/contract.ts.
const CHUNK: usize = 0
const CAPACITY: usize = 4
const BITS: usize = 8
const COUNT: usize = 12
const FIRST_TIME: usize = 16
const LAST_TIME: usize = 24
const LAST_VALUE: usize = 32
const LAST_DELTA: usize = 40
const LEADING: usize = 48
const TRAILING: usize = 52
const NONE: u32 = 0xff

@inline
function storeCount(chunk: usize, count: u32): void {
  store<u16>(chunk, bswap<u16>(<u16>count))
}

export function xorInit(state: usize, chunk: usize, capacity: u32): void {
  memory.fill(state, 0, 64)
  store<u32>(state, <u32>chunk, CHUNK)
  store<u32>(state, capacity, CAPACITY)
  store<u32>(state, 16, BITS)
  store<u32>(state, NONE, LEADING)
  if (capacity >= 2) storeCount(chunk, 0)
}

@inline
function uvarintBytes(value: u64): u32 {
  return value == 0 ? 1 : (70 - <u32>clz(value)) / 7
}

function putUvarint(p: usize, value: u64): void {
  while (value >= 0x80) {
    store<u8>(p++, <u8>value | 0x80)
    value >>= 7
  }
  store<u8>(p, <u8>value)
}

@inline
function fits(value: i64, bits: i64): bool {
  return value >= -((1 << (bits - 1)) - 1) && value <= 1 << (bits - 1)
}

export function xorAppend(state: usize, timeMs: f64, value: f64): i32 {
  return append(state, timeMs, reinterpret<u64>(value))
}

/** The value's bits come from memory: a NaN that passes through JavaScript may lose its own. */
export function xorAppendAt(state: usize, timeMs: f64, value: usize): i32 {
  return append(state, timeMs, load<u64>(value))
}

function append(state: usize, timeMs: f64, bits: u64): i32 {
  const chunk = <usize>load<u32>(state, CHUNK)
  const capacity = load<u32>(state, CAPACITY)
  const count = load<u32>(state, COUNT)
  const time = <i64>timeMs
  let pos = load<u32>(state, BITS)
  // Bit positions are u32: a chunk is shorter than 2^28 bytes, which 65535 samples never reach.
  const room = min<u32>(capacity, 0x10000000) * 8
  const end = chunk + capacity
  let delta: i64 = 0
  if (count == 0) {
    const zigzag = (<u64>time << 1) ^ <u64>(time >> 63)
    const bytes = uvarintBytes(zigzag)
    if (room < 16 + (bytes + 8) * 8) return 1
    putUvarint(chunk + 2, zigzag)
    store<u64>(chunk + 2 + bytes, bswap<u64>(bits))
    pos = 16 + (bytes + 8) * 8
    store<f64>(state, <f64>time, FIRST_TIME)
  } else {
    if (count >= 65535) return 1
    let leading = load<u32>(state, LEADING)
    let trailing = load<u32>(state, TRAILING)
    const change = bits ^ load<u64>(state, LAST_VALUE)
    let wide = false
    let valueBits: u32 = 1
    if (change != 0) {
      const newLeading = min<u32>(<u32>clz(change), 31)
      const newTrailing = <u32>ctz(change)
      wide = leading == NONE || newLeading < leading || newTrailing < trailing
      if (wide) {
        leading = newLeading
        trailing = newTrailing
      }
      valueBits = (wide ? 13 : 2) + 64 - leading - trailing
    }
    delta = time - <i64>load<f64>(state, LAST_TIME)
    // Bits of the time and the head of the value are gathered in a word and mostly written with the value in
    // one go.
    let word: u64 = 0
    let n: u32 = 0
    if (count == 1) {
      const bytes = uvarintBytes(<u64>delta)
      if (room - pos < bytes * 8 + valueBits) return 1
      putUvarint(chunk + (pos >> 3), <u64>delta)
      pos += bytes * 8
    } else {
      const dod = delta - <i64>load<f64>(state, LAST_DELTA)
      if (dod == 0) {
        n = 1
      } else if (fits(dod, 14)) {
        word = (0b10 << 14) | (<u64>dod & 0x3fff)
        n = 16
      } else if (fits(dod, 17)) {
        word = (0b110 << 17) | (<u64>dod & 0x1ffff)
        n = 20
      } else if (fits(dod, 20)) {
        word = (0b1110 << 20) | (<u64>dod & 0xfffff)
        n = 24
      } else {
        if (room - pos < 68 + valueBits) return 1
        putBits(chunk, pos, end, 0b1111, 4)
        putBits(chunk, pos + 4, end, <u64>dod, 64)
        pos += 68
      }
      if (room - pos < n + valueBits) return 1
    }
    if (change == 0) {
      putBits(chunk, pos, end, word << 1, n + 1)
      pos += n + 1
    } else {
      const significant = 64 - leading - trailing
      const payload = change >> trailing
      if (wide) {
        word = (word << 13) | (0b11 << 11) | (leading << 6) | (significant & 63)
        n += 13
        store<u32>(state, leading, LEADING)
        store<u32>(state, trailing, TRAILING)
      } else {
        word = (word << 2) | 0b10
        n += 2
      }
      if (n + significant <= 64) {
        putBits(chunk, pos, end, (word << significant) | payload, n + significant)
      } else {
        putBits(chunk, pos, end, word, n)
        putBits(chunk, pos + n, end, payload, significant)
      }
      pos += n + significant
    }
  }
  store<u32>(state, pos, BITS)
  store<u32>(state, count + 1, COUNT)
  store<f64>(state, <f64>time, LAST_TIME)
  store<u64>(state, bits, LAST_VALUE)
  store<f64>(state, <f64>delta, LAST_DELTA)
  storeCount(chunk, count + 1)
  return 0
}

/** Whether the chunk decoded last holds a staleness marker. */
export let staleSeen: bool = false

/** Walks a chunk. `keep`: samples are written. `state` != 0: the state of its end is written. */
@inline
function walk(
  chunk: usize, length: u32, times: usize, values: usize, capacity: u32, state: usize, keep: bool,
): i32 {
  if (length < 2 || length > 0x10000000) return CORRUPT
  const count = <u32>bswap<u16>(load<u16>(chunk))
  if (keep && count > capacity) return NO_ROOM
  const end = chunk + length
  const endBit = length << 3
  let pos: u32 = 16
  let time: i64 = 0
  let delta: i64 = 0
  let bits: u64 = 0
  let leading: u32 = 0
  let trailing: u32 = 0
  let known = false
  let firstTime: i64 = 0
  let stale: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    let w: u64
    let used: u32 = 0
    if (i > 1) {
      w = peek64(chunk, pos, end)
      if (<i64>w >= 0) {
        used = 1
        w <<= 1
      } else {
        const ones = <u32>clz(~w)
        if (ones == 1) {
          let dod = <i64>(w << 2) >> 50
          if (dod == -8192) dod = 8192
          delta += dod
          used = 16
          w <<= 16
        } else if (ones == 2) {
          let dod = <i64>(w << 3) >> 47
          if (dod == -65536) dod = 65536
          delta += dod
          used = 20
          w <<= 20
        } else if (ones == 3) {
          let dod = <i64>(w << 4) >> 44
          if (dod == -524288) dod = 524288
          delta += dod
          used = 24
          w <<= 24
        } else {
          delta += <i64>peek64(chunk, pos + 4, end)
          pos += 68
          w = peek64(chunk, pos, end)
        }
      }
      time += delta
    } else {
      // The first two samples begin with a varint; they lie on byte borders.
      let varint: u64 = 0
      for (let shift: u64 = 0; ; shift += 7) {
        if (pos >= endBit || shift > 63) return CORRUPT
        const byte = load<u8>(chunk + (pos >> 3))
        pos += 8
        varint |= <u64>(byte & 0x7f) << shift
        if (byte < 0x80) break
      }
      if (i == 0) {
        time = <i64>(varint >> 1) ^ -<i64>(varint & 1)
        firstTime = time
        bits = peek64(chunk, pos, end)
        pos += 64
        if (pos > endBit) return CORRUPT
        if (keep) {
          store<f64>(times, <f64>time)
          store<u64>(values, bits)
          stale = u32(bits == STALE)
          times += 8
          values += 8
        }
        continue
      }
      delta = <i64>varint
      time += delta
      w = peek64(chunk, pos, end)
    }
    if (<i64>w >= 0) {
      pos += used + 1
    } else {
      let head: u32 = 2
      if (w & 0x4000000000000000) {
        leading = <u32>(w >> 57) & 31
        let significant = <u32>(w >> 51) & 63
        if (significant == 0) significant = 64
        if (leading + significant > 64) return CORRUPT
        trailing = 64 - leading - significant
        known = true
        head = 13
      }
      const significant = 64 - leading - trailing
      used += head
      const word = used + significant <= 64 ? w << head : peek64(chunk, pos + used, end)
      bits ^= (word >> (64 - significant)) << trailing
      pos += used + significant
    }
    if (pos > endBit) return CORRUPT
    if (keep) {
      store<f64>(times, <f64>time)
      store<u64>(values, bits)
      stale |= u32(bits == STALE)
      times += 8
      values += 8
    }
  }
  if (keep) staleSeen = stale != 0
  if (state) {
    store<u32>(state, pos, BITS)
    store<u32>(state, count, COUNT)
    store<f64>(state, <f64>firstTime, FIRST_TIME)
    store<f64>(state, <f64>time, LAST_TIME)
    store<u64>(state, bits, LAST_VALUE)
    store<f64>(state, <f64>delta, LAST_DELTA)
    store<u32>(state, known ? leading : NONE, LEADING)
    store<u32>(state, known ? trailing : 0, TRAILING)
  }
  return <i32>count
}

export function xorResume(state: usize, chunk: usize, length: u32, capacity: u32): i32 {
  if (length > capacity) return CORRUPT
  xorInit(state, chunk, 0)
  store<u32>(state, capacity, CAPACITY)
  const result = walk(chunk, length, 0, 0, 0, state, false)
  return result < 0 ? result : 0
}

export function xorDecode(chunk: usize, length: u32, times: usize, values: usize, capacity: u32): i32 {
  return walk(chunk, length, times, values, capacity, 0, true)
}
