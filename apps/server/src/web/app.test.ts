import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from '@watchfire/instrument'
import type { DbStats } from '@watchfire/tsdb'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLogger } from '../logger.ts'
import type { MetadataRequest, QueryJsonAnswer, QueryPool, QueryPoolRequest } from '../query/index.ts'
import type { AlertJson, RuleGroupJson } from './contract.ts'
import { createWebApp } from './index.ts'
import type { WebOptions } from './options.ts'

const asked: (QueryPoolRequest | MetadataRequest)[] = []
let answer: QueryJsonAnswer
const pool: QueryPool = {
  json: async (request) => (asked.push(request), answer),
  metadata: async (request) => (asked.push(request), answer),
  vector: async () => ({ ok: true, samples: [], warnings: [], infos: [] }),
  latest: async () => ({
    ok: true,
    samples: [{ pairs: ['__name__', 'ü.x', 'job', 'j'], timeMs: 5, value: 2e6 }],
    warnings: [],
    infos: [],
  }),
  stop: async () => {},
}
const STATS = { seriesCount: 3, labelPairCount: 4, chunkCount: 5, minTime: 6, maxTime: 7, walCorruptions: 0 }
const alert: AlertJson = {
  labels: { alertname: 'High', severity: 'page' },
  annotations: {},
  state: 'firing',
  activeAt: '2026-01-01T00:00:00Z',
  value: '1e+00',
}
const evaluation = { health: 'ok', evaluationTime: 0.1, lastEvaluation: '2026-01-01T00:00:00Z' } as const
const groups: RuleGroupJson[] = ['g1', 'g2'].map((name) => ({
  name,
  file: 'rules.yml',
  rules: [
    {
      state: 'firing',
      name: 'High',
      query: 'up == 0',
      duration: 0,
      keepFiringFor: 0,
      labels: { severity: 'page' },
      annotations: {},
      alerts: [alert],
      ...evaluation,
      type: 'alerting',
    },
    { name: 'job:up:sum', query: 'sum(up)', ...evaluation, type: 'recording' },
  ],
  interval: 15,
  limit: 0,
  evaluationTime: 0.1,
  lastEvaluation: '2026-01-01T00:00:00Z',
}))

const server = {
  ready: true,
  stopping: false,
  startMs: 1,
  configYaml: 'global: {}\n',
  externalLabels: { cluster: 'c' },
  scrapePools: ['b', 'a'],
  reloadSucceeded: true,
  lastReloadMs: 2,
  lastReloadTriedMs: 3,
  retentionText: '15d',
  replay: { min: 0, max: 3, current: 2 },
  reload: async () => {},
  quit: () => {},
}
let app: FastifyInstance
let uiDir = ''

async function open(options: Partial<WebOptions> = {}): Promise<FastifyInstance> {
  app = await createWebApp({
    server,
    pool,
    ingest: {
      exemplars: async ({ selectors }) =>
        selectors.flat().some(({ value }) => value === 'with')
          ? [{ pairs: ['__name__', 'with'], exemplars: [{ pairs: ['t', '1'], value: 0.5, timeMs: 1500 }] }]
          : [],
      targets: async () => ({
        active: ['b', 'a'].map((scrapePool) => ({
          scrapePool,
          discoveredLabels: { __address__: 'x:1' },
          labels: { job: scrapePool },
          scrapeUrl: 'http://x:1/metrics',
          globalUrl: 'http://x:1/metrics',
          lastError: '',
          lastScrapeMs: 1_767_225_600_123,
          lastScrapeDurationSeconds: 0.5,
          health: 'up' as const,
          scrapeInterval: '15s',
          scrapeTimeout: '10s',
        })),
        dropped: [{ scrapePool: 'a', discoveredLabels: { __address__: 'y:1' } }],
        droppedCounts: { a: 1, b: 0 },
      }),
      metadata: async () =>
        ['m1', 'm2'].map((metric) => ({ metric, type: 'gauge', help: 'h', unit: '', target: { job: 'a' } })),
      stats: async () => STATS as DbStats,
      metricsText: async () => '# TYPE prometheus_tsdb_head_series gauge\nprometheus_tsdb_head_series 3\n',
    },
    rules: { groups: () => groups, alerts: () => [alert] },
    alertmanagers: { active: () => ['http://am:9093/api/v2/alerts'], dropped: () => [] },
    registry: new Registry(),
    logger: createLogger({ write: () => {} }),
    build: { version: '1', revision: 'r', branch: 'b', buildUser: 'u', buildDate: 'd', goVersion: 'g' },
    flags: { 'config.file': 'p.yml' },
    routePrefix: '/',
    externalPath: '',
    corsOrigin: '.*',
    enableLifecycle: false,
    uiDir,
    now: () => 1_767_225_600_000,
    ...options,
  })
  return app
}

beforeEach(async () => {
  asked.length = 0
  answer = { ok: true, body: new TextEncoder().encode('{"status":"success","data":[]}') }
  uiDir = mkdtempSync(join(tmpdir(), 'watchfire-ui-'))
  mkdirSync(join(uiDir, 'assets'))
  writeFileSync(join(uiDir, 'server.html'), '<!doctype html><title>page</title>')
  writeFileSync(join(uiDir, 'assets/main-abc.js'), 'export {}')
  await open()
})
afterEach(async () => {
  await app.close()
  rmSync(uiDir, { recursive: true, force: true })
})

const get = (url: string, headers: Record<string, string> = {}) => app.inject({ method: 'GET', url, headers })
const form = (url: string, payload: string) =>
  app.inject({
    method: 'POST',
    url,
    payload,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
const failure = (kind: string, message: string) => ({ status: 'error', errorType: kind, error: message })

describe('queries', () => {
  it('hands the bytes of the pool through', async () => {
    const reply = await get('/api/v1/query?query=up&time=1.5&limit=2&stats=all&timeout=3s&lookback_delta=60')
    expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([
      200,
      'application/json',
      '{"status":"success","data":[]}',
    ])
    expect(asked).toEqual([
      { expr: 'up', startMs: 1500, endMs: 1500, limit: 2, timeoutMs: 3000, lookbackMs: 60_000, stats: 'all' },
    ])
  })

  it('merges form and URL parameters', async () => {
    await form('/api/v1/query_range?step=15&end=30', 'query=sum%28up%29&start=0&query=x')
    expect(asked).toEqual([{ expr: 'sum(up)', startMs: 0, endMs: 30_000, stepMs: 15_000, limit: 0 }])
    await form('/api/v1/series', 'match%5B%5D=up&match%5B%5D=%7Bjob%3D%22x%22%7D')
    expect(asked[1]).toMatchObject({ what: 'series', matches: ['up', '{job="x"}'] })
  })

  it('warns of a deprecated value of stats', async () => {
    await get('/api/v1/query?query=1&stats=yes')
    expect(asked[0]).toMatchObject({
      stats: 'basic',
      warnings: [expect.stringContaining('value "yes" for parameter "stats" is deprecated')],
    })
  })

  const bad: [string, string][] = [
    ['query', 'invalid parameter "query": unknown position: parse error: no expression found in input'],
    [
      'query?query=%zz',
      'invalid parameter "query": unknown position: parse error: no expression found in input',
    ],
    ['query?query=sum(', 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis'],
    [
      'query?query=1&time=2026-01-01T01:00:00',
      `invalid parameter "time": invalid time value for 'time': cannot parse "2026-01-01T01:00:00" to a valid timestamp`,
    ],
    ['query?query=1&limit=-1', 'invalid parameter "limit": limit must be non-negative'],
    ['query?query=1&limit=x', 'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'],
    ['query?query=1&timeout=x', 'invalid parameter "timeout": cannot parse "x" to a valid duration'],
    [
      'query?query=1&lookback_delta=x',
      'error parsing lookback delta duration: cannot parse "x" to a valid duration',
    ],
    ['query_range?query=1', 'invalid parameter "start": cannot parse "" to a valid timestamp'],
    [
      'query_range?query=1&start=2&end=1&step=1',
      'invalid parameter "end": end timestamp must not be before start time',
    ],
    [
      'query_range?query=1&start=1&end=2&step=0',
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [
      'query_range?query=1&start=0&end=11001&step=1',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    ],
    [
      'query_range?query=up[5m]&start=0&end=1&step=1',
      'invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    ],
    ['series', 'no match[] parameter provided'],
    ['series?match[]={}', 'invalid parameter "match[]": match[] must contain at least one non-empty matcher'],
    ['labels?match[]={}', 'match[] must contain at least one non-empty matcher'],
    [
      'labels?start=abc',
      `invalid parameter "start": invalid time value for 'start': cannot parse "abc" to a valid timestamp`,
    ],
  ]
  it.each(bad)('refuses %s', async (url, message) => {
    const reply = await get(`/api/v1/${url}`)
    expect([reply.statusCode, reply.json()]).toEqual([400, failure('bad_data', message)])
    expect(asked).toEqual([])
  })

  it('accepts 11,001 steps', async () => {
    expect((await get('/api/v1/query_range?query=1&start=0&end=11000&step=1')).statusCode).toBe(200)
  })

  it.each([
    ['execution', 422],
    ['timeout', 503],
    ['canceled', 499],
    ['internal', 500],
  ] as const)('answers a failure of kind %s with status %i', async (kind, status) => {
    answer = { ok: false, kind, message: 'why' }
    const reply = await get('/api/v1/query?query=1')
    expect([reply.statusCode, reply.json()]).toEqual([status, failure(kind, 'why')])
  })

  it('decodes escaped label names', async () => {
    await get('/api/v1/label/U__my_2e_name/values')
    expect(asked[0]).toMatchObject({ what: 'labelValues', label: 'my.name' })
  })

  it('formats and parses', async () => {
    expect((await get('/api/v1/format_query?query=sum(up)by(job)')).json()).toEqual({
      status: 'success',
      data: 'sum by (job) (up)',
    })
    expect((await get('/api/v1/parse_query?query=1')).json()).toMatchObject({
      data: { type: 'numberLiteral', val: '1' },
    })
  })
})

describe('targets', () => {
  it('lists targets by pool with their state', async () => {
    const { data } = (await get('/api/v1/targets')).json<{ data: Record<string, unknown> }>()
    expect(data.activeTargets).toMatchObject([
      { scrapePool: 'a', lastScrape: '2026-01-01T00:00:00.123Z', lastScrapeDuration: 0.5, health: 'up' },
      { scrapePool: 'b' },
    ])
    expect(data.droppedTargets).toEqual([{ discoveredLabels: { __address__: 'y:1' }, scrapePool: 'a' }])
    expect(data.droppedTargetCounts).toEqual({ a: 1, b: 0 })
  })

  it('filters by state and pool', async () => {
    expect((await get('/api/v1/targets?state=active&scrapePool=b')).json()).toMatchObject({
      data: { activeTargets: [{ scrapePool: 'b' }], droppedTargets: [], droppedTargetCounts: null },
    })
    expect((await get('/api/v1/targets?state=dropped')).json()).toMatchObject({
      data: { activeTargets: [], droppedTargets: [{ scrapePool: 'a' }] },
    })
  })

  it('shows metadata of metrics and of targets', async () => {
    expect((await get('/api/v1/metadata?limit=1')).json()).toEqual({
      status: 'success',
      data: { m1: [{ type: 'gauge', unit: '', help: 'h' }] },
    })
    expect((await get('/api/v1/targets/metadata?metric=m2')).json()).toEqual({
      status: 'success',
      data: [{ target: { job: 'a' }, type: 'gauge', help: 'h', unit: '' }],
    })
    expect((await get('/api/v1/targets/metadata?limit=x')).json()).toEqual(
      failure('bad_data', 'limit must be a number'),
    )
  })

  it('lists pools and Alertmanagers', async () => {
    expect((await get('/api/v1/scrape_pools')).json()).toMatchObject({ data: { scrapePools: ['a', 'b'] } })
    expect((await get('/api/v1/alertmanagers')).json()).toMatchObject({
      data: { activeAlertmanagers: [{ url: 'http://am:9093/api/v2/alerts' }], droppedAlertmanagers: [] },
    })
  })
})

describe('rules', () => {
  const names = async (query: string) =>
    (await get(`/api/v1/rules?${query}`))
      .json<{ data: { groups: RuleGroupJson[] } }>()
      .data.groups.map((group) => `${group.name}: ${group.rules.map((rule) => rule.name).join(' ')}`)

  it('filters by type, names, file and labels', async () => {
    expect(await names('')).toEqual(['g1: High job:up:sum', 'g2: High job:up:sum'])
    expect(await names('type=alert&rule_group[]=g2')).toEqual(['g2: High'])
    expect(await names('type=record&rule_name[]=High')).toEqual([])
    expect(await names('match[]={severity="page"}&rule_group[]=g1')).toEqual(['g1: High'])
    expect(await names('file[]=other.yml')).toEqual([])
  })

  it('leaves out alerts on request', async () => {
    const reply = await get('/api/v1/rules?exclude_alerts=true&type=alert')
    expect(reply.json()).toMatchObject({ data: { groups: [{ rules: [{ alerts: [] }] }, {}] } })
  })

  it('pages through groups', async () => {
    const first = (await get('/api/v1/rules?group_limit=1')).json<{ data: { groupNextToken: string } }>()
    const token = first.data.groupNextToken
    expect(await names(`group_limit=1&group_next_token=${token}`)).toEqual(['g2: High job:up:sum'])
    expect((await get('/api/v1/rules?group_limit=1&group_next_token=x')).statusCode).toBe(400)
  })

  it.each([
    ['type=x', 'invalid parameter "type": not supported value "x"'],
    ['group_limit=-1', 'invalid parameter "group_limit": group_limit needs to be greater than 0'],
    [
      'group_limit=x',
      'invalid parameter "group_limit": group_limit needs to be a valid number: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [
      'exclude_alerts=maybe',
      'invalid parameter "exclude_alerts": error converting exclude_alerts: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
  ])('refuses %s', async (query, message) => {
    expect((await get(`/api/v1/rules?${query}`)).json()).toEqual(failure('bad_data', message))
  })

  it('lists alerts', async () => {
    expect((await get('/api/v1/alerts')).json()).toEqual({ status: 'success', data: { alerts: [alert] } })
  })
})

describe('status', () => {
  it('shows build, configuration, flags and run', async () => {
    expect((await get('/api/v1/status/buildinfo')).json()).toMatchObject({ data: { version: '1' } })
    expect((await get('/api/v1/status/config')).json()).toMatchObject({ data: { yaml: 'global: {}\n' } })
    expect((await get('/api/v1/status/flags')).json()).toMatchObject({ data: { 'config.file': 'p.yml' } })
    expect((await get('/api/v1/status/runtimeinfo')).json()).toMatchObject({
      data: { reloadConfigSuccess: true, storageRetention: '15d', serverTime: '2026-01-01T00:00:00.000Z' },
    })
  })

  it('joins head statistics and cardinality', async () => {
    answer = { ok: true, body: new TextEncoder().encode('{"seriesCountByMetricName":[]}') }
    expect((await get('/api/v1/status/tsdb?limit=3')).json()).toEqual({
      status: 'success',
      data: {
        headStats: { numSeries: 3, numLabelPairs: 4, chunkCount: 5, minTime: 6, maxTime: 7 },
        seriesCountByMetricName: [],
      },
    })
    expect((await get('/api/v1/status/tsdb?limit=0')).json()).toEqual(
      failure('bad_data', 'limit must be a positive number'),
    )
  })
})

describe('parts that are switched off', () => {
  it('say so as Prometheus does', async () => {
    const write = await form('/api/v1/write', '')
    expect([write.statusCode, write.body]).toEqual([
      404,
      'remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n',
    ])
    expect((await get('/api/v1/write')).headers.allow).toBe('OPTIONS, POST')
    const admin = await form('/api/v1/admin/tsdb/snapshot', '')
    expect([admin.statusCode, admin.json()]).toEqual([500, failure('unavailable', 'admin APIs disabled')])
    expect((await get('/api/v1/search/label_names')).json()).toEqual(
      failure('unavailable', 'search API disabled'),
    )
  })

  it('have no exemplars', async () => {
    expect((await get('/api/v1/query_exemplars?query=rate(x[5m])')).json()).toEqual({
      status: 'success',
      data: [],
    })
    expect((await get('/api/v1/query_exemplars?query=sum(with)')).json()).toEqual({
      status: 'success',
      data: [
        {
          seriesLabels: { __name__: 'with' },
          exemplars: [{ labels: { t: '1' }, value: '0.5', timestamp: 1.5 }],
        },
      ],
    })
    expect((await get('/api/v1/query_exemplars?query=1')).statusCode).toBe(204)
    expect((await get('/api/v1/query_exemplars?query=x&start=2&end=1')).json()).toEqual(
      failure('bad_data', 'end timestamp must not be before start timestamp'),
    )
  })

  it('tell of a failed reload', async () => {
    expect((await get('/api/v1/notifications')).json()).toEqual({ status: 'success', data: [] })
    await app.close()
    await open({ server: { ...server, reloadSucceeded: false } })
    expect((await get('/api/v1/notifications')).json()).toMatchObject({
      data: [{ text: 'Configuration reload has failed.', active: true }],
    })
  })
})

describe('federation', () => {
  it('shows the newest samples with external labels, names escaped unless they may be as they are', async () => {
    const plain = await get('/federate?match[]=x')
    expect(plain.headers['content-type']).toBe(
      'text/plain; version=0.0.4; charset=utf-8; escaping=underscores',
    )
    expect(plain.body).toBe('# TYPE __x untyped\n__x{job="j",cluster="c",instance=""} 2e+06 5\n')
    const utf8 = await app.inject({
      url: '/federate?match[]=x',
      headers: { accept: 'text/plain;version=1.0.0;escaping=allow-utf-8' },
    })
    expect(utf8.body).toBe('# TYPE "ü.x" untyped\n{"ü.x",job="j",cluster="c",instance=""} 2e+06 5\n')
  })

  it('refuses what is no selector', async () => {
    const bad = await get('/federate?match[]=x{')
    expect(bad.statusCode).toBe(400)
    expect(bad.body).toContain('parse error')
  })
})

describe('protocol', () => {
  it('knows unknown paths from unknown methods', async () => {
    const unknown = await get('/api/v1/nope')
    expect([unknown.statusCode, unknown.body]).toEqual([404, '404 page not found\n'])
    const put = await app.inject({ method: 'PUT', url: '/api/v1/query' })
    expect([put.statusCode, put.headers.allow, put.body]).toEqual([
      405,
      'GET, OPTIONS, POST',
      'Method Not Allowed\n',
    ])
    const head = await app.inject({ method: 'HEAD', url: '/api/v1/label/job/values' })
    expect([head.statusCode, head.headers.allow]).toEqual([405, 'GET, OPTIONS'])
  })

  it('answers OPTIONS and cross-origin requests', async () => {
    expect((await app.inject({ method: 'OPTIONS', url: '/api/v1/nope' })).statusCode).toBe(204)
    const healthy = await app.inject({ method: 'OPTIONS', url: '/-/healthy' })
    expect([healthy.statusCode, healthy.headers.allow]).toEqual([200, 'GET, HEAD, OPTIONS'])
    const reply = await get('/api/v1/query?query=1', { origin: 'http://example.org' })
    expect(reply.headers).toMatchObject({
      'access-control-allow-origin': 'http://example.org',
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      'access-control-expose-headers': 'Date',
    })
    await app.close()
    await open({ corsOrigin: 'https://good' })
    const refused = await get('/api/v1/query?query=1', { origin: 'http://bad' })
    expect(refused.headers['access-control-allow-origin']).toBeUndefined()
  })

  it('says 503 until it is ready, but not for pages and life signs', async () => {
    await app.close()
    await open({ server: { ...server, ready: false } })
    for (const url of ['/api/v1/query?query=1', '/-/ready', '/api/v1/targets']) {
      const reply = await get(url)
      expect([url, reply.statusCode, reply.body, reply.headers['x-prometheus-stopping']]).toEqual([
        url,
        503,
        'Service Unavailable',
        'false',
      ])
    }
    expect((await get('/api/v1/status/walreplay')).json()).toMatchObject({ data: { max: 3, current: 2 } })
    expect((await get('/-/healthy')).statusCode).toBe(200)
    expect((await get('/query')).statusCode).toBe(200)
    expect((await get('/metrics')).statusCode).toBe(200)
  })

  it('compresses when asked', async () => {
    answer = { ok: true, body: new TextEncoder().encode(`{"data":"${'x'.repeat(5000)}"}`) }
    const reply = await get('/api/v1/query?query=1', { 'accept-encoding': 'gzip' })
    expect(reply.headers['content-encoding']).toBe('gzip')
    expect(reply.rawPayload.length).toBeLessThan(500)
  })

  it('refuses a body that is too large', async () => {
    const reply = await form('/api/v1/query', `query=${'x'.repeat(11 * 1024 * 1024)}`)
    expect(reply.json()).toEqual(failure('bad_data', 'http: request body too large'))
  })
})

describe('pages', () => {
  it('redirects to the query page and keeps old links', async () => {
    expect((await get('/')).headers.location).toBe('/query')
    expect((await get('/graph?g0.expr=up&g0.tab=1')).headers.location).toBe('/query?g0.expr=up&g0.tab=1')
  })

  it('serves the application for its paths, assets for ever, and nothing outside of its folder', async () => {
    for (const path of ['/query', '/alerts', '/targets', '/rules', '/status']) {
      const reply = await get(path)
      expect([reply.statusCode, reply.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
      expect(reply.headers['content-security-policy']).toContain("default-src 'self'")
    }
    const asset = await get('/assets/main-abc.js')
    expect(asset.headers['content-type']).toContain('javascript')
    expect(asset.headers['cache-control']).toContain('immutable')
    expect((await get('/assets/../server.html')).statusCode).toBe(404)
    expect((await get('/assets/%2e%2e/%2e%2e/etc/passwd')).statusCode).not.toBe(200)
  })

  it('counts requests by route in its own metrics, beside those of the worker', async () => {
    await get('/api/v1/label/job/values')
    const { body, headers } = await get('/metrics')
    expect(headers['content-type']).toContain('version=0.0.4')
    expect(body).toContain(
      'prometheus_http_requests_total{handler="/api/v1/label/:name/values",code="200"} 1',
    )
    expect(body).toContain('prometheus_tsdb_head_series 3')
  })

  it('guards the life cycle', async () => {
    const refused = await app.inject({ method: 'POST', url: '/-/reload' })
    expect([refused.statusCode, refused.body]).toEqual([403, 'Lifecycle API is not enabled.'])
    expect((await get('/-/reload')).statusCode).toBe(405)
    await app.close()
    let quit = 0
    await open({
      enableLifecycle: true,
      server: {
        ...server,
        reload: () => Promise.reject(new Error("couldn't load configuration")),
        quit: () => quit++,
      },
    })
    const failed = await app.inject({ method: 'POST', url: '/-/reload' })
    expect([failed.statusCode, failed.body]).toEqual([
      500,
      "failed to reload config: couldn't load configuration\n",
    ])
    expect((await app.inject({ method: 'PUT', url: '/-/quit' })).body).toBe(
      'Requesting termination... Goodbye!',
    )
    expect(quit).toBe(1)
  })

  it('lives below a prefix', async () => {
    await app.close()
    await open({ routePrefix: '/p', externalPath: '/p' })
    expect((await get('/p/api/v1/query?query=1')).statusCode).toBe(200)
    expect((await get('/p/')).headers.location).toBe('/p/query')
    expect((await get('/')).headers.location).toBe('/p/')
    expect((await get('/api/v1/query?query=1')).statusCode).toBe(404)
    expect((await app.inject({ method: 'PUT', url: '/p/api/v1/query' })).statusCode).toBe(405)
  })
})
