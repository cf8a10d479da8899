import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KERNEL_ERROR } from './index.ts'
import { floatBits } from './oracle/bits.ts'
import { PLACES, Room } from './oracle/room.ts'
import { encodeXor2Chunk } from './oracle/xor2.ts'

const STALE = 0x7ff0000000000002n
const bits = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc.integer({ min: 0, max: 100 }).map(floatBits),
  fc.constant(STALE),
  fc.constant(0n),
)
const gap = fc.oneof(
  { weight: 6, arbitrary: fc.constant(15_000) },
  { weight: 3, arbitrary: fc.integer({ min: 14_000, max: 20_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }) },
)
const age = fc.oneof(fc.constant(0), fc.constant(1000), fc.integer({ min: -(2 ** 40), max: 2 ** 40 }))
const rows = fc
  .tuple(fc.array(fc.tuple(gap, bits, age), { maxLength: 150 }), fc.boolean(), fc.boolean())
  .map(([list, withStarts, steady]) => {
    let t = 1_700_000_000_000
    return list.map(([step, value, old]) => {
      const start = !withStarts ? 0 : steady ? 1_600_000_000_000 : old === 0 ? 0 : t - old
      return { t: (t += step), value, start }
    })
  })

describe.each(PLACES)('XOR2 chunks $name', (place) => {
  it('are decoded with their start timestamps', () => {
    fc.assert(
      fc.property(rows, (samples) => {
        const room = new Room(place)
        const n = samples.length
        const bytes = encodeXor2Chunk(
          samples.map(({ t }) => t),
          samples.map(({ value }) => value),
          samples.map(({ start }) => start),
        )
        const chunk = room.put(bytes)
        const [times, values, starts] = [room.buffer(n * 8), room.buffer(n * 8), room.buffer(n * 8)]
        const decode = (from: number, capacity: number) =>
          room.kernels.xor2Decode(chunk, bytes.length, times, values, from, capacity)
        expect(decode(starts, n)).toBe(n)
        expect([...room.floats(times, n)]).toEqual(samples.map(({ t }) => t))
        expect([...room.bits(values, n)]).toEqual(samples.map(({ value }) => value))
        expect([...room.floats(starts, n)]).toEqual(samples.map(({ start }) => start))
        expect(decode(0, n)).toBe(n)
        if (n > 0) expect(decode(0, n - 1)).toBe(KERNEL_ERROR.noRoom)
        room.check()
      }),
      { numRuns: 200 },
    )
  })

  it('that are damaged do no harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(70), (bytes, capacity) => {
        if (bytes.length > 1) bytes[0] = 0
        const room = new Room(place)
        const chunk = room.put(bytes)
        const [times, values] = [room.buffer(capacity * 8), room.buffer(capacity * 8)]
        const starts = room.buffer(capacity * 8)
        const count = room.kernels.xor2Decode(chunk, bytes.length, times, values, starts, capacity)
        expect(count).toBeLessThanOrEqual(capacity)
        if (count >= 0) expect(count).toBe(bytes[1])
        room.check()
      }),
      { numRuns: 2000 },
    )
  })
})

describe('XOR2 chunks', () => {
  it('have the bytes of the format', () => {
    const room = new Room(PLACES[0]!)
    // count 4, start of the first known | varint 1000 | 1.0 | varint 400 | uvarint 1000, 0 | 0 | dod 1 = 110
    // + 13 bits, 111 = stale
    const tail = '0' + '0' + '110' + '0000000000001' + '111'
    const bytes = [0, 4, 0x80, 0xd0, 0x0f, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xa0, 0x06, 0xe8, 0x07]
    for (let i = 0; i < tail.length; i += 8) bytes.push(parseInt(tail.slice(i, i + 8).padEnd(8, '0'), 2))
    const chunk = room.put(Uint8Array.from(bytes))
    const [times, values, starts] = [room.buffer(32), room.buffer(32), room.buffer(32)]
    expect(room.kernels.xor2Decode(chunk, bytes.length, times, values, starts, 4)).toBe(4)
    expect([...room.floats(times, 4)]).toEqual([1000, 2000, 3000, 4001])
    expect([...room.bits(values, 4)]).toEqual([...[1, 1, 1].map(floatBits), STALE])
    expect([...room.floats(starts, 4)]).toEqual([600, 600, 600, 600])
  })
})
