import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import type { DockerSdConfig } from '../config/index.ts'
import { createLogger } from '../logger.ts'
import { createDockerDiscovery, dockerTargets } from './docker-discovery.ts'
import type { TargetGroup } from './index.ts'

const CONFIG: DockerSdConfig = {
  host: 'unix:///x',
  port: 80,
  filters: [{ name: 'label', values: ['a', 'b'] }],
  hostNetworkingHost: 'localhost',
  refreshIntervalMs: 60_000,
  matchFirstNetwork: true,
  http: { followRedirects: true },
}

const container = (id: string, more: object = {}) => ({
  Id: id,
  Names: [`/${id}`],
  Image: 'web:1',
  Labels: { 'com.example.team': 'ml' },
  HostConfig: { NetworkMode: 'net' },
  NetworkSettings: { Networks: { net: { NetworkID: 'n1', IPAddress: '172.1.0.2' } } },
  Ports: [
    { IP: '0.0.0.0', PrivatePort: 8000, PublicPort: 18000, Type: 'tcp' },
    { PrivatePort: 53, Type: 'udp' },
  ],
  ...more,
})
const NETWORKS = [
  { Id: 'n1', Name: 'net', Scope: 'local', Internal: false, Ingress: false, Labels: { l: 'v' } },
]

it('a port of a container is a target with the labels of container and network', () => {
  expect(dockerTargets([container('web')], NETWORKS, CONFIG)).toEqual([
    {
      __address__: '172.1.0.2:8000',
      __meta_docker_container_id: 'web',
      __meta_docker_container_name: '/web',
      __meta_docker_container_image: 'web:1',
      __meta_docker_container_network_mode: 'net',
      __meta_docker_container_label_com_example_team: 'ml',
      __meta_docker_network_id: 'n1',
      __meta_docker_network_name: 'net',
      __meta_docker_network_scope: 'local',
      __meta_docker_network_internal: 'false',
      __meta_docker_network_ingress: 'false',
      __meta_docker_network_label_l: 'v',
      __meta_docker_network_ip: '172.1.0.2',
      __meta_docker_port_private: '8000',
      __meta_docker_port_public: '18000',
      __meta_docker_port_public_ip: '0.0.0.0',
    },
  ])
})

it('host networks, shared networks, several networks and strange answers have their addresses too', () => {
  const addresses = (list: readonly unknown[], config = CONFIG) =>
    dockerTargets(list, NETWORKS, config).map(({ __address__ }) => __address__)
  const host = { NetworkMode: 'host' }
  const networks = { Networks: { host: { NetworkID: 'h', IPAddress: '' } } }
  expect(addresses([container('a', { HostConfig: host, NetworkSettings: networks, Ports: [] })])).toEqual([
    'localhost',
  ])
  const shared = { HostConfig: { NetworkMode: 'container:web' }, NetworkSettings: {}, Ports: [] }
  expect(addresses([container('web'), container('side', shared)])).toEqual(['172.1.0.2:8000', '172.1.0.2:80'])
  const loop = { HostConfig: { NetworkMode: 'container:a' }, NetworkSettings: {} }
  expect(addresses([container('a', loop)])).toEqual([])
  const two = { Networks: { b: { IPAddress: '2.2.2.2' }, a: { GlobalIPv6Address: 'fd00::1' }, n: null } }
  const list = [container('web', { NetworkSettings: two })]
  expect(addresses(list)).toEqual(['[fd00::1]:8000'])
  expect(addresses(list, { ...CONFIG, matchFirstNetwork: false })).toEqual(['[fd00::1]:8000', '2.2.2.2:8000'])
  expect(addresses([null, 7, {}, { Names: 1 }])).toEqual([])
})

it('the daemon is asked over its socket with the filters', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'watchfire-docker-'))
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(decodeURIComponent(request.url!))
    response.end(JSON.stringify(request.url!.startsWith('/networks') ? NETWORKS : [container('web')]))
  })
  await new Promise<void>((resolve) => server.listen(join(dir, 'd.sock'), resolve))
  let groups: readonly TargetGroup[] = []
  const discovery = createDockerDiscovery(
    { ...CONFIG, host: `unix://${join(dir, 'd.sock')}` },
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
  await vi.waitFor(() => expect(groups[0]?.targets).toHaveLength(1))
  expect(paths).toEqual(['/containers/json?filters={"label":{"a":true,"b":true}}', '/networks'])
  discovery.stop()
  server.closeAllConnections()
  server.close()
  rmSync(dir, { recursive: true, force: true })
})
