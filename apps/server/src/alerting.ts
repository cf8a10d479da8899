// Rules and notifications as one part of the server: rule groups, Alertmanagers, and what the API shows of both.
import type { Registry } from '@watchfire/instrument'
import type { Config } from './config/index.ts'
import type { TargetGroup } from './discovery/index.ts'
import type { ServerFlags } from './flags.ts'
import type { Ingest } from './ingest/index.ts'
import type { Logger } from './logger.ts'
import type { QueryPool } from './query/index.ts'
import type { AlertmanagersView, RulesView } from './web/index.ts'

export interface AlertingOptions {
  readonly flags: ServerFlags
  readonly logger: Logger
  readonly registry: Registry
  readonly ingest: Pick<Ingest, 'append'>
  readonly pool: Pick<QueryPool, 'vector'>
  readonly externalUrl: string
}

export interface Alerting {
  readonly rules: RulesView
  readonly alertmanagers: AlertmanagersView
  /** Reads the rule files and checks everything; what it answers puts the configuration in force. Throws with the fault. */
  prepare(config: Config): Promise<() => Promise<void>>
  /** Targets of the Alertmanager configuration named `config-<index>`. */
  setAlertmanagerGroups(name: string, groups: readonly TargetGroup[]): void
  stop(): Promise<void>
}

export function createAlerting(_options: AlertingOptions): Alerting {
  return {
    rules: { groups: () => [], alerts: () => [] },
    alertmanagers: { active: () => [], dropped: () => [] },
    prepare: async () => async () => {},
    setAlertmanagerGroups: () => {},
    stop: async () => {},
  }
}
