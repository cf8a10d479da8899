// CRC-32C (Castagnoli), eight bytes a round (slicing-by-8). Data plane.
import { CRC32C } from '../wasm/tables'

@inline
function entry(k: u32, b: u32): u32 {
  return load<u32>(CRC32C + ((k << 10) | (b << 2)))
}

/** CRC of `length` bytes at `address`, continuing from `crc`; 0 to begin. */
export function crc32c(crc: u32, address: usize, length: u32): u32 {
  crc = ~crc
  while (length >= 8) {
    const low = load<u32>(address) ^ crc
    const high = load<u32>(address, 4)
    crc =
      entry(7, low & 255) ^
      entry(6, (low >> 8) & 255) ^
      entry(5, (low >> 16) & 255) ^
      entry(4, low >> 24) ^
      entry(3, high & 255) ^
      entry(2, (high >> 8) & 255) ^
      entry(1, (high >> 16) & 255) ^
      entry(0, high >> 24)
    address += 8
    length -= 8
  }
  while (length > 0) {
    crc = entry(0, (crc ^ load<u8>(address)) & 255) ^ (crc >> 8)
    address++
    length--
  }
  return ~crc
}
