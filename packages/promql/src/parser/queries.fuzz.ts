// Random queries for property tests: texts that follow the grammar and mostly the types.
import fc from 'fast-check'
import { FUNCTIONS, type FunctionSignature, type ValueType } from './index.ts'

const word = fc.constantFrom('up', 'a', 'job:rate:sum', 'le', 'sum', 'offset', 'by', 'start', 'group_x')
const label = fc.constantFrom('job', 'le', '"a.b"', 'on', '`ü`', 'bool')
const text = fc
  .string({ unit: 'grapheme', maxLength: 5 })
  .map((value) => JSON.stringify(value.replace(/[^ -~äß中😀]/gu, '.')))
const duration = fc.constantFrom('5m', '1h30m', '300', '1d', '90s', '0x10', '1500ms')
// Not Inf: it is printed `+Inf`, whose sign takes in a power that follows.
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => String(Math.abs(value))),
  fc.constantFrom('1', 'NaN', '0.5', '1e3', '5m', '1_000', '0755'),
)
const span = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    duration,
    fc.constantFrom('step()', 'range()'),
    fc
      .tuple(tie('any'), fc.constantFrom('+', '-', '*', '/', '%', '^'), tie('any'))
      .map((parts) => parts.join(' ')),
    tie('any').map((inner) => `(${String(inner)})`),
    tie('any').map((inner) => `-${String(inner)}`),
    fc
      .tuple(fc.constantFrom('min_of', 'max_of'), tie('any'), tie('any'))
      .map(([f, a, b]) => `${f}(${String(a)}, ${String(b)})`),
  ),
})).any as fc.Arbitrary<string>

const matchers = fc
  .array(
    fc.oneof(
      fc
        .tuple(fc.constantFrom('a', '"b.c"', 'le'), fc.constantFrom('=', '!='), text)
        .map((parts) => parts.join('')),
      fc
        .tuple(
          fc.constantFrom('d', 'e'),
          fc.constantFrom('=~', '!~'),
          fc.constantFrom('"x.*"', '"a|b"', '""'),
        )
        .map((parts) => parts.join('')),
    ),
    { maxLength: 3 },
  )
  .map((list) => `{${list.join(',')}}`)
const modifiers = fc
  .tuple(
    fc.constantFrom('', ' @ 12.5', ' @ -1', ' @ start()', ' @ end()'),
    fc.oneof(
      fc.constant(''),
      duration.map((d) => ` offset -${d}`),
      span.map((d) => ` offset (${d})`),
    ),
  )
  .map((parts) => parts.join(''))
const grouping = fc.array(label, { maxLength: 3 }).map((list) => `(${list.join(', ')})`)
const aggregation = fc.oneof(
  fc.constant(''),
  fc.tuple(fc.constantFrom(' by ', ' without '), grouping).map((parts) => parts.join('')),
)
const matching = fc.oneof(
  fc.constant(''),
  fc.tuple(fc.constantFrom(' on ', ' ignoring '), grouping).map((parts) => parts.join('')),
)

/** Expressions of each type, as texts; some few are refused for their meaning. */
export const expressions = fc.letrec<Record<ValueType, string>>((tie) => {
  const call = (returns: ValueType) =>
    fc
      .constantFrom(...[...FUNCTIONS.values()].filter((f) => f.returnType === returns && f.name !== 'info'))
      .chain((f: FunctionSignature) =>
        fc.tuple(...f.argTypes.map((type) => tie(type))).map((args) => `${f.name}(${args.join(', ')})`),
      )
  const wrapped = (type: ValueType) => tie(type).map((inner) => `(${inner})`)
  const signed = (type: ValueType) =>
    fc.tuple(fc.constantFrom('-', '+'), tie(type)).map((parts) => parts.join(''))
  const selector = fc.tuple(word, matchers).map((parts) => parts.join(''))
  return {
    scalar: fc.oneof(
      { depthSize: 'small' },
      number,
      call('scalar'),
      wrapped('scalar'),
      signed('scalar'),
      fc
        .tuple(tie('scalar'), fc.constantFrom('+', '*', '^', 'atan2', '== bool'), tie('scalar'))
        .map((parts) => parts.join(' ')),
    ),
    string: text,
    vector: fc.oneof(
      { depthSize: 'small' },
      fc.tuple(selector, modifiers).map((parts) => parts.join('')),
      call('vector'),
      wrapped('vector'),
      signed('vector'),
      fc
        .tuple(fc.constantFrom('sum', 'AVG', 'group'), aggregation, tie('vector'))
        .map(([op, by, inner]) => `${op}${by}(${inner})`),
      fc
        .tuple(fc.constantFrom('topk', 'limit_ratio'), tie('scalar'), tie('vector'), aggregation)
        .map(([op, k, inner, by]) => `${op}(${k}, ${inner})${by}`),
      fc
        .tuple(
          tie('vector'),
          fc.constantFrom('+', '/', '>', '!= bool', '^', '</'),
          matching,
          fc.constantFrom('', ' fill(0.5)', ' fill_left(-1)'),
          tie('vector'),
        )
        .map(([a, op, on, fill, b]) => `${a} ${op}${on}${fill} ${b}`),
      fc
        .tuple(tie('vector'), fc.constantFrom('and', 'or', 'UNLESS'), matching, tie('vector'))
        .map(([a, op, on, b]) => `${a} ${op}${on} ${b}`),
      fc.tuple(tie('vector'), fc.constantFrom('*', '<='), tie('scalar')).map((parts) => parts.join(' ')),
    ),
    matrix: fc.oneof(
      fc
        .tuple(selector, span, fc.constantFrom('', ' anchored', ' smoothed'), modifiers)
        .map(([s, d, word, m]) => `${s}[${d}]${word}${m}`),
      fc
        .tuple(tie('vector'), duration, fc.oneof(fc.constant(''), duration), modifiers)
        .map(([v, d, step, m]) => `(${v})[${d}:${step}]${m}`),
    ),
  }
})
