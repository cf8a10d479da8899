// Sends the alerts of the rules to all Alertmanagers that are configured and discovered, after alert relabelling.
import { Labels, LabelsBuilder, type Alert, type Clock } from '@watchfire/datamodel'
import type { Registry } from '@watchfire/instrument'
import type { AlertmanagerConfig, HttpClientConfig, RelabelConfig } from '../config/types.ts'
import type { TargetGroup } from '../discovery/contract.ts'
import type { Logger } from '../logger.ts'
import { compileRelabel, relabel, type CompiledRelabel } from '../relabel/index.ts'
import type { AlertmanagersView } from '../web/contract.ts'
import { createAlertmanagerClient, type AlertmanagerClient } from './alertmanager-http.ts'
import { createNotifierMetrics, type NotifierMetrics } from './metrics.ts'
import { SendQueue } from './send-queue.ts'

export interface NotifierOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  /** E.g. `Prometheus/3.14.0`. */
  readonly userAgent: string
  /** `--alertmanager.notification-queue-capacity`, per Alertmanager. Default 10,000. */
  readonly queueCapacity?: number
  /** Most alerts in one request. Default 64. */
  readonly batchMax?: number
  /** How long `stop` may go on sending, ms. Default 10 s; 0 = drop what is queued. */
  readonly drainMs?: number
  /** Makes the HTTP client of a configuration; the network by default. */
  readonly createClient?: (http: HttpClientConfig, userAgent: string) => AlertmanagerClient
}

export interface NotifierConfig {
  readonly alertmanagers: readonly AlertmanagerConfig[]
  readonly alertRelabelConfigs: readonly RelabelConfig[]
  readonly externalLabels: Readonly<Record<string, string>>
}

/** One entry of `alerting.alertmanagers` and what was discovered for it. */
interface AlertmanagerSet {
  readonly key: string
  readonly config: AlertmanagerConfig
  readonly relabelTargets: readonly CompiledRelabel[]
  readonly relabelAlerts: readonly CompiledRelabel[]
  readonly client: AlertmanagerClient
  groups: readonly TargetGroup[]
  queues: ReadonlyMap<string, SendQueue>
  dropped: readonly string[]
}

export class Notifier implements AlertmanagersView {
  readonly #options: NotifierOptions
  readonly #metrics: NotifierMetrics
  #sets: readonly AlertmanagerSet[] = []
  #relabelAlerts: readonly CompiledRelabel[] = []
  #externalLabels: Readonly<Record<string, string>> = {}

  constructor(options: NotifierOptions) {
    this.#options = options
    this.#metrics = createNotifierMetrics(options.registry, this.#capacity, {
      queues: () => this.#queues().map((queue) => [queue.url, queue.length] as const),
      discovered: () => this.#queues().length,
    })
  }

  get #capacity(): number {
    return this.#options.queueCapacity ?? 10_000
  }

  #queues(): SendQueue[] {
    return this.#sets.flatMap((set) => [...set.queues.values()])
  }

  /** Takes a configuration; entries that stay the same keep their queues and targets. */
  applyConfig(config: NotifierConfig): void {
    const { createClient = createAlertmanagerClient, userAgent } = this.#options
    const before = this.#sets
    const old = [...before]
    this.#relabelAlerts = compileRelabel(config.alertRelabelConfigs)
    this.#externalLabels = config.externalLabels
    this.#sets = config.alertmanagers.map((entry, i) => {
      const key = JSON.stringify([i, entry])
      const at = old.findIndex((set) => set.key === key)
      if (at >= 0) return old.splice(at, 1)[0]!
      return {
        key,
        config: entry,
        relabelTargets: compileRelabel(entry.relabelConfigs),
        relabelAlerts: compileRelabel(entry.alertRelabelConfigs),
        client: createClient(entry.http, userAgent),
        groups: [],
        queues: new Map(),
        dropped: [],
      }
    })
    // What was discovered stays true until discovery says otherwise.
    this.#sets.forEach((set, i) => {
      if (before[i] && before[i] !== set) this.setTargetGroups(i, before[i].groups)
    })
    for (const set of old) void this.#close(set)
  }

  /** Whole target groups of the entry at `index` of `alerting.alertmanagers`, whenever discovery changes. */
  setTargetGroups(index: number, groups: readonly TargetGroup[]): void {
    const set = this.#sets[index]
    if (!set) return
    set.groups = groups
    const urls = alertmanagerUrls(set.config, set.relabelTargets, groups)
    const queues = new Map<string, SendQueue>()
    for (const url of urls.active) queues.set(url, set.queues.get(url) ?? this.#createQueue(set, url))
    for (const [url, queue] of set.queues) if (!queues.has(url)) void this.#closeQueue(queue)
    set.queues = queues
    set.dropped = urls.dropped
  }

  /** Queues alerts for every Alertmanager. Never blocks. */
  send(alerts: readonly Alert[]): void {
    const relabelled = relabelAll(
      alerts.map((alert) => ({ ...alert, labels: this.#withExternal(alert.labels) })),
      this.#relabelAlerts,
    )
    for (const set of this.#sets) {
      const own = relabelAll(relabelled, set.relabelAlerts)
      if (own.length > 0) for (const queue of set.queues.values()) queue.push(own)
    }
  }

  active(): readonly string[] {
    return this.#queues().map(({ url }) => url)
  }

  dropped(): readonly string[] {
    return this.#sets.flatMap((set) => set.dropped)
  }

  /** Sends what is queued (bounded by `drainMs`), then closes all connections. */
  async stop(): Promise<void> {
    const sets = this.#sets
    this.#sets = []
    await Promise.all(sets.map((set) => this.#close(set)))
  }

  #withExternal(labels: Labels): Labels {
    const builder = new LabelsBuilder(labels)
    for (const [name, value] of Object.entries(this.#externalLabels))
      if (builder.get(name) === '') builder.set(name, value)
    return builder.labels()
  }

  #createQueue(set: AlertmanagerSet, url: string): SendQueue {
    const { clock, logger } = this.#options
    return new SendQueue({
      url,
      clock,
      logger,
      metrics: this.#metrics,
      client: set.client,
      timeoutMs: set.config.timeoutMs,
      capacity: this.#capacity,
      batchMax: this.#options.batchMax ?? 64,
    })
  }

  async #close(set: AlertmanagerSet): Promise<void> {
    await Promise.all([...set.queues.values()].map((queue) => this.#closeQueue(queue)))
    await set.client.close()
  }

  async #closeQueue(queue: SendQueue): Promise<void> {
    await queue.stop(this.#options.drainMs ?? 10_000)
    const still = this.#queues().some(({ url }) => url === queue.url)
    if (still) return
    const { sent, errors, dropped, latency, length } = this.#metrics
    for (const metric of [sent, errors, dropped, latency, length]) metric.remove({ alertmanager: queue.url })
  }
}

function relabelAll(alerts: readonly Alert[], rules: readonly CompiledRelabel[]): readonly Alert[] {
  if (rules.length === 0) return alerts
  return alerts.flatMap((alert) => {
    const labels = relabel(alert.labels, rules)
    return labels ? [{ ...alert, labels }] : []
  })
}

/** URLs of the Alertmanagers in target groups, each once. */
export function alertmanagerUrls(
  config: Pick<AlertmanagerConfig, 'scheme' | 'pathPrefix'>,
  rules: readonly CompiledRelabel[],
  groups: readonly TargetGroup[],
): { active: string[]; dropped: string[] } {
  const path = `/${config.pathPrefix}/api/v2/alerts`.replace(/\/{2,}/g, '/')
  const active = new Set<string>()
  const dropped = new Set<string>()
  const urlOf = (labels: Labels) =>
    `${labels.get('__scheme__')}://${labels.get('__address__')}${labels.get('__alerts_path__')}`
  for (const group of groups)
    for (const target of group.targets) {
      const before = Labels.from({
        __scheme__: config.scheme,
        __alerts_path__: path,
        ...group.labels,
        ...target,
      })
      const labels = relabel(before, rules)
      if (!labels || labels.get('__address__') === '') dropped.add(urlOf(before))
      else active.add(urlOf(labels))
    }
  return { active: [...active], dropped: [...dropped].filter((url) => !active.has(url)) }
}
