// The Alertmanager's own metrics, under Alertmanager's names.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from '@watchfire/instrument'

/** Values that are read when somebody scrapes. */
export interface MetricSources {
  alertCounts(): { active: number; suppressed: number }
  silenceCounts(): { active: number; pending: number; expired: number }
  groupCount(): number
  limitedAlerts(): number
}

export function createMetrics(version: string, now: () => number) {
  const registry = new Registry({ now })
  const registers = [registry]
  collectDefaultMetrics({ registry, nodejs: false })
  let sources: MetricSources | undefined
  new Gauge({
    name: 'alertmanager_build_info',
    help: 'A metric with a constant 1 value labeled by version and goversion from which alertmanager was built.',
    labelNames: ['version', 'goversion'],
    registers,
  }).set({ version, goversion: process.version }, 1)
  const alerts = new Gauge({
    name: 'alertmanager_alerts',
    help: 'How many alerts by state.',
    labelNames: ['state'],
    registers,
    collect() {
      const counts = sources?.alertCounts() ?? { active: 0, suppressed: 0 }
      this.set({ state: 'active' }, counts.active)
      this.set({ state: 'suppressed' }, counts.suppressed)
      this.set({ state: 'unprocessed' }, 0)
    },
  })
  const silences = new Gauge({
    name: 'alertmanager_silences',
    help: 'How many silences by state.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const [state, count] of Object.entries(sources?.silenceCounts() ?? {})) this.set({ state }, count)
    },
  })
  const groups = new Gauge({
    name: 'alertmanager_dispatcher_aggregation_groups',
    help: 'Number of active aggregation groups',
    registers,
    collect() {
      this.set(sources?.groupCount() ?? 0)
    },
  })
  const integration = ['integration'] as const
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name, help, labelNames, registers })
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers })
  return {
    registry,
    alerts,
    silences,
    groups,
    /** Tells where the values taken at scrape time come from. */
    connect(from: MetricSources) {
      sources = from
    },
    received: counter('alertmanager_alerts_received_total', 'The total number of received alerts.', [
      'status',
      'version',
    ]),
    invalid: counter(
      'alertmanager_alerts_invalid_total',
      'The total number of received alerts that were invalid.',
      ['version'],
    ),
    limited: new Counter({
      name: 'alertmanager_alerts_limited_total',
      help: 'Total number of alerts that were dropped due to limits',
      registers,
      collect() {
        const more = (sources?.limitedAlerts() ?? 0) - (this.series[0]?.value ?? 0)
        if (more > 0) this.inc(more)
      },
    }),
    notifications: counter(
      'alertmanager_notifications_total',
      'The total number of attempted notifications.',
      integration,
    ),
    failed: counter('alertmanager_notifications_failed_total', 'The total number of failed notifications.', [
      'integration',
      'reason',
    ]),
    requests: counter(
      'alertmanager_notification_requests_total',
      'The total number of attempted notification requests.',
      integration,
    ),
    requestsFailed: counter(
      'alertmanager_notification_requests_failed_total',
      'The total number of failed notification requests.',
      integration,
    ),
    suppressed: counter(
      'alertmanager_notifications_suppressed_total',
      'The total number of notifications suppressed for being silenced, inhibited, outside of active time intervals or within muted time intervals.',
      ['reason'],
    ),
    latency: new Histogram({
      name: 'alertmanager_notification_latency_seconds',
      help: 'The latency of notifications in seconds.',
      labelNames: integration,
      buckets: [1, 5, 10, 15, 20],
      registers,
    }),
    reloadOk: gauge(
      'alertmanager_config_last_reload_successful',
      'Whether the last configuration reload attempt was successful.',
    ),
    reloadTime: gauge(
      'alertmanager_config_last_reload_success_timestamp_seconds',
      'Timestamp of the last successful configuration reload.',
    ),
    receivers: gauge('alertmanager_receivers', 'Number of configured receivers.'),
    integrations: gauge('alertmanager_integrations', 'Number of configured integrations.'),
    inhibitionRules: gauge('alertmanager_inhibition_rules', 'Number of configured inhibition rules.'),
  }
}

export type AlertmanagerMetrics = ReturnType<typeof createMetrics>
