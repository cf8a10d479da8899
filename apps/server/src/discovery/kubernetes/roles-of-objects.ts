// Groups of the roles whose targets come from one object alone: node, service, ingress, pod.
import { joinHostPort, sanitizeLabelName } from '../context.ts'
import type { TargetGroup } from '../contract.ts'
import {
  addNamespaceLabels,
  addNodeLabels,
  addObjectLabels,
  META,
  podLabels,
  serviceLabels,
} from './labels.ts'
import type { LabelSet } from './labels.ts'
import type { Lookup } from './lookup.ts'
import type { Ingress, KubeNode, Pod, Service } from './objects.ts'

const NODE_ADDRESSES = [
  'InternalIP',
  'InternalDNS',
  'ExternalIP',
  'ExternalDNS',
  'LegacyHostIP',
  'Hostname',
] as const

/** Undefined for a node without an address. */
export function buildNode(node: KubeNode): TargetGroup | undefined {
  const labels: LabelSet = { [`${META}node_provider_id`]: node.providerId }
  for (const { type, status } of node.conditions)
    labels[`${META}node_condition_${sanitizeLabelName(type.toLowerCase())}`] = status.toLowerCase()
  addObjectLabels(labels, node.meta, 'node')
  const first = new Map<string, string>()
  for (const { type, address } of node.addresses) if (!first.has(type)) first.set(type, address)
  const kind = NODE_ADDRESSES.find((type) => first.has(type))
  if (kind === undefined) return undefined
  const target: LabelSet = {
    __address__: joinHostPort(first.get(kind)!, node.kubeletPort),
    instance: node.meta.name,
  }
  for (const [type, address] of first) target[sanitizeLabelName(`${META}node_address_${type}`)] = address
  return { source: `node/${node.meta.name}`, labels, targets: [target] }
}

/** One target a port. */
export function buildService(service: Service, lookup: Lookup): TargetGroup {
  const { meta, type } = service
  const labels = serviceLabels(service)
  addNamespaceLabels(labels, meta.namespace, lookup)
  const targets = service.ports.map((port) => {
    const target: LabelSet = {
      __address__: joinHostPort(`${meta.name}.${meta.namespace}.svc`, port.port),
      [`${META}service_port_name`]: port.name,
      [`${META}service_port_number`]: String(port.port),
      [`${META}service_port_protocol`]: port.protocol,
      [`${META}service_type`]: type,
    }
    if (type === 'ExternalName') target[`${META}service_external_name`] = service.externalName
    else target[`${META}service_cluster_ip`] = service.clusterIp
    if (type === 'LoadBalancer') target[`${META}service_loadbalancer_ip`] = service.loadBalancerIp
    return target
  })
  return { source: `svc/${meta.namespace}/${meta.name}`, labels, targets }
}

/** One target a path of a rule. */
export function buildIngress(ingress: Ingress, lookup: Lookup): TargetGroup {
  const { meta } = ingress
  const labels: LabelSet = { [`${META}namespace`]: meta.namespace }
  if (ingress.className !== undefined) labels[`${META}ingress_class_name`] = ingress.className
  addObjectLabels(labels, meta, 'ingress')
  addNamespaceLabels(labels, meta.namespace, lookup)
  const targets = ingress.rules.flatMap(({ host, paths }) => {
    const scheme = ingress.tlsHosts.some((pattern) => matchesHost(pattern, host)) ? 'https' : 'http'
    return (paths ?? ['/']).map((path) => ({
      __address__: host,
      [`${META}ingress_scheme`]: scheme,
      [`${META}ingress_host`]: host,
      [`${META}ingress_path`]: path || '/',
    }))
  })
  return { source: `ingress/${meta.namespace}/${meta.name}`, labels, targets }
}

/** Equal, or `*.rest` for a host with one more part before the same rest. */
function matchesHost(pattern: string, host: string): boolean {
  if (pattern === host) return true
  if (!pattern.startsWith('*.')) return false
  const dot = host.indexOf('.')
  return dot >= 0 && host.slice(dot) === pattern.slice(1)
}

/** One target a container port; a container without ports has one without a port. */
export function buildPod(pod: Pod, lookup: Lookup): TargetGroup {
  const { meta, ip } = pod
  const source = `pod/${meta.namespace}/${meta.name}`
  // No address yet, or on a node that the node selector leaves out.
  if (ip === '' || (lookup.attach.node && !lookup.node(pod.nodeName)))
    return { source, labels: {}, targets: [] }
  const labels = podLabels(pod, lookup)
  labels[`${META}namespace`] = meta.namespace
  addNodeLabels(labels, pod.nodeName, lookup)
  addNamespaceLabels(labels, meta.namespace, lookup)
  const targets = pod.containers.flatMap((container) => {
    const common: LabelSet = {
      __address__: ip,
      [`${META}pod_container_name`]: container.name,
      [`${META}pod_container_id`]: container.id,
      [`${META}pod_container_image`]: container.image,
      [`${META}pod_container_init`]: String(container.isInit),
    }
    if (container.ports.length === 0) return [common]
    return container.ports.map((port) => ({
      ...common,
      __address__: joinHostPort(ip, port.port),
      [`${META}pod_container_port_number`]: String(port.port),
      [`${META}pod_container_port_name`]: port.name,
      [`${META}pod_container_port_protocol`]: port.protocol,
    }))
  })
  return { source, labels, targets }
}
