// Groups of the roles endpoints and endpointslice: the addresses behind a service, with the labels of the service, of
// the pods, and of the containers whose port it is. Ports of these pods that the service does not name become
// targets too.
import { joinHostPort, sanitizeLabelName } from '../context.ts'
import type { TargetGroup } from '../contract.ts'
import {
  addContainerPort,
  addNamespaceLabels,
  addNodeLabels,
  addObjectLabels,
  META,
  podLabels,
  serviceLabels,
  type LabelSet,
} from './labels.ts'
import type { Lookup } from './lookup.ts'
import type {
  EndpointAddress,
  Endpoints,
  EndpointSlice,
  ObjectReference,
  Pod,
  Service,
  SliceEndpoint,
  SlicePort,
} from './objects.ts'

/** The pods of one group with the ports that have a target. */
class PodTargets {
  readonly targets: LabelSet[] = []
  readonly #lookup: Lookup
  readonly #seen = new Map<string, { readonly pod: Pod; readonly ports: Set<number> }>()

  constructor(lookup: Lookup) {
    this.#lookup = lookup
  }

  /** Adds a target; `protocol` overrides that of the container's port. */
  add(
    target: LabelSet,
    reference: ObjectReference | undefined,
    port: number | undefined,
    protocol?: string,
  ): void {
    this.targets.push(target)
    if (reference?.kind !== 'Pod') return
    const key = `${reference.namespace}/${reference.name}`
    const pod = this.#lookup.pod(key)
    if (!pod) return
    let entry = this.#seen.get(key)
    if (!entry) this.#seen.set(key, (entry = { pod, ports: new Set() }))
    if (port !== undefined) entry.ports.add(port)
    Object.assign(target, podLabels(pod, this.#lookup))
    if (port === undefined) return
    for (const container of pod.containers) {
      const found = container.ports.find((candidate) => candidate.port === port)
      if (found)
        addContainerPort(target, container, {
          name: found.name,
          number: port,
          protocol: protocol ?? found.protocol,
        })
    }
  }

  /** All targets, with the ports of the pods that no endpoint covered. */
  finish(): readonly LabelSet[] {
    for (const { pod, ports } of this.#seen.values()) {
      if (pod.ip === '') continue
      for (const container of pod.containers)
        for (const port of container.ports) {
          if (ports.has(port.port)) continue
          const target: LabelSet = { __address__: joinHostPort(pod.ip, port.port) }
          addContainerPort(target, container, { ...port, number: port.port })
          this.targets.push(Object.assign(target, podLabels(pod, this.#lookup)))
        }
    }
    return this.targets
  }
}

export function buildEndpoints(endpoints: Endpoints, lookup: Lookup): TargetGroup {
  const { meta } = endpoints
  const labels: LabelSet = { [`${META}namespace`]: meta.namespace }
  const service = lookup.service(`${meta.namespace}/${meta.name}`)
  if (service) Object.assign(labels, serviceLabels(service))
  addObjectLabels(labels, meta, 'endpoints')
  addNamespaceLabels(labels, meta.namespace, lookup)
  const pods = new PodTargets(lookup)
  for (const { ports, ready, notReady } of endpoints.subsets)
    for (const port of ports)
      for (const [addresses, isReady] of [
        [ready, 'true'],
        [notReady, 'false'],
      ] as const)
        for (const address of addresses) {
          const target: LabelSet = {
            __address__: joinHostPort(address.ip, port.port),
            [`${META}endpoint_port_name`]: port.name,
            [`${META}endpoint_port_protocol`]: port.protocol,
            [`${META}endpoint_ready`]: isReady,
          }
          addAddress(target, address, lookup)
          pods.add(target, address.target, port.port, port.protocol)
        }
  return { source: `endpoints/${meta.namespace}/${meta.name}`, labels, targets: pods.finish() }
}

function addAddress(
  target: LabelSet,
  { target: reference, nodeName, hostname }: EndpointAddress,
  lookup: Lookup,
) {
  if (reference) {
    target[`${META}endpoint_address_target_kind`] = reference.kind
    target[`${META}endpoint_address_target_name`] = reference.name
  }
  if (nodeName !== undefined) target[`${META}endpoint_node_name`] = nodeName
  if (hostname !== '') target[`${META}endpoint_hostname`] = hostname
  if (nodeName !== undefined) addNodeLabels(target, nodeName, lookup)
  else if (reference?.kind === 'Node') addNodeLabels(target, reference.name, lookup)
}

export function buildEndpointSlice(slice: EndpointSlice, lookup: Lookup): TargetGroup {
  const { meta } = slice
  const labels: LabelSet = {
    [`${META}namespace`]: meta.namespace,
    [`${META}endpointslice_address_type`]: slice.addressType,
  }
  addObjectLabels(labels, meta, 'endpointslice')
  const serviceName = meta.labels.get('kubernetes.io/service-name')
  const service = serviceName === undefined ? undefined : lookup.service(`${meta.namespace}/${serviceName}`)
  if (service) Object.assign(labels, serviceLabels(service))
  addNamespaceLabels(labels, meta.namespace, lookup)
  const source = `endpointslice/${meta.namespace}/${meta.name}`
  if (isSecondFamily(service, slice)) return { source, labels, targets: [] }
  const pods = new PodTargets(lookup)
  for (const endpoint of slice.endpoints)
    for (const port of slice.ports)
      for (const address of endpoint.addresses) {
        const target: LabelSet = {
          __address__: port.port === undefined ? address : joinHostPort(address, port.port),
        }
        addSlicePort(target, port)
        addSliceEndpoint(target, endpoint)
        addNodeLabels(
          target,
          endpoint.target?.kind === 'Node' ? endpoint.target.name : endpoint.nodeName,
          lookup,
        )
        pods.add(target, endpoint.target, port.port)
      }
  return { source, labels, targets: pods.finish() }
}

/** The second slice of a service with two address families would only repeat the targets of the first. */
function isSecondFamily(service: Service | undefined, slice: EndpointSlice): boolean {
  if (!service || !['PreferDualStack', 'RequireDualStack'].includes(service.ipFamilyPolicy)) return false
  const [first] = service.ipFamilies
  return first !== undefined && first !== slice.addressType
}

function addSlicePort(target: LabelSet, port: SlicePort): void {
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined) target[`${META}endpointslice_${name}`] = value
  }
  set('port_name', port.name)
  set('port_protocol', port.protocol)
  set('port', port.port === undefined ? undefined : String(port.port))
  set('port_app_protocol', port.appProtocol)
}

function addSliceEndpoint(target: LabelSet, endpoint: SliceEndpoint): void {
  const set = (name: string, value: string | boolean | undefined) => {
    if (value !== undefined) target[`${META}endpointslice_${name}`] = String(value)
  }
  set('endpoint_conditions_ready', endpoint.ready)
  set('endpoint_conditions_serving', endpoint.serving)
  set('endpoint_conditions_terminating', endpoint.terminating)
  set('endpoint_hostname', endpoint.hostname)
  set('address_target_kind', endpoint.target?.kind)
  set('address_target_name', endpoint.target?.name)
  set('endpoint_node_name', endpoint.nodeName)
  set('endpoint_zone', endpoint.zone)
  for (const [name, value] of endpoint.topology) {
    const safe = sanitizeLabelName(name)
    set(`endpoint_topology_${safe}`, value)
    set(`endpoint_topology_present_${safe}`, 'true')
  }
}
