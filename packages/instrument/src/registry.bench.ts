// What an observation and a scrape cost. Run: npx vitest bench --run packages/instrument
import { bench, describe } from 'vitest'
import { Counter, Histogram, Registry } from './index.ts'

const PROTO = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited'
const registry = new Registry({ maxSeriesPerMetric: 100_000 })
const registers = [registry]
const counter = new Counter({
  name: 'c_total',
  help: 'c',
  labelNames: ['model_name', 'version', 'status'],
  registers,
})
const child = counter.labels('m', '1', 'success')
const classic = new Histogram({ name: 'h', help: 'h', labelNames: ['m'], registers }).labels('m')
const both = new Histogram({
  name: 'n',
  help: 'n',
  buckets: [0.01, 0.1, 1, 10],
  native: { growthFactor: 1.1 },
  registers,
}).labels()
const values = Float64Array.from({ length: 1000 }, (_, i) => 0.001 * 1.01 ** i)

describe('1,000 observations', () => {
  bench('counter, series at hand', () => {
    for (let i = 0; i < 1000; i++) child.inc()
  })
  bench('counter, three labels by name', () => {
    for (let i = 0; i < 1000; i++) counter.inc({ model_name: 'm', version: '1', status: 'success' })
  })
  bench('histogram, 11 classic buckets', () => {
    for (let i = 0; i < 1000; i++) classic.observe(values[i]!)
  })
  bench('histogram, 4 classic buckets and native', () => {
    for (let i = 0; i < 1000; i++) both.observe(values[i]!)
  })
})

describe('a scrape of 10,000 series', () => {
  const large = new Registry({ maxSeriesPerMetric: 100_000 })
  const gauge = new Counter({ name: 'a_total', help: 'a', labelNames: ['user', 'path'], registers: [large] })
  for (let i = 0; i < 10_000; i++) gauge.inc({ user: `user-${i}`, path: `/some/path/${i % 100}` }, i * 1.5)
  bench('text', () => void Buffer.from(large.render().body))
  bench('OpenMetrics', () => void Buffer.from(large.render('application/openmetrics-text').body))
  bench('protobuf', () => void large.render(PROTO))
})
