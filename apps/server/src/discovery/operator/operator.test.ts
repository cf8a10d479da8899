import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseConfig, type Config, type ScrapeConfig } from '../../config/index.ts'
import { createLogger } from '../../logger.ts'
import { compileRelabel, relabelMap } from '../../relabel/index.ts'
import { MONITORS } from './monitor.ts'
import { OperatorRunner } from './runner.ts'
import { endpointsOf, scrapeJob } from './scrape-job.ts'
import { SecretReader } from './secret-reader.ts'
import { matchesSelector, selectorAt } from './selector.ts'

/** Answers lists (by path), single objects, and watches that say nothing. */
let objects: Record<string, unknown> = {}
let down = false
let server: Server
let url = ''
const watches: { readonly path: string; readonly response: ServerResponse }[] = []
const log: string[] = []
let runner: OperatorRunner
let config: Config
let changes = 0

beforeEach(async () => {
  objects = {}
  down = false
  watches.length = log.length = changes = 0
  server = createServer((request, response) => {
    const target = new URL(request.url!, 'http://x')
    if (target.searchParams.get('watch') === 'true') {
      response.writeHead(200).flushHeaders()
      watches.push({ path: target.pathname, response })
      return
    }
    const found = objects[target.pathname]
    if (down && target.pathname.includes('/secrets/')) response.writeHead(500).end('the secret is hush')
    else if (Array.isArray(found))
      response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: found }))
    else if (found) response.end(JSON.stringify(found))
    else if (/s$/.test(target.pathname)) response.end('{"metadata":{"resourceVersion":"1"},"items":[]}')
    else response.writeHead(404).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  runner = new OperatorRunner({
    logger: createLogger({ write: (line) => log.push(line) }),
    userAgent: 'x',
    onChange: () => changes++,
    settleMs: 20,
    backoffMs: { min: 20, max: 50 },
  })
})

afterEach(() => {
  runner.stop()
  server.closeAllConnections()
  server.close()
})

const ALL = 'service_monitor_selector: {}\n  service_monitor_namespace_selector: {}'

function start(lines = ALL) {
  config = parseConfig(
    `global: {scrape_interval: 30s}\nkubernetes_operator:\n  api_server: ${url}\n  ${lines}\n`,
    'p.yml',
  )
  runner.apply(config)
}

function send(path: string, event: unknown) {
  for (const watch of watches) if (watch.path === path) watch.response.write(`${JSON.stringify(event)}\n`)
}

const jobs = () => runner.merge(config)
const names = () => jobs().map(({ jobName }) => jobName)

const SERVICE_MONITORS = '/apis/monitoring.coreos.com/v1/servicemonitors'
const POD_MONITORS = '/apis/monitoring.coreos.com/v1/podmonitors'

const FASTAPI = {
  metadata: { name: 'fastapi-ml', namespace: 'platform', labels: { team: 'ml' } },
  spec: {
    selector: { matchLabels: { app: 'fastapi-ml' } },
    endpoints: [{ port: 'fastapi-port', path: '/metrics', interval: '15s' }],
  },
}

/** Labels of a target after relabelling, without those that begin with `__`. */
function targetLabels(job: ScrapeConfig, labels: Record<string, string>): Record<string, string> | undefined {
  const rules = compileRelabel(job.relabelConfigs, { validation: 'utf8' })
  const map = new Map(Object.entries({ job: job.jobName, ...labels }))
  if (!relabelMap(map, rules)) return undefined
  return Object.fromEntries([...map].filter(([name]) => !name.startsWith('__')))
}

const M = '__meta_kubernetes_'
const DISCOVERED = {
  __address__: '10.0.0.1:8000',
  [`${M}namespace`]: 'platform',
  [`${M}service_name`]: 'fastapi-ml',
  [`${M}service_label_app`]: 'fastapi-ml',
  [`${M}service_labelpresent_app`]: 'true',
  [`${M}endpoint_port_name`]: 'fastapi-port',
  [`${M}endpoint_address_target_kind`]: 'Pod',
  [`${M}endpoint_address_target_name`]: 'fastapi-ml-7d-x',
  [`${M}pod_name`]: 'fastapi-ml-7d-x',
  [`${M}pod_phase`]: 'Running',
  [`${M}pod_container_name`]: 'fastapi-ml',
}

describe('a ServiceMonitor', () => {
  it('becomes a scrape config with the labels that the operator gives', async () => {
    objects[SERVICE_MONITORS] = [FASTAPI]
    start()
    await vi.waitFor(() => expect(names()).toEqual(['serviceMonitor/platform/fastapi-ml/0']))
    const [job] = jobs() as [ScrapeConfig]
    expect(job).toMatchObject({ scrapeIntervalMs: 15_000, metricsPath: '/metrics', scheme: 'http' })
    expect(job.discovery.kubernetesSdConfigs).toMatchObject([
      { role: 'endpoints', namespaces: ['platform'], apiServer: url },
    ])
    expect(targetLabels(job, DISCOVERED)).toEqual({
      namespace: 'platform',
      service: 'fastapi-ml',
      pod: 'fastapi-ml-7d-x',
      container: 'fastapi-ml',
      endpoint: 'fastapi-port',
      job: 'fastapi-ml',
    })
  })

  it('leaves out other services, other ports and pods that have ended', async () => {
    objects[SERVICE_MONITORS] = [FASTAPI]
    start()
    await vi.waitFor(() => expect(names()).toHaveLength(1))
    const [job] = jobs() as [ScrapeConfig]
    for (const [name, value] of [
      [`${M}service_label_app`, 'other'],
      [`${M}endpoint_port_name`, 'debug'],
      [`${M}pod_phase`, 'Succeeded'],
    ] as const)
      expect(targetLabels(job, { ...DISCOVERED, [name]: value })).toBeUndefined()
  })

  it('carries its options, limits and relabelling over', async () => {
    objects[SERVICE_MONITORS] = [
      {
        ...FASTAPI,
        spec: {
          selector: {
            matchExpressions: [
              { key: 'tier', operator: 'In', values: ['a', 'b'] },
              { key: 'off', operator: 'DoesNotExist' },
            ],
          },
          namespaceSelector: { any: true },
          jobLabel: 'app',
          targetLabels: ['app'],
          sampleLimit: 7,
          bodySizeLimit: '1MB',
          scrapeProtocols: ['PrometheusText0.0.4'],
          attachMetadata: { node: true },
          endpoints: [
            {
              targetPort: 8000,
              scheme: 'HTTPS',
              params: { a: ['b'] },
              honorLabels: true,
              scrapeTimeout: '5s',
              filterRunning: false,
              relabelings: [{ targetLabel: 'x', replacement: 'y', action: 'Replace' }],
              metricRelabelings: [{ sourceLabels: ['__name__'], regex: 'go_.*', action: 'drop' }],
              tlsConfig: { insecureSkipVerify: true, serverName: 's' },
            },
          ],
        },
      },
    ]
    start(`${ALL}\n  service_discovery_role: endpointslice`)
    await vi.waitFor(() => expect(names()).toHaveLength(1))
    const [job] = jobs() as [ScrapeConfig]
    expect(job).toMatchObject({
      scheme: 'https',
      params: { a: ['b'] },
      honorLabels: true,
      scrapeTimeoutMs: 5000,
      scrapeIntervalMs: 30_000,
      sampleLimit: 7,
      bodySizeLimit: 1024 * 1024,
      scrapeProtocols: ['PrometheusText0.0.4'],
      http: { tls: { insecureSkipVerify: true, serverName: 's' } },
      metricRelabelConfigs: [{ regex: 'go_.*', action: 'drop' }],
    })
    expect(job.discovery.kubernetesSdConfigs).toMatchObject([
      { role: 'endpointslice', namespaces: [], attach: { node: true } },
    ])
    const labels = {
      ...DISCOVERED,
      [`${M}service_label_tier`]: 'b',
      [`${M}service_labelpresent_tier`]: 'true',
      [`${M}pod_container_port_number`]: '8000',
      [`${M}pod_phase`]: 'Failed',
    }
    expect(targetLabels(job, labels)).toMatchObject({
      job: 'fastapi-ml',
      app: 'fastapi-ml',
      endpoint: '8000',
      x: 'y',
    })
    expect(targetLabels(job, { ...labels, [`${M}service_labelpresent_off`]: 'true' })).toBeUndefined()
  })

  it('comes, changes and goes with the object', async () => {
    start()
    await vi.waitFor(() => expect(watches.some(({ path }) => path === SERVICE_MONITORS)).toBe(true))
    send(SERVICE_MONITORS, { type: 'ADDED', object: FASTAPI })
    await vi.waitFor(() => expect(names()).toHaveLength(1))
    const faster = structuredClone(FASTAPI)
    faster.spec.endpoints[0]!.interval = '5s'
    send(SERVICE_MONITORS, { type: 'MODIFIED', object: faster })
    await vi.waitFor(() => expect(jobs()[0]!.scrapeIntervalMs).toBe(5000))
    send(SERVICE_MONITORS, { type: 'DELETED', object: faster })
    await vi.waitFor(() => expect(names()).toEqual([]))
  })

  it.each([
    [{ oauth2: { clientId: {} } }, 'oauth2 is not supported yet'],
    [{ proxyUrl: 'http://p' }, 'proxyUrl is not supported yet'],
    [{ bearerTokenFile: '/var/run/token' }, 'bearerTokenFile is not allowed'],
    [{ tlsConfig: { caFile: '/etc/shadow' } }, 'caFile is not allowed'],
    [{ interval: 'soon' }, 'not a valid duration string'],
    [{ scheme: 'gopher' }, 'neither http nor https'],
    [{ relabelings: [{ regex: '(' }] }, 'error parsing regexp'],
    [
      { bearerTokenSecret: { name: 'gone', key: 'k' } },
      'unable to get secret platform/gone: HTTP status 404',
    ],
  ])('with %j is left out alone, and the reason is logged once', async (fields, reason) => {
    const endpoints = [{ port: 'a' }, { port: 'b', ...fields }]
    objects[SERVICE_MONITORS] = [{ ...FASTAPI, spec: { ...FASTAPI.spec, endpoints } }]
    start()
    await vi.waitFor(() => expect(names()).toEqual(['serviceMonitor/platform/fastapi-ml/0']))
    expect(log.join('')).toContain(reason)
    expect(log.join('')).toContain('monitor=serviceMonitor/platform/fastapi-ml/1')
    runner.apply(config)
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect(log.filter((line) => line.includes('Monitor cannot be used'))).toHaveLength(1)
  })
})

describe('secrets', () => {
  const data = (value: string) => ({ data: { k: Buffer.from(value).toString('base64') } })
  const ref = { name: 's', key: 'k' }
  const monitor = (fields: object) => [{ ...FASTAPI, spec: { ...FASTAPI.spec, endpoints: [fields] } }]

  it('are read from Secrets and ConfigMaps and shown nowhere', async () => {
    objects['/api/v1/namespaces/platform/secrets/s'] = data('hush')
    objects['/api/v1/namespaces/platform/configmaps/c'] = { data: { k: 'PEM' } }
    objects[SERVICE_MONITORS] = monitor({
      basicAuth: { username: ref, password: ref },
      tlsConfig: { ca: { configMap: { name: 'c', key: 'k' } }, cert: { secret: ref }, keySecret: ref },
    })
    start()
    await vi.waitFor(() => expect(names()).toHaveLength(1))
    expect(jobs()[0]!.http).toMatchObject({
      basicAuth: { username: 'hush', password: 'hush' },
      tls: { ca: 'PEM', cert: 'hush', key: 'hush' },
    })
    expect(config.effectiveYaml).not.toContain('hush')
    expect(log.join('')).not.toContain('hush')
  })

  it('that cannot be asked for now leave the scrape config as it was, and tell nothing', async () => {
    objects['/api/v1/namespaces/platform/secrets/s'] = data('hush')
    objects[SERVICE_MONITORS] = monitor({ bearerTokenSecret: ref })
    start()
    await vi.waitFor(() => expect(names()).toHaveLength(1))
    const before = changes
    down = true
    objects['/api/v1/namespaces/platform/secrets/t'] = data('other')
    const next = monitor({ bearerTokenSecret: { name: 't', key: 'k' } })[0]
    send(SERVICE_MONITORS, { type: 'MODIFIED', object: next })
    await vi.waitFor(() => expect(log.join('')).toContain('unable to get secret platform/t: HTTP status 500'))
    expect(jobs()[0]!.http.authorization?.credentials).toBe('hush')
    expect(changes).toBe(before)
    expect(log.join('')).not.toContain('hush')
  })

  it('too big are refused', async () => {
    objects['/api/v1/namespaces/platform/secrets/s'] = { data: { k: 'a'.repeat(3 * 1024 * 1024) } }
    objects[SERVICE_MONITORS] = monitor({ bearerTokenSecret: ref })
    start()
    await vi.waitFor(() => expect(log.join('')).toContain('unable to get secret platform/s'))
    expect(names()).toEqual([])
  })
})

describe('a PodMonitor', () => {
  it('becomes a scrape config over pods', async () => {
    objects[POD_MONITORS] = [
      {
        metadata: { name: 'workers', namespace: 'platform' },
        spec: {
          selector: { matchLabels: { app: 'worker' } },
          podTargetLabels: ['version'],
          podMetricsEndpoints: [{ port: 'metrics' }],
        },
      },
    ]
    start('pod_monitor_selector: {}\n  pod_monitor_namespace_selector: {}')
    await vi.waitFor(() => expect(names()).toEqual(['podMonitor/platform/workers/0']))
    expect(
      targetLabels(jobs()[0]!, {
        [`${M}namespace`]: 'platform',
        [`${M}pod_name`]: 'worker-1',
        [`${M}pod_phase`]: 'Running',
        [`${M}pod_label_app`]: 'worker',
        [`${M}pod_labelpresent_app`]: 'true',
        [`${M}pod_label_version`]: 'v1',
        [`${M}pod_container_name`]: 'main',
        [`${M}pod_container_port_name`]: 'metrics',
      }),
    ).toEqual({
      namespace: 'platform',
      pod: 'worker-1',
      container: 'main',
      version: 'v1',
      job: 'platform/workers',
      endpoint: 'metrics',
    })
  })
})

describe('selectors', () => {
  it('without a namespace selector only the own namespace is listed', async () => {
    const own = '/apis/monitoring.coreos.com/v1/namespaces/prometheus/servicemonitors'
    objects[own] = [{ ...FASTAPI, metadata: { name: 'x', namespace: 'prometheus' } }]
    objects[SERVICE_MONITORS] = [FASTAPI]
    start('service_monitor_selector: {}\n  namespace: prometheus')
    await vi.waitFor(() => expect(names()).toEqual(['serviceMonitor/prometheus/x/0']))
  })

  it('choose monitors by their labels and by those of their namespace', async () => {
    objects['/api/v1/namespaces'] = [
      { metadata: { name: 'platform', labels: { watched: 'yes' } } },
      { metadata: { name: 'other' } },
    ]
    objects[SERVICE_MONITORS] = [
      FASTAPI,
      { ...FASTAPI, metadata: { ...FASTAPI.metadata, namespace: 'other' } },
      { ...FASTAPI, metadata: { name: 'foreign', namespace: 'platform' } },
    ]
    start(
      'service_monitor_selector: {match_labels: {team: ml}}\n' +
        '  service_monitor_namespace_selector: {match_expressions: [{key: watched, operator: Exists}]}',
    )
    await vi.waitFor(() => expect(names()).toEqual(['serviceMonitor/platform/fastapi-ml/0']))
  })

  it('match as those of Kubernetes do', () => {
    const matches = (raw: unknown, labels: Record<string, string>) =>
      matchesSelector(selectorAt({ s: raw }, 's'), new Map(Object.entries(labels)))
    expect(matches({}, {})).toBe(true)
    expect(matches(undefined, { a: 'b' })).toBe(true)
    expect(matches({ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }] }, {})).toBe(true)
    expect(matches({ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }, {})).toBe(false)
    expect(() => matches({ matchExpressions: [{ key: 'a', operator: 'Near' }] }, {})).toThrow(
      'unknown operator "Near"',
    )
  })
})

describe('the section', () => {
  it.each([
    ['service_monitor_selector: {match_expressions: [{key: a, operator: Near}]}', 'unknown operator "Near"'],
    ['service_monitor_selector: {match_expressions: [{key: a, operator: In}]}', 'operator In needs values'],
    ['service_monitor_selector:', 'at least one of service_monitor_selector & pod_monitor_selector'],
    ['foo: 1', 'field foo not found in type kubernetes_operator.plain'],
    ['kubeconfig_file: x', "cannot use 'kubeconfig_file' and 'api_server' simultaneously"],
  ])('refuses %s', (lines, message) => {
    expect(() => start(lines)).toThrow(message)
    expect(() => start(lines)).toThrow(/line \d+, column \d+/)
  })

  it('is not there unless it is given', () => {
    expect(parseConfig('', 'p.yml').effectiveYaml).not.toContain('kubernetes_operator')
  })
})

describe('monitors of strangers', () => {
  it('give a scrape config or an error, whatever is in them', async () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('a', '$1', '(', '/x', '15s', '1MB'))
    const leaf = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null))
    const key = fc.constantFrom(
      ...'port targetPort path scheme params interval relabelings metricRelabelings tlsConfig basicAuth name key'.split(
        ' ',
      ),
      ...'sourceLabels targetLabel regex action modulus matchLabels matchExpressions operator values'.split(
        ' ',
      ),
    )
    const any = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.dictionary(key, tie('value')),
        fc.array(tie('value'), { maxLength: 3 }),
      ),
    })).value
    const nothing = { get: () => Promise.reject(new Error('none')) }
    const secrets = new SecretReader(nothing as never, new AbortController().signal)
    const global = parseConfig('', 'p.yml')
    const { parseScrapeJob } = await import('../../config/index.ts')
    await fc.assert(
      fc.asyncProperty(any, fc.dictionary(key, any), async (spec, endpoint) => {
        const raw = {
          metadata: { name: 'x', namespace: 'n' },
          spec: { ...(spec as object), selector: spec, endpoints: [endpoint] },
        }
        const monitor = MONITORS.serviceMonitor.decode(raw)!
        expect(endpointsOf('serviceMonitor', monitor)).toHaveLength(1)
        try {
          const job = await scrapeJob(
            'serviceMonitor',
            monitor,
            0,
            { role: 'endpoints', allowArbitraryFiles: false },
            secrets,
          )
          expect(parseScrapeJob(job, global).jobName).toBe('serviceMonitor/n/x/0')
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
          expect(error).not.toBeInstanceOf(TypeError)
        }
      }),
      { numRuns: 200 },
    )
  })
})
