// kubernetes_sd: follows the objects of a role and those that their labels come from, and builds the groups of what
// changed.
import type { KubernetesRole, KubernetesSdConfig } from '../../config/index.ts'
import type { DiscoveryContext } from '../context.ts'
import type { Discoverer, TargetGroup } from '../contract.ts'
import type { KubernetesEvent } from '../events.ts'
import { ownNamespace, resolveAccess, type ClusterSurroundings, OWN_SURROUNDINGS } from './access.ts'
import { KubeApi, type ApiLimits } from './api-client.ts'
import { Informer } from './informer.ts'
import { Dependencies, type Lookup } from './lookup.ts'
import type { KubeObject } from './objects.ts'
import { RESOURCES, type Resource } from './resources.ts'
import { buildEndpoints, buildEndpointSlice } from './roles-behind-services.ts'
import { buildIngress, buildNode, buildPod, buildService } from './roles-of-objects.ts'

export interface KubernetesOptions {
  readonly around?: ClusterSurroundings
  readonly limits?: ApiLimits
  readonly backoffMs?: { readonly min: number; readonly max: number }
}

/** Changes within this time are built together. */
const SETTLE_MS = 50

type Kind = keyof typeof RESOURCES

/** The objects of one namespace (or of all) that its groups need before they can be built. */
interface Scope {
  readonly primary: Informer<KubeObject>
  readonly dirty: Set<string>
  /** Informers without whose first list nothing is built. */
  readonly needs: readonly Informer<KubeObject>[]
}

/** Throws when the way to the API server is not complete. */
export function createKubernetesDiscovery(
  config: KubernetesSdConfig,
  context: DiscoveryContext,
  options: KubernetesOptions = {},
): Discoverer {
  return new KubernetesDiscovery(config, context, options)
}

class KubernetesDiscovery implements Discoverer {
  readonly #config: KubernetesSdConfig
  readonly #context: DiscoveryContext
  readonly #options: KubernetesOptions
  readonly #api: KubeApi
  readonly #informers = new Map<Kind, Informer<KubeObject>[]>()
  readonly #scopes: Scope[] = []
  readonly #dependencies = new Dependencies()
  readonly #groups = new Map<string, TargetGroup>()
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #sent = false

  constructor(config: KubernetesSdConfig, context: DiscoveryContext, options: KubernetesOptions) {
    this.#config = config
    this.#context = context
    this.#options = options
    const around = options.around ?? OWN_SURROUNDINGS
    this.#api = new KubeApi(resolveAccess(config, around), context.userAgent, options.limits)
    const own = config.ownNamespace ? [ownNamespace(around)] : []
    const names = [...new Set([...config.namespaces, ...own])]
    this.#createScopes(config.role === 'node' || names.length === 0 ? [''] : names)
  }

  start(): void {
    for (const list of this.#informers.values()) for (const informer of list) informer.start()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const list of this.#informers.values()) for (const informer of list) informer.stop()
    this.#api.close()
  }

  #createScopes(namespaces: readonly string[]): void {
    const { role, attach } = this.#config
    const shared: Informer<KubeObject>[] = []
    if (attach.node && ['pod', 'endpoints', 'endpointslice'].includes(role))
      shared.push(this.#informer('node', ''))
    if (attach.namespace && role !== 'node') shared.push(this.#informer('namespace', ''))
    for (const namespace of namespaces) {
      const dirty = new Set<string>()
      const primary = this.#informer(role, namespace, dirty)
      const needs = [primary, ...shared]
      if (role === 'endpoints' || role === 'endpointslice')
        needs.push(this.#informer('service', namespace), this.#informer('pod', namespace))
      if (role === 'pod' || role === 'endpoints' || role === 'endpointslice') {
        const above: Informer<KubeObject>[] = []
        if (attach.deployment) above.push(this.#informer('replicaset', namespace))
        if (attach.job || attach.cronJob) above.push(this.#informer('job', namespace))
        if (role === 'pod') needs.push(...above)
      }
      this.#scopes.push({ primary, dirty, needs })
    }
  }

  /** `dirty` is given for the objects of the role, each of which is a group. */
  #informer(kind: Kind, namespace: string, dirty?: Set<string>): Informer<KubeObject> {
    const selector = this.#config.selectors.find(({ role }) => role === kind)
    const resource: Resource<KubeObject> = RESOURCES[kind]
    const informer = new Informer<KubeObject>({
      api: this.#api,
      resource,
      namespace,
      ...(selector && { labelSelector: selector.label, fieldSelector: selector.field }),
      ...(this.#options.backoffMs && { backoffMs: this.#options.backoffMs }),
      onEvent: (event, key) => {
        this.#count(kind, event)
        dirty?.add(key)
        for (const user of this.#dependencies.usersOf(`${kind} ${key}`)) this.#markDirty(user)
        this.#schedule()
      },
      onSynced: () => this.#schedule(),
      onFailure: (reason) => {
        this.#context.events.onKubernetesFailure?.()
        this.#context.logger.warn('Failed to list or watch objects', {
          discovery: 'kubernetes',
          config: this.#context.pool,
          err: reason,
        })
      },
    })
    const list = this.#informers.get(kind)
    if (list) list.push(informer)
    else this.#informers.set(kind, [informer])
    return informer
  }

  #count(kind: Kind, event: KubernetesEvent): void {
    const { role } = this.#config
    // As Prometheus counts: what a role is made of, and changes of the pods behind services.
    const counted = kind === role || kind === 'service' || (kind === 'pod' && event === 'update')
    if (counted) this.#context.events.onKubernetesEvent?.(kind, event)
  }

  #markDirty(group: string): void {
    for (const scope of this.#scopes) if (scope.primary.get(group)) scope.dirty.add(group)
  }

  #schedule(): void {
    if (this.#timer || this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#build()
    }, SETTLE_MS)
    this.#timer.unref()
  }

  #build(): void {
    let changed = false
    let ready = 0
    for (const { primary, dirty, needs } of this.#scopes) {
      if (!needs.every((informer) => informer.synced)) continue
      ready++
      for (const key of dirty) changed = this.#buildOne(key, primary.get(key)) || changed
      dirty.clear()
    }
    // That there is nothing is worth to know once.
    const first = !this.#sent && ready === this.#scopes.length
    if (!changed && !first) return
    this.#sent = true
    this.#context.onGroups([...this.#groups.values()])
  }

  /** True when the group is another one than before. */
  #buildOne(key: string, object: KubeObject | undefined): boolean {
    this.#dependencies.clear(key)
    const old = this.#groups.get(key)
    const group = object && build(this.#config.role, object, this.#lookup(key))
    if (!group || group.targets.length === 0) {
      this.#groups.delete(key)
      return old !== undefined
    }
    if (old && JSON.stringify(old) === JSON.stringify(group)) return false
    this.#groups.set(key, group)
    return true
  }

  #lookup(group: string): Lookup {
    const { attach } = this.#config
    const find = <K extends Kind>(kind: K, key: string) => {
      this.#dependencies.add(group, `${kind} ${key}`)
      for (const informer of this.#informers.get(kind) ?? []) {
        const object = informer.get(key)
        if (object) return object as ReturnType<(typeof RESOURCES)[K]['decode']>
      }
      return undefined
    }
    return {
      attach,
      pod: (key) => find('pod', key),
      service: (key) => find('service', key),
      node: (name) => (attach.node ? find('node', name) : undefined),
      namespace: (name) => (attach.namespace ? find('namespace', name) : undefined),
      replicaSet: (key) => (attach.deployment ? find('replicaset', key) : undefined),
      job: (key) => (attach.cronJob ? find('job', key) : undefined),
    }
  }
}

/** The group of one object of a role; undefined when it can have no targets. */
function build(role: KubernetesRole, object: KubeObject, lookup: Lookup): TargetGroup | undefined {
  type Of<R extends KubernetesRole> = NonNullable<ReturnType<(typeof RESOURCES)[R]['decode']>>
  switch (role) {
    case 'node':
      return buildNode(object as Of<'node'>)
    case 'pod':
      return buildPod(object as Of<'pod'>, lookup)
    case 'service':
      return buildService(object as Of<'service'>, lookup)
    case 'ingress':
      return buildIngress(object as Of<'ingress'>, lookup)
    case 'endpoints':
      return buildEndpoints(object as Of<'endpoints'>, lookup)
    case 'endpointslice':
      return buildEndpointSlice(object as Of<'endpointslice'>, lookup)
  }
}
