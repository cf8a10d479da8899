// The parts of Kubernetes' objects that discovery uses. Everything else is dropped while reading: a cluster's pods
// are many and big.
import {
  at,
  childOf,
  listAt,
  objectOf,
  optionalBoolAt,
  optionalIntAt,
  optionalTextAt,
  textAt,
  textMapAt,
  textsAt,
} from '../untrusted.ts'

export interface ObjectMeta {
  readonly name: string
  /** '' for objects of the whole cluster. */
  readonly namespace: string
  readonly uid: string
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: ReadonlyMap<string, string>
  readonly controller: { readonly kind: string; readonly name: string } | undefined
}

export interface KubeObject {
  readonly meta: ObjectMeta
}

export interface ContainerPort {
  readonly name: string
  readonly port: number
  readonly protocol: string
}

export interface Container {
  readonly name: string
  readonly image: string
  readonly id: string
  readonly isInit: boolean
  readonly ports: readonly ContainerPort[]
}

export interface Pod extends KubeObject {
  readonly ip: string
  readonly hostIp: string
  readonly nodeName: string
  readonly phase: string
  /** `true`, `false` or `unknown`. */
  readonly ready: string
  /** Containers, then init containers. */
  readonly containers: readonly Container[]
}

export interface Service extends KubeObject {
  readonly type: string
  readonly clusterIp: string
  readonly externalName: string
  /** Addresses of the load balancer, comma between. */
  readonly loadBalancerIp: string
  readonly ipFamilyPolicy: string
  readonly ipFamilies: readonly string[]
  readonly ports: readonly ContainerPort[]
}

export interface ObjectReference {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

export interface EndpointAddress {
  readonly ip: string
  readonly hostname: string
  readonly nodeName: string | undefined
  readonly target: ObjectReference | undefined
}

export interface Endpoints extends KubeObject {
  readonly subsets: readonly {
    readonly ready: readonly EndpointAddress[]
    readonly notReady: readonly EndpointAddress[]
    readonly ports: readonly ContainerPort[]
  }[]
}

export interface SlicePort {
  readonly name: string | undefined
  readonly port: number | undefined
  readonly protocol: string | undefined
  readonly appProtocol: string | undefined
}

export interface SliceEndpoint {
  readonly addresses: readonly string[]
  readonly ready: boolean | undefined
  readonly serving: boolean | undefined
  readonly terminating: boolean | undefined
  readonly hostname: string | undefined
  readonly nodeName: string | undefined
  readonly zone: string | undefined
  readonly topology: ReadonlyMap<string, string>
  readonly target: ObjectReference | undefined
}

export interface EndpointSlice extends KubeObject {
  readonly addressType: string
  readonly ports: readonly SlicePort[]
  readonly endpoints: readonly SliceEndpoint[]
}

export interface KubeNode extends KubeObject {
  readonly providerId: string
  readonly kubeletPort: number
  readonly addresses: readonly { readonly type: string; readonly address: string }[]
  readonly conditions: readonly { readonly type: string; readonly status: string }[]
}

export interface Ingress extends KubeObject {
  readonly className: string | undefined
  readonly tlsHosts: readonly string[]
  /** `paths` is undefined for a rule without HTTP paths. */
  readonly rules: readonly { readonly host: string; readonly paths: readonly string[] | undefined }[]
}

/** Metadata alone is enough for namespaces, replica sets and jobs. Undefined for an object without a name. */
export function decodeObject(raw: unknown): KubeObject | undefined {
  const meta = childOf(raw, 'metadata')
  const name = textAt(meta, 'name')
  if (name === '') return undefined
  const owner = listAt(meta, 'ownerReferences').find((reference) => at(reference, 'controller') === true)
  return {
    meta: {
      name,
      namespace: textAt(meta, 'namespace'),
      uid: textAt(meta, 'uid'),
      labels: textMapAt(meta, 'labels'),
      annotations: textMapAt(meta, 'annotations'),
      controller:
        owner === undefined ? undefined : { kind: textAt(owner, 'kind'), name: textAt(owner, 'name') },
    },
  }
}

/** A decoder that adds to the metadata. */
function decoder<T extends object>(
  read: (spec: unknown, status: unknown, raw: unknown) => T,
): (raw: unknown) => (KubeObject & T) | undefined {
  return (raw) => {
    const object = decodeObject(raw)
    return object && { ...object, ...read(at(raw, 'spec'), at(raw, 'status'), raw) }
  }
}

export const decodePod = decoder((spec, status) => ({
  ip: textAt(status, 'podIP'),
  hostIp: textAt(status, 'hostIP'),
  nodeName: textAt(spec, 'nodeName'),
  phase: textAt(status, 'phase'),
  ready: readiness(listAt(status, 'conditions')),
  containers: [
    ...containers(listAt(spec, 'containers'), listAt(status, 'containerStatuses'), false),
    ...containers(listAt(spec, 'initContainers'), listAt(status, 'initContainerStatuses'), true),
  ],
}))

function readiness(conditions: readonly unknown[]): string {
  const ready = conditions.find((condition) => textAt(condition, 'type') === 'Ready')
  return ready === undefined ? 'unknown' : textAt(ready, 'status').toLowerCase()
}

function containers(list: readonly unknown[], statuses: readonly unknown[], isInit: boolean): Container[] {
  const ids = new Map(statuses.map((status) => [textAt(status, 'name'), textAt(status, 'containerID')]))
  return list.map((container) => {
    const name = textAt(container, 'name')
    return {
      name,
      image: textAt(container, 'image'),
      id: ids.get(name) ?? '',
      isInit,
      ports: listAt(container, 'ports').map((port) => portOf(port, 'containerPort')),
    }
  })
}

function portOf(raw: unknown, field: string): ContainerPort {
  return {
    name: textAt(raw, 'name'),
    port: optionalIntAt(raw, field) ?? 0,
    protocol: textAt(raw, 'protocol'),
  }
}

export const decodeService = decoder((spec, status) => {
  const given = listAt(childOf(status, 'loadBalancer'), 'ingress')
    .map((ingress) => textAt(ingress, 'ip'))
    .filter((ip) => ip !== '')
  return {
    type: textAt(spec, 'type'),
    clusterIp: textAt(spec, 'clusterIP'),
    externalName: textAt(spec, 'externalName'),
    loadBalancerIp: given.length > 0 ? given.join(',') : textAt(spec, 'loadBalancerIP'),
    ipFamilyPolicy: textAt(spec, 'ipFamilyPolicy'),
    ipFamilies: textsAt(spec, 'ipFamilies'),
    ports: listAt(spec, 'ports').map((port) => portOf(port, 'port')),
  }
})

function referenceAt(raw: unknown, name: string): ObjectReference | undefined {
  const target = childOf(raw, name)
  return (
    target && {
      kind: textAt(target, 'kind'),
      namespace: textAt(target, 'namespace'),
      name: textAt(target, 'name'),
    }
  )
}

const endpointAddress = (raw: unknown): EndpointAddress => ({
  ip: textAt(raw, 'ip'),
  hostname: textAt(raw, 'hostname'),
  nodeName: optionalTextAt(raw, 'nodeName'),
  target: referenceAt(raw, 'targetRef'),
})

export const decodeEndpoints = decoder((_, __, raw) => ({
  subsets: listAt(raw, 'subsets').map((subset) => ({
    ready: listAt(subset, 'addresses').map(endpointAddress),
    notReady: listAt(subset, 'notReadyAddresses').map(endpointAddress),
    ports: listAt(subset, 'ports').map((port) => portOf(port, 'port')),
  })),
}))

export const decodeEndpointSlice = decoder((_, __, raw) => ({
  addressType: textAt(raw, 'addressType'),
  ports: listAt(raw, 'ports').map((port) => ({
    name: optionalTextAt(port, 'name'),
    port: optionalIntAt(port, 'port'),
    protocol: optionalTextAt(port, 'protocol'),
    appProtocol: optionalTextAt(port, 'appProtocol'),
  })),
  endpoints: listAt(raw, 'endpoints').map((endpoint) => {
    const conditions = objectOf(at(endpoint, 'conditions'))
    return {
      addresses: textsAt(endpoint, 'addresses'),
      ready: optionalBoolAt(conditions, 'ready'),
      serving: optionalBoolAt(conditions, 'serving'),
      terminating: optionalBoolAt(conditions, 'terminating'),
      hostname: optionalTextAt(endpoint, 'hostname'),
      nodeName: optionalTextAt(endpoint, 'nodeName'),
      zone: optionalTextAt(endpoint, 'zone'),
      topology: textMapAt(endpoint, 'deprecatedTopology'),
      target: referenceAt(endpoint, 'targetRef'),
    }
  }),
}))

export const decodeNode = decoder((spec, status) => ({
  providerId: textAt(spec, 'providerID'),
  kubeletPort: optionalIntAt(childOf(childOf(status, 'daemonEndpoints'), 'kubeletEndpoint'), 'Port') ?? 0,
  addresses: listAt(status, 'addresses').map((address) => ({
    type: textAt(address, 'type'),
    address: textAt(address, 'address'),
  })),
  conditions: listAt(status, 'conditions').map((condition) => ({
    type: textAt(condition, 'type'),
    status: textAt(condition, 'status'),
  })),
}))

export const decodeIngress = decoder((spec) => ({
  className: optionalTextAt(spec, 'ingressClassName'),
  tlsHosts: listAt(spec, 'tls').flatMap((tls) => textsAt(tls, 'hosts')),
  rules: listAt(spec, 'rules').map((rule) => {
    const http = childOf(rule, 'http')
    return {
      host: textAt(rule, 'host'),
      paths: http && listAt(http, 'paths').map((path) => textAt(path, 'path')),
    }
  }),
}))
