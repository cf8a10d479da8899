// Builds the service: models, metrics, routes. Nothing listens yet, so tests can inject requests.
import { fileURLToPath } from 'node:url'
import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import { Registry, collectDefaultMetrics } from '@watchfire/instrument'
import { fastifyMetrics } from '@watchfire/instrument/fastify'
import { createMlMetrics } from '@watchfire/instrument/ml'
import Fastify from 'fastify'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { answerErrors, answerFrameworkError } from './api/errors.ts'
import { addRoutes } from './api/routes.ts'
import { schemas } from './api/schemas.ts'
import { createFolderRegistry } from './registry/index.ts'
import type { ModelRegistry } from './registry/index.ts'
import { ModelStore } from './runtime/index.ts'

/** The models this package ships. */
export const SHIPPED_MODELS_DIR = fileURLToPath(new URL('../models', import.meta.url))

export interface InferenceAppOptions {
  /** Folder of models. Default: the shipped ones. */
  modelsDir?: string
  /** Where models come from; overrides `modelsDir`. */
  registry?: ModelRegistry
  /** Most rows of one prediction. Default 5,000. */
  maxRows?: number
  /** Most numbers of one row. Default 10,000. */
  maxRowLength?: number
  /** Largest request body, bytes. Default 16 MiB. */
  bodyLimitBytes?: number
  /** Threads inside one inference. Default 1. */
  threads?: number
  /** A version that failed to load is not tried again by a prediction for so long, ms. Default 10,000. */
  retryAfterMs?: number
  /** How long requests under way may take when the service ends, ms. Default 3,000. */
  closeGraceMs?: number
  /** Default: silent. */
  logger?: FastifyBaseLogger
}

export interface InferenceApp {
  readonly app: FastifyInstance
  readonly store: ModelStore
  readonly metrics: Registry
  /** Ends everything, after the requests under way or `closeGraceMs`. */
  close(): Promise<void>
}

/** The service with its models loaded. Throws RegistryError if the models cannot be read at all. */
export async function createInferenceApp(options: InferenceAppOptions = {}): Promise<InferenceApp> {
  const metrics = new Registry()
  const stopDefaults = collectDefaultMetrics({ registry: metrics })
  const ml = createMlMetrics(metrics)
  const app = createFastify(options)
  const registry = options.registry ?? createFolderRegistry(options.modelsDir ?? SHIPPED_MODELS_DIR)
  const store = new ModelStore(registry, ml, {
    threads: options.threads ?? 1,
    retryAfterMs: options.retryAfterMs ?? 10_000,
    onFault: (message) => app.log.error(message),
  })
  const close = async () => {
    // A connection that never sent a request is not idle to Node: it, and answers that take too long, are cut off.
    const deadline = setTimeout(() => app.server.closeAllConnections(), options.closeGraceMs ?? 3000)
    await app.close()
    clearTimeout(deadline)
    await store.close()
    stopDefaults()
  }
  try {
    await store.open()
    await addPlugins(app, metrics)
    addRoutes(app, {
      store,
      metrics: ml,
      limits: { maxRows: options.maxRows ?? 5000, maxRowLength: options.maxRowLength ?? 10_000 },
    })
    await app.ready()
  } catch (error) {
    await close()
    throw error
  }
  return { app, store, metrics, close }
}

function createFastify(options: InferenceAppOptions): FastifyInstance {
  const app = Fastify({
    ...(options.logger ? { loggerInstance: options.logger } : { logger: false }),
    bodyLimit: options.bodyLimitBytes ?? 16 << 20,
    requestTimeout: 30_000,
    frameworkErrors: answerFrameworkError,
    forceCloseConnections: 'idle',
  })
  // Requests are checked by hand: the schemas are for /docs.
  app.setValidatorCompiler(() => () => true)
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else void parseJson(request, body as string, done)
  })
  answerErrors(app)
  return app
}

async function addPlugins(app: FastifyInstance, metrics: Registry): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      info: {
        title: 'ML Model Inference API',
        version: '1.0.0',
        description: 'Predictions from registered ONNX models, with Prometheus metrics.',
      },
    },
  })
  await app.register(fastifyMetrics, {
    registry: metrics,
    gzip: true,
    native: { growthFactor: 1.1 },
    inProgress: true,
    openConnections: true,
    endpointSchema: schemas.metrics,
  })
  await app.register(fastifySwaggerUi, { routePrefix: '/docs' })
}
