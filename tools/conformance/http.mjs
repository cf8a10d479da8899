// Conformance of the HTTP API: recordings of a Prometheus over the data of a `http` folder. The data goes into a
// database of our own, real servers are started on it (`base`, and `feat` with feature flags), then one that is given
// histograms by remote write (`nh`) and one that scrapes (`live`). A line a file of cases is printed.
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { Agent, createServer, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { createLogger, parseFlags, startServer } from '../../apps/server/dist/index.js'
import { Labels } from '../../packages/datamodel/dist/index.js'
import { parseMetricSelector } from '../../packages/promql/dist/parser/index.js'
import { openDb } from '../../packages/tsdb/dist/index.js'
import { readJsonLines } from './lines.mjs'

const FILES = [
  'queries_directed.jsonl',
  'queries_random.jsonl',
  'queries_histogram.jsonl',
  'metadata.jsonl',
  'errors_and_protocol.jsonl',
]
const FEATURES = [
  'promql-experimental-functions',
  'promql-duration-expr',
  'promql-extended-range-selectors',
  'promql-binop-fill-modifiers',
  'promql-delayed-name-removal',
  'promql-per-step-stats',
].join(',')
/** The recordings were made this long after the start of the live server. */
const LIVE_AFTER_MS = 9000
const LIVE_TARGET_PORT = 19310
/** Fields that differ from run to run. */
const VOLATILE = new Set([
  'activeAt',
  'evaluationTime',
  'groupNextToken',
  'keepFiringSince',
  'lastConfigTime',
  'lastEvaluation',
  'lastScrape',
  'lastScrapeDuration',
  'serverTime',
  'startTime',
  'timings',
])

/** Runs the cases of a folder; one result a case. */
export async function run(folder) {
  const dir = mkdtempSync(join(tmpdir(), 'watchfire-http-'))
  try {
    const results = [...(await recorded(folder, dir)), ...(await live(join(folder, 'live'), dir))]
    for (const [file, some] of groups(results)) {
      const passed = some.filter((result) => result.passed).length
      console.log(`http/${file}: ${passed} passed, ${some.length - passed} failed`)
    }
    return results
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function groups(results) {
  const map = new Map()
  for (const result of results) map.set(result.file, [...(map.get(result.file) ?? []), result])
  return map
}

async function recorded(folder, dir) {
  const cases = FILES.flatMap((file) =>
    readJsonLines(join(folder, file)).map((testCase) => ({ ...testCase, file })),
  )
  if (cases.length === 0) return []
  await fill(join(folder, 'data', 'ml.om.gz'), join(dir, 'data'))
  cpSync(join(folder, 'data', 'prometheus.yml'), join(dir, 'prometheus.yml'))
  const flags = [
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    '--storage.tsdb.retention.time=10y',
    '--query.max-samples=2000000',
  ]
  const results = []
  for (const [server, extra] of [
    ['base', []],
    ['feat', [`--enable-feature=${FEATURES}`]],
  ])
    results.push(...(await withServer([...flags, ...extra], (port) => compareAll(cases, server, port))))
  return [...results, ...(await histograms(join(folder, 'data'), dir, cases))]
}

/** A server that got its data, with histograms and exemplars, by remote write. */
async function histograms(data, dir, cases) {
  const bodies = existsSync(data) ? readdirSync(data).filter((file) => file.endsWith('.rw1')) : []
  const flags = [
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(dir, 'nh')}`,
    '--storage.tsdb.retention.time=10y',
    '--web.enable-remote-write-receiver',
    '--enable-feature=exemplar-storage',
  ]
  return withServer(flags, async (port) => {
    for (const file of bodies.sort()) {
      const { status, text } = await send(
        {
          method: 'POST',
          path: '/api/v1/write',
          requestHeaders: {
            'Content-Type': 'application/x-protobuf',
            'Content-Encoding': 'snappy',
            'X-Prometheus-Remote-Write-Version': '0.1.0',
          },
          requestBody: readFileSync(join(data, file)),
        },
        port,
      )
      if (status !== 204) throw new Error(`${file}: status ${status}: ${text}`)
    }
    return compareAll(cases, 'nh', port)
  })
}

async function live(folder, dir) {
  const cases = readJsonLines(join(folder, 'recordings.jsonl'))
    .filter(
      // What follows a change of the configuration cannot be asked of an unchanged one.
      ({ note }) => !/^after writing|^rule file/.test(note ?? ''),
    )
    .map((testCase) => ({ ...testCase, file: 'live/recordings.jsonl' }))
  if (cases.length === 0) return []
  for (const file of ['prometheus.yml', 'rules.yml']) cpSync(join(folder, file), join(dir, file))
  const target = await serveTarget(readFileSync(join(folder, 'metrics.txt')))
  // The API shows paths of rule files as they were given.
  const before = process.cwd()
  process.chdir(dir)
  try {
    const flags = [
      '--config.file=prometheus.yml',
      `--storage.tsdb.path=${join(dir, 'live')}`,
      '--web.external-url=http://prom.example/p',
      '--web.route-prefix=/',
      '--web.enable-lifecycle',
    ]
    return await withServer(flags, async (port) => {
      await sleep(LIVE_AFTER_MS)
      return compareAll(cases, 'live', port)
    })
  } finally {
    process.chdir(before)
    target.closeAllConnections()
    target.close()
  }
}

function serveTarget(metrics) {
  const server = createServer((request, response) => {
    request.resume()
    if (request.method !== 'POST' && request.url !== '/metrics') response.statusCode = 500
    if (request.method === 'POST' || request.url !== '/metrics') return response.end()
    return response.setHeader('content-type', 'text/plain; version=0.0.4').end(metrics)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(LIVE_TARGET_PORT, '127.0.0.1', () => resolve(server))
  })
}

async function withServer(flags, body) {
  const server = await startServer({
    flags: parseFlags([...flags, '--web.listen-address=127.0.0.1:0']),
    logger: createLogger({ level: 'error' }),
  })
  try {
    await server.ready
    return await body(server.port)
  } finally {
    await server.stop()
  }
}

/** Writes the samples of an OpenMetrics text into a new database. */
async function fill(file, dir) {
  const known = new Map()
  const samples = []
  for (const line of gunzipSync(readFileSync(file)).toString().split('\n')) {
    const match = /^([^#].*?) (\S+) ([0-9.e+]+)$/.exec(line)
    if (!match) continue
    const [, series, value, seconds] = match
    if (!known.has(series))
      known.set(
        series,
        Labels.from(parseMetricSelector(series).map((matcher) => [matcher.name, matcher.value])),
      )
    samples.push({ labels: known.get(series), value: number(value), timeMs: Math.round(seconds * 1000) })
  }
  samples.sort((a, b) => a.timeMs - b.timeMs)
  const db = await openDb({ dir })
  for (let i = 0; i < samples.length;) {
    const appender = db.appender()
    for (const end = Math.min(samples.length, i + 10_000); i < end; i++)
      appender.float(appender.series(samples[i].labels), samples[i].timeMs, samples[i].value)
    appender.commit()
  }
  await db.close()
}

async function compareAll(cases, server, port) {
  const agent = new Agent({ keepAlive: true })
  const results = []
  for (const testCase of cases) {
    if (testCase.server !== server) continue
    const problem = problemOf(testCase, await send(testCase, port, agent))
    results.push({
      name: testCase.id,
      file: testCase.file,
      passed: problem === undefined,
      ...(problem && { problem }),
    })
  }
  agent.destroy()
  return results
}

function send({ method, path, params = [], form, requestHeaders, requestBody }, port, agent) {
  const encoded = params
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
  const headers = { ...requestHeaders }
  if (form) headers['Content-Type'] ??= 'application/x-www-form-urlencoded'
  const query = form || encoded === '' ? '' : `${path.includes('?') ? '&' : '?'}${encoded}`
  return new Promise((resolve) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, method, path: path + query, headers, agent },
      (response) => {
        const parts = []
        response.on('data', (part) => parts.push(part))
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            text: Buffer.concat(parts).toString(),
          }),
        )
      },
    )
    request.on('error', (error) => resolve({ status: 0, headers: {}, text: error.message }))
    request.end(form ? encoded : requestBody)
  })
}

function problemOf(want, got) {
  const request = `${want.method} ${want.path} ${JSON.stringify(want.params ?? [])}`
  if (got.status !== want.status) return `${request}: status ${got.status}, want ${want.status}: ${got.text}`
  for (const [name, value] of Object.entries(want.headers ?? {}))
    if (got.headers[name] !== value) return `${request}: ${name}: ${got.headers[name]}, want ${value}`
  if (want.note?.includes('volatile') || /\/status\/(config|flags|buildinfo|tsdb)|\/version$/.test(want.path))
    return undefined
  if (want.body === undefined) {
    const [a, b] = [got.text, want.bodyText].map((text) =>
      want.server === 'live' ? withoutMoments(text) : text,
    )
    return b === undefined || a === b
      ? undefined
      : `${request}: ${JSON.stringify(a)}, want ${JSON.stringify(b)}`
  }
  let body
  try {
    body = JSON.parse(got.text)
  } catch {
    return `${request}: no JSON: ${got.text}`
  }
  const options = { live: want.server === 'live', ordered: isOrdered(want) }
  // Which metrics a limit leaves is left to chance.
  if (
    want.server === 'live' &&
    want.path === '/api/v1/metadata' &&
    body.data &&
    want.body.data &&
    want.params?.some(([name]) => name === 'limit')
  )
    return Object.keys(body.data).length === Object.keys(want.body.data).length
      ? undefined
      : `${request}: ${got.text}`
  const [a, b] = [normal(body, options), normal(want.body, options)]
  return equal(a, b) ? undefined : `${request}: ${differenceOf(a, b)}`
}

/** A text exposition without times and what a scrape took. */
function withoutMoments(text) {
  return text
    ?.replace(/\b1\d{12}\b/g, 'TIME')
    .replace(/^(ALERTS_FOR_STATE|scrape_duration_seconds)(.*\}) \S+ TIME$/gm, '$1$2 VALUE TIME')
}

/** Results that are sorted by the query itself. */
function isOrdered({ params = [], orderUnstable }) {
  const query = params.find(([name]) => name === 'query')?.[1] ?? ''
  return !orderUnstable && /^\s*(sort|topk|bottomk)/.test(query)
}

function normal(body, { live, ordered }) {
  const out = structuredClone(body)
  if (Array.isArray(out.data?.result) && out.data.resultType === 'vector' && !ordered)
    out.data.result.sort((a, b) => (seriesKey(a) < seriesKey(b) ? -1 : 1))
  out.warnings?.sort()
  out.infos?.sort()
  // Errors of matching name two arbitrary series.
  if (out.error?.startsWith('found duplicate series')) out.error = out.error.replace(/:.*/s, '')
  return live ? sortedDeep(withoutTimes(out)) : out
}

function seriesKey({ metric = {} }) {
  return JSON.stringify(Object.entries(metric).sort())
}

/** Samples of a live server have times of their own. */
function withoutTimes(value, name) {
  if (Array.isArray(value)) return name === 'value' ? value.slice(1) : value.map((one) => withoutTimes(one))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutTimes(one, key)]))
}

function sortedDeep(value) {
  const text = (one) => JSON.stringify(one, (key, part) => (VOLATILE.has(key) ? 0 : part))
  if (Array.isArray(value)) return value.map(sortedDeep).sort((a, b) => (text(a) < text(b) ? -1 : 1))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortedDeep(value[key])]),
  )
}

function number(text) {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text)
}

/** Numbers in strings may differ in the last digits, volatile fields need only be there. */
function equal(got, want, name) {
  if (VOLATILE.has(name)) return typeof got === typeof want
  if (typeof want === 'string' && typeof got === 'string') return got === want || near(got, want)
  if (Array.isArray(want))
    return Array.isArray(got) && got.length === want.length && want.every((one, i) => equal(got[i], one))
  if (want === null || typeof want !== 'object') return Object.is(got, want)
  if (got === null || typeof got !== 'object') return false
  const names = Object.keys(want)
  return (
    names.length === Object.keys(got).length &&
    names.every((key) => key in got && equal(got[key], want[key], key))
  )
}

function near(a, b) {
  const [x, y] = [number(a), number(b)]
  return b !== '' && a !== '' && Math.abs(x - y) <= 1e-9 * Math.max(Math.abs(x), Math.abs(y))
}

/** Where two answers differ first, and what stands there. */
function differenceOf(got, want, path = 'body', name = '') {
  if (equal(got, want, name)) return ''
  if (Array.isArray(want) && Array.isArray(got)) {
    const at = want.findIndex((one, i) => i >= got.length || !equal(got[i], one))
    if (at < 0 || at >= got.length)
      return `${path}: ${got.length} elements, want ${want.length}: ${shown(got)}`
    return differenceOf(got[at], want[at], `${path}[${at}]`)
  }
  if (isObject(want) && isObject(got)) {
    const names = [...new Set([...Object.keys(want), ...Object.keys(got)])]
    const odd = names.find((key) => !(key in got && key in want && equal(got[key], want[key], key)))
    if (odd !== undefined) return differenceOf(got[odd], want[odd], `${path}.${odd}`, odd)
  }
  return `${path}: got ${shown(got)}, want ${shown(want)}`
}

function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function shown(value) {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 400)
}
