import { histogramLiteral } from '@watchfire/datamodel'
import { describe, expect, it } from 'vitest'
import { ParseError, parseSeriesDescription } from './index.ts'

function shown(text: string): string {
  const { labels, values } = parseSeriesDescription(text)
  const points = values.map((value) => {
    switch (value.kind) {
      case 'omitted':
        return '_'
      case 'stale':
        return 'stale'
      case 'float':
        return String(value.value)
      case 'histogram':
        return histogramLiteral(value.histogram) + (value.hintSet ? '!' : '')
    }
  })
  return [labels.toString(), ...points].join(' ')
}

describe('series descriptions', () => {
  it.each([
    ['up', '{__name__="up"}'],
    ['{} 1 2.5\t-3', '{} 1 2.5 -3'],
    ['{"a.b", c="d"} 1', '{__name__="a.b", c="d"} 1'],
    ['up 1x2 _ _x2 stale', '{__name__="up"} 1 1 1 _ _ _ stale'],
    ['up 1+2x3 10-5x2', '{__name__="up"} 1 3 5 7 10 5 0'],
    ['up 0x2 Inf -Inf', '{__name__="up"} 0 0 0 Infinity -Infinity'],
    [
      '{} {{schema:1 count:3 buckets:[1 2]}}x1',
      '{} {{schema:1 count:3 buckets:[1 2]}} {{schema:1 count:3 buckets:[1 2]}}',
    ],
    [
      '{} {{count:1 buckets:[1]}}+{{count:2 buckets:[0 2]}}x1',
      '{} {{count:1 buckets:[1]}} {{count:3 buckets:[1 2]}}',
    ],
    ['{} {{sum:3}}-{{sum:1}}x1', '{} {{sum:3}} {{sum:2}}'],
    ['{} {{counter_reset_hint:gauge}}', '{} {{counter_reset_hint:gauge}}!'],
    [
      '{} {{schema:-53 custom_values:[0.5 1] buckets:[1 0 2]}}',
      '{} {{schema:-53 custom_values:[0.5 1] buckets:[1 0 2]}}',
    ],
  ])('%s gives %s', (input, want) => {
    expect(shown(input)).toBe(want)
  })

  it.each([
    ['up 1+1', '1:7: parse error: unexpected end of input in series values'],
    [
      'up 1 abc',
      '1:6: parse error: unexpected identifier "abc" in series values, expected number or "stale"',
    ],
    ['up{a="b" 1', "1:10: parse error: unexpected character inside braces: '1'"],
    ['{} {{foo:1}}', '1:6: parse error: bad histogram descriptor found: "foo"'],
    ['{} {{count:1 count:2}}', '1:1: parse error: duplicate key "count" in histogram'],
    [
      '{} {{schema:1}}+{{schema:0}}x1',
      '1:30: parse error: error combining histograms: cannot merge from schema 0 to 1',
    ],
    [
      '{} {{schema:-53 custom_values:[1]}}+{{}}x1',
      '1:42: parse error: cannot apply this operation on histograms with a mix of exponential and custom bucket schemas',
    ],
    ['up 1x99999999', '1:6: parse error: series has more than 1000000 values'],
  ])('%s is refused: %s', (input, want) => {
    expect(() => parseSeriesDescription(input)).toThrow(ParseError)
    expect(() => parseSeriesDescription(input)).toThrow(want)
  })
})
