import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { POINT_TEXT_BYTES } from './index.ts'
import { floatBits } from './oracle/bits.ts'
import { PLACES, Room, type Place } from './oracle/room.ts'

function parse(place: Place, text: string): { kind: number; bits: bigint } {
  const room = new Room(place)
  const bytes = Buffer.from(text)
  const address = room.put(bytes)
  const out = room.buffer(8)
  const kind = room.kernels.parseNumber(address, address + bytes.length, out)
  room.check()
  return { kind, bits: room.bits(out, 1)[0]! }
}

/** What Go's ParseFloat takes of decimal syntax. */
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

function check(place: Place, text: string): void {
  const { kind, bits } = parse(place, text)
  const value = Number(text)
  if (!DECIMAL.test(text) || Math.abs(value) === Infinity) expect({ text, kind }).toEqual({ text, kind: 0 })
  else if (kind === 2) expect(text.length).toBeGreaterThan(19)
  else expect({ text, kind, bits }).toEqual({ text, kind: 1, bits: floatBits(value) })
}

function format(place: Place, value: number): string {
  const room = new Room(place)
  const dst = room.buffer(32)
  const length = room.kernels.formatNumber(value, dst)
  room.check()
  return Buffer.from(room.get(dst, length)).toString()
}

const digits = fc.stringMatching(/^[0-9]{0,24}$/)
const exponent = fc.integer({ min: -350, max: 330 })

describe.each(PLACES)('parseNumber $name', (place) => {
  it('rounds like the platform', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        check(place, String(value))
        check(place, value.toExponential())
        check(place, value.toPrecision(17))
        check(place, value.toPrecision(19))
        expect(parse(place, String(value)).kind).toBe(1)
      }),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(digits, digits, exponent, fc.constantFrom('', '-', '+'), (whole, fraction, e, sign) => {
        check(place, `${sign}${whole}.${fraction}e${e}`)
        check(place, `${sign}${whole}${fraction}`)
        check(place, `${sign}${whole}.${fraction}`)
      }),
      { numRuns: 1000 },
    )
  })

  it('refuses what is no number', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9+\-.eEinfINFay_x ]{0,9}$/), (text) => {
        if (!/[in]/i.test(text)) check(place, text)
        else expect(parse(place, text).kind).toBeLessThan(2)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('parseNumber', () => {
  it('knows the words of the formats', () => {
    const infinity = floatBits(Infinity)
    const f = (text: string, bits: bigint | undefined) =>
      expect({ text, ...parse(PLACES[0]!, text) }).toEqual({
        text,
        kind: bits === undefined ? 0 : 1,
        bits: bits ?? 0n,
      })
    for (const text of ['Inf', '+Inf', 'inf', 'INFINITY', '+infinity']) f(text, infinity)
    f('-Inf', floatBits(-Infinity))
    f('NaN', 0x7ff8000000000001n)
    f('nan', 0x7ff8000000000001n)
    for (const text of ['-NaN', '+nan', 'In', 'Infi', 'infinite', 'nano', '1e400', '0x1p3', '1_0', '1e', ''])
      f(text, undefined)
    f('-0', floatBits(-0))
    f('1e-400', 0n)
    f('5e-324', 1n)
    f('9007199254740993', floatBits(9007199254740992))
    f('2.2250738585072011e-308', floatBits(2.225073858507201e-308))
    f('1.7976931348623157e308', floatBits(Number.MAX_VALUE))
  })
})

/** A sample value as Prometheus's JSON has it. */
function expected(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Math.abs(value) === Infinity) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2')
}

describe.each(PLACES)('formatNumber $name', (place) => {
  it('prints the shortest decimal, as the platform does', () => {
    const f = (value: number) => expect(format(place, value)).toBe(expected(value))
    fc.assert(
      fc.property(
        fc.double(),
        fc.maxSafeInteger(),
        fc.nat(30),
        fc.integer({ min: -1074, max: 1023 }),
        (any, safe, power, two) => {
          f(any)
          f(safe)
          f(safe / 10 ** power)
          f(safe * 10 ** power)
          f(any / 3)
          f(2 ** two)
          f(2 ** two * (1 + 2 ** -52))
          f(2 ** two * (1 - 2 ** -53))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('prints special values', () => {
    expect(
      [NaN, Infinity, -Infinity, 0, -0, 5e-324, 1e-6, 1e-7, 1e21, 0.1 + 0.2].map((value) =>
        format(place, value),
      ),
    ).toEqual([
      'NaN',
      '+Inf',
      '-Inf',
      '0',
      '-0',
      '5e-324',
      '0.000001',
      '1e-07',
      '1e+21',
      '0.30000000000000004',
    ])
  })
})

describe.each(PLACES)('formatPoints $name', (place) => {
  it('writes the points that are present', () => {
    const points = fc.array(fc.tuple(fc.double(), fc.boolean()), { maxLength: 20 })
    const start = fc.integer({ min: -(2 ** 40), max: 2 ** 45 })
    fc.assert(
      fc.property(points, start, fc.nat(100_000), (rows, first, step) => {
        const room = new Room(place)
        const dst = room.buffer(rows.length * POINT_TEXT_BYTES)
        const values = room.column(rows.map(([value]) => value))
        const present = room.put(Uint8Array.from(rows, ([, there]) => (there ? 1 : 0)))
        const length = room.kernels.formatPoints(values, present, first, step, rows.length, dst)
        const want = rows.flatMap(([value, there], i) => {
          const ms = first + i * step
          const whole = `${ms < 0 ? '-' : ''}${Math.floor(Math.abs(ms) / 1000)}`
          const rest = Math.abs(ms) % 1000
          const time = rest === 0 ? whole : `${whole}.${String(rest).padStart(3, '0')}`
          return there ? [`[${time},"${expected(value)}"]`] : []
        })
        expect(Buffer.from(room.get(dst, length)).toString()).toBe(want.join(','))
        room.check()
      }),
      { numRuns: 300 },
    )
  })
})
