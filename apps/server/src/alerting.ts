// Rules and notifications as one part of the server: rule groups, Alertmanagers, and what the API shows of both.
import { systemClock } from '@watchfire/datamodel'
import type { Registry } from '@watchfire/instrument'
import type { Config } from './config/index.ts'
import type { TargetGroup } from './discovery/index.ts'
import { engineFeatures } from './features.ts'
import type { ServerFlags } from './flags.ts'
import type { Ingest } from './ingest/index.ts'
import type { Logger } from './logger.ts'
import { Notifier } from './notifier/index.ts'
import type { QueryPool } from './query/index.ts'
import { RulesManager, loadRuleFile } from './rules/index.ts'
import type { AlertmanagersView, RulesView } from './web/index.ts'

export interface AlertingOptions {
  readonly flags: ServerFlags
  readonly logger: Logger
  readonly registry: Registry
  readonly ingest: Pick<Ingest, 'append'>
  readonly pool: Pick<QueryPool, 'vector'>
  readonly externalUrl: string
  /** E.g. `Prometheus/3.14.0`. */
  readonly userAgent: string
}

/** Longest that queued notifications may hold up the end, ms. */
const DRAIN_MS = 2500

export interface Alerting {
  readonly rules: RulesView
  readonly alertmanagers: AlertmanagersView
  /** Reads the rule files and checks everything; what it answers puts the configuration in force. Throws with the fault. */
  prepare(config: Config): Promise<() => Promise<void>>
  /** Targets of the Alertmanager configuration named by `alertmanagerName`. */
  setAlertmanagerGroups(name: string, groups: readonly TargetGroup[]): void
  stop(): Promise<void>
}

/** Rule groups on the query workers, and the notifier behind them. */
export function createAlerting(options: AlertingOptions): Alerting {
  const { flags, logger, registry, ingest, pool, externalUrl } = options
  const notifier = new Notifier({
    clock: systemClock,
    logger: logger.child({ component: 'notifier' }),
    registry,
    userAgent: options.userAgent,
    queueCapacity: flags.notificationQueueCapacity,
    batchMax: flags.notificationBatchSize,
    drainMs: flags.drainOnShutdown ? DRAIN_MS : 0,
  })
  const rules = new RulesManager({
    clock: systemClock,
    logger: logger.child({ component: 'rule manager' }),
    registry,
    pool,
    ingest,
    sendAlerts: (alerts) => notifier.send(alerts),
    externalUrl,
    resendDelayMs: flags.resendDelayMs,
    outageToleranceMs: flags.forOutageToleranceMs,
    forGraceMs: flags.forGracePeriodMs,
    parser: engineFeatures(flags.features),
  })
  return {
    rules,
    alertmanagers: notifier,
    prepare: async (config) => {
      const loaded = rules.load({
        ruleFiles: config.ruleFiles,
        evaluationIntervalMs: config.global.evaluationIntervalMs,
        queryOffsetMs: config.global.ruleQueryOffsetMs,
        externalLabels: config.global.externalLabels,
      })
      return async () => {
        notifier.applyConfig({
          alertmanagers: config.alertmanagers,
          alertRelabelConfigs: config.alertRelabelConfigs,
          externalLabels: config.global.externalLabels,
        })
        await rules.apply(loaded)
      }
    },
    setAlertmanagerGroups: (name, groups) => notifier.setTargetGroups(alertmanagerIndex(name), groups),
    stop: async () => {
      await rules.stop()
      await notifier.stop()
    },
  }
}

/** Reads the rule files of a configuration. Throws `ConfigError` with the first fault. */
export function checkRuleFiles(config: Config, flags: ServerFlags): void {
  for (const file of config.ruleFiles) loadRuleFile(file, engineFeatures(flags.features))
}

/** Name of an Alertmanager configuration in discovery and in metrics. */
export function alertmanagerName(index: number): string {
  return `config-${index}`
}

function alertmanagerIndex(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1))
}
