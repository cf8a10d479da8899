// Random PromQL over a data set that is not known beforehand: names, labels and values are learnt from the server. The
// same seed gives the same queries. Only what Prometheus 2.42 and later have in common.

const RANGE_FUNCTIONS = [
  ...['rate', 'increase', 'delta', 'irate', 'idelta', 'deriv', 'changes', 'resets', 'absent_over_time'],
  ...['sum', 'avg', 'min', 'max', 'count', 'last', 'present', 'stddev', 'stdvar'].map(
    (f) => `${f}_over_time`,
  ),
]
const FUNCTIONS = [
  ...[
    'abs',
    'ceil',
    'floor',
    'exp',
    'ln',
    'log2',
    'log10',
    'sqrt',
    'sgn',
    'round',
    'deg',
    'rad',
    'sin',
    'cos',
  ],
  ...['timestamp', 'sort', 'absent', 'hour', 'minute', 'day_of_week', 'day_of_month', 'month', 'year'],
]
const AGGREGATIONS = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar']
// A millisecond too long: ranges were closed at both ends before 3.0, and here no sample lies at their start.
const WINDOWS = ['30s1ms', '1m1ms', '1m30s1ms', '2m1ms', '5m1ms', '10m1ms', '17m1ms', '1h1ms']
const NUMBERS = ['0', '1', '2.5', '-3', '1e3', '0.5', 'Inf', 'NaN', '0x10']

/** A generator of numbers from 0 up to `below`. */
export function randomOf(seed) {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** `metrics`: name → its series as objects of labels. `startSeconds`…`endSeconds` hold samples. */
export function createQueries({ metrics, startSeconds, endSeconds, seed }) {
  const random = randomOf(seed)
  const pick = (list) => list[random(list.length)]
  const names = [...metrics.keys()]

  /**
   * Some seconds after the first sample, where there are so many: what a rate makes of a series that begins inside its
   * range has changed in 3.x.
   */
  const earliest = (after) => startSeconds + Math.min(after, Math.floor((endSeconds - startSeconds) * 0.8))

  function matcher(series) {
    const label = pick(Object.keys(series).filter((name) => name !== '__name__'))
    if (label === undefined) return ''
    const value = series[label]
    const escaped = value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    const half = escaped.slice(0, Math.ceil(escaped.length / 2)).replace(/\\$/, '')
    const quoted = JSON.stringify
    return pick([
      `${label}=${quoted(value)}`,
      `${label}!=${quoted(value)}`,
      `${label}=~${quoted(`${half}.*`)}`,
      `${label}!~${quoted(`${half}.*`)}`,
      `${label}=~${quoted(`${escaped}|nosuch`)}`,
      `${label}=""`,
      `nosuch=""`,
    ])
  }

  function shift() {
    const at = earliest(4200) + random(endSeconds - earliest(4200)) + 0.377
    return pick(['', '', '', '', ' offset 3m', ' offset -90s', ` @ ${at}`, ' @ start()', ' @ end()'])
  }

  function selector(name) {
    const series = pick(metrics.get(name))
    const matchers = Array.from({ length: random(3) }, () => matcher(series)).filter(Boolean)
    return matchers.length > 0 ? `${name}{${matchers.join(',')}}` : name
  }

  function grouping() {
    const labels = Object.keys(pick(metrics.get(pick(names)))).filter((name) => name !== '__name__')
    const some = labels.filter(() => random(3) === 0)
    return pick(['', ` by (${some.join(', ')})`, ` without (${some.join(', ')})`])
  }

  function range(depth) {
    if (depth > 0 && random(4) === 0)
      return `(${vector(depth - 1)})[${pick(['3m1ms', '10m1ms'])}:${pick(['', '20s', '1m'])}]${shift()}`
    return `${selector(pick(names))}[${pick(WINDOWS)}]${shift()}`
  }

  function vector(depth) {
    if (depth <= 0) return `${selector(pick(names))}${shift()}`
    const inner = () => vector(depth - 1 - random(2))
    switch (random(14)) {
      case 0:
      case 1:
      case 2:
        return `${pick(RANGE_FUNCTIONS)}(${range(depth - 1)})`
      case 3:
        return `${pick(FUNCTIONS)}(${inner()})`
      case 4:
      case 5:
      case 6:
        return `${pick(AGGREGATIONS)}${grouping()} (${inner()})`
      case 7:
        return `quantile${grouping()} (${pick(['0', '0.5', '0.9', '1', '2'])}, ${inner()})`
      case 8:
        return `quantile_over_time(${pick(['0', '0.3', '0.9', '-1'])}, ${range(depth - 1)})`
      case 9:
        return `(${inner()}) ${pick(['+', '-', '*', '/', '%', '^', '>', '<= bool', '!=', 'atan2'])} ${pick(NUMBERS)}`
      case 10: {
        const same = inner()
        const on = pick(['', ' on (instance)', ' ignoring (status)', ' on (job, instance) group_left ()'])
        const other = random(2) === 0 ? same : inner()
        return `(${same}) ${pick(['+', '/', '>', '== bool'])}${on} (${other})`
      }
      case 11:
        return `(${inner()}) ${pick(['and', 'or', 'unless'])}${pick(['', ' on (instance)', ' on ()'])} (${inner()})`
      case 12:
        return `${pick(['clamp_min', 'clamp_max'])}(${inner()}, ${pick(NUMBERS)})`
      default:
        return histogram(depth)
    }
  }

  function histogram(depth) {
    const buckets = names.filter((name) => name.endsWith('_bucket'))
    if (buckets.length === 0) return vector(depth - 1)
    const rate = `rate(${selector(pick(buckets))}[${pick(['2m1ms', '5m1ms'])}])`
    const by = pick(['le', 'le, instance', 'le, model_name'])
    return `histogram_quantile(${pick(['0.5', '0.95', '0', '1'])}, ${pick([rate, `sum by (${by}) (${rate})`])})`
  }

  return {
    /** A query for `/api/v1/query` or `/api/v1/query_range`: path and parameters. */
    next() {
      const query = vector(1 + random(3))
      // Between samples, for the same reason.
      const end = earliest(13_500) + random(endSeconds - earliest(13_500)) + 0.377
      if (random(3) === 0) return { path: '/api/v1/query', params: { query, time: String(end) } }
      const step = pick([15, 30, 47, 60, 300])
      const start = end - step * random(30)
      return {
        path: '/api/v1/query_range',
        params: { query, start: String(start), end: String(end), step: String(step) },
      }
    },
  }
}
