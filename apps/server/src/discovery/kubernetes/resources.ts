// The kinds of objects that discovery lists and watches, with their place in the API.
import {
  decodeEndpoints,
  decodeEndpointSlice,
  decodeIngress,
  decodeNode,
  decodeObject,
  decodePod,
  decodeService,
  type Endpoints,
  type EndpointSlice,
  type Ingress,
  type KubeNode,
  type KubeObject,
  type Pod,
  type Service,
} from './objects.ts'

/** One kind of object. */
export interface Resource<T extends KubeObject> {
  /** As in roles and metrics, e.g. `endpointslice`. */
  readonly kind: string
  /** E.g. `/api/v1`. */
  readonly group: string
  readonly plural: string
  readonly namespaced: boolean
  /** Undefined for what is no such object. Never throws. */
  decode(raw: unknown): T | undefined
}

const CORE = '/api/v1'

function resource<T extends KubeObject>(
  kind: string,
  group: string,
  plural: string,
  decode: (raw: unknown) => T | undefined,
  namespaced = true,
): Resource<T> {
  return { kind, group, plural, namespaced, decode }
}

export const RESOURCES = {
  pod: resource<Pod>('pod', CORE, 'pods', decodePod),
  service: resource<Service>('service', CORE, 'services', decodeService),
  endpoints: resource<Endpoints>('endpoints', CORE, 'endpoints', decodeEndpoints),
  endpointslice: resource<EndpointSlice>(
    'endpointslice',
    '/apis/discovery.k8s.io/v1',
    'endpointslices',
    decodeEndpointSlice,
  ),
  ingress: resource<Ingress>('ingress', '/apis/networking.k8s.io/v1', 'ingresses', decodeIngress),
  node: resource<KubeNode>('node', CORE, 'nodes', decodeNode, false),
  namespace: resource<KubeObject>('namespace', CORE, 'namespaces', decodeObject, false),
  replicaset: resource<KubeObject>('replicaset', '/apis/apps/v1', 'replicasets', decodeObject),
  job: resource<KubeObject>('job', '/apis/batch/v1', 'jobs', decodeObject),
}

/** Path of the objects of one namespace, or of all ('' ). */
export function pathOf({ group, plural, namespaced }: Resource<KubeObject>, namespace: string): string {
  return namespaced && namespace !== ''
    ? `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}`
    : `${group}/${plural}`
}

/** Key of an object in a store: `namespace/name`, or the name alone. */
export function keyOf({ meta }: KubeObject): string {
  return meta.namespace === '' ? meta.name : `${meta.namespace}/${meta.name}`
}
