// Numbers to text: the shortest decimal that gives the number back, and of those the nearest (Schubfach).
// Data plane. Layout as Prometheus's JSON has it: plain decimals from 1e-6 to below 1e21, else an exponent of
// two digits at least.
import { POWERS_OF_TEN, SCALES_OF_TEN } from '../wasm/tables'
import { multiplyHigh } from './number'

const MASK_63: u64 = 0x7fffffffffffffff
const HIDDEN_BIT: u64 = 0x10000000000000
const K_MIN: i32 = -324

/** Product with a scale of ten, rounded to odd: only whether something was cut off matters. */
@inline
function scaled(high: u64, low: u64, x: u64): u64 {
  const z = ((high * x) >> 1) + multiplyHigh(low, x)
  const w = multiplyHigh(high, x) + (z >> 63)
  return w | (((z & MASK_63) + MASK_63) >> 63)
}

/** Writes a positive finite number that is not a small integer. */
function formatDecimal(value: f64, p: usize): usize {
  const bits = reinterpret<u64>(value)
  const biased = <i32>(bits >> 52)
  const fraction = bits & (HIDDEN_BIT - 1)
  const c = biased > 0 ? fraction | HIDDEN_BIT : fraction
  const q: i32 = biased > 0 ? biased - 1075 : -1074
  // value = c·2^q. Its neighbours bound the decimals that round to it; below a power of two the lower one is
  // nearer.
  const regular = c != HIDDEN_BIT || q == -1074
  const k = <i32>((<i64>q * 661971961083 - (regular ? 0 : 274743187321)) >> 41)
  const shift = <u64>(q + <i32>((<i64>-k * 913124641741) >> 38) + 2)
  const entry = SCALES_OF_TEN + (<usize>(k - K_MIN) << 4)
  const high = load<u64>(entry)
  const low = load<u64>(entry, 8)
  const odd = c & 1
  const middle = scaled(high, low, (c << 2) << shift)
  const lower = scaled(high, low, ((c << 2) - (regular ? 2 : 1)) << shift) + odd
  const upper = scaled(high, low, ((c << 2) + 2) << shift) - odd
  let digits = middle >> 2
  let shorter = false
  if (digits >= 10) {
    const down = (digits / 10) * 10
    const up = down + 10
    const downFits = lower <= down << 2
    const upFits = up << 2 <= upper
    shorter = downFits != upFits
    if (shorter) digits = downFits ? down : up
  }
  if (!shorter) {
    const up = digits + 1
    const downFits = lower <= digits << 2
    const upFits = up << 2 <= upper
    if (downFits != upFits) {
      if (upFits) digits = up
    } else {
      const twice = (digits + up) << 1
      if (middle > twice || (middle == twice && (digits & 1) == 1)) digits = up
    }
  }
  let exponent = k
  while ((digits & 1) == 0 && digits % 10 == 0) {
    digits /= 10
    exponent++
  }
  return layOut(p, digits, exponent)
}

/** Writes digits·10^exponent. */
function layOut(p: usize, digits: u64, exponent: i32): usize {
  const count = digitCount(digits)
  // Digits before the point.
  const point = <i32>count + exponent
  if (point > 21 || point < -5) {
    putDigits(p + 1, digits, count)
    store<u8>(p, load<u8>(p, 1))
    p++
    if (count > 1) {
      store<u8>(p, 0x2e)
      p += count
    }
    store<u8>(p, 0x65)
    const e = point - 1
    store<u8>(p, e < 0 ? 0x2d : 0x2b, 1)
    const size = abs(e)
    const width = max<u32>(2, digitCount(size))
    putDigits(p + 2, size, width)
    return p + 2 + width
  }
  if (exponent >= 0) {
    putDigits(p, digits, count)
    putDigits(p + count, 0, exponent)
    return p + point
  }
  if (point > 0) {
    putDigits(p + 1, digits, count)
    // A loop: the bulk instruction costs more than these few bytes.
    for (let i: i32 = 0; i < point; i++) store<u8>(p + i, load<u8>(p + i, 1))
    store<u8>(p + point, 0x2e)
    return p + count + 1
  }
  store<u16>(p, 0x2e30)
  putDigits(p + 2, 0, -point)
  putDigits(p + 2 - point, digits, count)
  return p + 2 - point + count
}

function digitCount(n: u64): u32 {
  // The binary length times log10(2) is at most one too small.
  const least = ((64 - <u32>clz(n | 1)) * 1233) >> 12
  return least + u32(n >= <u64>load<f64>(POWERS_OF_TEN + (<usize>least << 3))) + u32(n == 0)
}

/** Writes the last `count` digits of a number, with zeros before it. */
function putDigits(p: usize, n: u64, count: u32): void {
  // Eight digits at a time: divisions of u32 are far quicker.
  while (count > 8) {
    const rest = n / 100000000
    count -= 8
    putShort(p + count, <u32>(n - rest * 100000000), 8)
    n = rest
  }
  putShort(p, <u32>n, count)
}

@inline
function putShort(p: usize, n: u32, count: u32): void {
  while (count > 0) {
    const rest = n / 10
    count--
    store<u8>(p + count, <u8>(48 + (n - rest * 10)))
    n = rest
  }
}

function formatAny(value: f64, p: usize): usize {
  if (value != value) {
    store<u16>(p, 0x614e) // 'Na'
    store<u8>(p, 0x4e, 2)
    return p + 3
  }
  if (reinterpret<i64>(value) < 0) {
    store<u8>(p++, 0x2d)
    value = -value
  } else if (value == Infinity) {
    store<u8>(p++, 0x2b)
  }
  if (value == Infinity) {
    store<u16>(p, 0x6e49) // 'In'
    store<u8>(p, 0x66, 2)
    return p + 3
  }
  if (value < 9007199254740992 && value == floor(value)) {
    const whole = <u64>value
    const count = digitCount(whole)
    putDigits(p, whole, count)
    return p + count
  }
  return formatDecimal(value, p)
}

export function formatNumber(value: f64, dst: usize): u32 {
  return <u32>(formatAny(value, dst) - dst)
}

/** Milliseconds as seconds, with three decimals where needed. */
function formatTime(ms: i64, p: usize): usize {
  if (ms < 0) {
    store<u8>(p++, 0x2d)
    ms = -ms
  }
  const seconds = <u64>ms / 1000
  const rest = <u64>ms - seconds * 1000
  const count = digitCount(seconds)
  putDigits(p, seconds, count)
  p += count
  if (rest == 0) return p
  store<u8>(p, 0x2e)
  putDigits(p + 1, rest, 3)
  return p + 4
}

export function formatPoints(
  values: usize, present: usize, start: f64, step: f64, steps: u32, dst: usize,
): u32 {
  let p = dst
  for (let k: u32 = 0; k < steps; k++) {
    if (!load<u8>(present + k)) continue
    if (p != dst) store<u8>(p++, 0x2c)
    store<u8>(p++, 0x5b)
    p = formatTime(<i64>(start + step * <f64>k), p)
    store<u16>(p, 0x222c) // ,"
    p = formatAny(load<f64>(values + (<usize>k << 3)), p + 2)
    store<u16>(p, 0x5d22) // "]
    p += 2
  }
  return <u32>(p - dst)
}
