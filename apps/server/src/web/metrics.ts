// The server's own metrics that the main thread keeps, named as Prometheus's (the ingest worker keeps its own).
import { Counter, Gauge, Histogram, type Registry } from '@watchfire/instrument'
import type { QueryPoolEvents, TaskCost } from '../query/index.ts'
import type { BuildInfo } from './options.ts'

/** Counts requests by route. */
export interface ApiMetrics {
  /** `bytes` is NaN when the length is not known. */
  observe(handler: string, code: number, seconds: number, bytes: number): void
}

export function createApiMetrics(registry: Registry): ApiMetrics {
  const registers = [registry]
  const requests = new Counter({
    name: 'prometheus_http_requests_total',
    help: 'Counter of HTTP requests.',
    labelNames: ['handler', 'code'],
    registers,
  })
  const durations = new Histogram({
    name: 'prometheus_http_request_duration_seconds',
    help: 'Histogram of latencies for HTTP requests.',
    labelNames: ['handler'],
    buckets: [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120],
    registers,
  })
  const sizes = new Histogram({
    name: 'prometheus_http_response_size_bytes',
    help: 'Histogram of response size for HTTP requests.',
    labelNames: ['handler'],
    buckets: [1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9],
    registers,
  })
  return {
    observe(handler, code, seconds, bytes) {
      requests.inc({ handler, code })
      durations.observe({ handler }, seconds)
      if (!Number.isNaN(bytes)) sizes.observe({ handler }, bytes)
    },
  }
}

/** Metrics of configuration and start. */
export interface LifeMetrics {
  reloaded(succeeded: boolean, nowMs: number): void
  ready(isReady: boolean): void
}

export function createLifeMetrics(registry: Registry, build: BuildInfo): LifeMetrics {
  const registers = [registry]
  new Gauge({
    name: 'prometheus_build_info',
    help: "A metric with a constant '1' value labeled by version, revision, branch, goversion from which prometheus was built, and the goos and goarch for the build.",
    labelNames: ['version', 'revision', 'branch', 'goversion', 'goos', 'goarch', 'tags'],
    registers,
  }).set(
    {
      version: build.version,
      revision: build.revision,
      branch: build.branch,
      goversion: build.goVersion,
      goos: process.platform,
      goarch: process.arch,
      tags: '',
    },
    1,
  )
  const succeeded = new Gauge({
    name: 'prometheus_config_last_reload_successful',
    help: 'Whether the last configuration reload attempt was successful.',
    registers,
  })
  const at = new Gauge({
    name: 'prometheus_config_last_reload_success_timestamp_seconds',
    help: 'Timestamp of the last successful configuration reload.',
    registers,
  })
  const ready = new Gauge({
    name: 'prometheus_ready',
    help: 'Whether Prometheus startup was fully completed and the server is ready for normal operation.',
    registers,
  })
  return {
    reloaded(ok, nowMs) {
      succeeded.set(ok ? 1 : 0)
      if (ok) at.set(nowMs / 1000)
    },
    ready: (isReady) => ready.set(isReady ? 1 : 0),
  }
}

/** Metrics of the query pool. `running` is asked when a scrape comes. */
export function createEngineMetrics(
  registry: Registry,
  concurrencyMax: number,
  running: () => number,
): QueryPoolEvents {
  const registers = [registry]
  new Gauge({
    name: 'prometheus_engine_queries',
    help: 'The current number of queries being executed or waiting.',
    registers,
    collect() {
      this.set(running())
    },
  })
  new Gauge({
    name: 'prometheus_engine_queries_concurrent_max',
    help: 'The max number of concurrent queries.',
    registers,
  }).set(concurrencyMax)
  const durations = new Histogram({
    name: 'prometheus_engine_query_duration_histogram_seconds',
    help: 'The duration of various parts of PromQL query execution.',
    labelNames: ['slice'],
    buckets: [0.01, 0.1, 1, 10],
    registers,
  })
  const total = new Counter({
    name: 'prometheus_engine_query_samples_total',
    help: 'The total number of samples loaded by all queries.',
    registers,
  })
  const read = new Counter({
    name: 'prometheus_engine_query_samples_read_total',
    help: 'The total number of samples read by all queries.',
    registers,
  })
  const died = new Counter({
    name: 'watchfire_query_workers_died_total',
    help: 'Query workers that ended before their query did.',
    registers,
  })
  return {
    onFinished(cost: TaskCost | undefined, queueSeconds: number) {
      durations.observe({ slice: 'queue_time' }, queueSeconds)
      if (!cost) return
      durations.observe({ slice: 'prepare_time' }, cost.prepareSeconds)
      durations.observe({ slice: 'inner_eval' }, cost.evalSeconds)
      durations.observe({ slice: 'result_sort' }, cost.sortSeconds)
      total.inc(cost.samplesTotal)
      read.inc(cost.samplesRead)
    },
    onWorkerDied: () => died.inc(),
  }
}
