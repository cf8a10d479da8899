// Random queries over a few counters and gauges, for comparing evaluators: well typed, of what the oracle knows.
import fc from 'fast-check'

const matchers = fc.constantFrom('', '', '{job="a"}', '{job!="a"}', '{inst=~"[01]"}', '{inst!~"0|2"}')
const shift = fc.constantFrom('', '', '', ' offset 1m', ' offset -30s', ' @ 1700000300', ' @ end()')
const metric = fc.constantFrom('c_total', 'd_total', 'g')
const selector = fc.tuple(metric, matchers, shift).map((parts) => parts.join(''))
const window = fc.constantFrom('30s', '1m', '2m', '90s', '5m')
const by = fc.constantFrom('', ' by (job)', ' by (inst, job)', ' without (inst)', ' by (nosuch)')
const number = fc.constantFrom('0', '1', '2.5', '-3', '100', '0.5')
const rangeFunction = fc.constantFrom(
  ...['rate', 'increase', 'delta', 'irate', 'idelta', 'deriv', 'changes', 'resets'],
  ...['sum', 'avg', 'min', 'max', 'count', 'last', 'present', 'stddev', 'stdvar'].map(
    (f) => `${f}_over_time`,
  ),
)

/** Texts of instant vector expressions. */
export const randomQueries = fc.letrec<{ vector: string; range: string }>((tie) => ({
  range: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(metric, matchers, window, shift).map(([m, own, w, s]) => `${m}${own}[${w}]${s}`),
    fc
      .tuple(tie('vector'), window, fc.constantFrom('', '20s', '1m'), shift)
      .map(([v, w, step, s]) => `(${v})[${w}:${step}]${s}`),
  ),
  vector: fc.oneof(
    { depthSize: 'small' },
    selector,
    fc.tuple(rangeFunction, tie('range')).map(([f, of]) => `${f}(${of})`),
    fc.tuple(number, tie('range')).map(([q, of]) => `quantile_over_time(${q}, ${of})`),
    fc
      .tuple(fc.constantFrom('abs', 'ceil', 'floor', 'sgn', 'sqrt', '-'), tie('vector'))
      .map(([f, of]) => `${f}(${of})`),
    fc
      .tuple(fc.constantFrom('clamp_min', 'clamp_max'), tie('vector'), number)
      .map(([f, of, n]) => `${f}(${of}, ${n})`),
    fc
      .tuple(
        fc.constantFrom('sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'),
        by,
        tie('vector'),
      )
      .map(([op, own, of]) => `${op}${own}(${of})`),
    fc.tuple(by, number, tie('vector')).map(([own, q, of]) => `quantile${own}(${q}, ${of})`),
    fc
      .tuple(tie('vector'), fc.constantFrom('+', '-', '*', '/', '%', '>', '<= bool', '!='), number)
      .map((parts) => parts.join(' ')),
    fc
      .tuple(
        tie('vector'),
        fc.constantFrom('+', '-', '*', '/', '>', '== bool'),
        fc.constantFrom('', ' on (job, inst)', ' ignoring (inst)', ' on (job) group_left ()'),
        tie('vector'),
      )
      .map(([a, op, on, b]) => `(${a}) ${op}${on} (${b})`),
    fc
      .tuple(
        tie('vector'),
        fc.constantFrom('and', 'or', 'unless'),
        fc.constantFrom('', ' on (job)'),
        tie('vector'),
      )
      .map(([a, op, on, b]) => `(${a}) ${op}${on} (${b})`),
    fc.tuple(tie('vector'), tie('vector')).map(([a, b]) => `(${a}) * scalar(${b})`),
  ),
})).vector
