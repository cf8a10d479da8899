import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DECODE, KERNEL_ERROR } from './index.ts'
import { floatBits } from './oracle/bits.ts'
import { PLACES, Room } from './oracle/room.ts'
import { encodeXorChunk } from './oracle/xor.ts'
import { encodeXor2Chunk } from './oracle/xor2.ts'

const STALE = 0x7ff0000000000002n
const XOR = 1
const HISTOGRAM = 2
const XOR2 = 4
const RAW = 255

interface Chunk {
  readonly encoding: number
  readonly times: number[]
  readonly values: bigint[]
}

/** A chunk table; returns the address of row 0. */
function putTable(room: Room, chunks: readonly Chunk[]): number {
  const table = room.buffer(chunks.length * 48)
  chunks.forEach(({ encoding, times, values }, i) => {
    const raw = new Uint8Array([
      ...new Uint8Array(Float64Array.from(times).buffer),
      ...new Uint8Array(BigUint64Array.from(values).buffer),
    ])
    const starts = times.map(() => 7)
    const bytes =
      encoding === RAW
        ? raw
        : encoding === XOR2
          ? encodeXor2Chunk(times, values, starts)
          : encodeXorChunk(times, values)
    const row = table + i * 48
    room.view.setUint32(row, room.put(bytes), true)
    room.view.setUint32(row + 4, bytes.length, true)
    room.view.setUint32(row + 8, encoding, true)
    room.view.setUint32(row + 12, times.length, true)
    room.view.setFloat64(row + 16, times[0] ?? 0, true)
    room.view.setFloat64(row + 24, times.at(-1) ?? 0, true)
  })
  return table
}

const chunkList = fc
  .array(
    fc.record({
      encoding: fc.constantFrom(XOR, XOR2, RAW, HISTOGRAM),
      rows: fc.array(
        fc.tuple(
          fc.integer({ min: 1, max: 30 }),
          fc.oneof(fc.constant(STALE), fc.integer().map(floatBits), fc.bigInt(0n, 2n ** 64n - 1n)),
        ),
        { minLength: 1, maxLength: 20 },
      ),
    }),
    { maxLength: 6 },
  )
  .map((chunks) => {
    let t = 0
    return chunks.map(({ encoding, rows }) => ({
      encoding,
      times: rows.map(([gap]) => (t += gap)),
      values: rows.map(([, v]) => v),
    }))
  })

describe.each(PLACES)('columns $name', (place) => {
  it('decodeFloats joins the float chunks of the range', () => {
    fc.assert(
      fc.property(chunkList, fc.nat(600), fc.nat(600), fc.boolean(), (chunks, min, length, drop) => {
        const room = new Room(place)
        const table = putTable(room, chunks)
        const max = min + length
        const samples = chunks
          .filter(({ encoding }) => encoding !== HISTOGRAM)
          .flatMap(({ times, values }) => times.map((t, i) => [t, values[i]!] as const))
        const want = samples.filter(([t, v]) => t >= min && t <= max && !(drop && v === STALE))
        const times = room.buffer(samples.length * 8)
        const values = room.buffer(samples.length * 8)
        const flags = drop ? DECODE.dropStale : 0
        const decode = (capacity: number) =>
          room.kernels.decodeFloats(table, chunks.length, min, max, flags, times, values, capacity)
        expect(decode(samples.length)).toBe(want.length)
        expect([...room.floats(times, want.length)]).toEqual(want.map(([t]) => t))
        expect([...room.bits(values, want.length)]).toEqual(want.map(([, v]) => v))
        if (want.length > 0) expect(decode(want.length - 1)).toBe(KERNEL_ERROR.noRoom)
        room.check()
      }),
      { numRuns: 200 },
    )
  })

  it('instantFloats finds the newest sample of the look-back', () => {
    fc.assert(
      fc.property(
        chunkList,
        fc.nat(400),
        fc.nat(40),
        fc.integer({ min: 1, max: 60 }),
        (chunks, start, step, lookback) => {
          const room = new Room(place)
          const times = chunks.flatMap((chunk) => chunk.times)
          const bits = chunks.flatMap((chunk) => chunk.values)
          const steps = 12
          const timeColumn = room.column(times)
          const valueColumn = room.put(new Uint8Array(BigUint64Array.from(bits).buffer))
          const out = room.buffer(steps * 8, 0xff)
          const present = room.buffer(steps, 0xff)
          const sampleTimes = room.buffer(steps * 8, 0xff)
          room.kernels.instantFloats(
            timeColumn,
            valueColumn,
            times.length,
            start,
            step,
            steps,
            lookback,
            out,
            present,
            sampleTimes,
          )
          for (let i = 0; i < steps; i++) {
            const t = start + i * step
            const index = times.findLastIndex((sampleTime) => sampleTime <= t)
            const found = index >= 0 && times[index]! > t - lookback && bits[index] !== STALE
            expect(room.get(present, steps)[i]).toBe(found ? 1 : 0)
            expect(room.bits(out, steps)[i]).toBe(found ? bits[index] : 0n)
            expect(room.floats(sampleTimes, steps)[i]).toBe(found ? times[index] : 0)
          }
          room.check()
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('decodeFloats', () => {
  it('names what it cannot read', () => {
    const room = new Room(PLACES[0]!)
    const chunk = { encoding: XOR, times: [1, 2], values: [1n, 2n] }
    const out = room.buffer(100)
    const decode = (table: number) => room.kernels.decodeFloats(table, 1, 0, 9, 0, out, out + 50, 5)
    expect(decode(putTable(room, [{ ...chunk, encoding: 77 }]))).toBe(KERNEL_ERROR.unsupported)
    const short = putTable(room, [chunk])
    room.view.setUint32(short + 4, 5, true)
    expect(decode(short)).toBe(KERNEL_ERROR.corrupt)
    const raw = putTable(room, [{ ...chunk, encoding: RAW }])
    room.view.setUint32(raw + 12, 3, true)
    expect(decode(raw)).toBe(KERNEL_ERROR.corrupt)
  })
})

describe('accumulator rows', () => {
  it('add with compensation and count what is present', () => {
    const room = new Room(PLACES[0]!)
    const [sums, compensations] = [room.buffer(24), room.buffer(24)]
    const counts = room.buffer(12)
    const add = (row: number[], present: number[]) =>
      room.kernels.addRow(
        sums,
        compensations,
        counts,
        room.column(row),
        room.put(Uint8Array.from(present)),
        3,
      )
    add([1e100, -0, 7], [1, 1, 0])
    add([1, -0, 7], [1, 1, 0])
    add([-1e100, Infinity, 7], [1, 0, 0])
    const [sum, c] = [room.floats(sums, 3), room.floats(compensations, 3)]
    expect([...sum].map((s, i) => s + c[i]!)).toEqual([1, 0, 0])
    expect(Object.is(sum[1], -0)).toBe(true)
    expect([...new Uint32Array(room.get(counts, 12).buffer)]).toEqual([3, 2, 0])
    add([Infinity, 1, NaN], [1, 1, 1])
    expect([...room.floats(sums, 3)]).toEqual([Infinity, 1, NaN])
    expect(room.floats(compensations, 3)[0]).toBe(0)
    room.check()
  })

  it('keep the smallest or largest number, NaN only where there is nothing else', () => {
    const room = new Room(PLACES[0]!)
    for (const largest of [0, 1]) {
      const extremes = room.buffer(24)
      const counts = room.buffer(12)
      for (const row of [
        [NaN, 3, 5],
        [NaN, NaN, 7],
        [2, 1, 6],
      ])
        room.kernels.extremeRow(
          extremes,
          counts,
          room.column(row),
          room.put(Uint8Array.of(largest, 1, 1)),
          3,
          largest,
        )
      expect([...room.floats(extremes, 3)]).toEqual(largest ? [2, 3, 7] : [0, 1, 5])
      expect([...new Uint32Array(room.get(counts, 12).buffer)]).toEqual([largest * 3, 3, 3])
    }
    room.check()
  })
})
