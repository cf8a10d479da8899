import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HISTOGRAM_SLOT_BYTES, HISTOGRAM_STATE_BYTES, KERNEL_ERROR } from './index.ts'
import { floatBits } from './oracle/bits.ts'
import {
  STALE_BITS,
  bucketsOf,
  encodeHistogramChunk,
  imageOf,
  type HistogramSample,
  type Layout,
} from './oracle/histogram.ts'
import { PLACES, Room } from './oracle/room.ts'

const INTEGERS = 2
const FLOATS = 3

const span = fc.tuple(fc.integer({ min: -300, max: 300 }), fc.nat(4))
const layout: fc.Arbitrary<Layout> = fc.record({
  schema: fc.constantFrom(-53, -4, 0, 3, 8, 20),
  hint: fc.nat(3),
  zeroThreshold: fc.oneof(
    fc.constantFrom(0, 2 ** -128, 2 ** -243, 2 ** -244, 2 ** 10, 2 ** 11, 0.001),
    fc.double({ min: 0, max: 10, noNaN: true }),
  ),
  spans: fc.tuple(fc.array(span, { maxLength: 3 }), fc.array(span, { maxLength: 2 })),
  // The format has no −0 among bounds.
  customValues: fc.array(
    fc.oneof(
      fc.integer({ min: -5, max: 40_000_000 }).map((n) => n / 1000),
      fc.double({ noNaN: true }).map((bound) => bound + 0),
    ),
    { maxLength: 4 },
  ),
})

const integer = fc.oneof(fc.nat(50), fc.nat(100_000), fc.maxSafeNat())
const float = fc.oneof(fc.nat(50), fc.double({ noNaN: true }), fc.constantFrom(0.1, 2.5))

interface Case {
  readonly encoding: number
  readonly layout: Layout
  readonly samples: HistogramSample[]
}

/** A chunk's samples; stale ones only at its end, as Prometheus writes them. */
function caseOf(encoding: number): fc.Arbitrary<Case> {
  const number = encoding === INTEGERS ? integer : float
  return layout.chain((shape) => {
    const used: Layout = shape.schema === -53 ? shape : { ...shape, customValues: [] }
    const [positive, negative] = bucketsOf(used)
    const column = (n: number) => fc.array(number, { minLength: n, maxLength: n })
    const sample = fc.record({
      t: fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: -(2 ** 48), max: 2 ** 48 })),
      count: number,
      zeroCount: number,
      sum: fc.double().map(floatBits),
      buckets: fc.tuple(column(positive), column(negative)),
    })
    const zeros: [number[], number[]] = [Array<number>(positive).fill(0), Array<number>(negative).fill(0)]
    return fc
      .tuple(fc.array(sample, { maxLength: 8 }), fc.oneof(fc.constant(0), fc.nat(2)))
      .map(([live, stale]) => ({
        encoding,
        layout: used,
        samples: [
          ...live,
          ...Array.from({ length: stale }, (_, i) => ({
            t: 2 ** 48 + i,
            count: 0,
            zeroCount: 0,
            sum: STALE_BITS,
            buckets: zeros,
          })),
        ],
      }))
  })
}

const anyCase = fc.oneof(caseOf(INTEGERS), caseOf(FLOATS))
const scratchBytes = (shape: Layout) =>
  HISTOGRAM_STATE_BYTES + HISTOGRAM_SLOT_BYTES * bucketsOf(shape).reduce((a, b) => a + b)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe.each(PLACES)('histogram chunks $name', (place) => {
  it('are encoded as the oracle does and decoded back', () => {
    fc.assert(
      fc.property(anyCase, ({ encoding, layout, samples }) => {
        const room = new Room(place)
        const want = encodeHistogramChunk(encoding, layout, samples)
        const chunk = room.buffer(want.length)
        const source = imageOf(layout, samples)
        const image = room.put(source)
        const { kernels } = room
        expect(kernels.histogramEncode(encoding, image, source.length, chunk, want.length)).toBe(want.length)
        expect(hex(room.get(chunk, want.length))).toBe(hex(want))
        expect(
          kernels.histogramEncode(
            encoding,
            image,
            source.length,
            room.buffer(want.length - 1),
            want.length - 1,
          ),
        ).toBe(KERNEL_ERROR.noRoom)

        const size = kernels.histogramImageSize(encoding, chunk, want.length)
        // A chunk without samples, or whose first is stale, has no layout.
        const bare = samples.length === 0 || samples[0]!.sum === STALE_BITS
        const decoded = bare
          ? imageOf(
              { schema: 0, hint: layout.hint, zeroThreshold: 0, spans: [[], []], customValues: [] },
              samples.map((sample) => ({ ...sample, buckets: [[], []] })),
            )
          : source
        expect(size).toBe(decoded.length)
        const out = room.buffer(size, 0xee)
        expect(kernels.histogramDecode(encoding, chunk, want.length, out, size)).toBe(samples.length)
        const data = bare ? size - HISTOGRAM_STATE_BYTES : size - scratchBytes(layout)
        expect(hex(room.get(out, data))).toBe(hex(decoded.subarray(0, data)))
        expect(kernels.histogramDecode(encoding, chunk, want.length, out, size - 1)).toBe(KERNEL_ERROR.noRoom)
        room.check()
      }),
      { numRuns: 150 },
    )
  })

  it('with start timestamps are decoded', () => {
    const starts = fc.array(
      fc.oneof(fc.constant(0), fc.nat(5), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
      {
        minLength: 10,
        maxLength: 10,
      },
    )
    fc.assert(
      fc.property(anyCase, starts, ({ encoding, layout, samples }, own) => {
        const room = new Room(place)
        const { kernels } = room
        const plain = encodeHistogramChunk(encoding, layout, samples)
        const bytes = encodeHistogramChunk(encoding + 3, layout, samples, own)
        const [chunk, other] = [room.put(bytes), room.put(plain)]
        const size = kernels.histogramImageSize(encoding + 3, chunk, bytes.length)
        expect(size).toBe(kernels.histogramImageSize(encoding, other, plain.length))
        const [image, want] = [room.buffer(size), room.buffer(size)]
        const out = room.buffer(samples.length * 8)
        kernels.histogramDecode(encoding, other, plain.length, want, size)
        expect(kernels.histogramDecode(encoding + 3, chunk, bytes.length, image, size, out)).toBe(
          samples.length,
        )
        const data = samples[0]?.sum === STALE_BITS ? 40 : size - scratchBytes(layout)
        if (samples.length > 0) expect(hex(room.get(image, data))).toBe(hex(room.get(want, data)))
        expect([...room.floats(out, samples.length)]).toEqual(own.slice(0, samples.length))
        room.check()
      }),
      { numRuns: 150 },
    )
  })

  it('grow sample by sample, also after resuming', () => {
    fc.assert(
      fc.property(anyCase, fc.nat(8), ({ encoding, layout, samples }, cut) => {
        const first = samples[0]
        if (!first) return
        const room = new Room(place)
        const want = encodeHistogramChunk(encoding, layout, samples)
        const chunk = room.buffer(want.length)
        const stateSize = scratchBytes(layout)
        const state = room.buffer(stateSize)
        const { kernels } = room
        const init = room.put(imageOf(layout, [first]))
        expect(kernels.histogramInit(encoding, state, stateSize - 1, chunk, want.length, init)).toBe(
          KERNEL_ERROR.noRoom,
        )
        expect(kernels.histogramInit(encoding, state, stateSize, chunk, want.length, init)).toBe(0)
        samples.slice(1).forEach((sample, i) => {
          if (i === cut) {
            const before = hex(room.get(state, stateSize))
            const length = Math.ceil(room.view.getUint32(state + 8, true) / 8)
            expect(kernels.histogramResume(encoding, state, stateSize, chunk, length, want.length)).toBe(0)
            // The state is that of before, except for its scratch behind a chunk without layout.
            const used = first.sum === STALE_BITS ? HISTOGRAM_STATE_BYTES : stateSize
            expect(hex(room.get(state, used))).toBe(before.slice(0, used * 2))
          }
          expect(kernels.histogramAppend(state, room.put(imageOf(layout, [sample])))).toBe(0)
        })
        expect(hex(room.get(chunk, want.length))).toBe(hex(want))
        const after = hex(room.get(state, stateSize))
        const more = { ...first, t: 2 ** 50, sum: STALE_BITS }
        expect(kernels.histogramAppend(state, room.put(imageOf(layout, [more])))).toBe(1)
        expect(hex(room.get(state, stateSize))).toBe(after)
        expect(hex(room.get(chunk, want.length))).toBe(hex(want))
        room.check()
      }),
      { numRuns: 150 },
    )
  })

  it('that are damaged do no harm', () => {
    const damaged = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc
        .tuple(anyCase, fc.nat(), fc.nat(255), fc.nat(300))
        .map(([{ encoding, layout, samples }, at, byte, cut]) => {
          const bytes = encodeHistogramChunk(encoding, layout, samples)
          bytes[at % bytes.length] = byte
          return bytes.subarray(0, cut)
        }),
    )
    fc.assert(
      fc.property(damaged, fc.constantFrom(2, 3, 5, 6), (bytes, encoding) => {
        if (bytes.length > 0) bytes[0] = 0
        const room = new Room(place)
        const chunk = room.put(bytes)
        const { kernels } = room
        const size = kernels.histogramImageSize(encoding, chunk, bytes.length)
        expect(size).toBeLessThan(bytes.length * bytes.length * 8 * 8 * 8 + 1000)
        const stateSize = 400
        const state = room.buffer(stateSize)
        const resumed = kernels.histogramResume(encoding, state, stateSize, chunk, bytes.length, bytes.length)
        if (size >= 0) {
          const image = room.buffer(size)
          const count = kernels.histogramDecode(encoding, chunk, bytes.length, image, size)
          expect(count).toBeLessThan(65536)
          if (encoding < 5 && resumed !== KERNEL_ERROR.noRoom) expect(count < 0).toBe(resumed < 0)
        } else if (encoding < 5) {
          expect(resumed).toBe(size)
        }
        expect(hex(room.get(chunk, bytes.length))).toBe(hex(bytes))
        room.check()
      }),
      { numRuns: 2000 },
    )
  })
})

describe('histogram chunks', () => {
  /** Bytes written by Prometheus 3.14. */
  const GOLDEN = [
    [INTEGERS, '00010000ee5c684f8cbdf5f1f4ff0000cdbb88cb4079ca48121d66666666667e184f0a5fbadfb940'],
    [INTEGERS, '00010000ee5c6a538cbcfbefaf8fa7f800066ddc465a03ce5a4091240000000000f0bded36f89b80'],
    [
      FLOATS,
      '001400004627f0000cdbb7d59902030c0000000000000000000000000002038c000000000002030c' +
        '000000000007c1d4c7206e40f903710b710be21694cb70bf6e17fb85fa0a0c14343868283051d1e3a0' +
        'a0c14343868283053d3e7a0a0c14343868283051d1e3a0a0c1434386828304',
    ],
    [
      FLOATS,
      '0001c0008c6527f0000cdbb88cb4020108ccccccccccd00000000000000002019f99999999999a' +
        '003666666666666a00b6666666666668',
    ],
  ] as const

  it.each(GOLDEN)('of Prometheus (encoding %i) are read and written back', (encoding, text) => {
    const room = new Room(PLACES[0]!)
    const bytes = Buffer.from(text, 'hex')
    const chunk = room.put(bytes)
    const size = room.kernels.histogramImageSize(encoding, chunk, bytes.length)
    const image = room.buffer(size)
    expect(room.kernels.histogramDecode(encoding, chunk, bytes.length, image, size)).toBe(bytes[1])
    const out = room.buffer(bytes.length)
    expect(room.kernels.histogramEncode(encoding, image, size, out, bytes.length)).toBe(bytes.length)
    expect(hex(room.get(out, bytes.length))).toBe(text)
    room.check()
  })

  it('of Prometheus give its numbers', () => {
    const room = new Room(PLACES[0]!)
    const bytes = Buffer.from(GOLDEN[3][1], 'hex')
    const chunk = room.put(bytes)
    const size = room.kernels.histogramImageSize(FLOATS, chunk, bytes.length)
    const image = room.buffer(size)
    room.kernels.histogramDecode(FLOATS, chunk, bytes.length, image, size)
    const word = (at: number) => room.view.getInt32(image + at, true)
    const head = [0, 4, 16, 20, 24, 28, 32, 36].map(word)
    // Flags c0 = gauge, 00 = no zero bucket, then 10 001 = schema 1, 10 001 = one span, 10 010 = length 2, 10
    // 010 = offset 2, 0 = no negative spans.
    expect(head).toEqual([1, 3, 1, 1, 0, 2, 0, 0])
    expect([word(40), word(44)]).toEqual([2, 2])
    expect(room.view.getFloat64(image + 8, true)).toBe(0)
    // Time, count (the sum of the buckets), zero count, sum, buckets.
    expect([...room.floats(image + 48, 6)]).toEqual([1_767_229_200_000, 8.55, 0, 19.95, 2.85, 5.7])
    room.check()
  })

  it('refuse what the encoding cannot hold', () => {
    const room = new Room(PLACES[0]!)
    const layout: Layout = { schema: 0, hint: 0, zeroThreshold: 0, spans: [[[0, 1]], []], customValues: [] }
    const sample = {
      t: 1,
      count: 2,
      zeroCount: 1,
      sum: floatBits(3),
      buckets: [[1], []] as [number[], number[]],
    }
    const encode = (encoding: number, shape: Layout, given: HistogramSample) => {
      const image = imageOf(shape, [given])
      return room.kernels.histogramEncode(encoding, room.put(image), image.length, room.buffer(200), 200)
    }
    expect(encode(INTEGERS, layout, sample)).toBeGreaterThan(0)
    expect(encode(INTEGERS, layout, { ...sample, buckets: [[1.5], []] })).toBe(KERNEL_ERROR.corrupt)
    expect(encode(INTEGERS, layout, { ...sample, count: -1 })).toBe(KERNEL_ERROR.corrupt)
    expect(encode(INTEGERS, layout, { ...sample, zeroCount: NaN })).toBe(KERNEL_ERROR.corrupt)
    expect(encode(FLOATS, layout, { ...sample, buckets: [[1.5], []] })).toBeGreaterThan(0)
    expect(encode(1, layout, sample)).toBe(KERNEL_ERROR.unsupported)
    const state = room.buffer(400)
    const chunk = room.buffer(200)
    expect(
      room.kernels.histogramInit(FLOATS, state, 400, chunk, 200, room.put(imageOf(layout, [sample]))),
    ).toBe(0)
    const wider: Layout = { ...layout, spans: [[[0, 2]], []] }
    const other = imageOf(wider, [{ ...sample, buckets: [[1, 2], []] }])
    expect(room.kernels.histogramAppend(state, room.put(other))).toBe(KERNEL_ERROR.corrupt)
    room.check()
  })
})
