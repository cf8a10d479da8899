// Follows the monitors of a cluster and hands over the scrape configs that they make, whole, whenever they changed.
// A monitor that cannot be honoured is said so once and left out; one whose secret cannot be asked for just now keeps
// the scrape config it had.
import {
  parseScrapeJob,
  type Config,
  type KubernetesOperatorConfig,
  type LabelSelector,
  type ScrapeConfig,
} from '../../config/index.ts'
import type { Logger } from '../../logger.ts'
import { reasonOf } from '../context.ts'
import {
  Informer,
  KubeApi,
  OWN_SURROUNDINGS,
  ownNamespace,
  resolveAccess,
  type ApiLimits,
  type ClusterSurroundings,
  type KubeObject,
} from '../kubernetes/index.ts'
import { RESOURCES } from '../kubernetes/resources.ts'
import { MONITORS, type Monitor, type MonitorKind } from './monitor.ts'
import { endpointsOf, jobName, scrapeJob } from './scrape-job.ts'
import { SecretReader, SecretUnreachable } from './secret-reader.ts'
import { matchesSelector } from './selector.ts'

export interface OperatorOptions {
  readonly logger: Logger
  readonly userAgent: string
  /** All scrape configs of the monitors, by name. */
  readonly onJobs: (jobs: readonly ScrapeConfig[]) => void
  /** A failed list or watch. */
  readonly onFailure?: () => void
  readonly around?: ClusterSurroundings
  readonly limits?: ApiLimits
  readonly backoffMs?: { readonly min: number; readonly max: number }
  /** Changes within this time are brought together. Default 500 ms. */
  readonly settleMs?: number
}

/** Most endpoints of one monitor, and most scrape configs of all. */
const ENDPOINTS_MAX = 1000
const JOBS_MAX = 10_000
/** Secrets that are in use are looked at again after this time. */
const SECRETS_MS = 60_000

interface Watched {
  readonly kind: MonitorKind
  readonly selector: LabelSelector
  /** Undefined = only the own namespace, which is all that is listed. */
  readonly namespaces: LabelSelector | undefined
  readonly informer: Informer<Monitor>
}

export class KubernetesOperator {
  readonly #options: OperatorOptions
  readonly #operator: KubernetesOperatorConfig
  /** Gives the global section to the scrape configs. */
  #config: Config
  readonly #api: KubeApi
  readonly #stop = new AbortController()
  readonly #secrets: SecretReader
  readonly #watched: Watched[] = []
  readonly #namespaces: Informer<KubeObject> | undefined
  /** The last good scrape configs, and what was wrong with the others. */
  #jobs = new Map<string, ScrapeConfig>()
  #faults = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined
  #building = false
  #again = false
  #sent = ''

  /** Throws when the way to the API server is not complete. */
  constructor(operator: KubernetesOperatorConfig, config: Config, options: OperatorOptions) {
    this.#operator = operator
    this.#config = config
    this.#options = options
    const around = options.around ?? OWN_SURROUNDINGS
    this.#api = new KubeApi(resolveAccess(operator.access, around), options.userAgent, options.limits)
    this.#secrets = new SecretReader(this.#api, this.#stop.signal)
    const own = () => operator.namespace || ownNamespace(around)
    this.#watch('serviceMonitor', operator.serviceMonitors, operator.serviceMonitorNamespaces, own)
    this.#watch('podMonitor', operator.podMonitors, operator.podMonitorNamespaces, own)
    if (this.#watched.some(({ namespaces }) => namespaces && !isEmpty(namespaces)))
      this.#namespaces = new Informer({
        ...this.#informerOptions(),
        resource: RESOURCES.namespace,
        namespace: '',
      })
  }

  start(): void {
    for (const { informer } of this.#watched) informer.start()
    this.#namespaces?.start()
  }

  stop(): void {
    this.#stop.abort()
    clearTimeout(this.#timer)
    for (const { informer } of this.#watched) informer.stop()
    this.#namespaces?.stop()
    this.#api.close()
  }

  /** Another configuration with the same section: its global section may differ. */
  reload(config: Config): void {
    this.#config = config
    this.#schedule()
  }

  #watch(
    kind: MonitorKind,
    selector: LabelSelector | undefined,
    namespaces: LabelSelector | undefined,
    own: () => string,
  ): void {
    if (!selector) return
    const informer = new Informer<Monitor>({
      ...this.#informerOptions(),
      resource: MONITORS[kind],
      namespace: namespaces ? '' : own(),
    })
    this.#watched.push({ kind, selector, namespaces, informer })
  }

  #informerOptions() {
    const { logger, onFailure, backoffMs } = this.#options
    return {
      api: this.#api,
      ...(backoffMs && { backoffMs }),
      onEvent: () => this.#schedule(),
      onSynced: () => this.#schedule(),
      onFailure: (reason: string) => {
        onFailure?.()
        logger.warn('Failed to list or watch objects', { err: reason })
      },
    }
  }

  #schedule(delayMs = this.#options.settleMs ?? 500): void {
    if (this.#stop.signal.aborted) return
    if (this.#building) {
      this.#again = true
      return
    }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#run(), delayMs)
    this.#timer.unref()
  }

  async #run(): Promise<void> {
    const informers = [...this.#watched.map(({ informer }) => informer), this.#namespaces]
    if (informers.some((informer) => informer && !informer.synced)) return
    this.#building = true
    this.#again = false
    try {
      await this.#build()
    } catch (error) {
      this.#options.logger.error('Failed to read the monitors', { err: reasonOf(error) })
    } finally {
      this.#building = false
    }
    if (this.#again) this.#schedule()
    else if (this.#secrets.used) this.#schedule(SECRETS_MS)
  }

  async #build(): Promise<void> {
    this.#secrets.prune()
    const jobs = new Map<string, ScrapeConfig>()
    const faults = new Map<string, string>()
    let isFull = false
    for (const { kind, monitor } of this.#selected()) {
      const count = endpointsOf(kind, monitor).length
      if (count > ENDPOINTS_MAX)
        faults.set(jobName(kind, monitor, ENDPOINTS_MAX), `more than ${ENDPOINTS_MAX} endpoints`)
      for (let i = 0; i < Math.min(count, ENDPOINTS_MAX); i++) {
        if (jobs.size >= JOBS_MAX) isFull = true
        else await this.#buildJob(kind, monitor, i, jobs, faults)
      }
    }
    if (isFull) faults.set('*', `more than ${JOBS_MAX} scrape configs`)
    if (this.#stop.signal.aborted) return
    for (const [name, reason] of faults)
      if (this.#faults.get(name) !== reason)
        this.#options.logger.error('Monitor cannot be used', { monitor: name, err: reason })
    this.#faults = faults
    this.#jobs = jobs
    const list = [...jobs.values()]
    const key = JSON.stringify(list)
    if (key === this.#sent) return
    this.#sent = key
    this.#options.onJobs(list)
  }

  async #buildJob(
    kind: MonitorKind,
    monitor: Monitor,
    index: number,
    jobs: Map<string, ScrapeConfig>,
    faults: Map<string, string>,
  ): Promise<void> {
    const name = jobName(kind, monitor, index)
    try {
      const job = await scrapeJob(kind, monitor, index, this.#operator, this.#secrets)
      jobs.set(name, this.#withAccess(parseScrapeJob(job, this.#config)))
    } catch (error) {
      faults.set(name, reasonOf(error).replace(/ \(line \d+, column \d+\)/g, ''))
      const last = this.#jobs.get(name)
      if (last && error instanceof SecretUnreachable) jobs.set(name, last)
    }
  }

  /** Targets are looked for on the same API server as the monitors. */
  #withAccess(job: ScrapeConfig): ScrapeConfig {
    const { access } = this.#operator
    const kubernetesSdConfigs = job.discovery.kubernetesSdConfigs!.map((config) => ({ ...config, ...access }))
    return { ...job, discovery: { ...job.discovery, kubernetesSdConfigs } }
  }

  *#selected(): Iterable<{ kind: MonitorKind; monitor: Monitor }> {
    for (const { kind, selector, namespaces, informer } of this.#watched)
      for (const monitor of [...informer.values()].sort(byName)) {
        if (!matchesSelector(selector, monitor.meta.labels)) continue
        if (namespaces && !this.#isInNamespaces(namespaces, monitor)) continue
        yield { kind, monitor }
      }
  }

  #isInNamespaces(selector: LabelSelector, { meta }: Monitor): boolean {
    if (isEmpty(selector)) return true
    const namespace = this.#namespaces?.get(meta.namespace)
    return namespace !== undefined && matchesSelector(selector, namespace.meta.labels)
  }
}

function byName({ meta: a }: Monitor, { meta: b }: Monitor): number {
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels).length === 0 && selector.matchExpressions.length === 0
}
