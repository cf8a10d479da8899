// The endpoints of the service and what each counts.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { MlMetrics } from '@watchfire/instrument/ml'
import { InferenceError, ModelLoadError } from '../runtime/index.ts'
import type { ModelSession, ModelStore, StoredVersion } from '../runtime/index.ts'
import { ApiError } from './errors.ts'
import { readName, readPredictInput, readReference, record } from './predict-input.ts'
import type { PredictInput, PredictLimits } from './predict-input.ts'
import { schemas } from './schemas.ts'

export interface RouteContext {
  readonly store: ModelStore
  readonly metrics: MlMetrics
  readonly limits: PredictLimits
}

export function addRoutes(app: FastifyInstance, context: RouteContext): void {
  const { store, limits } = context
  app.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs'))
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())

  app.post('/predict', { schema: schemas.predict }, async (request) => {
    const input = readPredictInput(request.query, request.body, limits)
    return store.use(input.name, input.reference, (session) => predict(session, input, request, context))
  })

  app.post('/is_model_available', { schema: schemas.isModelAvailable }, (request) => {
    const body = record(request.body)
    return { available: store.isAvailable(readName(body.model_name), readReference(body.version)) }
  })

  app.post('/refresh', { schema: schemas.refresh }, async (request) => {
    const body = record(request.body)
    const name = body.model_name == null ? undefined : readName(body.model_name)
    const reference = readReference(body.version)
    if (name === undefined && reference !== undefined)
      throw new ApiError(422, 'invalid_request', 'a version needs a model_name')
    return { status: 'models loaded', models: await refresh(store, name, reference) }
  })

  app.get('/models', { schema: schemas.models }, () => store.list().map(describe))

  app.get('/models/:name/samples', { schema: schemas.samples }, (request) => {
    const { name } = request.params as { name: string }
    return store.describe(name, readReference(record(request.query).version)).samples
  })

  app.get('/health', { schema: schemas.health }, () => ({
    status: 'healthy',
    models_loaded: store.list().filter((v) => v.session !== undefined).length,
    onnxruntime_available: true,
    prometheus_available: true,
  }))

  app.get('/ready', { schema: schemas.ready }, () => {
    if (!store.ready) throw new ApiError(503, 'not_ready', 'not every model is loaded')
    return { status: 'ready' }
  })
}

/** One prediction request. Only what fails in the session counts as an error of the model, as in the use case. */
async function predict(
  session: ModelSession,
  input: PredictInput,
  request: FastifyRequest,
  { metrics }: RouteContext,
): Promise<{ model_name: string; version: string; predictions: number[] }> {
  const { name, version, featureCount } = session.model
  const end = metrics.beginPrediction(name, version)
  const began = performance.now()
  const count = (status: 'success' | 'error') => {
    end()
    const seconds = (performance.now() - began) / 1000
    metrics.observePrediction({ model: name, version, status, seconds, ...exemplarOf(request) })
  }
  try {
    const predictions = await session.predict(input.rows)
    count('success')
    return { model_name: name, version, predictions }
  } catch (error) {
    count('error')
    const width = input.rows[0]!.length
    if (error instanceof InferenceError && width !== featureCount)
      throw new ApiError(422, 'invalid_rows', `model ${name} takes ${featureCount} features, not ${width}`)
    throw error
  }
}

/** The caller's trace (W3C traceparent), so that a slow bucket leads to a request. */
function exemplarOf(request: FastifyRequest): { exemplarLabels?: { trace_id: string } } {
  const header = request.headers.traceparent
  const id = typeof header === 'string' ? /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(header)?.[1] : undefined
  return id === undefined ? {} : { exemplarLabels: { trace_id: id } }
}

/** The use case's shape: for each model pairs of versions. */
async function refresh(store: ModelStore, name: string | undefined, reference: string | undefined) {
  try {
    const models: Record<string, [string, string][]> = {}
    for (const served of await store.refresh(name, reference))
      (models[served.name] ??= []).push([served.version, served.version])
    return models
  } catch (error) {
    if (error instanceof ModelLoadError) throw new ApiError(500, 'model_load_failed', error.message)
    throw error
  }
}

function describe({ model, isDefault, session }: StoredVersion) {
  return {
    model_name: model.name,
    version: model.version,
    stage: model.stage,
    aliases: model.aliases,
    default: isDefault,
    loaded: session !== undefined,
    loaded_at: session?.loadedAt.toISOString() ?? null,
    n_features: model.featureCount,
    features: model.features,
    input_shape: [null, model.featureCount],
    output_shape: [null],
    output: model.output,
    classes: model.classes,
    algorithm: model.algorithm,
    trained_at: model.trainedAt,
    metrics: model.metrics,
    dataset: model.dataset,
  }
}
