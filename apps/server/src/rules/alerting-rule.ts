// An alerting rule: every sample of its expression is an alert, which is pending for `for`, then firing, and after it
// is gone stays known as resolved for a while, so that Alertmanagers that missed the news get it.
import { Labels, LabelsBuilder, METRIC_NAME } from '@watchfire/datamodel'
import { AlertTemplate, formatFloat, type TemplateSample } from '@watchfire/template'
import type { RuleSample } from '../ingest/contract.ts'
import type { PlainSample } from '../query/contract.ts'
import type { AlertJson, AlertState, AlertingRuleJson } from '../web/contract.ts'
import { histogramText } from './histogram-text.ts'
import { RuleStatus, ruleKey, statusJson, timeText, type Evaluation, type Rule } from './rule.ts'
import type { AlertingRuleConfig } from './rule-file.ts'

/** Times in ms, 0 = not yet. */
export interface ActiveAlert {
  readonly labels: Labels
  annotations: Readonly<Record<string, string>>
  state: 'inactive' | 'pending' | 'firing'
  value: number
  activeAt: number
  firedAt: number
  resolvedAt: number
  keepFiringSince: number
  lastSentAt: number
  validUntil: number
}

/** How long a resolved alert is told about, ms. */
const RESOLVED_RETENTION_MS = 15 * 60_000

export class AlertingRule implements Rule {
  readonly status = new RuleStatus()
  readonly key: string
  readonly config: AlertingRuleConfig
  /** False until the `for` state from before a restart has been looked up: no series are written before. */
  restored: boolean
  #active = new Map<string, ActiveAlert>()
  readonly #labels: readonly (readonly [string, AlertTemplate])[]
  readonly #annotations: readonly (readonly [string, AlertTemplate])[]

  /** The templates have been checked with the file. */
  constructor(config: AlertingRuleConfig, restored: boolean) {
    this.config = config
    this.restored = restored
    this.key = ruleKey('alerting', config.name, config.labels)
    const compile = (map: Readonly<Record<string, string>>) =>
      Object.entries(map).map(
        ([name, text]) => [name, new AlertTemplate(`__alert_${config.name}`, text)] as const,
      )
    this.#labels = compile(config.labels)
    this.#annotations = compile(config.annotations)
  }

  get name(): string {
    return this.config.name
  }

  get expr(): string {
    return this.config.expr
  }

  /** Continues the alerts of the rule this one replaces. */
  takeOver(old: AlertingRule): void {
    this.#active = old.#active
    this.restored = old.restored
  }

  /** All alerts, resolved ones too. */
  alerts(): ActiveAlert[] {
    return [...this.#active.values()]
  }

  async evaluate(evaluation: Evaluation): Promise<RuleSample[]> {
    const { timeMs, queryOffsetMs, limit } = evaluation
    const answer = await evaluation.query(this.expr, timeMs - queryOffsetMs)
    const current = new Map<string, ActiveAlert>()
    for (const sample of answer) {
      const alert = await this.#alertOf(sample, evaluation)
      if (current.has(alert.labels.key()))
        throw new Error('vector contains metrics with the same labelset after applying alert labels')
      current.set(alert.labels.key(), alert)
    }
    for (const [key, alert] of current) {
      const known = this.#active.get(key)
      if (known && known.state !== 'inactive') {
        known.value = alert.value
        known.annotations = alert.annotations
      } else this.#active.set(key, alert)
    }
    const samples: RuleSample[] = []
    let count = 0
    for (const [key, alert] of this.#active) {
      if (!this.#advance(key, alert, current.has(key), timeMs)) continue
      count++
      if (this.restored) samples.push(...this.#samplesOf(alert, timeMs - queryOffsetMs))
    }
    if (limit > 0 && count > limit) {
      this.#active.clear()
      throw new Error(`exceeded limit of ${limit} with ${count} alerts`)
    }
    return samples
  }

  /** Moves an alert to its next state; false when it is not active any more. */
  #advance(key: string, alert: ActiveAlert, present: boolean, timeMs: number): boolean {
    const { forMs, keepFiringForMs } = this.config
    if (present) alert.keepFiringSince = 0
    else {
      if (alert.state === 'firing' && keepFiringForMs > 0 && alert.keepFiringSince === 0)
        alert.keepFiringSince = timeMs
      const keeps =
        alert.state === 'firing' && keepFiringForMs > 0 && timeMs - alert.keepFiringSince < keepFiringForMs
      const forgotten = alert.resolvedAt !== 0 && timeMs - alert.resolvedAt > RESOLVED_RETENTION_MS
      if (alert.state === 'pending' || forgotten) this.#active.delete(key)
      if (alert.state !== 'inactive' && !keeps) {
        alert.state = 'inactive'
        alert.resolvedAt = timeMs
      }
      if (!keeps) return false
    }
    if (alert.state === 'pending' && timeMs - alert.activeAt >= forMs) {
      alert.state = 'firing'
      alert.firedAt = timeMs
    }
    return true
  }

  async #alertOf(sample: PlainSample, evaluation: Evaluation): Promise<ActiveAlert> {
    const series = Labels.fromSortedPairs(sample.pairs)
    const data = {
      labels: series.toObject(),
      externalLabels: evaluation.externalLabels,
      externalUrl: evaluation.externalUrl,
      value: sample.histogram ? histogramText(sample.histogram) : sample.value,
    }
    const context = {
      nowMs: evaluation.timeMs,
      externalUrl: evaluation.externalUrl,
      query: async (expr: string) => (await evaluation.query(expr, evaluation.timeMs)).map(templateSampleOf),
    }
    const expand = async (template: AlertTemplate) => {
      try {
        return await template.expand(data, context)
      } catch (error) {
        const message = `error executing template ${template.name}: ${(error as Error).message}`
        evaluation.onTemplateError(message)
        return `<error expanding template: ${message}>`
      }
    }
    const builder = new LabelsBuilder(series).delete(METRIC_NAME)
    for (const [name, template] of this.#labels) builder.set(name, await expand(template))
    builder.set('alertname', this.name)
    const annotations: Record<string, string> = {}
    for (const [name, template] of this.#annotations) annotations[name] = await expand(template)
    return {
      labels: builder.labels(),
      annotations,
      state: 'pending',
      value: sample.value,
      activeAt: evaluation.timeMs,
      firedAt: 0,
      resolvedAt: 0,
      keepFiringSince: 0,
      lastSentAt: 0,
      validUntil: 0,
    }
  }

  #samplesOf(alert: ActiveAlert, timeMs: number): RuleSample[] {
    const series = (name: string) =>
      new LabelsBuilder(alert.labels).set(METRIC_NAME, name).set('alertname', this.name)
    return [
      { pairs: series('ALERTS').set('alertstate', alert.state).labels().pairs, timeMs, value: 1 },
      { pairs: series('ALERTS_FOR_STATE').labels().pairs, timeMs, value: Math.floor(alert.activeAt / 1000) },
    ]
  }

  /** Alerts to tell Alertmanagers now; they are marked as sent. */
  toSend(timeMs: number, intervalMs: number, resendDelayMs: number): ActiveAlert[] {
    const due = this.alerts().filter((alert) => {
      if (alert.state === 'pending') return false
      return alert.resolvedAt > alert.lastSentAt || alert.lastSentAt + resendDelayMs < timeMs
    })
    for (const alert of due) {
      alert.lastSentAt = timeMs
      // Two evaluations or deliveries may fail before an Alertmanager takes it for resolved.
      alert.validUntil = timeMs + 4 * Math.max(intervalMs, resendDelayMs)
    }
    return due
  }

  state(): AlertState {
    if (this.status.evaluatedAt === 0) return 'unknown'
    const states = new Set(this.alerts().map(({ state }) => state))
    return states.has('firing') ? 'firing' : states.has('pending') ? 'pending' : 'inactive'
  }

  /** Pending and firing alerts as the API shows them. */
  activeJson(): AlertJson[] {
    return this.alerts().flatMap((alert) =>
      alert.state === 'inactive'
        ? []
        : [
            {
              labels: alert.labels.toObject(),
              annotations: alert.annotations,
              state: alert.state,
              activeAt: timeText(alert.activeAt),
              ...(alert.keepFiringSince > 0 && { keepFiringSince: timeText(alert.keepFiringSince) }),
              value: formatFloat(alert.value, 'e', -1),
            },
          ],
    )
  }

  toJson(): AlertingRuleJson {
    return {
      state: this.state(),
      name: this.name,
      query: this.expr,
      duration: this.config.forMs / 1000,
      keepFiringFor: this.config.keepFiringForMs / 1000,
      labels: this.config.labels,
      annotations: this.config.annotations,
      alerts: this.activeJson(),
      ...statusJson(this.status),
      type: 'alerting',
    }
  }
}

function templateSampleOf(sample: PlainSample): TemplateSample {
  return {
    labels: Labels.fromSortedPairs(sample.pairs).toObject(),
    value: sample.histogram ? histogramText(sample.histogram) : sample.value,
  }
}
