// Scan of a text exposition against the series texts of the scrape before. Data plane. Whatever is not
// plainly a known series, a number and perhaps a timestamp becomes a miss: the caller parses that line
// itself.
import { NO_ROOM, STALE } from './common'
import { crc32c } from './crc32c'
import { parseNumber } from './number'

const OPEN_METRICS: u32 = 1
/** Rows of the cache that are looked at when a line is not where it was. */
const LOOK_AHEAD: u32 = 8

const NEWLINE: u8 = 0x0a
const BLANK: u8 = 0x20
const TAB: u8 = 0x09
const QUOTE: u8 = 0x22
const BACKSLASH: u8 = 0x5c

/** First newline from `p`, or `end`. May read up to 15 bytes past `end` (guard). */
function findNewline(p: usize, end: usize): usize {
  while (p < end) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(NEWLINE)))
    if (mask) return min<usize>(p + ctz(mask), end)
    p += 16
  }
  return end
}

/** End of a line whose quoted parts may hold newlines. */
function findLineEnd(p: usize, end: usize): usize {
  while (p < end) {
    const word = v128.load(p)
    const mask = i8x16.bitmask(
      v128.or(i8x16.eq(word, i8x16.splat(NEWLINE)), i8x16.eq(word, i8x16.splat(QUOTE))),
    )
    if (!mask) {
      p += 16
      continue
    }
    p += ctz(mask)
    if (p >= end) return end
    if (load<u8>(p) == NEWLINE) return p
    p = skipQuoted(p + 1, end)
  }
  return end
}

/** Behind the quote that ends a quoted text. */
function skipQuoted(p: usize, end: usize): usize {
  while (p < end) {
    const word = v128.load(p)
    const mask = i8x16.bitmask(
      v128.or(i8x16.eq(word, i8x16.splat(QUOTE)), i8x16.eq(word, i8x16.splat(BACKSLASH))),
    )
    if (!mask) {
      p += 16
      continue
    }
    p += ctz(mask)
    if (p >= end) return end
    if (load<u8>(p) == QUOTE) return p + 1
    p += 2
  }
  return end
}

@inline
function differ(a: usize, b: usize, at: u32): bool {
  return v128.any_true(v128.xor(v128.load(a + at), v128.load(b + at)))
}

@inline
function equal(a: usize, b: usize, n: u32): bool {
  if (n >= 16) {
    // The end first: neighbours of a family differ there.
    if (differ(a, b, n - 16)) return false
    for (let i: u32 = 0; i + 16 < n; i += 16) if (differ(a, b, i)) return false
    return true
  }
  for (let i: u32 = 0; i < n; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false
  return true
}

/** Whether the series text of a cache row stands at `p`, followed by a blank. */
@inline
function matches(row: usize, p: usize, end: usize, strict: bool): bool {
  const length = load<u32>(row, 4)
  if (length == 0 || length >= <u32>(end - p) || load<u32>(row, 8) == 0) return false
  const after = load<u8>(p + length)
  return (after == BLANK || (after == TAB && !strict)) && equal(p, load<u32>(row), length)
}

@inline
function isBlank(byte: u8): bool {
  return byte == BLANK || byte == TAB
}

/**
 * Reads ` value [timestamp]` from `p` to the newline. Stores both and returns where the line ends, or 0 when
 * it is not that plain.
 */
@inline
function readTail(p: usize, end: usize, strict: bool, value: usize, time: usize): usize {
  p++
  if (!strict) while (p < end && isBlank(load<u8>(p))) p++
  const from = p
  while (p < end && load<u8>(p) > BLANK) p++
  if (parseNumber(from, p, value) != 1) return 0
  store<u64>(time, STALE)
  if (p < end && load<u8>(p) == NEWLINE) return p
  if (strict && (p >= end || load<u8>(p) != BLANK)) return 0
  if (strict) p++
  else while (p < end && isBlank(load<u8>(p))) p++
  if (p >= end) return strict ? 0 : end
  if (load<u8>(p) == NEWLINE) return strict ? 0 : p
  return readTime(p, end, strict, time)
}

/** 0.0.4: whole milliseconds. OpenMetrics: seconds with a fraction. */
function readTime(p: usize, end: usize, strict: bool, time: usize): usize {
  const from = p
  if (strict) {
    while (p < end && load<u8>(p) > BLANK) p++
    if (p >= end || load<u8>(p) != NEWLINE || parseNumber(from, p, time) != 1) return 0
    const ms = load<f64>(time) * 1000
    if (!(abs(ms) < 9007199254740992)) return 0
    store<f64>(time, trunc(ms) + 0)
    return p
  }
  let ms: u64 = 0
  while (p < end) {
    const digit = <u32>load<u8>(p) - 48
    if (digit > 9) break
    ms = ms * 10 + digit
    p++
  }
  if (p == from || p - from > 15) return 0
  store<f64>(time, <f64>ms)
  while (p < end && isBlank(load<u8>(p))) p++
  return p == end || load<u8>(p) == NEWLINE ? p : 0
}

export function scanText(
  text: usize, length: u32, cache: usize, cacheRows: u32,
  ids: usize, offsets: usize, values: usize, times: usize, capacity: u32, flags: u32, commentHash: usize,
): i32 {
  const end = text + length
  const strict = (flags & OPEN_METRICS) != 0
  let p = text
  let row: u32 = 0
  let line: u32 = 0
  let hash: u32 = 0
  while (p < end) {
    const first = load<u8>(p)
    if (first == 0x23) {
      const next = findNewline(p, end)
      if (commentHash) hash = crc32c(hash, p, <u32>(next - p) + u32(next < end))
      p = next + 1
      continue
    }
    if (first == NEWLINE && !strict) {
      p++
      continue
    }
    if (line >= capacity) return NO_ROOM
    let id: u32 = 0
    let lineEnd: usize = 0
    const value = values + (<usize>line << 3)
    const time = times + (<usize>line << 3)
    const last = min<u32>(cacheRows, row + LOOK_AHEAD)
    for (let r = row; r < last; r++) {
      const at = cache + (<usize>r << 4)
      if (!matches(at, p, end, strict)) continue
      lineEnd = readTail(p + load<u32>(at, 4), end, strict, value, time)
      if (lineEnd) id = load<u32>(at, 8)
      row = r + 1
      break
    }
    if (id == 0) {
      store<u64>(value, 0)
      store<u64>(time, STALE)
      lineEnd = findLineEnd(p, end)
    }
    store<u32>(ids + (<usize>line << 2), id)
    store<u32>(offsets + (<usize>line << 2), <u32>(p - text))
    line++
    p = lineEnd + 1
  }
  if (commentHash) store<u32>(commentHash, hash)
  return <i32>line
}
