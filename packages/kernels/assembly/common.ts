// Results and bit access shared by the kernels. Bits of a stream are numbered from 0, most significant bit of
// the first byte first.

export const CORRUPT: i32 = -1
export const NO_ROOM: i32 = -2
export const UNSUPPORTED: i32 = -3

/** Bits of the staleness marker. */
export const STALE: u64 = 0x7ff0000000000002

/** Eight bytes as a big-endian number; bytes from `end` on count as 0 and are not touched. */
function loadTail(p: usize, end: usize): u64 {
  let word: u64 = 0
  let shift: u64 = 56
  while (p < end) {
    word |= <u64>load<u8>(p) << shift
    if (shift == 0) break
    shift -= 8
    p++
  }
  return word
}

/**
 * The 64 bits from bit `pos` of the bytes at `base`, zero-filled past `end`. Touches nothing outside
 * `base`…`end`; `pos` may lie past the end.
 */
@inline
export function peek64(base: usize, pos: u32, end: usize): u64 {
  const at: u32 = pos >> 3
  const size: u32 = <u32>(end - base)
  const offset: u64 = <u64>(pos & 7)
  const p = base + at
  // `size - at` wraps when `at` is past the end, hence the first condition.
  if (at < size && size - at >= 9)
    return (bswap<u64>(load<u64>(p)) << offset) | (<u64>load<u8>(p, 8) >> (8 - offset))
  return peekTail(base, at, offset, size, end)
}

function peekTail(base: usize, at: u32, offset: u64, size: u32, end: usize): u64 {
  if (at >= size) return 0
  const p = base + at
  let word = loadTail(p, end) << offset
  if (size - at > 8) word |= <u64>load<u8>(p, 8) >> (8 - offset)
  return word
}

/**
 * Writes the lowest `n` bits (1…64) of `value` at bit `pos` of the bytes at `base`. The caller made sure that
 * they fit before `end`. Bits of the last byte after them become 0; bytes between them and `end` may be
 * zeroed.
 */
@inline
export function putBits(base: usize, pos: u32, end: usize, value: u64, n: u32): void {
  const p = base + (pos >> 3)
  const offset = <u64>(pos & 7)
  const top = value << <u64>(64 - n)
  const head = offset ? (<u64>load<u8>(p) & (0xff00 >> offset)) << 56 : 0
  if (<u32>(end - p) >= 9) {
    store<u64>(p, bswap<u64>(head | (top >> offset)))
    if (<u32>offset + n > 64) store<u8>(p, <u8>((top << (8 - offset))), 8)
  } else {
    putTail(p, head | (top >> offset), top << (8 - offset), <u32>offset + n)
  }
}

function putTail(p: usize, word: u64, rest: u64, bits: u32): void {
  let left: i32 = <i32>bits
  for (let i = 0; i < 8 && left > 0; i++) {
    store<u8>(p, <u8>(word >> 56))
    word <<= 8
    p++
    left -= 8
  }
  if (left > 0) store<u8>(p, <u8>rest)
}
