export { createKubernetesDiscovery, type KubernetesOptions } from './kubernetes-discovery.ts'
export {
  OWN_SURROUNDINGS,
  ownNamespace,
  resolveAccess,
  type ClusterSurroundings,
  type KubeServer,
} from './access.ts'
export { KubeApi, type ApiLimits } from './api-client.ts'
export { Informer } from './informer.ts'
export type { KubeObject } from './objects.ts'
export type { Resource } from './resources.ts'
