// Bit streams the slow and obvious way, most significant bit first.

/** Collects bits. */
export class BitWriter {
  readonly #bits: number[] = []

  /** The lowest `count` bits of `value`. */
  write(value: bigint, count: number): void {
    const text = BigInt.asUintN(count, value).toString(2).padStart(count, '0')
    for (const digit of text) this.#bits.push(digit === '1' ? 1 : 0)
  }

  get length(): number {
    return this.#bits.length
  }

  /** Sets a byte that was written before. */
  patch(index: number, byte: number): void {
    for (let bit = 0; bit < 8; bit++) this.#bits[index * 8 + bit] = (byte >> (7 - bit)) & 1
  }

  /** The bytes, the last filled up with zeros. */
  bytes(): Uint8Array {
    const out = new Uint8Array(Math.ceil(this.#bits.length / 8))
    this.#bits.forEach((bit, i) => (out[i >> 3]! |= bit << (7 - (i & 7))))
    return out
  }
}

const floatView = new DataView(new ArrayBuffer(8))

export function floatBits(value: number): bigint {
  floatView.setFloat64(0, value)
  return floatView.getBigUint64(0)
}

/**
 * Writes value bits as Gorilla does; `window` keeps leading and trailing zeros between calls (leading 255 =
 * none).
 */
export function writeXor(
  out: BitWriter,
  bits: bigint,
  before: bigint,
  window: { leading: number; trailing: number },
): void {
  const change = bits ^ before
  if (change === 0n) return out.write(0n, 1)
  const text = change.toString(2).padStart(64, '0')
  const leading = Math.min(31, text.indexOf('1'))
  const trailing = 63 - text.lastIndexOf('1')
  if (window.leading !== 255 && leading >= window.leading && trailing >= window.trailing) {
    out.write(0b10n, 2)
  } else {
    window.leading = leading
    window.trailing = trailing
    out.write(0b11n, 2)
    out.write(BigInt(leading), 5)
    out.write(BigInt(64 - leading - trailing), 6)
  }
  out.write(change >> BigInt(window.trailing), 64 - window.leading - window.trailing)
}

/** Go's uvarint. */
export function writeUvarint(out: BitWriter, value: bigint): void {
  let rest = BigInt.asUintN(64, value)
  while (rest >= 0x80n) {
    out.write((rest & 0x7fn) | 0x80n, 8)
    rest >>= 7n
  }
  out.write(rest, 8)
}

/** Go's varint. */
export function writeVarint(out: BitWriter, value: bigint): void {
  writeUvarint(out, value >= 0n ? value * 2n : -value * 2n - 1n)
}

function writeVarbit(out: BitWriter, value: bigint, fits: (size: number) => boolean): void {
  if (value === 0n) return out.write(0n, 1)
  const sizes = [3, 6, 9, 12, 18, 25, 56]
  const group = sizes.findIndex(fits)
  if (group < 0) {
    out.write(255n, 8)
    return out.write(value, 64)
  }
  out.write((1n << BigInt(group + 2)) - 2n, group + 2)
  out.write(value, sizes[group]!)
}

/** Prometheus's varbit integers, signed. */
export function writeVarbitInt(out: BitWriter, value: bigint | number): void {
  const number = BigInt.asIntN(64, BigInt(value))
  writeVarbit(out, number, (size) => inRange(number, size))
}

/** Prometheus's varbit integers, unsigned. */
export function writeVarbitUint(out: BitWriter, value: bigint | number): void {
  writeVarbit(out, BigInt(value), (size) => BigInt(value) < 1n << BigInt(size))
}

/** `count`-bit numbers of Prometheus hold −2^(count−1)+1 … 2^(count−1). */
export function inRange(value: bigint, count: number): boolean {
  const half = 1n << BigInt(count - 1)
  return value >= -half + 1n && value <= half
}
