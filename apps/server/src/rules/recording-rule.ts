// A recording rule: the answer of an expression, written under a new name.
import { METRIC_NAME, Labels, LabelsBuilder } from '@watchfire/datamodel'
import type { RuleSample } from '../ingest/contract.ts'
import type { RecordingRuleJson } from '../web/contract.ts'
import { RuleStatus, ruleKey, statusJson, type Evaluation, type Rule } from './rule.ts'
import type { RecordingRuleConfig } from './rule-file.ts'

export class RecordingRule implements Rule {
  readonly status = new RuleStatus()
  readonly key: string
  readonly #config: RecordingRuleConfig

  constructor(config: RecordingRuleConfig) {
    this.#config = config
    this.key = ruleKey('recording', config.name, config.labels)
  }

  get name(): string {
    return this.#config.name
  }

  get expr(): string {
    return this.#config.expr
  }

  async evaluate(evaluation: Evaluation): Promise<RuleSample[]> {
    const { name, expr, labels } = this.#config
    const timeMs = evaluation.timeMs - evaluation.queryOffsetMs
    const answer = await evaluation.query(expr, timeMs)
    const seen = new Set<string>()
    const samples = answer.map((sample): RuleSample => {
      const builder = new LabelsBuilder(Labels.fromSortedPairs(sample.pairs)).set(METRIC_NAME, name)
      for (const [label, value] of Object.entries(labels)) builder.set(label, value)
      const series = builder.labels()
      if (seen.has(series.key()))
        throw new Error('vector contains metrics with the same labelset after applying rule labels')
      seen.add(series.key())
      return {
        pairs: series.pairs,
        timeMs,
        value: sample.value,
        ...(sample.histogram && { histogram: sample.histogram }),
      }
    })
    const { limit } = evaluation
    if (limit > 0 && samples.length > limit)
      throw new Error(`exceeded limit of ${limit} with ${samples.length} series`)
    return samples
  }

  toJson(): RecordingRuleJson {
    return {
      name: this.#config.name,
      query: this.#config.expr,
      labels: this.#config.labels,
      ...statusJson(this.status),
      type: 'recording',
    }
  }
}
