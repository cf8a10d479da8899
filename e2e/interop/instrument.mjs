// A real Prometheus scrapes our instrumentation library in each of its formats and finds the same in all.
import {
  Counter,
  Gauge,
  Histogram,
  OPENMETRICS_CONTENT_TYPE,
  Registry,
  Summary,
  TEXT_CONTENT_TYPE,
} from '@watchfire/instrument'
import {
  check,
  equal,
  newFolder,
  query,
  serve,
  startPrometheus,
  stop,
  truthy,
  until,
  value,
  write,
} from './kit.mjs'

function fill() {
  const registry = new Registry()
  const registers = [registry]
  new Counter({ name: 'work_total', help: 'Work "done" \\ here', labelNames: ['kind'], registers }).inc(
    { kind: 'a "b" \\ c\nd' },
    3,
  )
  new Gauge({ name: 'level', help: 'Level', registers }).set(-0.25)
  const histogram = new Histogram({
    name: 'duration_seconds',
    help: 'Duration',
    buckets: [0.1, 1],
    native: { growthFactor: 1.1 },
    registers,
  })
  for (const seconds of [0.05, 0.5, 0.5, 5]) histogram.observe(seconds)
  const summary = new Summary({ name: 'size_bytes', help: 'Size', registers })
  summary.observe(10)
  summary.observe(20)
  return registry
}

export async function instrument() {
  const registry = fill()
  const seen = {}
  const formats = {
    text: () => TEXT_CONTENT_TYPE,
    openmetrics: () => OPENMETRICS_CONTENT_TYPE,
    protobuf: (accept) => accept,
  }
  const jobs = []
  for (const [name, choose] of Object.entries(formats)) {
    const address = await serve((request, response) => {
      const { contentType, body } = registry.render(choose(request.headers.accept))
      seen[name] = contentType
      response.setHeader('content-type', contentType)
      response.end(body)
    })
    jobs.push(`  - job_name: ${name}\n    static_configs: [{targets: ['${address}']}]\n`)
  }
  const dir = newFolder('instrument')
  const configFile = write(
    dir,
    'prometheus.yml',
    `global: {scrape_interval: 1s}\nscrape_configs:\n${jobs.join('')}`,
  )
  const prometheus = await startPrometheus({
    configFile,
    dataDir: newFolder('instrument-data'),
    flags: ['--enable-feature=native-histograms'],
  })
  const { url } = prometheus
  await until(15_000, async () => (await value(url, 'count(count_over_time(up[1m]) >= 2)')) === 3)
  for (const name of Object.keys(formats))
    await check(`a real Prometheus scrapes our instrumentation: ${name}`, async () => {
      const kind = {
        text: /^text\/plain/,
        openmetrics: /openmetrics-text/,
        protobuf: /vnd\.google\.protobuf/,
      }[name]
      truthy(kind.test(seen[name] ?? ''), `served as ${seen[name]}`)
      equal(await value(url, `up{job="${name}"}`), 1, 'up')
      const of = (metric) => value(url, metric.replace('JOB', `job="${name}"`))
      const work = await query(url, `work_total{job="${name}"}`)
      equal([work[0]?.metric.kind, work[0]?.value[1]], ['a "b" \\ c\nd', '3'], 'work_total')
      equal(await of('level{JOB}'), -0.25, 'level')
      equal([await of('size_bytes_sum{JOB}'), await of('size_bytes_count{JOB}')], [30, 2], 'size_bytes')
      if (name === 'protobuf') {
        equal(await of('histogram_count(duration_seconds{JOB})'), 4, 'histogram_count')
        equal(await of('histogram_sum(duration_seconds{JOB})'), 6.05, 'histogram_sum')
        equal(await of('histogram_fraction(0, 1, duration_seconds{JOB})'), 0.75, 'histogram_fraction')
      } else {
        equal(await of('duration_seconds_count{JOB}'), 4, 'duration_seconds_count')
        equal(await of('duration_seconds_bucket{JOB,le="0.1"}'), 1, 'bucket 0.1')
        equal(await of('duration_seconds_bucket{JOB,le=~"1|1.0"}'), 3, 'bucket 1')
        equal(await of('duration_seconds_bucket{JOB,le="+Inf"}'), 4, 'bucket +Inf')
      }
    })
  await check('Prometheus learns types and help from it', async () => {
    const { data } = await (await fetch(`${url}/api/v1/metadata`)).json()
    equal(
      data.work_total ?? data.work,
      [{ type: 'counter', help: 'Work "done" \\ here', unit: '' }],
      'work_total',
    )
  })
  await stop(prometheus.process)
}
