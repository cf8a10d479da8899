import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from './oracle/crc32c.ts'
import { PLACES, Room } from './oracle/room.ts'

describe.each(PLACES)('crc32c $name', (place) => {
  it('equals the check bit by bit, in one go or continued', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), (bytes, seed) => {
        const room = new Room(place)
        const address = room.put(bytes)
        const cut = seed % (bytes.length + 1)
        const want = crc32c(bytes)
        expect(room.kernels.crc32c(0, address, bytes.length)).toBe(want)
        const half = room.kernels.crc32c(0, address, cut)
        expect(room.kernels.crc32c(half, address + cut, bytes.length - cut)).toBe(want)
      }),
    )
  })
})
