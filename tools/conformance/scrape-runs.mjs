// Whole scrapes: scrapes.jsonl of a `scrape` folder. Each case is a job with a target of its own on one HTTP server; its loop is
// driven by hand at fixed times, and what it appends is compared with what a real server had stored.
import { createServer, STATUS_CODES } from 'node:http'
import { join } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'
import { gzipSync } from 'node:zlib'
import { parseConfig } from '../../apps/server/dist/config/index.js'
import {
  DEFAULT_SCRAPE_OPTIONS,
  ScrapeManager,
  TextScanner,
  createCounters,
} from '../../apps/server/dist/scrape/index.js'
import { allBuckets, formatValue } from '../../packages/datamodel/dist/index.js'
import { readJsonLines } from './lines.mjs'
import { RecordingDb } from './recording-db.mjs'

/** The time that is baked into the recorded protobuf bodies. */
const NOW_MS = 1_795_451_869_000
const SCRAPES = 4
const META = /^(?:up|scrape_.*)$/
/** Their values differ from run to run. */
const UNSTABLE_META = new Set(['scrape_duration_seconds', 'scrape_series_added'])

export async function runScrapes(folder) {
  const cases = readJsonLines(join(folder, 'scrapes.jsonl'))
  const byPath = new Map(cases.map((testCase) => [`/case/${testCase.id}`, { testCase, requests: [] }]))
  const server = createServer((request, response) => answer(byPath, request, response))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${server.address().port}`
  try {
    const results = []
    for (const testCase of cases) {
      const { requests } = byPath.get(`/case/${testCase.id}`)
      let problem
      try {
        problem = difference(testCase.expect, await scrape(testCase, address, requests))
      } catch (error) {
        problem = error.stack
      }
      results.push({ name: testCase.id, passed: problem === undefined, ...(problem && { problem }) })
    }
    return results
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

function fill(text) {
  return text
    .replace(/@NOW([+-]\d+)?@/g, (_, offset) => String(NOW_MS + Number(offset ?? 0)))
    .replace(/@NOWS([+-]\d+)?@/g, (_, offset) => String(NOW_MS / 1000 + Number(offset ?? 0)))
}

function answer(byPath, request, response) {
  const found = byPath.get(request.url.split('?')[0])
  if (found === undefined) {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end('redirected 1\n')
    return
  }
  const { testCase, requests } = found
  requests.push(request)
  const { http = {}, contentType, sequence } = testCase
  const content = sequence?.[requests.length <= 2 ? 0 : 1] ?? testCase.body
  const status = content.status ?? http.status ?? 200
  let body =
    content.hex === undefined ? Buffer.from(fill(content.text ?? '')) : Buffer.from(content.hex, 'hex')
  const headers = { ...http.headers }
  if (contentType !== null) headers['Content-Type'] = contentType
  if (http.location) headers.Location = http.location
  if (http.gzip) {
    body = gzipSync(body)
    headers['Content-Encoding'] = 'gzip'
  }
  const send = () => response.writeHead(status, STATUS_CODES[status], headers).end(body)
  if (http.sleep) setTimeout(send, http.sleep * 1000).unref()
  else send()
}

async function scrape({ id, scrapeConfig = {}, targetLabels, features = [] }, address, requests) {
  const { _target: target = address, ...job } = scrapeConfig
  const startZero = features.includes('created-timestamp-zero-ingestion')
  const targets = job.target_limit ? [target, '127.0.0.1:2'] : [target]
  const config = {
    global: {
      scrape_interval: '1s',
      scrape_timeout: '900ms',
      ...(startZero && { scrape_protocols: PROTOBUF_FIRST }),
    },
    scrape_configs: [{ job_name: id, metrics_path: `/case/${id}`, ...job }],
  }
  const db = new RecordingDb()
  let timers = false
  const clock = {
    now: () => NOW_MS,
    monotonic: () => performance.now(),
    setTimeout(callback, delay) {
      if (!timers) return { cancel() {} }
      const timer = setTimeout(callback, delay)
      return { cancel: () => clearTimeout(timer) }
    },
  }
  const manager = new ScrapeManager({
    clock,
    appender: () => db.appender(),
    counters: createCounters(),
    intervalLengths: new Map(),
    log() {},
    scanner: new TextScanner(),
    options: {
      ...DEFAULT_SCRAPE_OPTIONS,
      exemplars: features.includes('exemplar-storage'),
      startTimestampZero: startZero,
      typeAndUnitLabels: features.includes('type-and-unit-labels'),
      extraScrapeMetrics: features.includes('extra-scrape-metrics'),
    },
  })
  manager.applyConfig(parseConfig(JSON.stringify(config), 'prometheus.yml').scrapeConfigs, {})
  const labels = { case: id, ...targetLabels }
  manager.setTargetGroups(id, [
    { source: 'static/0', labels, targets: targets.map((__address__) => ({ __address__ })) },
  ])
  timers = true
  const loops = [...manager.pools.get(id).loops]
  for (let i = 1; i <= SCRAPES; i++) for (const loop of loops) await loop.scrape(NOW_MS + i * 1000)
  const snapshot = manager.targets()
  const metadata = manager.metadata()
  manager.stop()
  return JSON.parse(
    JSON.stringify({ db: shownDb(db), snapshot, metadata, requests: requests.map(shownRequest) }).replaceAll(
      address,
      'TARGET',
    ),
  )
}

const PROTOBUF_FIRST = [
  'PrometheusProto',
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
]

function shownRequest({ headers, url }) {
  return { headers, url }
}

function shownDb(db) {
  const series = db.series.map(({ labels, samples, exemplars }) => ({
    labels: without(labels.toObject(), 'case'),
    samples: samples.map(({ timeMs, value, histogram, stale }) => ({
      timeMs,
      stale,
      value: histogram === undefined ? formatValue(value) : shownHistogram(histogram),
    })),
    exemplars: exemplars.map(({ labels: own, value, timestampMs }) => ({
      labels: own.toObject(),
      value: formatValue(value),
      timestampMs,
    })),
  }))
  return series.filter(({ samples }) => samples.length > 0)
}

function shownHistogram(h) {
  const buckets = allBuckets(h)
    .filter(({ count }) => count !== 0)
    .map(({ lowerInclusive, upperInclusive, lower, upper, count }) => [
      lowerInclusive ? (upperInclusive ? 3 : 1) : upperInclusive ? 0 : 2,
      formatValue(lower),
      formatValue(upper),
      formatValue(count),
    ])
  return { count: formatValue(h.count), sum: formatValue(h.sum), ...(buckets.length > 0 && { buckets }) }
}

function without(object, key) {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))
}

function difference(expect, got) {
  const checks = [
    ['series', expect.series, storedSeries(got.db, expect.series)],
    ['meta', expect.meta, metaOf(got.db)],
    ['targets', expect.targets, got.snapshot.active.map((target) => shownTarget(target))],
    [
      'metadata',
      expect.metadata,
      expect.metadata && got.metadata.map(({ metric, type, help, unit }) => ({ metric, type, help, unit })),
    ],
    ['dropped', expect.dropped, expect.dropped && got.snapshot.dropped.length],
    ['exemplars', expect.exemplars, expect.exemplars && shownExemplars(got.db)],
    ['requestHeaders', lower(expect.requestHeaders), expect.requestHeaders && headersOf(expect, got)],
    ['requestPath', expect.requestPath, expect.requestPath && got.requests[0]?.url],
  ]
  for (const [what, want, found] of checks) {
    if (want === undefined) continue
    const a = canonical(found)
    const b = canonical(want)
    if (a !== b) return `${what}:\n    got  ${a}\n    want ${b}`
  }
  return undefined
}

function storedSeries(db, wanted) {
  const byLabels = new Map(wanted.map((series) => [canonical(series.labels), series]))
  return db
    .filter(({ labels }) => !isMeta(labels))
    .map((series) => shownSeries(series, byLabels.get(canonical(series.labels))))
}

function isMeta(labels) {
  return META.test(labels.__name__)
}

/** A series in the terms of the expectation: only what that one speaks of. */
function shownSeries({ labels, samples }, wanted) {
  const fresh = samples.filter(({ stale }) => !stale)
  const last = fresh.at(-1)
  const key = typeof last?.value === 'string' ? 'value' : 'histogram'
  const distinct = [...new Map(fresh.map(({ value }) => [JSON.stringify(value), value])).values()]
  const explicit = last !== undefined && last.timeMs <= NOW_MS
  return {
    labels,
    [key]: last?.value,
    stale: samples.at(-1).stale,
    ...(wanted?.distinctValues && { distinctValues: distinct }),
    ...(explicit && { explicitTimestampOffsetMs: last.timeMs - NOW_MS }),
    ...(wanted?.firstSample && { firstSample: [fresh[0].timeMs - NOW_MS, fresh[0].value] }),
  }
}

function metaOf(db) {
  const meta = db.filter(({ labels }) => isMeta(labels) && !UNSTABLE_META.has(labels.__name__))
  return Object.fromEntries(meta.map(({ labels, samples }) => [labels.__name__, samples.at(-1).value]))
}

function shownTarget({ labels, health, lastError, scrapeUrl, scrapeInterval, scrapeTimeout }) {
  return { labels: without(labels, 'case'), health, lastError, scrapeUrl, scrapeInterval, scrapeTimeout }
}

function shownExemplars(db) {
  return db
    .filter(({ exemplars }) => exemplars.length > 0)
    .map(({ labels, exemplars }) => {
      const distinct = new Map(
        exemplars.map((exemplar) => [JSON.stringify([exemplar.labels, exemplar.value]), exemplar]),
      )
      return {
        seriesLabels: labels,
        exemplars: [...distinct.values()].map(({ labels: own, value, timestampMs }) => ({
          labels: own,
          value,
          timestampOffsetMs: timestampMs > NOW_MS ? 'scrape time' : timestampMs - NOW_MS,
        })),
      }
    })
}

function lower(headers) {
  return (
    headers && Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  )
}

function headersOf(expect, got) {
  const sent = got.requests[0]?.headers ?? {}
  const names = Object.keys(lower(expect.requestHeaders))
  return Object.fromEntries(
    names.map((name) => [name, name === 'user-agent' ? sent[name]?.replace(/\/.*/, '/') : sent[name]]),
  )
}

/** Long decimals count to ten digits. */
const LONG_DECIMAL = /^-?\d*\.\d{11,}$/

/** Objects by key, lists of objects in one order, so that texts compare. */
function canonical(value) {
  if (Array.isArray(value)) {
    const items = value.map(canonical)
    return `[${(typeof value[0] === 'object' && !Array.isArray(value[0]) ? items.sort() : items).join(',')}]`
  }
  if (typeof value === 'string' && LONG_DECIMAL.test(value)) return Number(value).toPrecision(10)
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'none'
  const keys = Object.keys(value).filter((key) => value[key] !== undefined)
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join(',')}}`
}
