// consul_sd: the instances of services, watched with blocking queries.
import type { ConsulSdConfig } from '../config/index.ts'
import { HttpFetcher } from '../outgoing/index.ts'
import { joinHostPort, reasonOf, sanitizeLabelName, type DiscoveryContext } from './context.ts'
import type { Discoverer, TargetGroup } from './contract.ts'
import { at, childOf, listAt, objectOf, optionalIntAt, textAt, textMapAt, textsAt } from './untrusted.ts'

const WATCH_SECONDS = 120
const RETRY_MS = 15_000
/** Largest answer, in bytes. */
const BODY_BYTES_MAX = 64 * 1024 * 1024

interface Answer {
  readonly body: unknown
  readonly index: string
}

export function createConsulDiscovery(config: ConsulSdConfig, context: DiscoveryContext): Discoverer {
  return new ConsulDiscovery(config, context)
}

class ConsulDiscovery implements Discoverer {
  readonly #config: ConsulSdConfig
  readonly #context: DiscoveryContext
  readonly #fetcher: HttpFetcher
  readonly #stop = new AbortController()
  readonly #groups = new Map<string, TargetGroup>()
  readonly #watched = new Map<string, AbortController>()
  #datacenter: string

  constructor(config: ConsulSdConfig, context: DiscoveryContext) {
    this.#config = config
    this.#context = context
    this.#datacenter = config.datacenter
    this.#fetcher = new HttpFetcher({ http: config.http, userAgent: context.userAgent })
  }

  start(): void {
    void this.#run()
  }

  stop(): void {
    this.#stop.abort()
    for (const watch of this.#watched.values()) watch.abort()
    this.#fetcher.close()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (this.#datacenter === '' && !signal.aborted) {
      try {
        const { body } = await this.#ask('/v1/agent/self', {}, '', signal)
        this.#datacenter = textAt(childOf(body, 'Config'), 'Datacenter')
        if (this.#datacenter === '') throw new Error('invalid value for Config.Datacenter')
      } catch (error) {
        await this.#failed('Error retrieving datacenter name', error, signal)
      }
    }
    const { services, tags, filter } = this.#config
    if (services.length > 0 && tags.length === 0 && filter === '')
      for (const name of services) this.#watchService(name)
    else await this.#watchCatalog(signal)
  }

  async #watchCatalog(signal: AbortSignal): Promise<void> {
    await this.#follow(
      '/v1/catalog/services',
      this.#config.filter,
      ['catalog', 'services'],
      signal,
      (body) => {
        const wanted = new Set<string>()
        for (const name of Object.keys(objectOf(body)))
          if (this.#isWanted(name, textsAt(body, name))) wanted.add(name)
        for (const name of wanted) if (!this.#watched.has(name)) this.#watchService(name)
        for (const [name, watch] of this.#watched) {
          if (wanted.has(name)) continue
          watch.abort()
          this.#watched.delete(name)
          this.#groups.delete(name)
        }
        this.#send()
      },
    )
  }

  #isWanted(name: string, tags: readonly string[]): boolean {
    const { services, tags: wanted } = this.#config
    return (services.length === 0 || services.includes(name)) && wanted.every((tag) => tags.includes(tag))
  }

  #watchService(name: string): void {
    const watch = new AbortController()
    this.#watched.set(name, watch)
    const tags = this.#config.tags.map((tag) => `&tag=${encodeURIComponent(tag)}`).join('')
    void this.#follow(
      `/v1/health/service/${encodeURIComponent(name)}`,
      this.#config.healthFilter,
      ['catalog', 'service'],
      watch.signal,
      (body) => {
        this.#groups.set(name, this.#group(name, body))
        this.#send()
      },
      tags,
    )
  }

  /** Asks again and again; every question waits on the server until something is newer than the last answer. */
  async #follow(
    path: string,
    filter: string,
    [endpoint, call]: readonly [string, string],
    signal: AbortSignal,
    onChange: (body: unknown) => void,
    more = '',
  ): Promise<void> {
    let index = '0'
    while (!signal.aborted) {
      const began = performance.now()
      try {
        const query = { index, wait: `${WATCH_SECONDS}s`, ...(filter !== '' && { filter }) }
        const answer = await this.#ask(path, query, more, signal)
        this.#context.events.onConsulCall?.(endpoint, call, (performance.now() - began) / 1000, false)
        if (signal.aborted) return
        if (answer.index !== index) onChange(answer.body)
        index = answer.index
      } catch (error) {
        if (signal.aborted) return
        this.#context.events.onConsulCall?.(endpoint, call, (performance.now() - began) / 1000, true)
        await this.#failed(`Error refreshing ${path}`, error, signal)
        continue
      }
      await sleep(this.#config.refreshIntervalMs - (performance.now() - began), signal)
    }
  }

  async #ask(
    path: string,
    query: Record<string, string>,
    more: string,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { server, scheme, pathPrefix, datacenter, namespace, partition, allowStale, nodeMeta } =
      this.#config
    const params = new URLSearchParams(query)
    if (datacenter !== '') params.set('dc', datacenter)
    if (namespace !== '') params.set('ns', namespace)
    if (partition !== '') params.set('partition', partition)
    for (const [name, value] of Object.entries(nodeMeta)) params.append('node-meta', `${name}:${value}`)
    const base = /^https?:\/\//.test(server) ? server : `${scheme}://${server}`
    const stale = allowStale ? '&stale=' : ''
    const answer = await this.#fetcher.get({
      url: `${base.replace(/\/+$/, '')}${pathPrefix.replace(/\/+$/, '')}${path}?${params.toString()}${stale}${more}`,
      headers: this.#config.token === '' ? {} : { 'X-Consul-Token': this.#config.token },
      timeoutMs: (WATCH_SECONDS + 15) * 1000,
      bytesMax: BODY_BYTES_MAX,
      signal,
    })
    const index = answer.headers['x-consul-index']
    return { body: JSON.parse(answer.body.toString('utf8')), index: typeof index === 'string' ? index : '0' }
  }

  #group(name: string, body: unknown): TargetGroup {
    const targets = (Array.isArray(body) ? body : []).map((entry: unknown) => this.#target(entry))
    return {
      source: name,
      labels: { __meta_consul_service: name, __meta_consul_dc: this.#datacenter },
      targets,
    }
  }

  #target(entry: unknown): Record<string, string> {
    const node = childOf(entry, 'Node')
    const service = childOf(entry, 'Service')
    const separator = this.#config.tagSeparator
    const port = String(optionalIntAt(service, 'Port') ?? 0)
    const target: Record<string, string> = {
      __address__: joinHostPort(textAt(service, 'Address') || textAt(node, 'Address'), port),
      __meta_consul_address: textAt(node, 'Address'),
      __meta_consul_node: textAt(node, 'Node'),
      __meta_consul_namespace: textAt(service, 'Namespace'),
      __meta_consul_partition: textAt(service, 'Partition'),
      __meta_consul_tags: `${separator}${textsAt(service, 'Tags').join(separator)}${separator}`,
      __meta_consul_service_address: textAt(service, 'Address'),
      __meta_consul_service_port: port,
      __meta_consul_service_id: textAt(service, 'ID'),
      __meta_consul_health: healthOf(listAt(entry, 'Checks')),
    }
    for (const [prefix, map] of [
      ['metadata', textMapAt(node, 'Meta')],
      ['service_metadata', textMapAt(service, 'Meta')],
      ['tagged_address', textMapAt(node, 'TaggedAddresses')],
    ] as const)
      for (const [name, value] of map) target[`__meta_consul_${prefix}_${sanitizeLabelName(name)}`] = value
    return target
  }

  #send(): void {
    if (!this.#stop.signal.aborted) this.#context.onGroups([...this.#groups.values()])
  }

  async #failed(message: string, error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    this.#context.logger.error(message, {
      discovery: 'consul',
      config: this.#context.pool,
      err: reasonOf(error),
    })
    await sleep(RETRY_MS, signal)
  }
}

/** Maintenance before critical before warning before passing. */
function healthOf(checks: readonly unknown[]): string {
  const found = new Set<string>()
  for (const check of checks) {
    const id = at(check, 'CheckID')
    if (id === '_node_maintenance' || (typeof id === 'string' && id.startsWith('_service_maintenance:')))
      found.add('maintenance')
    else found.add(textAt(check, 'Status'))
  }
  for (const status of found) if (!HEALTH.includes(status)) return ''
  return HEALTH.find((status) => found.has(status)) ?? 'passing'
}
const HEALTH: readonly string[] = ['maintenance', 'critical', 'warning', 'passing']

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || ms <= 0) {
      resolve()
      return
    }
    const timer = setTimeout(done, ms)
    timer.unref()
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done, { once: true })
  })
}
