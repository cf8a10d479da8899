// ULIDs, the names of blocks: 48 bits of time in ms and 80 random bits, as 26 characters of Crockford's base 32.
import { randomFillSync } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
export const ULID_BYTES = 16
const PATTERN = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/** A new ULID of a time in ms. `random` fills ten bytes. */
export function newUlid(timeMs: number, random: (bytes: Uint8Array) => void = randomFillSync): string {
  const bytes = new Uint8Array(ULID_BYTES)
  for (let i = 5, time = timeMs; i >= 0; i--, time = Math.floor(time / 256)) bytes[i] = time % 256
  random(bytes.subarray(6))
  return ulidText(bytes)
}

/** True for the name of a block directory. */
export function isUlid(text: string): boolean {
  return PATTERN.test(text)
}

/** The 16 bytes of a ULID. Throws on anything else. */
export function ulidBytes(text: string): Uint8Array {
  if (!isUlid(text)) throw new Error(`not a ULID: ${JSON.stringify(text)}`)
  const bytes = new Uint8Array(ULID_BYTES)
  // 26 characters are 130 bits: the first two are 0.
  let bits = 0
  let held = -2
  let at = 0
  for (const char of text) {
    bits = ((bits << 5) | ALPHABET.indexOf(char)) & 0xfff
    held += 5
    if (held >= 8) {
      held -= 8
      bytes[at++] = bits >>> held
    }
  }
  return bytes
}

export function ulidText(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 2
  for (let i = 0; i < ULID_BYTES; i++) {
    bits = ((bits << 8) | bytes[i]!) & 0xffff
    held += 8
    while (held >= 5) {
      held -= 5
      text += ALPHABET[(bits >>> held) & 31]!
    }
  }
  return text
}
