// The HTTP application of the server: everything on :9090.
import compress from '@fastify/compress'
import helmet from '@fastify/helmet'
import fastify, { type FastifyError, type FastifyInstance } from 'fastify'
import { registerLintApi } from './api-lint.ts'
import { registerOptionalApi } from './api-optional.ts'
import { registerQueryApi } from './api-query.ts'
import { registerRulesApi } from './api-rules.ts'
import { registerActiveQueriesApi } from './api-active-queries.ts'
import { registerStatusApi } from './api-status.ts'
import { registerTargetsApi } from './api-targets.ts'
import { registerWriteApi } from './api-write.ts'
import { ApiError } from './errors.ts'
import { createApiMetrics } from './metrics.ts'
import { registerFederate } from './federate.ts'
import type { WebOptions } from './options.ts'
import { registerPages } from './pages.ts'
import { RouteTable, registerProtocol } from './protocol.ts'
import { sendError, sendText } from './reply.ts'

/** Largest form body, in bytes. */
const BODY_BYTES_MAX = 10 * 1024 * 1024
/** Longest part of a path, e.g. a label's name. */
const PARAM_CHARS_MAX = 4096

/** Builds the application; it does not listen. */
export async function createWebApp(options: WebOptions): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    routerOptions: {
      maxParamLength: PARAM_CHARS_MAX,
      querystringParser: () => ({}),
    },
  })
  const routes = new RouteTable()
  const prefix = options.routePrefix === '/' ? '' : options.routePrefix
  app.addHook('onRoute', ({ url, method }) => {
    const local = url.slice(prefix.length) || '/'
    routes.add(local, Array.isArray(method) ? method : [method])
  })
  registerBodies(app)
  registerErrors(app, options)
  registerProtocol(app, options, routes, createApiMetrics(options.registry))
  await app.register(helmet, SECURITY)
  await app.register(compress, {
    global: true,
    globalDecompression: false,
    encodings: ['gzip', 'deflate'],
    threshold: 512,
  })
  await app.register(
    async (scope) => {
      registerPages(scope, options)
      registerFederate(scope, options)
      await scope.register(
        async (api) => {
          registerQueryApi(api, options)
          registerTargetsApi(api, options)
          registerRulesApi(api, options)
          registerStatusApi(api, options)
          registerActiveQueriesApi(api, options)
          registerOptionalApi(api, options)
          registerLintApi(api, options)
          registerWriteApi(api, options)
        },
        { prefix: '/api/v1' },
      )
    },
    { prefix },
  )
  return app
}

/** Pages may load nothing from elsewhere. Styles are set by scripts of the component library. */
const SECURITY = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      fontSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      workerSrc: ["'self'", 'blob:'],
      objectSrc: ["'none'"],
      baseUri: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'self'"],
    },
  },
  // The server itself speaks plain HTTP; who adds TLS in front adds this too.
  strictTransportSecurity: false,
  crossOriginResourcePolicy: false,
  crossOriginOpenerPolicy: false,
} as const

/** Forms are parsed; any other body is ignored, as the API takes its parameters from the URL then. */
function registerBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  )
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined))
}

function registerErrors(app: FastifyInstance, options: WebOptions): void {
  app.setErrorHandler(async (error: FastifyError | ApiError, request, reply) => {
    if (error instanceof ApiError) return sendError(reply, error)
    const status = error.statusCode ?? 500
    if (status < 500) {
      if (status === 413) return sendError(reply, new ApiError('bad_data', 'http: request body too large'))
      return sendText(reply, status, `${error.message}\n`)
    }
    options.logger.error('Request failed', {
      component: 'web',
      method: request.method,
      url: request.url,
      err: error,
    })
    return sendError(reply, new ApiError('internal', error.message))
  })
}
