// All rule groups: loads their files, swaps them on reload without losing the state of rules that stay, and shows
// them to the API.
import { Labels, type Alert, type Clock } from '@watchfire/datamodel'
import type { ParserOptions } from '@watchfire/promql/parser'
import type { Registry } from '@watchfire/instrument'
import type { Ingest } from '../ingest/contract.ts'
import type { Logger } from '../logger.ts'
import type { QueryPool } from '../query/contract.ts'
import type { AlertJson, RuleGroupJson, RulesView } from '../web/contract.ts'
import { AlertingRule } from './alerting-rule.ts'
import { createRuleMetrics, dropGroupMetrics, type RuleMetrics } from './metrics.ts'
import { RuleGroup, type AlertBatch } from './rule-group.ts'
import { loadRuleFile, type RuleGroupConfig } from './rule-file.ts'
import { generatorUrl } from './generator-url.ts'

export interface RulesManagerOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  readonly pool: Pick<QueryPool, 'vector'>
  readonly ingest: Pick<Ingest, 'append'>
  /** Gets the alerts of every evaluation. */
  readonly sendAlerts: (alerts: readonly Alert[]) => void
  /** How people reach this server. */
  readonly externalUrl: string
  /** `--rules.alert.resend-delay`, ms. Default 1 min. */
  readonly resendDelayMs?: number
  /** `--rules.alert.for-outage-tolerance`, ms. Default 1 h. */
  readonly outageToleranceMs?: number
  /** `--rules.alert.for-grace-period`, ms. Default 10 min. */
  readonly forGraceMs?: number
  /** Switches of the expression parser. */
  readonly parser?: ParserOptions
}

/** What of the configuration the rules use. */
export interface RulesConfig {
  /** Paths of the rule files, globs resolved. */
  readonly ruleFiles: readonly string[]
  readonly evaluationIntervalMs: number
  readonly queryOffsetMs: number
  readonly externalLabels: Readonly<Record<string, string>>
}

/** Groups read and checked, ready to be taken. */
export interface LoadedRules {
  readonly config: RulesConfig
  readonly groups: readonly RuleGroupConfig[]
}

interface Entry {
  readonly group: RuleGroup
  /** All that makes the group behave as it does: equal fingerprints need no restart. */
  readonly fingerprint: string
}

export class RulesManager implements RulesView {
  readonly #options: RulesManagerOptions
  readonly #metrics: RuleMetrics
  #entries: readonly Entry[] = []
  #loadedOnce = false
  #applying: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: RulesManagerOptions) {
    this.#options = options
    this.#metrics = createRuleMetrics(options.registry)
  }

  /** Reads all files without touching what runs. Throws `ConfigError`: nothing is half applied. */
  load(config: RulesConfig): LoadedRules {
    // A file that two patterns find is loaded once.
    const files = [...new Set(config.ruleFiles)]
    const groups = files.flatMap((file) => loadRuleFile(file, this.#options.parser))
    return { config, groups }
  }

  /**
   * Makes loaded rules the running ones: unchanged groups go on, changed ones continue the state of equal rules. Calls
   * run one after the other.
   */
  apply(loaded: LoadedRules): Promise<void> {
    const done = this.#applying.then(() => this.#apply(loaded))
    this.#applying = done.catch(() => {})
    return done
  }

  async #apply({ config, groups }: LoadedRules): Promise<void> {
    const old = new Map(this.#entries.map((entry) => [entry.group.key, entry]))
    const restore = !this.#loadedOnce
    this.#loadedOnce = true
    const entries: Entry[] = []
    const fresh: RuleGroup[] = []
    for (const groupConfig of groups) {
      const fingerprint = JSON.stringify([
        groupConfig,
        config.evaluationIntervalMs,
        config.queryOffsetMs,
        config.externalLabels,
      ])
      const key = `${groupConfig.file};${groupConfig.name}`
      const before = old.get(key)
      old.delete(key)
      if (before?.fingerprint === fingerprint) {
        entries.push(before)
        continue
      }
      const group = this.#createGroup(groupConfig, config, restore)
      if (before) {
        await before.group.stop()
        group.takeOver(before.group)
      }
      entries.push({ group, fingerprint })
      fresh.push(group)
    }
    this.#entries = entries.sort(
      (a, b) =>
        compare(a.group.config.file, b.group.config.file) ||
        compare(a.group.config.name, b.group.config.name),
    )
    if (!this.#stopped) for (const group of fresh) group.start()
    for (const { group } of old.values()) await this.#retire(group)
  }

  /** Stops all groups; their series end by themselves when the server is down for good. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#applying
    await Promise.all(this.#entries.map(({ group }) => group.stop()))
  }

  groups(): readonly RuleGroupJson[] {
    return this.#entries.map(({ group }) => group.toJson())
  }

  alerts(): readonly AlertJson[] {
    return this.#entries.flatMap(({ group }) =>
      group.rules.flatMap((rule) => (rule instanceof AlertingRule ? rule.activeJson() : [])),
    )
  }

  async #retire(group: RuleGroup): Promise<void> {
    await group.stop()
    dropGroupMetrics(this.#metrics, group.key)
    try {
      await group.abandon()
    } catch (error) {
      this.#options.logger.warn('Marking series of a removed rule group as stale failed', {
        group: group.key,
        err: (error as Error).message,
      })
    }
  }

  #createGroup(groupConfig: RuleGroupConfig, config: RulesConfig, restore: boolean): RuleGroup {
    const { clock, logger, pool, ingest, externalUrl } = this.#options
    return new RuleGroup(groupConfig, {
      clock,
      logger,
      pool,
      ingest,
      externalUrl,
      metrics: this.#metrics,
      intervalMs: groupConfig.intervalMs ?? config.evaluationIntervalMs,
      queryOffsetMs: groupConfig.queryOffsetMs ?? config.queryOffsetMs,
      externalLabels: config.externalLabels,
      resendDelayMs: this.#options.resendDelayMs ?? 60_000,
      restore,
      restoreOptions: {
        outageToleranceMs: this.#options.outageToleranceMs ?? 3_600_000,
        graceMs: this.#options.forGraceMs ?? 600_000,
      },
      sendAlerts: (batch) => this.#send(batch),
    })
  }

  #send({ expr, alerts }: AlertBatch): void {
    const url = generatorUrl(this.#options.externalUrl, expr)
    this.#options.sendAlerts(
      alerts.map((alert) => ({
        labels: alert.labels,
        annotations: Labels.from(alert.annotations),
        startsAt: alert.firedAt,
        endsAt: alert.resolvedAt > 0 ? alert.resolvedAt : alert.validUntil,
        generatorUrl: url,
      })),
    )
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
