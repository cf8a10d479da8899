// The metrics of discovery, under Prometheus's names.
import { Counter, Gauge, Histogram, Summary, type Registry } from '@watchfire/instrument'
import type { DiscoveryEvents } from './events.ts'

const ROLES = ['endpointslice', 'endpoints', 'node', 'pod', 'service', 'ingress']

/** Metrics for both managers (`scrape` and `notify`). */
export function createDiscoveryMetrics(registry: Registry): (name: string) => DiscoveryEvents {
  const registers = [registry]
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name: `prometheus_sd_${name}`, help, labelNames: [...labelNames], registers })
  const gauge = (name: string, help: string, labelNames: readonly string[]) =>
    new Gauge({ name: `prometheus_sd_${name}`, help, labelNames: [...labelNames], registers })
  const discovered = gauge('discovered_targets', 'Current number of discovered targets.', ['name', 'config'])
  const updates = counter('updates_total', 'Total number of update events sent to the SD consumers.', [
    'name',
  ])
  const received = counter(
    'received_updates_total',
    'Total number of update events received from the SD providers.',
    ['name'],
  )
  const delayed = counter(
    'updates_delayed_total',
    "Total number of update events that couldn't be sent immediately.",
    ['name'],
  )
  const failedConfigs = gauge(
    'failed_configs',
    'Current number of service discovery configurations that failed to load.',
    ['name'],
  )
  const lastUpdate = gauge(
    'last_update_timestamp_seconds',
    'Timestamp of the last update sent to the SD consumers.',
    ['name', 'config'],
  )
  const refreshFailures = counter(
    'refresh_failures_total',
    'Number of refresh failures for the given SD mechanism.',
    ['mechanism', 'config'],
  )
  const refreshDuration = new Summary({
    name: 'prometheus_sd_refresh_duration_seconds',
    help: 'The duration of a refresh in seconds for the given SD mechanism.',
    labelNames: ['mechanism', 'config'],
    registers,
  })
  const refreshHistogram = new Histogram({
    name: 'prometheus_sd_refresh_duration_histogram_seconds',
    help: 'The duration of a refresh for the given SD mechanism.',
    labelNames: ['mechanism'],
    buckets: [0.01, 0.1, 1, 10],
    registers,
  })
  const fileReadErrors = counter('file_read_errors_total', 'The number of File-SD read errors.')
  const fileWatchErrors = counter(
    'file_watcher_errors_total',
    'The number of File-SD errors caused by filesystem watch failures.',
  )
  const httpFailures = counter('http_failures_total', 'Number of HTTP service discovery refresh failures.')
  const dnsLookups = counter('dns_lookups_total', 'The number of DNS-SD lookups.')
  const dnsFailures = counter('dns_lookup_failures_total', 'The number of DNS-SD lookup failures.')
  const consulFailures = counter('consul_rpc_failures_total', 'The number of Consul RPC call failures.')
  const consulDuration = new Summary({
    name: 'prometheus_sd_consul_rpc_duration_seconds',
    help: 'The duration of a Consul RPC call in seconds.',
    labelNames: ['endpoint', 'call'],
    registers,
  })
  const kubernetesEvents = counter('kubernetes_events_total', 'The number of Kubernetes events handled.', [
    'role',
    'event',
  ])
  const kubernetesFailures = counter('kubernetes_failures_total', 'The number of failed WATCH/LIST requests.')
  for (const role of ROLES)
    for (const event of ['add', 'delete', 'update']) kubernetesEvents.inc({ role, event }, 0)
  return (name) => {
    failedConfigs.set({ name }, 0)
    for (const metric of [updates, received, delayed]) metric.inc({ name }, 0)
    return {
      onUpdate(config, count) {
        updates.inc({ name })
        discovered.set({ name, config }, count)
        lastUpdate.set({ name, config }, Date.now() / 1000)
      },
      onRemoved: (config) => discovered.set({ name, config }, 0),
      onReceived: () => received.inc({ name }),
      onDelayed: () => delayed.inc({ name }),
      onFailedConfigs: (count) => failedConfigs.set({ name }, count),
      onRefresh(mechanism, config, seconds, failed) {
        refreshDuration.observe({ mechanism, config }, seconds)
        refreshHistogram.observe({ mechanism }, seconds)
        refreshFailures.inc({ mechanism, config }, failed ? 1 : 0)
      },
      onFileReadError: () => fileReadErrors.inc(),
      onFileWatchError: () => fileWatchErrors.inc(),
      onHttpFailure: () => httpFailures.inc(),
      onDnsLookup(failed) {
        dnsLookups.inc()
        if (failed) dnsFailures.inc()
      },
      onConsulCall(endpoint, call, seconds, failed) {
        consulDuration.observe({ endpoint, call }, seconds)
        if (failed) consulFailures.inc()
      },
      onKubernetesEvent: (role, event) => kubernetesEvents.inc({ role, event }),
      onKubernetesFailure: () => kubernetesFailures.inc(),
    }
  }
}
