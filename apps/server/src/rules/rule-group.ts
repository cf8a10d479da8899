// A rule group: its rules run one after the other, each interval, at times that are spread over the interval by a hash
// of the group's name, so that groups do not all run at once and a restart does not move them.
import { APPEND, Labels, type Clock, type TimerHandle } from '@watchfire/datamodel'
import type { Ingest, RuleSample } from '../ingest/contract.ts'
import type { Logger } from '../logger.ts'
import type { QueryPool } from '../query/contract.ts'
import type { RuleGroupJson } from '../web/contract.ts'
import { AlertingRule, type ActiveAlert } from './alerting-rule.ts'
import type { RuleMetrics } from './metrics.ts'
import { RecordingRule } from './recording-rule.ts'
import { restoreForState, type RestoreOptions } from './restore.ts'
import { timeText, type Rule } from './rule.ts'
import type { RuleGroupConfig } from './rule-file.ts'

/** Alerts of one evaluation of one rule. */
export interface AlertBatch {
  /** The rule's expression, for links. */
  readonly expr: string
  readonly alerts: readonly ActiveAlert[]
}

export interface GroupOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: RuleMetrics
  readonly pool: Pick<QueryPool, 'vector'>
  readonly ingest: Pick<Ingest, 'append'>
  readonly intervalMs: number
  readonly queryOffsetMs: number
  readonly externalLabels: Readonly<Record<string, string>>
  readonly externalUrl: string
  readonly resendDelayMs: number
  /** Look up `for` state from before the start after two evaluations. */
  readonly restore: boolean
  readonly restoreOptions: RestoreOptions
  readonly sendAlerts: (batch: AlertBatch) => void
}

export class RuleGroup {
  readonly config: RuleGroupConfig
  readonly rules: readonly Rule[]
  readonly key: string
  readonly #options: GroupOptions
  /** Series each rule wrote last, by key: those that vanish get a staleness marker. */
  #written: Map<string, readonly string[]>[]
  /** Series of rules that are gone since the last reload. */
  #abandoned: (readonly string[])[] = []
  #timer: TimerHandle | undefined
  #running: Promise<void> | undefined
  #stopped = false
  #evaluatedAt = 0
  #durationSeconds = 0

  constructor(config: RuleGroupConfig, options: GroupOptions) {
    this.config = config
    this.#options = options
    this.key = `${config.file};${config.name}`
    this.rules = config.rules.map((rule) =>
      rule.kind === 'recording' ? new RecordingRule(rule) : new AlertingRule(rule, !options.restore),
    )
    this.#written = this.rules.map(() => new Map())
    const labels = { rule_group: this.key }
    const { metrics, intervalMs } = options
    metrics.interval.set(labels, intervalMs / 1000)
    metrics.rules.set(labels, this.rules.length)
    for (const counter of [metrics.iterations, metrics.missed, metrics.evaluations, metrics.failures])
      counter.inc(labels, 0)
  }

  /** Continues the state of the group this one replaces. */
  takeOver(old: RuleGroup): void {
    this.#evaluatedAt = old.#evaluatedAt
    this.#durationSeconds = old.#durationSeconds
    const free = old.rules.map((rule, i) => ({ rule, written: old.#written[i]! }))
    this.rules.forEach((rule, i) => {
      const at = free.findIndex((entry) => entry.rule.key === rule.key)
      if (at < 0) return
      const [{ rule: before, written }] = free.splice(at, 1) as [(typeof free)[number]]
      this.#written[i] = written
      Object.assign(rule.status, before.status)
      if (rule instanceof AlertingRule && before instanceof AlertingRule) rule.takeOver(before)
    })
    this.#abandoned = [...old.#abandoned, ...free.flatMap(({ written }) => [...written.values()])]
  }

  /** Schedules the first evaluation. */
  start(): void {
    this.#schedule(this.#slotBefore(this.#options.clock.now()) + this.#options.intervalMs, 0)
  }

  /** Stops; resolves when a running evaluation has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#running
  }

  /** Marks all series of this group as stale: it is gone for good. */
  async abandon(): Promise<void> {
    const series = [...this.#abandoned, ...this.#written.flatMap((written) => [...written.values()])]
    const timeMs = this.#options.clock.now()
    await this.#append(series.map((pairs) => ({ pairs, timeMs, value: 0, stale: true })))
  }

  /** The latest regular time of evaluation that is not after `timeMs`. */
  #slotBefore(timeMs: number): number {
    const { intervalMs } = this.#options
    const offset = hash(`${this.config.file}\u0000${this.config.name}`) % intervalMs
    const shifted = timeMs - offset
    return shifted - (shifted % intervalMs) + offset
  }

  #schedule(slotMs: number, iteration: number): void {
    const { clock } = this.#options
    if (this.#stopped) return
    this.#timer = clock.setTimeout(
      () => {
        this.#running = this.#iterate(slotMs, iteration).catch((error: unknown) => {
          this.#options.logger.error('Rule group failed', { group: this.key, err: String(error) })
        })
      },
      Math.max(0, slotMs - clock.now()),
    )
  }

  async #iterate(slotMs: number, iteration: number): Promise<void> {
    const { clock, metrics, intervalMs, restore } = this.#options
    const labels = { rule_group: this.key }
    metrics.iterations.inc(labels)
    try {
      await this.evaluate(slotMs)
      if (restore && iteration === 1) await this.#restore()
    } finally {
      const missed = Math.max(0, Math.floor((clock.now() - slotMs) / intervalMs) - 1)
      if (missed > 0) {
        metrics.iterations.inc(labels, missed)
        metrics.missed.inc(labels, missed)
      }
      this.#schedule(slotMs + (missed + 1) * intervalMs, iteration + 1)
    }
  }

  async #restore(): Promise<void> {
    const { pool, clock, logger, restoreOptions } = this.#options
    const rules = this.rules.filter((rule) => rule instanceof AlertingRule)
    try {
      await restoreForState(rules, pool, clock.now(), restoreOptions)
    } catch (error) {
      logger.error('Failed to restore for state', { group: this.key, err: (error as Error).message })
      // Without the past the alerts wait their `for` again; not writing them at all would be worse.
      for (const rule of rules) rule.restored = true
    }
  }

  /** Runs all rules once for the time `timeMs`. */
  async evaluate(timeMs: number): Promise<void> {
    const { clock, metrics } = this.#options
    const startedAt = clock.monotonic()
    let samples = 0
    for (const [i, rule] of this.rules.entries()) {
      if (this.#stopped) return
      const began = clock.monotonic()
      rule.status.evaluatedAt = clock.now()
      metrics.evaluations.inc({ rule_group: this.key })
      samples += await this.#evaluateRule(rule, i, timeMs)
      rule.status.durationSeconds = (clock.monotonic() - began) / 1000
      metrics.duration.observe(rule.status.durationSeconds)
    }
    await this.#markAbandoned(timeMs)
    this.#evaluatedAt = clock.now()
    this.#durationSeconds = (clock.monotonic() - startedAt) / 1000
    const labels = { rule_group: this.key }
    metrics.groupDuration.observe(this.#durationSeconds)
    metrics.lastDuration.set(labels, this.#durationSeconds)
    metrics.lastEvaluation.set(labels, timeMs / 1000)
    metrics.lastSamples.set(labels, samples)
  }

  async #evaluateRule(rule: Rule, index: number, timeMs: number): Promise<number> {
    const { pool, logger, externalLabels, externalUrl, intervalMs, queryOffsetMs, resendDelayMs } =
      this.#options
    let samples: RuleSample[]
    try {
      samples = await rule.evaluate({
        timeMs,
        queryOffsetMs,
        limit: this.config.limit,
        externalLabels,
        externalUrl,
        query: async (expr, queryTimeMs) => {
          const answer = await pool.vector({ expr, timeMs: queryTimeMs })
          if (!answer.ok) throw new Error(answer.message)
          return answer.samples
        },
        onTemplateError: (message) =>
          logger.warn('Expanding alert template failed', { group: this.key, alert: rule.name, err: message }),
      })
    } catch (error) {
      this.#failed(rule, (error as Error).message)
      return 0
    }
    rule.status.good()
    if (rule instanceof AlertingRule) {
      const alerts = rule.toSend(timeMs, intervalMs, resendDelayMs)
      if (alerts.length > 0) this.#options.sendAlerts({ expr: rule.expr, alerts })
    }
    const before = this.#written[index]!
    const after = new Map(samples.map(({ pairs }) => [pairs.join('\u0000'), pairs]))
    const gone = [...before].filter(([key]) => !after.has(key)).map(([, pairs]) => pairs)
    const staleAt = timeMs - queryOffsetMs
    try {
      const problem = await this.#append([
        ...samples,
        ...gone.map((pairs) => ({ pairs, timeMs: staleAt, value: 0, stale: true })),
      ])
      this.#written[index] = after
      if (problem !== undefined) this.#failed(rule, problem)
    } catch (error) {
      this.#failed(rule, (error as Error).message)
    }
    return samples.length
  }

  #failed(rule: Rule, message: string): void {
    rule.status.bad(message)
    this.#options.metrics.failures.inc({ rule_group: this.key })
    this.#options.logger.warn('Evaluating rule failed', { group: this.key, rule: rule.name, err: message })
  }

  async #markAbandoned(timeMs: number): Promise<void> {
    if (this.#abandoned.length === 0) return
    const written = new Set(this.#written.flatMap((series) => [...series.keys()]))
    const gone = this.#abandoned.filter((pairs) => !written.has(pairs.join('\u0000')))
    this.#abandoned = []
    await this.#append(
      gone.map((pairs) => ({ pairs, timeMs: timeMs - this.#options.queryOffsetMs, value: 0, stale: true })),
    )
  }

  /** Writes; answers with the reason when live samples were refused. */
  async #append(samples: readonly RuleSample[]): Promise<string | undefined> {
    if (samples.length === 0) return undefined
    const results = await this.#options.ingest.append(samples)
    const at = results.findIndex((result, i) => REFUSALS.has(result) && !samples[i]!.stale)
    if (at < 0) return undefined
    return `${REFUSALS.get(results[at]!)}: ${Labels.fromSortedPairs(samples[at]!.pairs).toString()}`
  }

  toJson(): RuleGroupJson {
    return {
      name: this.config.name,
      file: this.config.file,
      rules: this.rules.map((rule) => rule.toJson()),
      interval: this.#options.intervalMs / 1000,
      limit: this.config.limit,
      evaluationTime: this.#durationSeconds,
      lastEvaluation: timeText(this.#evaluatedAt),
    }
  }
}

/** Results of an append that lose a sample, with Prometheus's words. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [APPEND.outOfOrder, 'out of order sample'],
  [APPEND.duplicate, 'duplicate sample for timestamp'],
  [APPEND.outOfBounds, 'out of bounds'],
  [APPEND.tooOld, 'too old sample'],
  [APPEND.refused, 'series limit reached'],
  [APPEND.badHistogram, 'invalid histogram'],
])

/** 32-bit FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193)
  return value >>> 0
}
