import { describe, expect, it } from 'vitest'
import { Labels, Matcher, compareUtf8, formatDuration, formatValue, parseDuration } from './index.ts'
import { isStale, setStale, staleMarker } from './index.ts'

describe('labels', () => {
  it('sorts names by UTF-8 bytes and drops empty values', () => {
    const labels = Labels.from({ b: '1', a: '2', c: '' })
    expect(labels.pairs).toEqual(['a', '2', 'b', '1'])
    expect(compareUtf8('\u{1f600}', '\uffff')).toBeGreaterThan(0)
    expect(compareUtf8('ab', 'abc')).toBeLessThan(0)
  })

  it('prints itself as Prometheus does', () => {
    expect(Labels.from({ __name__: 'up', job: 'a"b\n' }).toString()).toBe('{__name__="up", job="a\\"b\\n"}')
    expect(Labels.from({ 'x.y': 'é' }).toString()).toBe('{"x.y"="é"}')
  })

  it('matches with RE2 semantics, anchored', () => {
    const f = (type: '=~' | '!~', re: string, value: string, want: boolean) =>
      expect(new Matcher(type, 'x', re).matches(value)).toBe(want)
    f('=~', '5..', '5xx', true)
    f('=~', 'a|b', 'ab', false)
    f('=~', 'a.*', 'a\nb', true)
    f('=~', 'a|b', 'b', true)
    f('!~', '', 'x', true)
    f('=~', 'fo+', 'fooo', true)
    expect(() => new Matcher('=~', 'x', '(?=a)')).toThrow()
    expect(() => new Matcher('=~', 'x', 'a)|(b')).toThrow()
  })
})

describe('durations and values', () => {
  it('reads and prints Prometheus durations', () => {
    expect(parseDuration('1h30m')).toBe(5_400_000)
    expect(parseDuration('1y2w3d4h5m6s7ms')).toBe(
      31_536_000_000 + 2 * 604_800_000 + 3 * 86_400_000 + 14_706_007,
    )
    expect(() => parseDuration('1m1h')).toThrow('not a valid duration string: "1m1h"')
    expect(formatDuration(5_400_000)).toBe('1h30m')
    expect(formatDuration(15 * 86_400_000)).toBe('15d')
    expect(formatDuration(7 * 86_400_000)).toBe('1w')
  })

  it('prints sample values as the JSON of the API does', () => {
    expect(formatValue(1e21)).toBe('1e+21')
    expect(formatValue(1e-7)).toBe('1e-07')
    expect(formatValue(0.1 + 0.2)).toBe('0.30000000000000004')
    expect(formatValue(-0)).toBe('-0')
  })

  it('tells the staleness marker from other NaNs', () => {
    const column = new Float64Array(2)
    setStale(column, 1)
    expect(isStale(column[1]!)).toBe(true)
    expect(isStale(NaN)).toBe(false)
    expect(isStale(staleMarker())).toBe(true)
  })
})
