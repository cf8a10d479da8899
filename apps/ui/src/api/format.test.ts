import { describe, expect, it } from 'vitest'
import { differingNames, formatSeconds, formatUnit, seriesName, shortNumber } from './format.ts'

describe('series names', () => {
  it('are PromQL, also with names that must be quoted', () => {
    expect(seriesName({ __name__: 'up' })).toBe('up')
    expect(seriesName({ __name__: 'up', job: 'a "b"' })).toBe('up{job="a \\"b\\""}')
    expect(seriesName({ __name__: 'a name', 'a.b': '1' })).toBe('{"a name", "a.b"="1"}')
    expect(seriesName({})).toBe('{}')
  })

  it('are short where only labels that differ matter', () => {
    const metrics = ['a', 'b'].map((path) => ({ __name__: 'x', job: 'j', path }))
    expect(differingNames(metrics)).toEqual(['{path="a"}', '{path="b"}'])
    expect(differingNames(metrics.slice(1))).toEqual(['x{job="j", path="b"}'])
  })
})

describe('numbers', () => {
  it('are short, with units of the field', () => {
    expect(shortNumber(1234567)).toBe('1.235M')
    expect(shortNumber(-Infinity)).toBe('-Inf')
    expect(formatUnit(0.0123, 'percentunit')).toBe('1.23%')
    expect(formatUnit(1536, 'bytes')).toBe('1.5 KiB')
    expect(formatUnit(0.25, 's')).toBe('250ms')
    expect(formatSeconds(5400)).toBe('1h 30m')
    expect(formatSeconds(NaN)).toBe('–')
  })
})
