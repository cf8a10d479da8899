// Metrics of the rule groups, under Prometheus's names. `rule_group` is `file;name`.
import { Counter, Gauge, Summary, type Registry } from '@watchfire/instrument'

export function createRuleMetrics(registry: Registry) {
  const registers = [registry]
  const labelNames = ['rule_group'] as const
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames, registers })
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames, registers })
  return {
    evaluations: counter('prometheus_rule_evaluations_total', 'The total number of rule evaluations.'),
    failures: counter(
      'prometheus_rule_evaluation_failures_total',
      'The total number of rule evaluation failures.',
    ),
    iterations: counter(
      'prometheus_rule_group_iterations_total',
      'The total number of scheduled rule group evaluations, whether executed or missed.',
    ),
    missed: counter(
      'prometheus_rule_group_iterations_missed_total',
      'The total number of rule group evaluations missed due to slow rule group evaluation.',
    ),
    interval: gauge('prometheus_rule_group_interval_seconds', 'The interval of a rule group.'),
    lastDuration: gauge(
      'prometheus_rule_group_last_duration_seconds',
      'The duration of the last rule group evaluation.',
    ),
    lastEvaluation: gauge(
      'prometheus_rule_group_last_evaluation_timestamp_seconds',
      'The timestamp of the last rule group evaluation in seconds.',
    ),
    lastSamples: gauge(
      'prometheus_rule_group_last_evaluation_samples',
      'The number of samples returned during the last rule group evaluation.',
    ),
    rules: gauge('prometheus_rule_group_rules', 'The number of rules.'),
    duration: new Summary({
      name: 'prometheus_rule_evaluation_duration_seconds',
      help: 'The duration for a rule to execute.',
      registers,
    }),
    groupDuration: new Summary({
      name: 'prometheus_rule_group_duration_seconds',
      help: 'The duration of rule group evaluations.',
      registers,
    }),
  }
}

export type RuleMetrics = ReturnType<typeof createRuleMetrics>

/** Forgets the series of a group that is gone. */
export function dropGroupMetrics(metrics: RuleMetrics, group: string): void {
  for (const metric of Object.values(metrics))
    if (metric instanceof Counter || metric instanceof Gauge) metric.remove({ rule_group: group })
}
