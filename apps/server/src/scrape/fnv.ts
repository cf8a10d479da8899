// FNV-1a with 64 bits, for spreading scrapes over the interval: the same target gets the same place after a restart.

const OFFSET = 0xcbf29ce484222325n
const PRIME = 0x100000001b3n

/** FNV-1a-64 of the text's UTF-8 bytes. */
export function fnv1a64(text: string): bigint {
  let hash = OFFSET
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME)
  return hash
}
