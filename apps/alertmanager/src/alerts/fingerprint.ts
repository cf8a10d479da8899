// The 64-bit FNV-1a fingerprint that identifies a label set in the API, the notification log and webhooks:
// sorted `name 0xFF value 0xFF`, shown as 16 hex digits.
import type { Labels } from '@watchfire/datamodel'

const SEPARATOR = 0xff
const encoder = new TextEncoder()

/** Fingerprint of a label set, 16 lower-case hex digits. */
export function fingerprint(labels: Labels): string {
  // 0xcbf29ce484222325 in two halves; the prime is 2^40 + 0x1b3, so a product needs only doubles.
  let high = 0xcbf29ce4
  let low = 0x84222325
  const add = (byte: number) => {
    low = (low ^ byte) >>> 0
    const product = low * 0x1b3
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 0x1_0000_0000) + (low << 8)) >>> 0
    low = product >>> 0
  }
  for (const text of labels.pairs) {
    for (const byte of encoder.encode(text)) add(byte)
    add(SEPARATOR)
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}
