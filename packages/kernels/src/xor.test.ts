import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KERNEL_ERROR, XOR_APPEND, XOR_STATE_BYTES } from './index.ts'
import { floatBits } from './oracle/bits.ts'
import { PLACES, Room } from './oracle/room.ts'
import { encodeXorChunk } from './oracle/xor.ts'

const LIMIT = 2 ** 51
const time = fc.oneof(
  fc.integer({ min: 1_700_000_000_000, max: 1_700_001_000_000 }),
  fc.integer({ min: -LIMIT, max: LIMIT }),
)
const bits = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.integer({ min: 0, max: 1000 }).map(floatBits),
  fc.double().map(floatBits),
  fc.constant(0x7ff0000000000002n),
)
const regular = fc
  .tuple(time, fc.array(fc.tuple(fc.integer({ min: -20, max: 20 }), bits), { maxLength: 130 }))
  .map(([start, rows]) => rows.map(([jitter, value], i) => [start + 15_000 * i + jitter, value] as const))
const samples = fc.oneof(regular, fc.array(fc.tuple(time, bits), { maxLength: 40 }))

describe('XOR chunks', () => {
  it('have the bytes of the format', () => {
    const room = new Room(PLACES[0]!)
    const state = room.buffer(XOR_STATE_BYTES)
    const chunk = room.buffer(64)
    room.kernels.xorInit(state, chunk, 64)
    expect(room.kernels.xorAppend(state, 1000, 1)).toBe(XOR_APPEND.ok)
    expect(room.kernels.xorAppend(state, 2000, 1)).toBe(XOR_APPEND.ok)
    expect(room.kernels.xorAppend(state, 3000, 2)).toBe(XOR_APPEND.ok)
    expect(room.kernels.xorAppend(state, 4001, 2)).toBe(XOR_APPEND.ok)
    // count 4 | varint 1000 = d0 0f | 1.0 | uvarint 1000 = e8 07 | 0 | dod 0, 11, leading 1, significant 11,
    // 3ff ^ 400 = 7ff over 52 zeros | dod 1 = 10 + 14 bits | 0
    const tail = '0' + '0' + '11' + '00001' + '001011' + '1'.repeat(11) + '10' + '00000000000001' + '0'
    const bytes = [0, 4, 0xd0, 0x0f, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xe8, 0x07]
    for (let i = 0; i < tail.length; i += 8) bytes.push(parseInt(tail.slice(i, i + 8).padEnd(8, '0'), 2))
    const bitLength = room.view.getUint32(state + 8, true)
    expect(bitLength).toBe(14 * 8 + tail.length)
    expect([...room.get(chunk, bytes.length)]).toEqual(bytes)
    room.check()
  })

  it('reject what is cut short and what does not fit', () => {
    const room = new Room(PLACES[0]!)
    const bytes = encodeXorChunk([1000, 2000, 3500], [1, 2, 3].map(floatBits))
    const out = room.buffer(24)
    const values = room.buffer(24)
    for (let length = 0; length < bytes.length; length++) {
      const chunk = room.put(bytes.subarray(0, length))
      expect(room.kernels.xorDecode(chunk, length, out, values, 3)).toBe(KERNEL_ERROR.corrupt)
    }
    const chunk = room.put(bytes)
    expect(room.kernels.xorDecode(chunk, bytes.length, out, values, 2)).toBe(KERNEL_ERROR.noRoom)
    expect(room.kernels.xorDecode(chunk, bytes.length, out, values, 3)).toBe(3)
    room.check()
  })

  it('written by Prometheus are read and written back', () => {
    const golden = '001480bf9eeeee6640440000000000009875e00dbc2d2dc1f45345b05fa0a1a0a3a0a1a0a7a0a1a080'
    const room = new Room(PLACES[0]!)
    const bytes = Buffer.from(golden, 'hex')
    const chunk = room.put(bytes)
    const [times, values] = [room.buffer(20 * 8), room.buffer(20 * 8)]
    expect(room.kernels.xorDecode(chunk, bytes.length, times, values, 20)).toBe(20)
    const at = room.floats(times, 20)
    // 80 bf 9e ee ee 66 = varint, then 40.0, 98 75 = 15000 and 11 10000 000001 1: bit 47 changes, which makes 41.
    expect(at[0]).toBe(1_767_226_200_000)
    expect([...at].every((t, i) => t === at[0]! + i * 15_000)).toBe(true)
    const column = room.floats(values, 20)
    expect([...column.subarray(0, 2)]).toEqual([40, 41])
    const state = room.buffer(XOR_STATE_BYTES)
    const out = room.buffer(bytes.length)
    room.kernels.xorInit(state, out, bytes.length)
    column.forEach((value, i) => expect(room.kernels.xorAppend(state, at[i]!, value)).toBe(XOR_APPEND.ok))
    expect(Buffer.from(room.get(out, bytes.length)).toString('hex')).toBe(golden)
    room.check()
  })

  it('take stale markers from columns', () => {
    const room = new Room(PLACES[0]!)
    const state = room.buffer(XOR_STATE_BYTES)
    const chunk = room.buffer(100)
    const column = new Float64Array(BigUint64Array.of(0x7ff0000000000002n).buffer)
    room.kernels.xorInit(state, chunk, 100)
    expect(room.kernels.xorAppend(state, 1, column[0]!)).toBe(XOR_APPEND.ok)
    const [times, values] = [room.buffer(8), room.buffer(8)]
    room.kernels.xorDecode(chunk, 100, times, values, 1)
    expect(room.bits(values, 1)[0]).toBe(0x7ff0000000000002n)
  })

  it('stop at 65535 samples', () => {
    const room = new Room(PLACES[0]!)
    const state = room.buffer(XOR_STATE_BYTES)
    const chunk = room.buffer(20_000)
    room.kernels.xorInit(state, chunk, 20_000)
    for (let i = 0; i < 65_535; i++) expect(room.kernels.xorAppend(state, i * 1000, 5)).toBe(XOR_APPEND.ok)
    expect(room.kernels.xorAppend(state, 1e9, 5)).toBe(XOR_APPEND.full)
    const out = room.buffer(65_535 * 8)
    const values = room.buffer(65_535 * 8)
    expect(room.kernels.xorDecode(chunk, 20_000, out, values, 65_535)).toBe(65_535)
    expect(room.floats(out, 65_535)[65_534]).toBe(65_534_000)
    room.check()
  })
})

describe.each(PLACES)('XOR chunks $name', (place) => {
  it('are encoded as the oracle does and decoded back', () => {
    fc.assert(
      fc.property(samples, fc.nat(130), (rows, cut) => {
        const room = new Room(place)
        const times = rows.map(([t]) => t)
        const values = rows.map(([, value]) => value)
        const want = encodeXorChunk(times, values)
        const chunk = room.buffer(want.length)
        const state = room.buffer(XOR_STATE_BYTES)
        const spare = room.buffer(8)
        const outTimes = room.buffer(rows.length * 8)
        const outValues = room.buffer(rows.length * 8)
        room.kernels.xorInit(state, chunk, want.length)
        rows.forEach(([t, value], i) => {
          if (i === cut) {
            // Resuming gives the same state, except that a window of zeros that was never written is unknown
            // again.
            const before = [...room.get(state, XOR_STATE_BYTES)]
            const length = Math.ceil(room.view.getUint32(state + 8, true) / 8)
            expect(room.kernels.xorResume(state, chunk, length, want.length)).toBe(0)
            expect([...room.get(state, XOR_STATE_BYTES)]).toEqual(before)
          }
          room.view.setBigUint64(spare, value, true)
          expect(room.kernels.xorAppendAt(state, t, spare)).toBe(XOR_APPEND.ok)
        })
        expect(Buffer.from(room.get(chunk, want.length)).equals(want)).toBe(true)
        expect(room.kernels.xorDecode(chunk, want.length, outTimes, outValues, rows.length)).toBe(rows.length)
        expect([...room.floats(outTimes, rows.length)]).toEqual(times.map((t) => (t === 0 ? 0 : t)))
        expect([...room.bits(outValues, rows.length)]).toEqual(values)
        expect(room.kernels.xorAppend(state, LIMIT, 0.1)).toBe(XOR_APPEND.full)
        room.check()
      }),
      { numRuns: 150 },
    )
  })

  it('that are damaged do no harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(70), (bytes, capacity) => {
        if (bytes.length > 1) bytes[0] = 0
        const room = new Room(place)
        const chunk = room.put(bytes)
        const times = room.buffer(capacity * 8)
        const values = room.buffer(capacity * 8)
        const state = room.buffer(XOR_STATE_BYTES)
        const count = room.kernels.xorDecode(chunk, bytes.length, times, values, capacity)
        expect(count).toBeLessThanOrEqual(capacity)
        if (count > 0) expect(count).toBe(bytes[1])
        expect(room.kernels.xorResume(state, chunk, bytes.length, bytes.length)).toBeLessThanOrEqual(0)
        expect([...room.get(chunk, bytes.length)]).toEqual([...bytes])
        room.check()
      }),
      { numRuns: 2000 },
    )
  })
})
