// Float chunks of encoding 4 (XOR2), which may hold start timestamps: reading. Data plane. Payload: u16 BE
// count, header of the starts; varint t0, f64 v0; uvarint t1-t0, value; then for each sample a joint prefix:
// 0 = same delta and value | 10 same delta, value in short form | 110+13 and 1110+20 bits, 11110+64 delta of
// deltas, value | 11111 same delta, stale. Value against the last one that was not stale: 0 = same | 10+bits
// of the window before | 110+5+6+bits | 111 = stale. Short form: 0+bits | 1+5+6+bits.
import { CORRUPT, NO_ROOM, STALE } from './common'
import { openStarts, readStart } from './starts'
import {
  LENGTH_MAX, openStream, overrun, peekFive, peekThree, readBits, readUvarint, readVarint, skip,
} from './stream'

const HEADER_BYTES: u32 = 3

// Registers of the chunk being read.
let baseline: u64 = 0
let leading: u32 = 0
let trailing: u32 = 0

/** Bits of a value that changed; false when damaged. */
function readChange(newWindow: bool): bool {
  if (newWindow) {
    leading = <u32>readBits(5)
    let significant = <u32>readBits(6)
    if (significant == 0) significant = 64
    if (leading + significant > 64) return false
    trailing = 64 - leading - significant
  }
  baseline ^= readBits(64 - leading - trailing) << <u64>trailing
  return true
}

/** What the long form of a value says: 0 = the baseline, 1 = stale, 2 = damaged. */
function readValue(): u32 {
  const prefix = peekThree()
  if (prefix < 4) {
    skip(1)
    return 0
  }
  if (prefix < 6) {
    skip(2)
    return readChange(false) ? 0 : 2
  }
  skip(3)
  if (prefix == 7) return 1
  return readChange(true) ? 0 : 2
}

export function xor2Decode(
  chunk: usize, length: u32, times: usize, values: usize, starts: usize, capacity: u32,
): i32 {
  if (length < HEADER_BYTES || length > LENGTH_MAX) return CORRUPT
  const count = <u32>bswap<u16>(load<u16>(chunk))
  if (count > capacity) return NO_ROOM
  openStream(chunk, length, HEADER_BYTES * 8)
  openStarts(load<u8>(chunk, 2))
  baseline = 0
  leading = 0
  trailing = 0
  let time: i64 = 0
  let delta: i64 = 0
  for (let i: u32 = 0; i < count; i++) {
    const before = time
    let kind: u32 = 0
    if (i == 0) {
      time = readVarint()
      const bits = readBits(64)
      if (bits == STALE) kind = 1
      else baseline = bits
    } else if (i == 1) {
      delta = <i64>readUvarint()
      time += delta
      kind = readValue()
    } else {
      const prefix = peekFive()
      if (prefix < 0b10000) {
        skip(1)
      } else if (prefix < 0b11000) {
        skip(2)
        if (!readChange(readBits(1) != 0)) kind = 2
      } else if (prefix == 0b11111) {
        skip(5)
        kind = 1
      } else {
        if (prefix < 0b11100) {
          skip(3)
          delta += (<i64>readBits(13) << 51) >> 51
        } else if (prefix < 0b11110) {
          skip(4)
          delta += (<i64>readBits(20) << 44) >> 44
        } else {
          skip(5)
          delta += <i64>readBits(64)
        }
        kind = readValue()
      }
      time += delta
    }
    if (kind == 2) return CORRUPT
    const start = readStart(i, time, before)
    if (overrun()) return CORRUPT
    const at = <usize>i << 3
    store<f64>(times + at, <f64>time)
    store<u64>(values + at, kind == 1 ? STALE : baseline)
    if (starts) store<f64>(starts + at, <f64>start)
  }
  return <i32>count
}
