// Text to numbers, exactly rounded. Data plane. Up to 19 digits are gathered in a u64; small cases are one
// exact multiplication or division of doubles, the others go by the method of Eisel and Lemire with a table
// of 128-bit powers of five.
import { POWERS_OF_FIVE, POWERS_OF_TEN } from '../wasm/tables'

const INFINITY_BITS: u64 = 0x7ff0000000000000
/** The NaN that Prometheus stores for a NaN in an exposition. */
const NAN_BITS: u64 = 0x7ff8000000000001
const SIGN: u64 = 0x8000000000000000
const UNDECIDED: u64 = u64.MAX_VALUE

@inline
function powerOfTen(exponent: u32): f64 {
  return load<f64>(POWERS_OF_TEN + (<usize>exponent << 3))
}

@inline
export function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff
  const aHigh = a >> 32
  const bLow = b & 0xffffffff
  const bHigh = b >> 32
  const middle = aHigh * bLow + ((aLow * bLow) >> 32)
  const other = aLow * bHigh + (middle & 0xffffffff)
  return aHigh * bHigh + (middle >> 32) + (other >> 32)
}

/** Bits of the double nearest to w·10^q, or UNDECIDED. */
function scale(w: u64, q: i32): u64 {
  if (w == 0 || q < -342) return 0
  if (q > 308) return INFINITY_BITS
  const zeros = clz(w)
  w <<= zeros
  const entry = POWERS_OF_FIVE + (<usize>(q + 342) << 4)
  const power = load<u64>(entry)
  let low = w * power
  let high = multiplyHigh(w, power)
  if ((high & 0x1ff) == 0x1ff) {
    const more = multiplyHigh(w, load<u64>(entry, 8))
    low += more
    if (low < more) high++
    if (low == u64.MAX_VALUE && (q < -27 || q > 55)) return UNDECIDED
  }
  const upper = high >> 63
  const shift = upper + 9
  let mantissa = high >> shift
  let exponent = ((217706 * q) >> 16) + 63 + <i32>upper - <i32>zeros + 1023
  if (exponent <= 0) {
    if (exponent <= -63) return 0
    mantissa >>= <u64>(1 - exponent)
    mantissa += mantissa & 1
    return mantissa >> 1
  }
  // Exactly between two doubles: to even.
  if (low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && mantissa << shift == high) mantissa &= ~1
  mantissa += mantissa & 1
  mantissa >>= 1
  if (mantissa >= 1 << 53) {
    mantissa = 1 << 52
    exponent++
  }
  if (exponent >= 2047) return INFINITY_BITS
  return (mantissa & 0xfffffffffffff) | (<u64>exponent << 52)
}

/** inf, infinity, nan in any case, after the sign. */
function parseWord(p: usize, end: usize, sign: u64, signed: bool, out: usize): u32 {
  const length = <u32>(end - p)
  if (length != 3 && length != 8) return 0
  const three = (<u32>load<u8>(p) << 16) | (<u32>load<u8>(p, 1) << 8) | load<u8>(p, 2) | 0x202020
  if (three == 0x6e616e && length == 3 && !signed) {
    store<u64>(out, NAN_BITS)
    return 1
  }
  if (three != 0x696e66) return 0
  // 'inity'
  if (length == 8) {
    if ((load<u32>(p, 3) | 0x20202020) != 0x74696e69 || (load<u8>(p, 7) | 0x20) != 0x79) return 0
  }
  store<u64>(out, INFINITY_BITS | sign)
  return 1
}

export function parseNumber(p: usize, end: usize, out: usize): u32 {
  if (p >= end) return 0
  let sign: u64 = 0
  const first = load<u8>(p)
  const signed = first == 0x2d || first == 0x2b
  if (signed) {
    if (first == 0x2d) sign = SIGN
    p++
    if (p >= end) return 0
  }
  if ((load<u8>(p) | 0x20) > 0x60) return parseWord(p, end, sign, signed, out)
  let w: u64 = 0
  let digits: u32 = 0
  let exponent: i32 = 0
  let truncated = false
  let any = false
  let point = false
  for (; p < end; p++) {
    const byte = load<u8>(p)
    const digit = <u32>byte - 48
    if (digit < 10) {
      any = true
      if (digits < 19) {
        w = w * 10 + digit
        digits += u32(w != 0)
        exponent -= i32(point)
      } else {
        truncated = truncated || digit != 0
        exponent += i32(!point)
      }
    } else if (byte == 0x2e && !point) {
      point = true
    } else break
  }
  if (!any) return 0
  if (p < end) {
    if ((load<u8>(p) | 0x20) != 0x65) return 0
    p++
    let negative = false
    if (p < end) {
      const byte = load<u8>(p)
      if (byte == 0x2d || byte == 0x2b) {
        negative = byte == 0x2d
        p++
      }
    }
    if (p >= end) return 0
    let e: i32 = 0
    for (; p < end; p++) {
      const digit = <u32>load<u8>(p) - 48
      if (digit > 9) return 0
      if (e < 100000) e = e * 10 + digit
    }
    exponent += negative ? -e : e
  }
  if (!truncated && w <= 9007199254740992 && exponent >= -22 && exponent <= 22) {
    const value = exponent < 0 ? <f64>w / powerOfTen(-exponent) : <f64>w * powerOfTen(exponent)
    store<u64>(out, reinterpret<u64>(value) | sign)
    return 1
  }
  const bits = scale(w, exponent)
  if (bits == UNDECIDED) return 2
  // Digits were cut: the number lies between w and w + 1.
  if (truncated && scale(w + 1, exponent) != bits) return 2
  // Out of range is an error in Go.
  if (bits == INFINITY_BITS) return 0
  store<u64>(out, bits | sign)
  return 1
}

