import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import fc from 'fast-check'
import type { KubernetesSdConfig } from '../../config/index.ts'
import { createLogger } from '../../logger.ts'
import type { Discoverer, TargetGroup } from '../contract.ts'
import { createKubernetesDiscovery } from './kubernetes-discovery.ts'
import { DEFAULT_API_LIMITS } from './api-client.ts'
import { RESOURCES } from './resources.ts'

/** Objects by path of their list; what `watch` sends goes to all open watches of a path. */
class FakeApi {
  readonly objects = new Map<string, Map<string, unknown>>()
  readonly requests: URL[] = []
  readonly tokens: (string | undefined)[] = []
  /** Answers before anything else when it returns true. */
  intercept: (url: URL, response: ServerResponse, request: IncomingMessage) => boolean = () => false
  version = 100
  #watches: { readonly path: string; readonly response: ServerResponse }[] = []
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => {
      const url = new URL(request.url!, 'http://x')
      this.requests.push(url)
      this.tokens.push(request.headers.authorization)
      if (this.intercept(url, response, request)) return
      response.setHeader('Content-Type', 'application/json')
      if (url.searchParams.get('watch') === 'true') {
        response.flushHeaders()
        this.#watches.push({ path: url.pathname, response })
        return
      }
      const all = [...(this.objects.get(url.pathname)?.values() ?? [])]
      const from = Number(url.searchParams.get('continue') ?? 0)
      const limit = Math.min(Number(url.searchParams.get('limit')), 2)
      const next = from + limit < all.length ? String(from + limit) : ''
      response.end(
        JSON.stringify({
          metadata: { resourceVersion: String(this.version), continue: next },
          items: all.slice(from, from + limit),
        }),
      )
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  set(path: string, object: { metadata: { name: string; namespace?: string } }, silent = false): void {
    const list = this.objects.get(path) ?? new Map<string, unknown>()
    this.objects.set(path, list)
    const key = `${object.metadata.namespace}/${object.metadata.name}`
    const type = list.has(key) ? 'MODIFIED' : 'ADDED'
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.version) } }
    list.set(key, versioned)
    if (!silent) this.send(path, { type, object: versioned })
  }

  delete(path: string, key: string): void {
    const object = this.objects.get(path)!.get(key)
    this.objects.get(path)!.delete(key)
    this.send(path, { type: 'DELETED', object })
  }

  send(path: string, event: unknown): void {
    for (const { response } of this.#of(path)) response.write(`${JSON.stringify(event)}\n`)
  }

  raw(path: string, text: string): void {
    for (const { response } of this.#of(path)) response.write(text)
  }

  cut(path: string, politely = false): void {
    for (const { response } of this.#of(path))
      if (politely) response.end()
      else response.destroy()
    this.#watches = this.#watches.filter((watch) => watch.path !== path)
  }

  watching(path: string): number {
    return this.#of(path).length
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #of(path: string) {
    return this.#watches.filter((watch) => watch.path === path && !watch.response.destroyed)
  }
}

const PODS = '/api/v1/pods'
const M = '__meta_kubernetes_'

let api: FakeApi
let url = ''
let discovery: Discoverer | undefined
let groups: readonly TargetGroup[] = []
let updates = 0
let failures = 0
const events: string[] = []
const log: string[] = []

beforeEach(async () => {
  api = new FakeApi()
  url = await api.listen()
  groups = []
  updates = failures = events.length = log.length = 0
})

afterEach(() => {
  discovery?.stop()
  api.close()
})

function start(config: Partial<KubernetesSdConfig>, limits = DEFAULT_API_LIMITS) {
  discovery = createKubernetesDiscovery(
    {
      role: 'pod',
      apiServer: url,
      namespaces: [],
      ownNamespace: false,
      selectors: [],
      attach: { node: false, namespace: false, deployment: false, job: false, cronJob: false },
      http: { followRedirects: true },
      ...config,
    },
    {
      pool: 'job',
      logger: createLogger({ write: (line) => log.push(line) }),
      events: {
        onKubernetesFailure: () => failures++,
        onKubernetesEvent: (role, event) => events.push(`${role} ${event}`),
      },
      userAgent: 'Prometheus/3.14.0',
      onGroups: (list) => {
        groups = list
        updates++
      },
    },
    { backoffMs: { min: 20, max: 50 }, limits },
  )
  void discovery.start()
}

const addresses = () => groups.flatMap(({ targets }) => targets.map((target) => target.__address__)).sort()
const attach = { node: false, namespace: false, deployment: false, job: false, cronJob: false }

function pod(name: string, ip: string, more: object = {}, namespace = 'platform') {
  return {
    metadata: {
      name,
      namespace,
      uid: 'uid-1',
      labels: { app: 'fastapi-ml', 'app.kubernetes.io/part-of': 'ml' },
      annotations: { 'example.com/a': 'x' },
      ownerReferences: [{ kind: 'ReplicaSet', name: 'fastapi-ml-7d', controller: true }],
    },
    spec: {
      nodeName: 'node-1',
      containers: [
        {
          name: 'api',
          image: 'ml:1',
          ports: [{ name: 'fastapi-port', containerPort: 8000, protocol: 'TCP' }],
        },
        { name: 'side', image: 'side:1' },
      ],
      initContainers: [{ name: 'init', image: 'init:1' }],
    },
    status: {
      podIP: ip,
      hostIP: '192.168.0.1',
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'api', containerID: 'containerd://1' }],
    },
    ...more,
  }
}

const POD_LABELS = {
  [`${M}pod_ip`]: '10.0.0.1',
  [`${M}pod_ready`]: 'true',
  [`${M}pod_phase`]: 'Running',
  [`${M}pod_node_name`]: 'node-1',
  [`${M}pod_host_ip`]: '192.168.0.1',
  [`${M}pod_uid`]: 'uid-1',
  [`${M}pod_name`]: 'web-0',
  [`${M}pod_label_app`]: 'fastapi-ml',
  [`${M}pod_labelpresent_app`]: 'true',
  [`${M}pod_label_app_kubernetes_io_part_of`]: 'ml',
  [`${M}pod_labelpresent_app_kubernetes_io_part_of`]: 'true',
  [`${M}pod_annotation_example_com_a`]: 'x',
  [`${M}pod_annotationpresent_example_com_a`]: 'true',
  [`${M}pod_controller_kind`]: 'ReplicaSet',
  [`${M}pod_controller_name`]: 'fastapi-ml-7d',
}

const SERVICE = {
  metadata: { name: 'fastapi-ml', namespace: 'platform', labels: { app: 'fastapi-ml' } },
  spec: {
    type: 'ClusterIP',
    clusterIP: '10.1.0.1',
    ports: [{ name: 'fastapi-port', port: 8000, protocol: 'TCP' }],
  },
}
const SERVICE_LABELS = {
  [`${M}namespace`]: 'platform',
  [`${M}service_name`]: 'fastapi-ml',
  [`${M}service_label_app`]: 'fastapi-ml',
  [`${M}service_labelpresent_app`]: 'true',
}

describe('roles', () => {
  it('pod: one target a container port, labels of pod, owner, node and namespace', async () => {
    api.set(PODS, pod('web-0', '10.0.0.1'))
    api.set('/api/v1/nodes', { metadata: { name: 'node-1', labels: { zone: 'a' } } } as never)
    api.set('/api/v1/namespaces', { metadata: { name: 'platform', labels: { team: 'ml' } } } as never)
    api.set('/apis/apps/v1/replicasets', {
      metadata: {
        name: 'fastapi-ml-7d',
        namespace: 'platform',
        ownerReferences: [{ kind: 'Deployment', name: 'fastapi-ml', controller: true }],
      },
    } as never)
    start({ attach: { ...attach, node: true, namespace: true, deployment: true } })
    await vi.waitFor(() => expect(addresses()).toHaveLength(3))
    expect(groups).toEqual([
      {
        source: 'pod/platform/web-0',
        labels: {
          ...POD_LABELS,
          [`${M}namespace`]: 'platform',
          [`${M}pod_deployment_name`]: 'fastapi-ml',
          [`${M}node_name`]: 'node-1',
          [`${M}node_label_zone`]: 'a',
          [`${M}node_labelpresent_zone`]: 'true',
          [`${M}namespace_label_team`]: 'ml',
          [`${M}namespace_labelpresent_team`]: 'true',
        },
        targets: [
          {
            __address__: '10.0.0.1:8000',
            [`${M}pod_container_name`]: 'api',
            [`${M}pod_container_id`]: 'containerd://1',
            [`${M}pod_container_image`]: 'ml:1',
            [`${M}pod_container_init`]: 'false',
            [`${M}pod_container_port_number`]: '8000',
            [`${M}pod_container_port_name`]: 'fastapi-port',
            [`${M}pod_container_port_protocol`]: 'TCP',
          },
          {
            __address__: '10.0.0.1',
            [`${M}pod_container_name`]: 'side',
            [`${M}pod_container_id`]: '',
            [`${M}pod_container_image`]: 'side:1',
            [`${M}pod_container_init`]: 'false',
          },
          {
            __address__: '10.0.0.1',
            [`${M}pod_container_name`]: 'init',
            [`${M}pod_container_id`]: '',
            [`${M}pod_container_image`]: 'init:1',
            [`${M}pod_container_init`]: 'true',
          },
        ],
      },
    ])
  })

  it('service: one target a port', async () => {
    api.set('/api/v1/services', SERVICE)
    api.set('/api/v1/services', {
      metadata: { name: 'lb', namespace: 'p' },
      spec: { type: 'LoadBalancer', clusterIP: '10.1.0.2', ports: [{ port: 80, protocol: 'TCP' }] },
      status: { loadBalancer: { ingress: [{ ip: '1.1.1.1' }, { ip: '2.2.2.2' }, { hostname: 'x' }] } },
    } as never)
    start({ role: 'service' })
    await vi.waitFor(() => expect(groups).toHaveLength(2))
    expect(groups[0]).toEqual({
      source: 'svc/platform/fastapi-ml',
      labels: SERVICE_LABELS,
      targets: [
        {
          __address__: 'fastapi-ml.platform.svc:8000',
          [`${M}service_port_name`]: 'fastapi-port',
          [`${M}service_port_number`]: '8000',
          [`${M}service_port_protocol`]: 'TCP',
          [`${M}service_type`]: 'ClusterIP',
          [`${M}service_cluster_ip`]: '10.1.0.1',
        },
      ],
    })
    expect(groups[1]!.targets[0]).toMatchObject({ [`${M}service_loadbalancer_ip`]: '1.1.1.1,2.2.2.2' })
  })

  const endpoints = {
    metadata: { name: 'fastapi-ml', namespace: 'platform', labels: { app: 'fastapi-ml' } },
    subsets: [
      {
        addresses: [
          {
            ip: '10.0.0.1',
            nodeName: 'node-1',
            targetRef: { kind: 'Pod', namespace: 'platform', name: 'web-0' },
          },
        ],
        notReadyAddresses: [{ ip: '10.0.0.9', hostname: 'h' }],
        ports: [{ name: 'fastapi-port', port: 8000, protocol: 'TCP' }],
      },
    ],
  }

  it('endpoints: addresses with service, pod and container, and ports that the service leaves out', async () => {
    const two = pod('web-0', '10.0.0.1')
    two.spec.containers[1] = {
      name: 'side',
      image: 'side:1',
      ports: [{ name: 'debug', containerPort: 9000, protocol: 'TCP' }],
    }
    api.set(PODS, two)
    api.set('/api/v1/services', SERVICE)
    api.set('/api/v1/endpoints', endpoints)
    start({ role: 'endpoints' })
    await vi.waitFor(() => expect(addresses()).toHaveLength(3))
    expect(groups).toEqual([
      {
        source: 'endpoints/platform/fastapi-ml',
        labels: {
          ...SERVICE_LABELS,
          [`${M}endpoints_name`]: 'fastapi-ml',
          [`${M}endpoints_label_app`]: 'fastapi-ml',
          [`${M}endpoints_labelpresent_app`]: 'true',
        },
        targets: [
          {
            ...POD_LABELS,
            __address__: '10.0.0.1:8000',
            [`${M}endpoint_port_name`]: 'fastapi-port',
            [`${M}endpoint_port_protocol`]: 'TCP',
            [`${M}endpoint_ready`]: 'true',
            [`${M}endpoint_address_target_kind`]: 'Pod',
            [`${M}endpoint_address_target_name`]: 'web-0',
            [`${M}endpoint_node_name`]: 'node-1',
            [`${M}pod_container_name`]: 'api',
            [`${M}pod_container_image`]: 'ml:1',
            [`${M}pod_container_port_name`]: 'fastapi-port',
            [`${M}pod_container_port_number`]: '8000',
            [`${M}pod_container_port_protocol`]: 'TCP',
            [`${M}pod_container_init`]: 'false',
          },
          {
            __address__: '10.0.0.9:8000',
            [`${M}endpoint_port_name`]: 'fastapi-port',
            [`${M}endpoint_port_protocol`]: 'TCP',
            [`${M}endpoint_ready`]: 'false',
            [`${M}endpoint_hostname`]: 'h',
          },
          {
            ...POD_LABELS,
            __address__: '10.0.0.1:9000',
            [`${M}pod_container_name`]: 'side',
            [`${M}pod_container_image`]: 'side:1',
            [`${M}pod_container_port_name`]: 'debug',
            [`${M}pod_container_port_number`]: '9000',
            [`${M}pod_container_port_protocol`]: 'TCP',
            [`${M}pod_container_init`]: 'false',
          },
        ],
      },
    ])
  })

  it('endpoints: are built again when the service or the pod behind them changes', async () => {
    api.set('/api/v1/endpoints', endpoints)
    start({ role: 'endpoints' })
    await vi.waitFor(() => expect(addresses()).toHaveLength(2))
    await vi.waitFor(() => expect(api.watching('/api/v1/services')).toBe(1))
    await vi.waitFor(() => expect(api.watching(PODS)).toBe(1))
    api.set('/api/v1/services', SERVICE)
    await vi.waitFor(() => expect(groups[0]!.labels[`${M}service_name`]).toBe('fastapi-ml'))
    api.set(PODS, pod('web-0', '10.0.0.1'))
    await vi.waitFor(() => expect(groups[0]!.targets[0]![`${M}pod_phase`]).toBe('Running'))
    api.set(PODS, pod('web-0', '10.0.0.1', { status: { podIP: '10.0.0.1', phase: 'Failed' } }))
    await vi.waitFor(() => expect(groups[0]!.targets[0]![`${M}pod_phase`]).toBe('Failed'))
    expect(events).toEqual(expect.arrayContaining(['endpoints add', 'service add', 'pod update']))
  })

  it('endpointslice: addresses, conditions, topology, service and pod', async () => {
    api.set(PODS, pod('web-0', '10.0.0.1'))
    api.set('/api/v1/services', SERVICE)
    api.set('/apis/discovery.k8s.io/v1/endpointslices', {
      metadata: {
        name: 'fastapi-ml-x1',
        namespace: 'platform',
        labels: { 'kubernetes.io/service-name': 'fastapi-ml' },
      },
      addressType: 'IPv4',
      ports: [{ name: 'fastapi-port', port: 8000, protocol: 'TCP', appProtocol: 'http' }],
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          conditions: { ready: true, serving: true, terminating: false },
          targetRef: { kind: 'Pod', namespace: 'platform', name: 'web-0' },
          nodeName: 'node-1',
          zone: 'a',
          hostname: 'h',
          deprecatedTopology: { 'kubernetes.io/hostname': 'node-1' },
        },
      ],
    } as never)
    start({ role: 'endpointslice' })
    await vi.waitFor(() => expect(addresses()).toHaveLength(1))
    const S = `${M}endpointslice_`
    expect(groups[0]).toEqual({
      source: 'endpointslice/platform/fastapi-ml-x1',
      labels: {
        ...SERVICE_LABELS,
        [`${S}address_type`]: 'IPv4',
        [`${S}name`]: 'fastapi-ml-x1',
        [`${S}label_kubernetes_io_service_name`]: 'fastapi-ml',
        [`${S}labelpresent_kubernetes_io_service_name`]: 'true',
      },
      targets: [
        {
          ...POD_LABELS,
          __address__: '10.0.0.1:8000',
          [`${S}port_name`]: 'fastapi-port',
          [`${S}port_protocol`]: 'TCP',
          [`${S}port`]: '8000',
          [`${S}port_app_protocol`]: 'http',
          [`${S}endpoint_conditions_ready`]: 'true',
          [`${S}endpoint_conditions_serving`]: 'true',
          [`${S}endpoint_conditions_terminating`]: 'false',
          [`${S}endpoint_hostname`]: 'h',
          [`${S}address_target_kind`]: 'Pod',
          [`${S}address_target_name`]: 'web-0',
          [`${S}endpoint_node_name`]: 'node-1',
          [`${S}endpoint_zone`]: 'a',
          [`${S}endpoint_topology_kubernetes_io_hostname`]: 'node-1',
          [`${S}endpoint_topology_present_kubernetes_io_hostname`]: 'true',
          [`${M}pod_container_name`]: 'api',
          [`${M}pod_container_image`]: 'ml:1',
          [`${M}pod_container_port_name`]: 'fastapi-port',
          [`${M}pod_container_port_number`]: '8000',
          [`${M}pod_container_port_protocol`]: 'TCP',
          [`${M}pod_container_init`]: 'false',
        },
      ],
    })
  })

  it('node: the kubelet of each node', async () => {
    api.set('/api/v1/nodes', {
      metadata: { name: 'node-1', labels: { zone: 'a' } },
      spec: { providerID: 'aws:///1' },
      status: {
        addresses: [
          { type: 'Hostname', address: 'node-1.local' },
          { type: 'InternalIP', address: 'fd00::1' },
          { type: 'InternalIP', address: '10.0.0.7' },
        ],
        conditions: [{ type: 'Ready', status: 'True' }],
        daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      },
    } as never)
    api.set('/api/v1/nodes', { metadata: { name: 'nowhere' } } as never)
    start({ role: 'node' })
    await vi.waitFor(() => expect(addresses()).toHaveLength(1))
    expect(groups).toEqual([
      {
        source: 'node/node-1',
        labels: {
          [`${M}node_provider_id`]: 'aws:///1',
          [`${M}node_condition_ready`]: 'true',
          [`${M}node_name`]: 'node-1',
          [`${M}node_label_zone`]: 'a',
          [`${M}node_labelpresent_zone`]: 'true',
        },
        targets: [
          {
            __address__: '[fd00::1]:10250',
            instance: 'node-1',
            [`${M}node_address_Hostname`]: 'node-1.local',
            [`${M}node_address_InternalIP`]: 'fd00::1',
          },
        ],
      },
    ])
  })

  it('ingress: one target a path, https where a certificate covers the host', async () => {
    api.set('/apis/networking.k8s.io/v1/ingresses', {
      metadata: { name: 'grafana-ingress', namespace: 'p' },
      spec: {
        ingressClassName: 'nginx',
        tls: [{ hosts: ['*.example.com'] }],
        rules: [
          { host: 'a.example.com', http: { paths: [{ path: '/x' }, {}] } },
          { host: 'b.a.example.com' },
        ],
      },
    } as never)
    start({ role: 'ingress' })
    await vi.waitFor(() => expect(groups).toHaveLength(1))
    const target = (host: string, scheme: string, path: string) => ({
      __address__: host,
      [`${M}ingress_scheme`]: scheme,
      [`${M}ingress_host`]: host,
      [`${M}ingress_path`]: path,
    })
    expect(groups[0]).toEqual({
      source: 'ingress/p/grafana-ingress',
      labels: {
        [`${M}namespace`]: 'p',
        [`${M}ingress_class_name`]: 'nginx',
        [`${M}ingress_name`]: 'grafana-ingress',
      },
      targets: [
        target('a.example.com', 'https', '/x'),
        target('a.example.com', 'https', '/'),
        target('b.a.example.com', 'http', '/'),
      ],
    })
  })
})

describe('following the cluster', () => {
  const watched = () => vi.waitFor(() => expect(api.watching(PODS)).toBe(1), 3000)

  it('lists in pages and goes on from the version of the list', async () => {
    for (let i = 0; i < 5; i++) api.set(PODS, pod(`web-${i}`, `10.0.0.${i}`))
    start({})
    await watched()
    await vi.waitFor(() => expect(groups).toHaveLength(5))
    expect(api.requests.filter((request) => !request.searchParams.has('watch'))).toHaveLength(3)
    const watch = api.requests.find((request) => request.searchParams.has('watch'))!
    expect(Object.fromEntries(watch.searchParams)).toMatchObject({
      allowWatchBookmarks: 'true',
      resourceVersion: String(api.version),
    })
    expect(updates).toBe(1)
  })

  it('takes up additions, changes and removals', async () => {
    start({})
    await watched()
    api.set(PODS, pod('web-0', '10.0.0.1'))
    await vi.waitFor(() => expect(addresses()).toContain('10.0.0.1:8000'))
    api.set(PODS, pod('web-0', '10.0.0.2'))
    await vi.waitFor(() => expect(addresses()).toContain('10.0.0.2:8000'))
    api.delete(PODS, 'platform/web-0')
    await vi.waitFor(() => expect(groups).toEqual([]))
    expect(events).toEqual(['pod add', 'pod update', 'pod delete'])
  })

  it('asks for the namespaces and selectors that are configured', async () => {
    start({
      namespaces: ['a', 'b'],
      selectors: [{ role: 'pod', label: 'app=x', field: 'status.phase=Running' }],
    })
    await vi.waitFor(() => expect(api.requests.length).toBeGreaterThanOrEqual(4))
    expect([...new Set(api.requests.map(({ pathname }) => pathname))].sort()).toEqual([
      '/api/v1/namespaces/a/pods',
      '/api/v1/namespaces/b/pods',
    ])
    for (const { searchParams } of api.requests) {
      expect(searchParams.get('labelSelector')).toBe('app=x')
      expect(searchParams.get('fieldSelector')).toBe('status.phase=Running')
    }
  })

  it('goes on from the last version, bookmarks included, after a lost connection', async () => {
    api.set(PODS, pod('web-0', '10.0.0.1'))
    start({})
    await watched()
    api.send(PODS, { type: 'BOOKMARK', object: { metadata: { resourceVersion: '777' } } })
    await new Promise((resolve) => setTimeout(resolve, 50))
    api.cut(PODS)
    await watched()
    expect(api.requests.at(-1)!.searchParams.get('resourceVersion')).toBe('777')
    expect(failures).toBe(1)
    expect(addresses()).toHaveLength(3)
  })

  it.each([
    ['an event', () => api.send(PODS, { type: 'ERROR', object: { code: 410, reason: 'Expired' } })],
    [
      'a status',
      () => {
        let once = true
        api.intercept = (request, response) => {
          if (!once || !request.searchParams.has('watch')) return false
          once = false
          response.writeHead(410).end('{}')
          return true
        }
        api.cut(PODS)
      },
    ],
  ])('lists again when the version is gone, told by %s', async (_, expire) => {
    api.set(PODS, pod('web-0', '10.0.0.1'))
    start({})
    await watched()
    api.objects.get(PODS)!.clear()
    api.set(PODS, pod('web-1', '10.0.0.2'), true)
    expire()
    await vi.waitFor(() => expect(addresses()).toContain('10.0.0.2:8000'), 3000)
    expect(groups).toHaveLength(1)
    await watched()
  })

  it.each([
    ['errors', (response: ServerResponse) => void response.writeHead(500).end('boom')],
    ['text that is no JSON', (response: ServerResponse) => void response.end('<html>')],
    ['a list that is none', (response: ServerResponse) => void response.end('{"items": 1}')],
    ['a cut connection', (response: ServerResponse) => void response.destroy()],
    ['a huge answer', (response: ServerResponse) => void response.end(Buffer.alloc(200_000, 32))],
    ['no answer', () => undefined],
  ])('tries again after %s', async (_, answer) => {
    let bad = 2
    api.intercept = (request, response) => {
      if (request.searchParams.has('watch') || bad-- <= 0) return false
      answer(response)
      return true
    }
    api.set(PODS, pod('web-0', '10.0.0.1'))
    start({}, { ...DEFAULT_API_LIMITS, pageBytes: 100_000, requestMs: 200 })
    await vi.waitFor(() => expect(addresses()).toHaveLength(3), 3000)
    expect(failures).toBeGreaterThanOrEqual(2)
    expect(log.join('')).toContain('Failed to list or watch objects')
  })

  it('survives garbage in a watch and endless lines, and keeps its targets', async () => {
    api.set(PODS, pod('web-0', '10.0.0.1'))
    start({}, { ...DEFAULT_API_LIMITS, lineBytes: 10_000 })
    for (const text of [
      '{"type": "ADDED"\n',
      'x'.repeat(20_000),
      'null\n[]\n{"type":"ADDED","object":7}\n',
    ]) {
      await watched()
      api.raw(PODS, text)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await watched()
    api.set(PODS, pod('web-1', '10.0.0.2'))
    await vi.waitFor(() => expect(addresses()).toHaveLength(6), 3000)
  })

  it('does not hand over anything before all that labels come from is known', async () => {
    let hold = true
    api.intercept = (request) => hold && request.pathname === '/api/v1/nodes'
    api.set(PODS, pod('web-0', '10.0.0.1'))
    api.set('/api/v1/nodes', { metadata: { name: 'node-1' } } as never)
    start({ attach: { ...attach, node: true } }, { ...DEFAULT_API_LIMITS, requestMs: 300 })
    await watched()
    expect(updates).toBe(0)
    hold = false
    await vi.waitFor(() => expect(addresses()).toHaveLength(3), 3000)
  })
})

describe('objects of strangers', () => {
  it('never make a decoder throw', () => {
    const name = fc.constantFrom(
      'metadata',
      'spec',
      'status',
      'name',
      'labels',
      'ports',
      'containers',
      '__proto__',
    )
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.dictionary(name, tie('value')),
        fc.array(tie('value'), { maxLength: 3 }),
      ),
    })).value
    fc.assert(
      fc.property(json, (value) => {
        const raw: unknown = {
          metadata: { name: 'x' },
          spec: value,
          status: value,
          subsets: value,
          ports: value,
        }
        for (const { decode } of Object.values(RESOURCES)) {
          decode(value)
          expect(decode(raw)?.meta.name).toBe('x')
        }
      }),
      { numRuns: 300 },
    )
  })
})
