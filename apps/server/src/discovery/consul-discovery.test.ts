import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ConsulSdConfig } from '../config/index.ts'
import { createLogger } from '../logger.ts'
import { createConsulDiscovery } from './consul-discovery.ts'
import type { Discoverer, TargetGroup } from './index.ts'

let server: Server
let address = ''
let discovery: Discoverer | undefined
let groups: readonly TargetGroup[] = []
let index = 1
let answers: Record<string, unknown> = {}
let waiting: (() => void)[] = []
const requests: { readonly url: URL; readonly token: unknown }[] = []

beforeEach(async () => {
  groups = []
  index = 1
  waiting = []
  requests.length = 0
  server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://x')
    requests.push({ url, token: request.headers['x-consul-token'] })
    const send = (to: ServerResponse) => {
      const found = answers[url.pathname]
      to.writeHead(found === undefined ? 404 : 200, { 'X-Consul-Index': String(index) }).end(
        JSON.stringify(found),
      )
    }
    // A blocking query of what is known already waits for something newer.
    if (url.searchParams.get('index') === String(index)) waiting.push(() => send(response))
    else send(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(() => {
  discovery?.stop()
  server.closeAllConnections()
  server.close()
})

function change(next: Record<string, unknown>) {
  answers = { ...answers, ...next }
  index++
  for (const release of waiting.splice(0)) release()
}

function start(config: Partial<ConsulSdConfig> = {}) {
  discovery = createConsulDiscovery(
    {
      server: address,
      pathPrefix: '',
      token: 'hush',
      datacenter: '',
      namespace: '',
      partition: '',
      tagSeparator: ',',
      scheme: 'http',
      allowStale: true,
      refreshIntervalMs: 20,
      services: [],
      tags: [],
      nodeMeta: {},
      filter: '',
      healthFilter: '',
      http: { followRedirects: true },
      ...config,
    },
    {
      pool: 'job',
      logger: createLogger({ write: () => undefined }),
      events: {},
      userAgent: '',
      onGroups: (list) => {
        groups = list
      },
    },
  )
  void discovery.start()
}

const web = (more: object = {}) => ({
  Node: { Node: 'n1', Address: '10.0.0.1', Meta: { 'a-b': 'x' }, TaggedAddresses: { lan: '10.0.0.2' } },
  Service: { ID: 'web-1', Address: '', Port: 80, Tags: ['v1', 'blue'], Meta: { team: 'ml' }, ...more },
  Checks: [{ Status: 'passing' }, { Status: 'warning' }],
})

describe('consul_sd', () => {
  it('follows the catalogue and the instances of its services', async () => {
    answers = {
      '/v1/agent/self': { Config: { Datacenter: 'dc1' } },
      '/v1/catalog/services': { web: ['v1', 'blue'], other: [] },
      '/v1/health/service/web': [web()],
    }
    start({ tags: ['v1'], nodeMeta: { rack: '1' } })
    await vi.waitFor(() => expect(groups).toHaveLength(1))
    expect(groups).toEqual([
      {
        source: 'web',
        labels: { __meta_consul_service: 'web', __meta_consul_dc: 'dc1' },
        targets: [
          {
            __address__: '10.0.0.1:80',
            __meta_consul_address: '10.0.0.1',
            __meta_consul_node: 'n1',
            __meta_consul_namespace: '',
            __meta_consul_partition: '',
            __meta_consul_tags: ',v1,blue,',
            __meta_consul_service_address: '',
            __meta_consul_service_port: '80',
            __meta_consul_service_id: 'web-1',
            __meta_consul_health: 'warning',
            __meta_consul_metadata_a_b: 'x',
            __meta_consul_service_metadata_team: 'ml',
            __meta_consul_tagged_address_lan: '10.0.0.2',
          },
        ],
      },
    ])
    await vi.waitFor(() => expect(waiting.length).toBeGreaterThanOrEqual(2))
    change({ '/v1/health/service/web': [web({ Address: 'fd00::1' })] })
    await vi.waitFor(() => expect(groups[0]!.targets[0]!.__address__).toBe('[fd00::1]:80'))
    change({ '/v1/catalog/services': {} })
    await vi.waitFor(() => expect(groups).toEqual([]))
    const { url, token } = requests.find((request) => request.url.pathname === '/v1/health/service/web')!
    expect(token).toBe('hush')
    expect(url.search).toContain('node-meta=rack%3A1')
    expect(url.searchParams.has('stale')).toBe(true)
    expect(url.searchParams.get('tag')).toBe('v1')
  })

  it('asks for named services alone, and takes whatever an answer holds', async () => {
    answers = { '/v1/health/service/web': [null, 7, { Node: [], Service: { Port: 'x' } }] }
    start({ datacenter: 'dc2', services: ['web'] })
    await vi.waitFor(() => expect(groups[0]?.targets).toHaveLength(3))
    expect(requests.every(({ url }) => url.pathname === '/v1/health/service/web')).toBe(true)
    expect(requests[0]!.url.searchParams.get('dc')).toBe('dc2')
  })
})
