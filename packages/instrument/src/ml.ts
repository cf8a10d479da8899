// The metrics of an ML inference service, with the names and labels of the use case. Only models that were made known get
// series of their own: whatever name a client makes up is counted under one fixed value.
import { Counter, Gauge, Histogram } from './index.ts'
import type { NativeOptions, Registry } from './index.ts'

/** Label value of models and versions nobody has made known. */
export const UNKNOWN = 'unknown'

/** Seconds; buckets of ml_predictions_duration_seconds. */
export const PREDICTION_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]

/** Seconds; buckets of ml_model_refresh_duration_seconds: loads take longer than predictions. */
export const REFRESH_BUCKETS: readonly number[] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export interface MlMetricsOptions {
  predictionBuckets?: readonly number[]
  refreshBuckets?: readonly number[]
  /** Native buckets of both durations, or false for classic ones only. Default: growth factor 1.1. */
  native?: NativeOptions | false
  /** Most models × versions made known; those above are counted as unknown. Default 1,000. */
  maxModelVersions?: number
}

export interface Prediction {
  readonly model: string
  readonly version: string
  readonly status: 'success' | 'error'
  /** Time of the inference alone, without waiting or loading. Observed for successes, as in the use case. */
  readonly seconds: number
  readonly exemplarLabels?: Readonly<Record<string, string>>
}

export interface MlMetrics {
  /** Makes a model version known: all its series exist from now on, at 0. False if there are too many. */
  registerModel(model: string, version: string): boolean
  /** One request, however many rows it had. */
  observePrediction(prediction: Prediction): void
  /** A prediction has begun; call the result when it ends. */
  beginPrediction(model: string, version: string): () => void
  /** A model could not be loaded. A made-up model or version counts as unknown. */
  loadError(model: string, version: string): void
  /** Whether a version is loaded; a version that is not stays visible at 0. */
  setActive(model: string, version: string, active: boolean): void
  /** A refresh has ended; `model` is undefined where it was of all models. */
  observeRefresh(model: string | undefined, result: 'success' | 'error', seconds: number): void
}

/** Value of `model_name` for a refresh of all models at once. */
export const ALL_MODELS = 'all'

export function createMlMetrics(registry: Registry, options: MlMetricsOptions = {}): MlMetrics {
  const families = createFamilies(registry, options)
  const maxModelVersions = options.maxModelVersions ?? 1000
  const known = new Map<string, Set<string>>()
  let knownCount = 0
  const labelsOf = (model: string, version: string) => {
    const versions = known.get(model)
    return {
      model_name: versions ? model : UNKNOWN,
      version: versions?.has(version) ? version : UNKNOWN,
    }
  }
  families.loadErrors.labels(UNKNOWN, UNKNOWN)
  for (const model of [ALL_MODELS, UNKNOWN]) families.beginRefreshSeries(model)

  return {
    registerModel(model, version) {
      let versions = known.get(model)
      if (versions?.has(version)) return true
      if (knownCount >= maxModelVersions) return false
      if (versions === undefined) {
        known.set(model, (versions = new Set()))
        families.loadErrors.labels(model, UNKNOWN)
        families.beginRefreshSeries(model)
      }
      versions.add(version)
      knownCount++
      families.predictions.labels(model, version, 'success')
      families.predictions.labels(model, version, 'error')
      families.duration.labels(model, version)
      families.loadErrors.labels(model, version)
      families.active.labels(model, version)
      families.inFlight.labels(model, version)
      return true
    },
    observePrediction({ model, version, status, seconds, exemplarLabels }) {
      const labels = labelsOf(model, version)
      families.predictions.labels(labels.model_name, labels.version, status).inc(1, exemplarLabels)
      if (status === 'success')
        families.duration.labels(labels.model_name, labels.version).observe(seconds, exemplarLabels)
    },
    beginPrediction(model, version) {
      const gauge = families.inFlight.labels(labelsOf(model, version))
      gauge.inc()
      return () => gauge.dec()
    },
    loadError(model, version) {
      families.loadErrors.inc(labelsOf(model, version))
    },
    setActive(model, version, active) {
      families.active.set(labelsOf(model, version), active ? 1 : 0)
    },
    observeRefresh(model, result, seconds) {
      const name = model === undefined ? ALL_MODELS : known.has(model) ? model : UNKNOWN
      families.refreshes.labels(name, result).inc()
      families.refreshDuration.labels(name).observe(seconds)
    },
  }
}

function createFamilies(registry: Registry, options: MlMetricsOptions) {
  const registers = [registry]
  const native = options.native === false ? {} : { native: options.native ?? { growthFactor: 1.1 } }
  const refreshes = new Counter({
    name: 'ml_model_refresh_total',
    help: 'Total number of model refreshes',
    labelNames: ['model_name', 'result'],
    registers,
  })
  const refreshDuration = new Histogram({
    name: 'ml_model_refresh_duration_seconds',
    help: 'Time spent refreshing a model',
    labelNames: ['model_name'],
    buckets: options.refreshBuckets ?? REFRESH_BUCKETS,
    ...native,
    unit: 'seconds',
    registers,
  })
  return {
    predictions: new Counter({
      name: 'ml_predictions_total',
      help: 'Total number of predictions made',
      labelNames: ['model_name', 'version', 'status'],
      registers,
    }),
    duration: new Histogram({
      name: 'ml_predictions_duration_seconds',
      help: 'Time spent processing predictions',
      labelNames: ['model_name', 'version'],
      buckets: options.predictionBuckets ?? PREDICTION_BUCKETS,
      ...native,
      unit: 'seconds',
      registers,
    }),
    loadErrors: new Counter({
      name: 'ml_model_load_errors_total',
      help: 'Total number of model loading errors',
      labelNames: ['model_name', 'version'],
      registers,
    }),
    active: new Gauge({
      name: 'ml_active_models',
      help: 'Number of currently active models',
      labelNames: ['model_name', 'version'],
      registers,
    }),
    inFlight: new Gauge({
      name: 'ml_predictions_in_flight',
      help: 'Number of predictions that have begun and not ended',
      labelNames: ['model_name', 'version'],
      registers,
    }),
    refreshes,
    refreshDuration,
    beginRefreshSeries(model: string): void {
      for (const result of ['success', 'error']) refreshes.labels(model, result)
      refreshDuration.labels(model)
    },
  }
}
