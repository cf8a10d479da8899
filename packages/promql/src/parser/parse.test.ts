import { describe, expect, it } from 'vitest'
import {
  ALL_EXPERIMENTS,
  FUNCTIONS,
  ParseError,
  exprToJson,
  parseExpr,
  parseMetricSelector,
  prettyExpr,
  printExpr,
  valueType,
  type Expr,
} from './index.ts'

function refusal(text: string, options = ALL_EXPERIMENTS): string {
  try {
    parseExpr(text, options)
  } catch (error) {
    expect(error).toBeInstanceOf(ParseError)
    return (error as ParseError).message
  }
  return 'accepted'
}

/** The expression of a kind, or a failed test. */
function as<T extends Expr['type']>(expr: Expr, type: T): Extract<Expr, { type: T }> {
  expect(expr.type).toBe(type)
  return expr as Extract<Expr, { type: T }>
}

describe('the canonical form', () => {
  const cases: readonly (readonly [input: string, want: string])[] = [
    ['1+2*3', '1 + 2 * 3'],
    ['0x1F', '31'],
    ['0755', '493'],
    ['1_000.5', '1000.5'],
    ['1e-7', '0.0000001'],
    ['1e21', '1000000000000000000000'],
    ['inf', '+Inf'],
    ['-NaN', 'NaN'],
    ['1h30m', '1h30m'],
    ['-5m', '-5m'],
    ["'it\\'s'", '"it\'s"'],
    ['`a\\b`', '"a\\\\b"'],
    ['"\\xe4\\xb8\\xad\\xff"', '"中\\xff"'],
    ['up{b="2",a!~"x|y"}', 'up{a!~"x|y",b="2"}'],
    ['{"a.b",c="d"}', '{__name__="a.b",c="d"}'],
    ['rate(up[5m]offset -1h@end())', 'rate(up[5m] @ end() offset -1h)'],
    ['up[1d:]', 'up[1d:]'],
    ['up[1d:5m] @ 1.5', 'up[1d:5m] @ 1.500'],
    ['SUM(up)without(b,"c.d",)', 'sum without (b, "c.d") (up)'],
    ['topk by(a)(3,up)', 'topk by (a) (3, up)'],
    ['a AND ON(x)b', 'a and on (x) b'],
    ['a/on(x)group_left(y)b', 'a / on (x) group_left (y) b'],
    ['a+fill(0.00001)b', 'a + fill (1e-05) b'],
    ['a - fill_right(2)fill_left(-1)b', 'a - fill_left (-1) fill_right (2) b'],
    ['a</b', 'a </ b'],
    ['a>=bool 1', 'a >= bool 1'],
    ['up[5m*2]', 'up[5m * 2]'],
    ['up[(5m)]', 'up[(5m)]'],
    ['up offset(step()+1m)', 'up offset (step() + 1m)'],
    ['up[max_of(1m,step())]', 'up[max_of(1m, step())]'],
    ['up[5m]smoothed', 'up[5m] smoothed'],
    ['up # a comment\n + 1', 'up + 1'],
    ['sum + by + offset + fill', 'sum + by + offset + fill'],
    ['"\\xc3\\xa9\\360\\237\\230\\200"', '"é😀"'],
    ['"\\xe4\\xb8 \\xc0\\x80 \\xed\\xa0\\x80"', '"\\xe4\\xb8 \\xc0\\x80 \\xed\\xa0\\x80"'],
  ]
  it.each(cases)('of %s is %s', (input, want) => {
    const expr = parseExpr(input, ALL_EXPERIMENTS)
    expect(printExpr(expr)).toBe(want)
    expect(printExpr(parseExpr(want, ALL_EXPERIMENTS))).toBe(want)
  })
})

describe('operators', () => {
  const grouped = (text: string): string => {
    const show = (expr: Expr): string =>
      expr.type === 'binaryExpr'
        ? `(${show(expr.lhs)} ${expr.op} ${show(expr.rhs)})`
        : expr.type === 'unaryExpr'
          ? `(${expr.op}${show(expr.expr)})`
          : printExpr(expr)
    return show(parseExpr(text, ALL_EXPERIMENTS))
  }
  it.each([
    ['a or b and c unless d', '(a or ((b and c) unless d))'],
    ['a == b + c', '(a == (b + c))'],
    ['a - b - c', '((a - b) - c)'],
    ['a * b % c atan2 d', '(((a * b) % c) atan2 d)'],
    ['a ^ b ^ c', '(a ^ (b ^ c))'],
    ['-a ^ b', '(-(a ^ b))'],
    ['-a * b', '((-a) * b)'],
    ['2 ^ -3 * 4', '((2 ^ -3) * 4)'],
    ['a offset 5m * 2', '(a offset 5m * 2)'],
  ])('of %s bind as %s', (input, want) => {
    expect(grouped(input)).toBe(want)
  })

  it('multiply the samples after a literal offset and the offset after parentheses', () => {
    expect(parseExpr('a offset 5m * 2').type).toBe('binaryExpr')
    expect(parseExpr('a offset (5m) * 2').type).toBe('vectorSelector')
  })
})

describe('the tree', () => {
  it('keeps the place of every node', () => {
    const text = 'sum(rate(up{a="b"}[5m])) / 2'
    const place = ({ start, end }: Expr): string => text.slice(start, end)
    const division = as(parseExpr(text), 'binaryExpr')
    const sum = as(division.lhs, 'aggregation')
    const rate = as(sum.expr, 'call')
    const matrix = as(rate.args[0]!, 'matrixSelector')
    expect([division, sum, rate, matrix, matrix.vector].map(place)).toEqual([
      text,
      'sum(rate(up{a="b"}[5m]))',
      'rate(up{a="b"}[5m])',
      'up{a="b"}[5m]',
      'up{a="b"}',
    ])
  })

  it('holds durations in milliseconds and literals in seconds', () => {
    const subquery = as(parseExpr('up[1h:30s] @ 10 offset -90s'), 'subquery')
    expect(subquery).toMatchObject({ rangeMs: 3_600_000, stepMs: 30_000, atMs: 10_000, offsetMs: -90_000 })
    expect(parseExpr('1500ms')).toMatchObject({ value: 1.5, duration: true })
  })

  it('has matching only between vectors, many-to-many for set operators', () => {
    expect(as(parseExpr('a + 1'), 'binaryExpr').matching).toBeUndefined()
    expect(as(parseExpr('a or b'), 'binaryExpr').matching?.card).toBe('many-to-many')
    expect(as(parseExpr('a + on(x) group_right b'), 'binaryExpr').matching).toMatchObject({
      card: 'one-to-many',
      labels: ['x'],
      on: true,
    })
  })

  it('tells the type of every expression', () => {
    expect(
      ['up', 'up[1m]', '1 + 2', '"x"', 'time()', 'up + 1', 'abs(up)'].map((t) => valueType(parseExpr(t))),
    ).toEqual(['vector', 'matrix', 'scalar', 'string', 'scalar', 'vector', 'vector'])
  })

  it('is shown as parse_query shows it', () => {
    expect(exprToJson(parseExpr('max by (a) (up offset 1m)'))).toEqual({
      type: 'aggregation',
      op: 'max',
      expr: {
        type: 'vectorSelector',
        name: 'up',
        matchers: [{ name: '__name__', value: 'up', type: '=' }],
        offset: 60_000,
        offsetExpr: null,
        timestamp: null,
        startOrEnd: null,
        anchored: false,
        smoothed: false,
      },
      param: null,
      grouping: ['a'],
      without: false,
    })
  })
})

describe('refusals name the first mistake and its place', () => {
  it.each([
    ['', 'unknown position: parse error: no expression found in input'],
    ['  # nothing', '1:1: parse error: no expression found in input'],
    ['a +', '1:4: parse error: unexpected end of input'],
    ['a\n+ )', "2:4: parse error: unexpected right parenthesis ')'"],
    ['(a', '1:3: parse error: unclosed left parenthesis'],
    ['sum(a b)', '1:7: parse error: unexpected identifier "b" in aggregation'],
    ['sum by a (b)', '1:8: parse error: unexpected identifier "a" in grouping opts, expected "("'],
    ['a + on(x) group_left', '1:21: parse error: unexpected end of input in grouping opts, expected "("'],
    ['{a="b" c="d"}', '1:8: parse error: unexpected identifier "c" in label matching, expected "," or "}"'],
    ['{a=~"("}', '1:2: parse error: error parsing regexp: missing closing ): `(`'],
    ['"é" + é', "1:8: parse error: unexpected character: 'é'"],
    ['abs(a,)', '1:6: parse error: trailing commas not allowed in function call args'],
    ['nothing(a)', '1:1: parse error: unknown function with name "nothing"'],
    [
      'rate(a)',
      '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
    ],
    ['round()', '1:1: parse error: expected at least 1 argument(s) in call to "round", got 0'],
    ['1 > 2', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
    ['a + bool b', '1:3: parse error: bool modifier can only be used on comparison operators'],
    ['a and 1', '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
    ['{a=~".*"}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['a[5m] offset 1m offset 1m', '1:1: parse error: offset may not be set multiple times'],
    ['a[0]', '1:3: parse error: duration must be greater than 0'],
    ['a[5m:1m 1m]', '1:9: parse error: unexpected duration "1m" in subquery selector, expected "]"'],
    ['a @ b', '1:5: parse error: unexpected identifier "b" in @, expected timestamp'],
    ['a[1m/0]', '1:5: parse error: division by zero'],
    ['a[5m] anchored smoothed', '1:1: parse error: anchored and smoothed modifiers cannot be used together'],
    ['"\\q"', "1:1: parse error: unknown escape sequence U+0071 'q'"],
    ['"\ufffd"', '1:1: parse error: invalid UTF-8 rune'],
    [
      '1e400',
      '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e400": value out of range',
    ],
  ])('%j: %s', (input, want) => {
    expect(refusal(input)).toBe(want)
  })

  it('and what is behind a switch', () => {
    expect(refusal('a + fill(1) b', {})).toBe(
      '1:1: parse error: binop fill modifiers are experimental and not enabled',
    )
    expect(refusal('a[5m] smoothed', {})).toBe(
      '1:1: parse error: smoothed modifier is experimental and not enabled',
    )
    expect(refusal('start()', {})).toBe('1:1: parse error: function "start" is not enabled')
    expect(refusal('limitk(1, a)', {})).toContain('limitk() is experimental and must be enabled with')
    expect(refusal('a[5m * 2]', { durationExpressions: false })).toBe(
      '1:3: parse error: experimental duration expression is not enabled',
    )
  })

  it('and nesting and lengths beyond the limits', () => {
    const deep = [
      '('.repeat(100_000),
      `a${' + a'.repeat(100_000)}`,
      `a${' ^ a'.repeat(100_000)}`,
      `${'-'.repeat(100_000)}a`,
      `${'abs('.repeat(100_000)}a`,
      `a${'[1m:]'.repeat(100_000)}`,
      `a[${'('.repeat(100_000)}`,
      `a[1m${' + 1m'.repeat(100_000)}]`,
      `a[${'-'.repeat(100_000)}1m]`,
    ]
    for (const text of deep) expect(refusal(text)).toMatch(/nested too deeply|has more than 1000 terms/)
    expect(refusal('a'.repeat(1_000_001))).toBe('1:1: parse error: input is longer than 1000000 characters')
  })
})

describe('the longest permitted nesting', () => {
  it.each([
    ['parentheses', `${'('.repeat(990)}a${')'.repeat(990)}`],
    ['sums', `a${' + a'.repeat(990)}`],
    ['powers', `a${' ^ a'.repeat(490)}`],
  ])('of %s goes through every pass', (_, text) => {
    const expr = parseExpr(text)
    expect(printExpr(expr)).toBe(text)
    expect(parseExpr(prettyExpr(expr), { lengthMax: 1e7 }).type).toBe(expr.type)
    expect(JSON.stringify(exprToJson(expr)).length).toBeGreaterThan(text.length)
  })
})

describe('the pretty form', () => {
  it('keeps short queries on a line', () => {
    expect(prettyExpr(parseExpr('sum(rate(up[5m]))'))).toBe('sum(rate(up[5m]))')
  })

  it('breaks long ones at calls, aggregations and operators', () => {
    const name = 'inference_request_duration_seconds_bucket'
    const text = `histogram_quantile(0.99, sum by (le, model) (rate(${name}{job="inference"}[5m]))) > on (model) group_left () limits`
    expect(prettyExpr(parseExpr(text))).toBe(
      [
        '  histogram_quantile(',
        '    0.99,',
        `    sum by (le, model) (rate(${name}{job="inference"}[5m]))`,
        '  )',
        '> on (model) group_left ()',
        '  limits',
      ].join('\n'),
    )
  })
})

describe('selectors of match[]', () => {
  it('give their matchers, that of the name last', () => {
    const shown = parseMetricSelector('up{a=~"b.*",\'c\'!="d"}').map(String)
    expect(shown).toEqual(['a=~"b.*"', 'c!="d"', '__name__="up"'])
    expect(parseMetricSelector('{}')).toEqual([])
  })

  it('are nothing more than selectors', () => {
    expect(() => parseMetricSelector('up offset 5m')).toThrow('1:4: parse error: unexpected <offset>')
    expect(() => parseMetricSelector('')).toThrow('unknown position: parse error: unexpected end of input')
  })
})

describe('the function table', () => {
  it('has every function of the language', () => {
    expect(FUNCTIONS.size).toBe(90)
    expect(FUNCTIONS.get('quantile_over_time')).toEqual({
      name: 'quantile_over_time',
      argTypes: ['scalar', 'matrix'],
      variadic: 0,
      returnType: 'vector',
      experimental: false,
    })
  })
})
