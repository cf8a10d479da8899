// The hash of label sets that limit_ratio samples by: xxHash64 (seed 0) of the length-prefixed names and
// values, as in Prometheus, so that the same series are picked.
import type { Labels } from '@watchfire/datamodel'

const MASK = (1n << 64n) - 1n
const P1 = 0x9e3779b185ebca87n
const P2 = 0xc2b2ae3d27d4eb4fn
const P3 = 0x165667b19e3779f9n
const P4 = 0x85ebca77c2b2ae63n
const P5 = 0x27d4eb2f165667c5n

/** Where a label set lies in [0, 1]. */
export function labelsRatio(labels: Labels): number {
  return Number(xxHash64(labelBytes(labels))) / 2 ** 64
}

function labelBytes(labels: Labels): Uint8Array {
  const parts: Uint8Array[] = []
  for (const text of labels.pairs) {
    const bytes = Buffer.from(text, 'utf8')
    const n = bytes.length
    parts.push(n < 255 ? Uint8Array.of(n) : Uint8Array.of(255, n & 255, (n >> 8) & 255, n >> 16), bytes)
  }
  return Buffer.concat(parts)
}

function rotate(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & MASK
}

function round(accumulator: bigint, input: bigint): bigint {
  return (rotate((accumulator + input * P2) & MASK, 31n) * P1) & MASK
}

function mergeRound(hash: bigint, accumulator: bigint): bigint {
  return ((hash ^ round(0n, accumulator)) * P1 + P4) & MASK
}

export function xxHash64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const n = bytes.length
  let at = 0
  let hash: bigint
  if (n >= 32) {
    let [a, b, c, d] = [(P1 + P2) & MASK, P2, 0n, -P1 & MASK] as [bigint, bigint, bigint, bigint]
    for (; at + 32 <= n; at += 32) {
      a = round(a, view.getBigUint64(at, true))
      b = round(b, view.getBigUint64(at + 8, true))
      c = round(c, view.getBigUint64(at + 16, true))
      d = round(d, view.getBigUint64(at + 24, true))
    }
    hash = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & MASK
    for (const accumulator of [a, b, c, d]) hash = mergeRound(hash, accumulator)
  } else hash = P5
  hash = (hash + BigInt(n)) & MASK
  for (; at + 8 <= n; at += 8) {
    hash ^= round(0n, view.getBigUint64(at, true))
    hash = (rotate(hash, 27n) * P1 + P4) & MASK
  }
  if (at + 4 <= n) {
    hash ^= (BigInt(view.getUint32(at, true)) * P1) & MASK
    hash = (rotate(hash, 23n) * P2 + P3) & MASK
    at += 4
  }
  for (; at < n; at++) {
    hash ^= (BigInt(bytes[at]!) * P5) & MASK
    hash = (rotate(hash, 11n) * P1) & MASK
  }
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK
  return hash ^ (hash >> 32n)
}
