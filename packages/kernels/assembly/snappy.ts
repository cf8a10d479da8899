// Snappy block format: uvarint length, then literals (tag 00) and copies (01: 11-bit, 10: 16-bit, 11: 32-bit
// offset). Data plane.
import { CORRUPT, NO_ROOM } from './common'

const BLOCK: u32 = 65536
/** Matches are not looked for in the last bytes of a block, so that loads stay inside. */
const MARGIN: u32 = 15
const TABLE_ENTRIES: u32 = 16384

export function snappyBound(length: u32): u32 {
  return 32 + length + length / 6
}

@inline
function hash(word: u32, shift: u32): u32 {
  return (word * 0x1e35a7bd) >> shift
}

@inline
function emitLiteral(op: usize, from: usize, length: u32): usize {
  const n = length - 1
  if (n < 60) {
    store<u8>(op++, <u8>(n << 2))
  } else if (n < 256) {
    store<u8>(op, 60 << 2)
    store<u8>(op, <u8>n, 1)
    op += 2
  } else {
    store<u8>(op, 61 << 2)
    store<u16>(op, <u16>n, 1)
    op += 3
  }
  memory.copy(op, from, length)
  return op + length
}

@inline
function emitCopy(op: usize, offset: u32, length: u32): usize {
  while (length >= 68) {
    store<u8>(op, (63 << 2) | 2)
    store<u16>(op, <u16>offset, 1)
    op += 3
    length -= 64
  }
  if (length > 64) {
    store<u8>(op, (59 << 2) | 2)
    store<u16>(op, <u16>offset, 1)
    op += 3
    length -= 60
  }
  if (length < 12 && offset < 2048) {
    store<u8>(op, <u8>(((offset >> 8) << 5) | ((length - 4) << 2) | 1))
    store<u8>(op, <u8>offset, 1)
    return op + 2
  }
  store<u8>(op, <u8>(((length - 1) << 2) | 2))
  store<u16>(op, <u16>offset, 1)
  return op + 3
}

export function snappyEncode(src: usize, srcLength: u32, dst: usize, table: usize): u32 {
  let op = dst
  let rest = srcLength
  while (rest >= 0x80) {
    store<u8>(op++, <u8>rest | 0x80)
    rest >>= 7
  }
  store<u8>(op++, <u8>rest)
  let done: u32 = 0
  while (done < srcLength) {
    const length = min<u32>(BLOCK, srcLength - done)
    op = encodeBlock(src + done, length, op, table)
    done += length
  }
  return <u32>(op - dst)
}

function encodeBlock(src: usize, length: u32, op: usize, table: usize): usize {
  if (length <= MARGIN + 1) return emitLiteral(op, src, length)
  let entries: u32 = 256
  let shift: u32 = 24
  while (entries < TABLE_ENTRIES && entries < length) {
    entries <<= 1
    shift--
  }
  memory.fill(table, 0, entries << 1)
  const limit = length - MARGIN
  let literal: u32 = 0
  let at: u32 = 1
  let misses: u32 = 32
  while (at < limit) {
    const word = load<u32>(src + at)
    const slot = table + (hash(word, shift) << 1)
    const candidate = <u32>load<u16>(slot)
    store<u16>(slot, <u16>at)
    if (load<u32>(src + candidate) != word) {
      // Data that does not compress is looked at ever more coarsely.
      at += misses++ >> 5
      continue
    }
    misses = 32
    if (at > literal) op = emitLiteral(op, src + literal, at - literal)
    let n: u32 = 4
    while (at + n + 8 <= length) {
      const difference = load<u64>(src + at + n) ^ load<u64>(src + candidate + n)
      if (difference != 0) {
        n += <u32>ctz(difference) >> 3
        break
      }
      n += 8
    }
    if (at + n + 8 > length)
      while (at + n < length && load<u8>(src + at + n) == load<u8>(src + candidate + n)) n++
    op = emitCopy(op, at - candidate, n)
    at += n
    literal = at
    if (at < limit) {
      const before = load<u32>(src + at - 1)
      store<u16>(table + (hash(before, shift) << 1), <u16>(at - 1))
    }
  }
  return literal < length ? emitLiteral(op, src + literal, length - literal) : op
}

/** Low 32 bits: the decoded length; high: the bytes of the header. All ones: damaged. */
function header(src: usize, srcLength: u32): u64 {
  let length: u64 = 0
  for (let i: u32 = 0; i < 5; i++) {
    if (i >= srcLength) return u64.MAX_VALUE
    const byte = load<u8>(src + i)
    length |= <u64>(byte & 0x7f) << (7 * i)
    if (byte < 0x80) return length > 0x7fffffff ? u64.MAX_VALUE : (<u64>(i + 1) << 32) | length
  }
  return u64.MAX_VALUE
}

export function snappyDecodedLength(src: usize, srcLength: u32): i32 {
  const head = header(src, srcLength)
  return head == u64.MAX_VALUE ? CORRUPT : <i32>head
}

export function snappyDecode(src: usize, srcLength: u32, dst: usize, dstCapacity: u32): i32 {
  const head = header(src, srcLength)
  if (head == u64.MAX_VALUE) return CORRUPT
  const length = <u32>head
  if (length > dstCapacity) return NO_ROOM
  // Positions relative to `src` and `dst`: they cannot wrap.
  let s = <u32>(head >> 32)
  let d: u32 = 0
  while (s < srcLength) {
    const tag = <u32>load<u8>(src + s)
    s++
    const left = srcLength - s
    let n: u32
    let offset: u32
    if ((tag & 3) == 0) {
      n = tag >> 2
      if (n >= 60) {
        const extra = n - 59
        if (extra > left) return CORRUPT
        n = 0
        for (let i: u32 = 0; i < extra; i++) n |= <u32>load<u8>(src + s + i) << (i << 3)
        s += extra
        if (n == 0xffffffff) return CORRUPT
      }
      n++
      if (n > srcLength - s || n > length - d) return CORRUPT
      if (n <= 16 && srcLength - s >= 16 && length - d >= 16) v128.store(dst + d, v128.load(src + s))
      else memory.copy(dst + d, src + s, n)
      s += n
      d += n
      continue
    }
    if ((tag & 3) == 1) {
      if (left < 1) return CORRUPT
      n = ((tag >> 2) & 7) + 4
      offset = ((tag >> 5) << 8) | load<u8>(src + s)
      s += 1
    } else if ((tag & 3) == 2) {
      if (left < 2) return CORRUPT
      n = (tag >> 2) + 1
      offset = load<u16>(src + s)
      s += 2
    } else {
      if (left < 4) return CORRUPT
      n = (tag >> 2) + 1
      offset = load<u32>(src + s)
      s += 4
    }
    if (offset == 0 || offset > d || n > length - d) return CORRUPT
    const to = dst + d
    const from = to - offset
    if (offset >= 16 && length - d >= 64) {
      // Copies are at most 64 long; what is written too much is overwritten later.
      v128.store(to, v128.load(from))
      if (n > 16) {
        v128.store(to, v128.load(from, 16), 16)
        if (n > 32) {
          v128.store(to, v128.load(from, 32), 32)
          v128.store(to, v128.load(from, 48), 48)
        }
      }
    } else if (offset >= n) {
      memory.copy(to, from, n)
    } else {
      for (let i: u32 = 0; i < n; i++) store<u8>(to + i, load<u8>(from + i))
    }
    d += n
  }
  return d == length ? <i32>length : CORRUPT
}
