import { describe, expect, test } from 'vitest'
import {
  Counter,
  Gauge,
  Histogram,
  OPENMETRICS_CONTENT_TYPE,
  PROTOBUF_CONTENT_TYPE,
  Registry,
  Summary,
  TEXT_CONTENT_TYPE,
  exponentialBuckets,
  linearBuckets,
} from './index.ts'

const NOW = 1_700_000_000_250

function createRegistry(
  options: { maxSeriesPerMetric?: number; openMetricsCreated?: boolean } = {},
): Registry {
  return new Registry({ now: () => NOW, ...options })
}

function fill(registry: Registry): void {
  const registers = [registry]
  new Counter({ name: 'jobs_total', help: 'Jobs\nby "kind" \\o/', labelNames: ['kind'], registers }).inc(
    { kind: 'a"b\\c\nd' },
    2,
    { trace_id: 'abc' },
  )
  new Gauge({ name: 'queue', help: 'Queue.', registers }).set(-1.5)
  new Summary({ name: 'size_bytes', help: 'Sizes.', labelNames: ['h'], unit: 'bytes', registers }).observe(
    { h: 'x' },
    7,
  )
  const duration = new Histogram({
    name: 'd_seconds',
    help: 'D.',
    buckets: [0.1, 1, 10],
    unit: 'seconds',
    registers,
  })
  duration.labels().observe(0.1)
  duration.labels().observe(0.5, { trace_id: 't1' })
  duration.labels().observe(100)
}

describe('text 0.0.4', () => {
  test('prints every kind, escapes help and label values, sums buckets up', () => {
    const registry = createRegistry()
    fill(registry)
    expect(registry.metrics()).toBe(`# HELP jobs_total Jobs\\nby "kind" \\\\o/
# TYPE jobs_total counter
jobs_total{kind="a\\"b\\\\c\\nd"} 2
# HELP queue Queue.
# TYPE queue gauge
queue -1.5
# HELP size_bytes Sizes.
# TYPE size_bytes summary
size_bytes_sum{h="x"} 7
size_bytes_count{h="x"} 1
# HELP d_seconds D.
# TYPE d_seconds histogram
d_seconds_bucket{le="0.1"} 1
d_seconds_bucket{le="1.0"} 2
d_seconds_bucket{le="10.0"} 2
d_seconds_bucket{le="+Inf"} 3
d_seconds_sum 100.6
d_seconds_count 3
`)
  })

  test('prints special and very large values as readers take them', () => {
    const registry = createRegistry()
    const gauge = new Gauge({ name: 'g', help: '', labelNames: ['v'], registers: [registry] })
    for (const [i, value] of [NaN, Infinity, -Infinity, 1e300, 5e-324, 0].entries())
      gauge.set({ v: i }, value)
    const values = registry.metrics().trim().split('\n').slice(2)
    expect(values.map((line) => line.split(' ')[1])).toEqual(['NaN', '+Inf', '-Inf', '1e+300', '5e-324', '0'])
  })
})

describe('OpenMetrics 1.0', () => {
  test('drops _total from the family, prints units, exemplars, start times and the end mark', () => {
    const registry = createRegistry({ openMetricsCreated: true })
    fill(registry)
    const { contentType, body } = registry.render('application/openmetrics-text;version=1.0.0')
    expect(contentType).toBe(OPENMETRICS_CONTENT_TYPE)
    expect(body).toBe(`# TYPE jobs counter
# HELP jobs Jobs\\nby \\"kind\\" \\\\o/
jobs_total{kind="a\\"b\\\\c\\nd"} 2 # {trace_id="abc"} 2 1700000000.25
jobs_created{kind="a\\"b\\\\c\\nd"} 1700000000.25
# TYPE queue gauge
# HELP queue Queue.
queue -1.5
# TYPE size_bytes summary
# UNIT size_bytes bytes
# HELP size_bytes Sizes.
size_bytes_sum{h="x"} 7
size_bytes_count{h="x"} 1
size_bytes_created{h="x"} 1700000000.25
# TYPE d_seconds histogram
# UNIT d_seconds seconds
# HELP d_seconds D.
d_seconds_bucket{le="0.1"} 1
d_seconds_bucket{le="1.0"} 2 # {trace_id="t1"} 0.5 1700000000.25
d_seconds_bucket{le="10.0"} 2
d_seconds_bucket{le="+Inf"} 3
d_seconds_sum 100.6
d_seconds_count 3
d_seconds_created 1700000000.25
# EOF
`)
  })

  test('declares a counter without _total as unknown', () => {
    const registry = createRegistry()
    new Counter({ name: 'odd', help: 'x', registers: [registry] }).inc()
    expect(registry.render('application/openmetrics-text').body).toBe(
      '# TYPE odd unknown\n# HELP odd x\nodd 1\n# EOF\n',
    )
  })

  test('ignores exemplars whose labels are too long, and still counts', () => {
    const registry = createRegistry()
    const counter = new Counter({ name: 'a_total', help: 'x', registers: [registry] })
    counter.labels().inc(1, { trace_id: 'x'.repeat(121) })
    expect(registry.render('application/openmetrics-text').body).toContain('a_total 1\n')
    counter.labels().inc(1, { trace_id: 'x'.repeat(120) })
    expect(registry.render('application/openmetrics-text').body).toContain('a_total 2 # {trace_id="xxx')
  })
})

describe('content negotiation', () => {
  const PROTO = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited'
  const cases: [string | undefined, string][] = [
    [undefined, TEXT_CONTENT_TYPE],
    ['', TEXT_CONTENT_TYPE],
    ['*/*', TEXT_CONTENT_TYPE],
    ['text/html,application/xhtml+xml;q=0.9', TEXT_CONTENT_TYPE],
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4',
      OPENMETRICS_CONTENT_TYPE,
    ],
    ['application/openmetrics-text; version="1.0.0"; escaping=allow-utf-8', OPENMETRICS_CONTENT_TYPE],
    [
      'application/openmetrics-text;version=0.0.1',
      'application/openmetrics-text; version=0.0.1; charset=utf-8',
    ],
    ['application/openmetrics-text;version=2.0.0', TEXT_CONTENT_TYPE],
    [`${PROTO};q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1`, PROTOBUF_CONTENT_TYPE],
    [`${PROTO};q=0.2,text/plain;q=0.3`, TEXT_CONTENT_TYPE],
    [
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text',
      TEXT_CONTENT_TYPE,
    ],
    [`${PROTO};q=0`, TEXT_CONTENT_TYPE],
    [`${PROTO},`.repeat(100), TEXT_CONTENT_TYPE],
  ]
  test.each(cases)('%s', (accept, want) => {
    expect(createRegistry().render(accept).contentType).toBe(want)
  })
})

describe('registration', () => {
  test('refuses names that would print the same line', () => {
    const registers = [createRegistry()]
    new Histogram({ name: 'a', help: '', registers })
    expect(() => new Counter({ name: 'a', help: '', registers })).toThrow('metric a is already registered')
    expect(() => new Counter({ name: 'a_count', help: '', registers })).toThrow('which belongs to metric a')
    expect(() => new Counter({ name: 'a_total', help: '', registers })).not.toThrow()
  })

  test('refuses invalid names, labels, units and buckets', () => {
    const registers = [createRegistry()]
    expect(() => new Counter({ name: '0a', help: '', registers })).toThrow('invalid metric name "0a"')
    expect(() => new Counter({ name: 'a', help: '', labelNames: ['__x'], registers })).toThrow(
      'invalid label name',
    )
    expect(() => new Counter({ name: 'a', help: '', labelNames: ['x', 'x'], registers })).toThrow('repeated')
    expect(() => new Histogram({ name: 'a', help: '', labelNames: ['le'], registers })).toThrow('reserved')
    expect(() => new Gauge({ name: 'a_ms', help: '', unit: 'seconds', registers })).toThrow('must be the end')
    expect(() => new Histogram({ name: 'a', help: '', buckets: [1, 1], registers })).toThrow(
      'ascending order',
    )
  })

  test('says which label is missing or unknown', () => {
    const counter = new Counter<string>({ name: 'a', help: '', labelNames: ['x', 'y'], registers: [] })
    expect(() => counter.inc({ x: '1' })).toThrow('metric a: label y is missing')
    counter.inc({ x: '1', y: '2' })
    expect(() => counter.inc({ x: '1', y: '2', z: '3' })).toThrow('metric a: unknown labels z')
    expect(() => counter.inc()).toThrow('metric a: needs labels x, y')
    expect(() => counter.labels('1')).toThrow('1 label values for 2 labels')
  })
})

describe('series', () => {
  test('label values find the same series by name and by position, numbers as text', () => {
    const counter = new Counter({ name: 'a', help: '', labelNames: ['x', 'y'], registers: [] })
    counter.inc({ y: '2', x: 1 })
    counter.labels('1', 2).inc(4)
    expect(counter.series.map((s) => [s.labelValues, s.value])).toEqual([[['1', '2'], 5]])
  })

  test('values that would join to the same key stay apart', () => {
    const counter = new Counter({ name: 'a', help: '', labelNames: ['x', 'y'], registers: [] })
    for (const [x, y] of [
      ['a,', 'b'],
      ['a', ',b'],
      ['', 'a,b'],
      ['__proto__', 'constructor'],
    ])
      counter.inc({ x: x!, y: y! })
    expect(counter.series.map((s) => s.value)).toEqual([1, 1, 1, 1])
  })

  test('a removed series is gone and begins anew', () => {
    const counter = new Counter({ name: 'a', help: '', labelNames: ['x', 'y'], registers: [] })
    counter.inc({ x: '1', y: '1' }, 3)
    counter.inc({ x: '1', y: '2' })
    expect(counter.remove({ x: '1', y: '1' })).toBe(true)
    expect(counter.remove('1', '1')).toBe(false)
    counter.inc({ x: '1', y: '1' })
    expect(counter.series.map((s) => [s.labelValues[1], s.value])).toEqual([
      ['2', 1],
      ['1', 1],
    ])
  })

  test('a full metric swallows new label sets and says so in a metric of its own', () => {
    const registry = createRegistry({ maxSeriesPerMetric: 2 })
    const counter = new Counter({ name: 'a_total', help: 'x', labelNames: ['user'], registers: [registry] })
    expect(registry.metrics()).not.toContain('rejected')
    for (let i = 0; i < 5; i++) counter.inc({ user: i })
    counter.inc({ user: 1 })
    const text = registry.metrics()
    expect(text).toContain('a_total{user="1"} 2\n')
    expect(text).not.toContain('user="2"')
    expect(text).toContain('instrument_rejected_label_sets_total{metric="a_total"} 3\n')
    expect(registry.metrics()).toBe(text)
  })

  test('a counter refuses to go down', () => {
    const counter = new Counter({ name: 'a', help: '', registers: [] })
    for (const by of [-1, NaN, Infinity]) expect(() => counter.inc(by)).toThrow('cannot be increased')
    expect(counter.labels().value).toBe(0)
  })

  test('collect runs before each exposition, with the metric as this', () => {
    const registry = createRegistry()
    let value = 0
    new Gauge({
      name: 'g',
      help: 'x',
      registers: [registry],
      collect() {
        this.set(++value)
      },
    })
    expect(registry.metrics()).toContain('g 1\n')
    expect(registry.render('application/openmetrics-text').body).toContain('g 2\n')
  })

  test('reset forgets labelled series and zeroes single ones with a new start', () => {
    let now = NOW
    const registry = new Registry({ now: () => now })
    const labelled = new Counter({ name: 'a', help: '', labelNames: ['x'], registers: [registry] })
    const single = new Counter({ name: 'b', help: '', registers: [registry] })
    labelled.inc({ x: 1 })
    single.inc()
    now += 1000
    registry.resetMetrics()
    expect(labelled.series).toEqual([])
    expect(single.labels()).toMatchObject({ value: 0, startMs: NOW + 1000 })
  })

  test('bucket helpers make the bounds they say', () => {
    expect(linearBuckets(1, 2, 3)).toEqual([1, 3, 5])
    expect(exponentialBuckets(1, 4, 3)).toEqual([1, 4, 16])
  })

  test('a NaN observation counts in +Inf only', () => {
    const histogram = new Histogram({ name: 'h', help: '', buckets: [1], registers: [] })
    histogram.observe(NaN)
    histogram.observe(-5)
    expect([...histogram.labels().counts]).toEqual([1, 1])
  })
})
