import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KERNEL_ERROR } from './index.ts'
import { PLACES, Room } from './oracle/room.ts'
import { decodeSnappy } from './oracle/snappy.ts'

/** Text with repetitions near and far. */
const repetitive = fc
  .array(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 90 }), fc.nat(255)), { maxLength: 60 })
  .map((parts) => {
    const out: number[] = []
    for (const [kind, length, seed] of parts)
      for (let i = 0; i < length; i++)
        out.push(kind > 12 && out.length > seed ? out[out.length - 1 - seed]! : (seed * (i + 1) * kind) & 255)
    return Uint8Array.from(out)
  })

describe.each(PLACES)('snappy $name', (place) => {
  it('decodes what it encodes, as the oracle does', () => {
    fc.assert(
      fc.property(fc.oneof(repetitive, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const room = new Room(place)
        const src = room.put(bytes)
        const bound = room.kernels.snappyBound(bytes.length)
        const dst = room.buffer(bound)
        const table = room.buffer(32768)
        const length = room.kernels.snappyEncode(src, bytes.length, dst, table)
        expect(length).toBeLessThanOrEqual(bound)
        const packed = room.get(dst, length)
        expect(Buffer.from(decodeSnappy(packed)).equals(bytes)).toBe(true)
        room.check()
        const again = new Room(place)
        const input = again.put(packed)
        const output = again.buffer(bytes.length)
        expect(again.kernels.snappyDecodedLength(input, length)).toBe(bytes.length)
        expect(again.kernels.snappyDecode(input, length, output, bytes.length)).toBe(bytes.length)
        expect(Buffer.from(again.get(output, bytes.length)).equals(bytes)).toBe(true)
        again.check()
      }),
      { numRuns: 200 },
    )
  })

  it('takes damaged input as the oracle does', () => {
    const tokens = fc
      .tuple(fc.integer({ min: 0, max: 90 }), fc.array(fc.oneof(fc.nat(255), fc.nat(8)), { maxLength: 60 }))
      .map(([length, rest]) => Uint8Array.from([length, 12, 1, 2, 3, 4, ...rest]))
    fc.assert(
      fc.property(fc.oneof(tokens, fc.uint8Array({ maxLength: 60 })), fc.nat(100), (bytes, capacity) => {
        let want: Uint8Array | undefined
        try {
          want = decodeSnappy(bytes)
        } catch {
          want = undefined
        }
        const room = new Room(place)
        const src = room.put(bytes)
        const dst = room.buffer(capacity)
        const result = room.kernels.snappyDecode(src, bytes.length, dst, capacity)
        if (want && want.length <= capacity) {
          expect(result).toBe(want.length)
          expect([...room.get(dst, want.length)]).toEqual([...want])
        } else if (want) {
          expect(result).toBe(KERNEL_ERROR.noRoom)
        } else {
          expect(result).toBeLessThan(0)
        }
        room.check()
      }),
      { numRuns: 2000 },
    )
  })
})

describe('snappy', () => {
  it('reads golden bytes of the format', () => {
    const room = new Room(PLACES[0]!)
    // 12 bytes: literal "abcd", copy of 8 from 4 back.
    const packed = Uint8Array.of(12, 3 << 2, 97, 98, 99, 100, (4 << 2) | 1, 4)
    const src = room.put(packed)
    const dst = room.buffer(12)
    expect(room.kernels.snappyDecode(src, packed.length, dst, 12)).toBe(12)
    expect(Buffer.from(room.get(dst, 12)).toString()).toBe('abcdabcdabcd')
    expect(room.kernels.snappyDecodedLength(room.put(Uint8Array.of(255, 255, 255, 255, 15)), 5)).toBe(
      KERNEL_ERROR.corrupt,
    )
  })

  it('crosses blocks of 64 KiB and shrinks text', () => {
    const room = new Room(PLACES[0]!)
    const line = 'http_requests_total{method="GET",path="/api/v1/query",code="200"} '
    const bytes = Buffer.from(Array.from({ length: 3000 }, (_, i) => line + i * 7 + '\n').join(''))
    const src = room.put(bytes)
    const dst = room.buffer(room.kernels.snappyBound(bytes.length))
    const length = room.kernels.snappyEncode(src, bytes.length, dst, room.buffer(32768))
    expect(length).toBeLessThan(bytes.length / 4)
    const out = room.buffer(bytes.length)
    expect(room.kernels.snappyDecode(dst, length, out, bytes.length)).toBe(bytes.length)
    expect(Buffer.from(room.get(out, bytes.length)).equals(bytes)).toBe(true)
    room.check()
  })
})
