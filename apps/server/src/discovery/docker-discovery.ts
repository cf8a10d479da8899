// docker_sd: the ports of the running containers of a Docker daemon.
import type { DockerSdConfig, HttpClientConfig } from '../config/index.ts'
import { HttpFetcher } from '../outgoing/index.ts'
import { joinHostPort, sanitizeLabelName, type DiscoveryContext } from './context.ts'
import type { Discoverer, TargetGroup } from './contract.ts'
import { at, childOf, listAt, objectOf, optionalIntAt, textAt, textMapAt, textsAt } from './untrusted.ts'
import { RefreshDiscovery } from './refresh.ts'

/** Largest answer, in bytes. */
const BODY_BYTES_MAX = 64 * 1024 * 1024
const META = '__meta_docker_'

type LabelSet = Record<string, string>

export function createDockerDiscovery(config: DockerSdConfig, context: DiscoveryContext): Discoverer {
  const socket = /^unix:\/\/(\/.*)$/.exec(config.host)?.[1]
  const base =
    socket === undefined ? config.host.replace(/^tcp:/, 'http:').replace(/\/+$/, '') : 'http://docker'
  // Options of the HTTP client concern daemons that are reached over the network by HTTP.
  const plain: HttpClientConfig = { followRedirects: false }
  const fetcher = new HttpFetcher({
    http: /^https?:/.test(config.host) ? config.http : plain,
    userAgent: context.userAgent,
    ...(socket !== undefined && { socketPath: socket }),
  })
  const ask = async (path: string, signal: AbortSignal): Promise<readonly unknown[]> => {
    const answer = await fetcher.get({
      url: `${base}${path}`,
      timeoutMs: config.refreshIntervalMs,
      bytesMax: BODY_BYTES_MAX,
      signal,
    })
    const list: unknown = JSON.parse(answer.body.toString('utf8'))
    if (!Array.isArray(list)) throw new Error(`${path}: expected a list`)
    return list
  }
  const filters: Record<string, Record<string, true>> = {}
  for (const { name, values } of config.filters)
    for (const value of values) (filters[name] ??= {})[value] = true
  const query = config.filters.length === 0 ? '' : `?filters=${encodeURIComponent(JSON.stringify(filters))}`
  const refresh = async (signal: AbortSignal): Promise<TargetGroup[]> => {
    const containers = await ask(`/containers/json${query}`, signal)
    const networks = await ask('/networks', signal)
    return [{ source: 'Docker', labels: {}, targets: dockerTargets(containers, networks, config) }]
  }
  return new RefreshDiscovery(
    { mechanism: 'docker', intervalMs: config.refreshIntervalMs, refresh, onStop: () => fetcher.close() },
    context,
  )
}

/** The targets of a daemon's answers. */
export function dockerTargets(
  containers: readonly unknown[],
  networks: readonly unknown[],
  config: DockerSdConfig,
): LabelSet[] {
  const networkLabels = new Map(networks.map((network) => [textAt(network, 'Id'), labelsOfNetwork(network)]))
  const byId = new Map(containers.map((container) => [textAt(container, 'Id'), container]))
  return containers.flatMap((container) => {
    const [name] = textsAt(container, 'Names')
    if (name === undefined) return []
    const common = labelsOfContainer(container, name)
    return networksOf(container, byId, config.matchFirstNetwork).flatMap((network) =>
      targetsOn(container, network, config).map((target) => ({
        ...target,
        ...common,
        ...networkLabels.get(textAt(network, 'NetworkID')),
      })),
    )
  })
}

function targetsOn(container: unknown, network: unknown, config: DockerSdConfig): LabelSet[] {
  const ip = textAt(network, 'IPAddress') || textAt(network, 'GlobalIPv6Address')
  const ports = listAt(container, 'Ports').filter((port) => textAt(port, 'Type') === 'tcp')
  if (ports.length === 0) {
    const isHost = networkMode(container) === 'host'
    const address = isHost ? config.hostNetworkingHost : joinHostPort(ip, config.port)
    return [{ __address__: address, [`${META}network_ip`]: ip }]
  }
  return ports.map((port) => {
    const inside = String(optionalIntAt(port, 'PrivatePort') ?? 0)
    const outside = optionalIntAt(port, 'PublicPort') ?? 0
    return {
      __address__: joinHostPort(ip, inside),
      [`${META}network_ip`]: ip,
      [`${META}port_private`]: inside,
      ...(outside > 0 && {
        [`${META}port_public`]: String(outside),
        [`${META}port_public_ip`]: textAt(port, 'IP'),
      }),
    }
  })
}

/** The networks of a container, or of the one whose network it shares. */
function networksOf(container: unknown, byId: ReadonlyMap<string, unknown>, onlyFirst: boolean): unknown[] {
  const of = (one: unknown) =>
    Object.entries(objectOf(at(childOf(one, 'NetworkSettings'), 'Networks'))).filter(
      ([, network]) => network !== null,
    )
  let found = of(container)
  let mode = networkMode(container)
  // A chain of shared networks is followed once through all containers at most.
  for (let steps = 0; found.length === 0 && mode.startsWith('container:') && steps < byId.size; steps++) {
    const other = byId.get(mode.slice('container:'.length))
    if (other === undefined) break
    found = of(other)
    mode = networkMode(other)
  }
  found.sort(([a], [b]) => (a < b ? -1 : 1))
  return (onlyFirst ? found.slice(0, 1) : found).map(([, network]) => network)
}

function networkMode(container: unknown): string {
  return textAt(childOf(container, 'HostConfig'), 'NetworkMode')
}

function labelsOfContainer(container: unknown, name: string): LabelSet {
  const labels: LabelSet = {
    [`${META}container_id`]: textAt(container, 'Id'),
    [`${META}container_name`]: name,
    [`${META}container_network_mode`]: networkMode(container),
  }
  const image = textAt(container, 'Image')
  const imageId = textAt(container, 'ImageID')
  if (image !== '') labels[`${META}container_image`] = image
  if (imageId !== '') labels[`${META}container_image_id`] = imageId
  for (const [key, value] of textMapAt(container, 'Labels'))
    labels[`${META}container_label_${sanitizeLabelName(key)}`] = value
  return labels
}

function labelsOfNetwork(network: unknown): LabelSet {
  const labels: LabelSet = {
    [`${META}network_id`]: textAt(network, 'Id'),
    [`${META}network_name`]: textAt(network, 'Name'),
    [`${META}network_scope`]: textAt(network, 'Scope'),
    [`${META}network_internal`]: String(at(network, 'Internal') === true),
    [`${META}network_ingress`]: String(at(network, 'Ingress') === true),
  }
  for (const [key, value] of textMapAt(network, 'Labels'))
    labels[`${META}network_label_${sanitizeLabelName(key)}`] = value
  return labels
}
