// Metrics of the notifier, under Prometheus's names. `alertmanager` is the URL alerts are posted to.
import { Counter, Gauge, Summary, type Registry } from '@watchfire/instrument'

export function createNotifierMetrics(
  registry: Registry,
  capacity: number,
  read: { readonly queues: () => Iterable<readonly [string, number]>; readonly discovered: () => number },
) {
  const registers = [registry]
  const labelNames = ['alertmanager'] as const
  new Gauge({
    name: 'prometheus_notifications_queue_capacity',
    help: 'The capacity of the alert notifications queue.',
    registers,
  }).set(capacity)
  new Gauge({
    name: 'prometheus_notifications_alertmanagers_discovered',
    help: 'The number of alertmanagers discovered and active.',
    registers,
    collect() {
      this.set(read.discovered())
    },
  })
  const length = new Gauge({
    name: 'prometheus_notifications_queue_length',
    help: 'The number of alert notifications in the queue.',
    labelNames,
    registers,
    collect() {
      for (const [alertmanager, count] of read.queues()) this.set({ alertmanager }, count)
    },
  })
  return {
    length,
    sent: new Counter({
      name: 'prometheus_notifications_sent_total',
      help: 'Total number of alerts sent.',
      labelNames,
      registers,
    }),
    errors: new Counter({
      name: 'prometheus_notifications_errors_total',
      help: 'Total number of sent alerts affected by errors.',
      labelNames,
      registers,
    }),
    dropped: new Counter({
      name: 'prometheus_notifications_dropped_total',
      help: 'Total number of alerts dropped due to errors when sending to Alertmanager.',
      labelNames,
      registers,
    }),
    latency: new Summary({
      name: 'prometheus_notifications_latency_seconds',
      help: 'Latency quantiles for sending alert notifications.',
      labelNames,
      registers,
    }),
  }
}

export type NotifierMetrics = ReturnType<typeof createNotifierMetrics>
