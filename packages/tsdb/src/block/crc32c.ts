// CRC-32C (Castagnoli) of bytes outside of kernel memory, eight bytes a round. Data plane.

const TABLES = makeTables()

/** Continues from `crc`, 0 to begin. */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length, crc = 0): number {
  let c = ~crc
  let i = start
  for (; i + 8 <= end; i += 8) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    c =
      TABLES[1792 + (c & 0xff)]! ^
      TABLES[1536 + ((c >>> 8) & 0xff)]! ^
      TABLES[1280 + ((c >>> 16) & 0xff)]! ^
      TABLES[1024 + (c >>> 24)]! ^
      TABLES[768 + bytes[i + 4]!]! ^
      TABLES[512 + bytes[i + 5]!]! ^
      TABLES[256 + bytes[i + 6]!]! ^
      TABLES[bytes[i + 7]!]!
  }
  for (; i < end; i++) c = TABLES[(c ^ bytes[i]!) & 0xff]! ^ (c >>> 8)
  return ~c >>> 0
}

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let c = byte
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1
    tables[byte] = c
  }
  for (let i = 256; i < tables.length; i++) {
    const c = tables[i - 256]!
    tables[i] = tables[c & 0xff]! ^ (c >>> 8)
  }
  return tables
}
