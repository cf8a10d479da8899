// The Alertmanager without its HTTP side: joins store, routes, inhibition, silences and receivers, and swaps the parts
// that depend on the configuration when it changes.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Clock, TimerHandle } from '@watchfire/datamodel'
import { AlertStore, compareAlerts, isResolved, type AlertRecord, type StringMap } from './alerts/index.ts'
import type { AlertmanagerConfig } from './config/index.ts'
import { Dispatcher, buildRoute, type AggregationGroup } from './dispatch/index.ts'
import { Inhibitor } from './inhibit/index.ts'
import type { Logger } from './logger.ts'
import { createMetrics, type AlertmanagerMetrics } from './metrics.ts'
import { NotificationLog } from './nflog/index.ts'
import {
  Inbox,
  NotificationTemplates,
  Pipeline,
  sendMailOverNetwork,
  renderRouteLabels,
  sendOverNetwork,
  type NotifyTools,
  type Receiver,
  type SendMail,
  type SendRequest,
} from './notify/index.ts'
import { Snapshots } from './snapshot/index.ts'
import { SilenceStore, silenceState } from './silence/index.ts'

export interface AlertmanagerOptions {
  readonly config: AlertmanagerConfig
  /** Undefined = nothing is kept over a restart. */
  readonly dataDir?: string
  readonly externalUrl: string
  readonly version: string
  readonly clock: Clock
  readonly logger: Logger
  readonly random?: () => number
  /** How receivers are reached; the network by default. */
  readonly send?: SendRequest
  readonly sendMail?: SendMail
  readonly alertsMax?: number
  readonly silencesMax?: number
  /** How long expired silences and notifications are remembered, ms. Default 120 h. */
  readonly retentionMs?: number
  /** How often what is over is forgotten, ms. Default 15 min. */
  readonly maintenanceMs?: number
}

/** What the API says about one alert. */
export interface AlertStatus {
  readonly state: 'active' | 'suppressed'
  readonly silencedBy: readonly string[]
  readonly inhibitedBy: readonly string[]
  readonly mutedBy: readonly string[]
}

/** How often what is over is forgotten, ms. */
const SWEEP_MS = 15 * 60_000

export class Alertmanager {
  readonly alerts: AlertStore
  readonly silences: SilenceStore
  readonly inbox: Inbox
  readonly metrics: AlertmanagerMetrics
  readonly startedAt: number
  readonly clock: Clock
  readonly #options: AlertmanagerOptions
  readonly #log: NotificationLog
  readonly #snapshots: Snapshots | undefined
  #config: AlertmanagerConfig
  #inhibitor!: Inhibitor
  #dispatcher!: Dispatcher
  #receivers!: ReadonlyMap<string, Receiver>
  #templates!: NotificationTemplates
  #sweepTimer: TimerHandle

  /** Reads what is kept in `dataDir`; throws when it cannot be used. */
  constructor(options: AlertmanagerOptions) {
    const { clock, dataDir } = options
    this.#options = options
    this.#config = options.config
    this.clock = clock
    this.startedAt = clock.now()
    this.metrics = createMetrics(options.version, () => clock.now())
    const snapshots = dataDir === undefined ? undefined : new Snapshots(dataDir, clock, options.logger)
    this.#snapshots = snapshots
    const retention = options.retentionMs === undefined ? {} : { retentionMs: options.retentionMs }
    this.silences = new SilenceStore(
      {
        randomId: randomUUID,
        onChange: () => snapshots?.changed('silences'),
        ...(options.silencesMax !== undefined && { silencesMax: options.silencesMax }),
        ...retention,
      },
      snapshots?.readSilences() ?? [],
    )
    this.#log = new NotificationLog(
      { onChange: () => snapshots?.changed('nflog'), ...retention },
      snapshots?.readLog() ?? [],
    )
    snapshots?.connect({ silences: () => this.silences.all(), log: () => this.#log.all() })
    this.inbox = new Inbox({
      now: () => clock.now(),
      ...(dataDir !== undefined && { file: join(dataDir, 'inbox.jsonl') }),
    })
    this.alerts = new AlertStore(options.alertsMax === undefined ? {} : { alertsMax: options.alertsMax })
    this.alerts.onAlert((alert) => {
      this.#inhibitor.observe(alert)
      this.#dispatcher.dispatch(alert)
    })
    this.#apply(options.config)
    this.metrics.connect({
      alertCounts: () => this.#countAlerts(),
      silenceCounts: () => this.#countSilences(),
      groupCount: () => this.#dispatcher.groupCount,
      limitedAlerts: () => this.alerts.limited,
    })
    this.#sweepTimer = clock.setTimeout(() => this.#sweep(), options.maintenanceMs ?? SWEEP_MS)
  }

  get config(): AlertmanagerConfig {
    return this.#config
  }

  get dispatcher(): Dispatcher {
    return this.#dispatcher
  }

  get receivers(): ReadonlyMap<string, Receiver> {
    return this.#receivers
  }

  /** Replaces the configuration: groups are rebuilt, the notification log keeps receivers from hearing twice. */
  reload(config: AlertmanagerConfig): void {
    const parts = this.#prepare(config)
    this.#dispatcher.stop()
    this.#config = config
    this.#apply(config, parts)
    for (const alert of this.alerts.values()) this.#dispatcher.dispatch(alert)
  }

  /** The labels of a group's route, rendered. */
  routeLabelsOf(group: AggregationGroup): Promise<StringMap> {
    const { externalUrl, logger } = this.#options
    const now = this.clock.now()
    const alerts = group
      .alerts()
      .map((alert) => (isResolved(alert, now) ? alert : { ...alert, endsAt: 0 }))
      .sort(compareAlerts)
    return renderRouteLabels(group, alerts, { templates: this.#templates, externalUrl, logger })
  }

  /** State of an alert now; `mutedBy` comes from its group. */
  statusOf(alert: AlertRecord, mutedBy: readonly string[] = []): AlertStatus {
    const now = this.clock.now()
    const source = this.#inhibitor.inhibitedBy(alert.labels, now)
    const inhibitedBy = source === undefined ? [] : [source]
    const silencedBy = this.silences.silencedBy(alert.labels, now)
    const suppressed = inhibitedBy.length > 0 || silencedBy.length > 0 || mutedBy.length > 0
    return { state: suppressed ? 'suppressed' : 'active', silencedBy, inhibitedBy, mutedBy }
  }

  stop(): void {
    this.#sweepTimer.cancel()
    this.#dispatcher.stop()
    this.#snapshots?.stop()
  }

  /** What may fail, before anything is replaced. */
  #prepare(config: AlertmanagerConfig) {
    const templates = new NotificationTemplates(() => this.clock.now(), config.templateFiles)
    return { templates, receivers: this.#createReceivers(config, templates) }
  }

  #apply(config: AlertmanagerConfig, { templates, receivers } = this.#prepare(config)): void {
    const { clock, logger, random = Math.random, externalUrl } = this.#options
    const { metrics, silences } = this
    this.#receivers = receivers
    this.#templates = templates
    this.#inhibitor = new Inhibitor(config.inhibitRules, this.alerts.values())
    const pipeline = new Pipeline({
      clock,
      random,
      logger,
      metrics,
      silences,
      externalUrl,
      templates,
      receivers: this.#receivers,
      timeIntervals: config.timeIntervals,
      inhibitor: this.#inhibitor,
      log: this.#log,
    })
    this.#dispatcher = new Dispatcher(buildRoute(config.route), clock, (flush) => pipeline.notify(flush))
    const integrations = [...this.#receivers.values()].reduce((sum, r) => sum + r.integrations.length, 0)
    metrics.receivers.set(config.receivers.length)
    metrics.integrations.set(integrations)
    metrics.inhibitionRules.set(config.inhibitRules.length)
    metrics.reloadOk.set(1)
    metrics.reloadTime.set(clock.now() / 1000)
  }

  #createReceivers(config: AlertmanagerConfig, templates: NotificationTemplates): Map<string, Receiver> {
    const { clock, version, logger, send = sendOverNetwork, sendMail = sendMailOverNetwork } = this.#options
    const tools: NotifyTools = {
      templates,
      send,
      sendMail,
      inbox: this.inbox,
      userAgent: `Alertmanager/${version}`,
      clock,
      logger,
    }
    return new Map(
      config.receivers.map(({ name, labels, integrations }) => {
        const counts = new Map<string, number>()
        const created = integrations.map((integration) => {
          const index = counts.get(integration.kind) ?? 0
          counts.set(integration.kind, index + 1)
          return integration.create(index, tools)
        })
        return [name, { name, labels: { name, ...labels }, integrations: created }]
      }),
    )
  }

  #sweep(): void {
    const now = this.clock.now()
    this.alerts.sweep(now)
    this.silences.sweep(now)
    this.#log.sweep(now)
    this.#inhibitor.sweep(now)
    const pauseMs = this.#options.maintenanceMs ?? SWEEP_MS
    this.#sweepTimer = this.clock.setTimeout(() => this.#sweep(), pauseMs)
  }

  #countAlerts() {
    const counts = { active: 0, suppressed: 0 }
    for (const alert of this.alerts.values())
      if (!isResolved(alert, this.clock.now())) counts[this.statusOf(alert).state]++
    return counts
  }

  #countSilences() {
    const counts = { active: 0, pending: 0, expired: 0 }
    for (const silence of this.silences.all()) counts[silenceState(silence, this.clock.now())]++
    return counts
  }
}
