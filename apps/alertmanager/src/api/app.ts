// The HTTP side: API v2, the inbox, probes, metrics and the page. Only this folder knows Fastify.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Alertmanager } from '../alertmanager.ts'
import type { SilenceState } from '../silence/index.ts'
import { getAlertGroups, getAlerts, postAlerts } from './alerts-api.ts'
import { ApiError, parseBody } from './body.ts'
import { readFilter, readFlag, readMatchers, type Query } from './query.ts'
import { deleteSilence, getSilence, getSilences, postSilence } from './silences-api.ts'

export interface ApiOptions {
  readonly version: string
  /** Folder of the built pages; without it `/` answers with a short text. */
  readonly uiDir?: string
  /** Paths are served below this one, e.g. `/am`. */
  readonly routePrefix?: string
  /** Throws when the new configuration cannot be used; the message is shown. */
  readonly reload: () => Promise<void>
  /** Most bytes of a request. Default 32 MiB. */
  readonly bodyBytesMax?: number
}

const V1_GONE = {
  status: 'deprecated',
  error:
    'The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0 - please use the equivalent route in the v2 API',
}

/** Methods of known paths, for 405 answers; in the order the answers list them. */
const API_METHODS: readonly (readonly [RegExp, string])[] = [
  [/^\/api\/v2\/(alerts|silences)$/, 'POST,GET'],
  [/^\/api\/v2\/(alerts\/groups|status|receivers)$/, 'GET'],
  [/^\/api\/v2\/silence\/[^/]+$/, 'DELETE,GET'],
]
const PLAIN_PATHS = /^\/(-\/(healthy|ready|reload)|api\/v1\/(alerts|inbox)|metrics)$/

/** Builds the app around a running Alertmanager; the caller listens and closes. */
export async function createApp(manager: Alertmanager, options: ApiOptions): Promise<FastifyInstance> {
  const { routePrefix = '' } = options
  const app = fastify({
    logger: false,
    rewriteUrl: ({ url = '/' }) => withoutPrefix(url, routePrefix),
    exposeHeadRoutes: false,
    bodyLimit: options.bodyBytesMax ?? 32 * 1024 * 1024,
    routerOptions: { maxParamLength: 300 },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  await app.register(helmet, {
    hsts: false,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        frameAncestors: ["'self'"],
      },
    },
  })
  app.setErrorHandler(sendError)
  app.setNotFoundHandler(sendNotFound)
  registerApi(app, manager, options)
  registerManagement(app, manager, options)
  await registerPages(app, options.uiDir)
  return app
}

/** The path below the prefix; everything else is nowhere. */
function withoutPrefix(url: string, prefix: string): string {
  if (prefix === '') return url
  if (url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`))
    return url.slice(prefix.length).replace(/^(?!\/)/, '/')
  return `/-/outside`
}

function registerApi(app: FastifyInstance, manager: Alertmanager, options: ApiOptions): void {
  const json = (reply: FastifyReply, body: unknown) => {
    reply.headers({ vary: 'Origin', 'cache-control': 'no-store' })
    if (body === undefined) return reply.send('')
    return reply.header('content-type', 'application/json').send(JSON.stringify(body) + '\n')
  }
  const query = (request: FastifyRequest) => request.query as Query
  const alertFilter = (q: Query) => ({
    ...readFilter(q),
    active: readFlag(q, 'active'),
    silenced: readFlag(q, 'silenced'),
    inhibited: readFlag(q, 'inhibited'),
  })
  const body = (what: string, request: FastifyRequest) =>
    parseBody(what, request.headers['content-type'], (request.body as string | undefined) ?? '')

  app.get('/api/v2/status', (_request, reply) => json(reply, showStatus(manager, options.version)))
  app.get('/api/v2/receivers', (request, reply) => {
    const wanted = readMatchers(query(request), 'receiver_matchers')
    const receivers = [...manager.receivers.values()].filter(({ labels }) =>
      wanted.every((matcher) => matcher.matches(labels[matcher.name] ?? '')),
    )
    return json(
      reply,
      receivers.map(({ name, labels }) => ({ labels, name })),
    )
  })
  app.get('/api/v2/alerts', (request, reply) => {
    readFlag(query(request), 'unprocessed')
    return json(reply, getAlerts(manager, alertFilter(query(request))))
  })
  app.post('/api/v2/alerts', (request, reply) => json(reply, postAlerts(manager, body('alerts', request))))
  app.get('/api/v2/alerts/groups', async (request, reply) => {
    const q = query(request)
    return json(reply, await getAlertGroups(manager, { ...alertFilter(q), muted: readFlag(q, 'muted') }))
  })
  app.get('/api/v2/silences', (request, reply) => {
    const q = query(request)
    const states = (['active', 'pending', 'expired'] as const).filter((state) => readFlag(q, state))
    const filter = { matchers: readMatchers(q, 'filter'), states: new Set<SilenceState>(states) }
    return json(reply, getSilences(manager, filter))
  })
  app.post('/api/v2/silences', (request, reply) =>
    json(reply, postSilence(manager, body('silence', request))),
  )
  app.get<{ Params: { id: string } }>('/api/v2/silence/:id', (request, reply) =>
    json(reply, getSilence(manager, request.params.id)),
  )
  app.delete<{ Params: { id: string } }>('/api/v2/silence/:id', (request, reply) =>
    json(reply, deleteSilence(manager, request.params.id)),
  )
  app.get('/api/v1/inbox', (_request, reply) => json(reply, { notifications: manager.inbox.list() }))
  app.route({
    method: ['GET', 'POST'],
    url: '/api/v1/alerts',
    handler: (_request, reply) => json(reply.code(410), V1_GONE),
  })
}

function showStatus(manager: Alertmanager, version: string): object {
  return {
    cluster: { peers: [], status: 'disabled' },
    config: { original: manager.config.printed },
    uptime: new Date(manager.startedAt).toISOString(),
    versionInfo: {
      branch: '',
      buildDate: '',
      buildUser: '',
      goVersion: process.version,
      revision: '',
      version,
    },
  }
}

function registerManagement(app: FastifyInstance, manager: Alertmanager, options: ApiOptions): void {
  const text = 'text/plain; charset=utf-8'
  for (const url of ['/-/healthy', '/-/ready'])
    app.route({
      method: ['GET', 'HEAD'],
      url,
      handler: (_request, reply) => reply.type(text).send('OK'),
    })
  app.post('/-/reload', async (_request, reply) => {
    try {
      await options.reload()
      return reply.send('')
    } catch (error) {
      return reply
        .code(500)
        .type(text)
        .send(`failed to reload config: ${(error as Error).message}\n`)
    }
  })
  app.get('/metrics', (request, reply) => {
    const exposition = manager.metrics.registry.render(request.headers.accept)
    return reply.type(exposition.contentType).send(exposition.body)
  })
}

async function registerPages(app: FastifyInstance, uiDir: string | undefined): Promise<void> {
  if (uiDir === undefined || !existsSync(join(uiDir, 'alertmanager.html'))) {
    app.route({
      method: ['GET', 'HEAD'],
      url: '/',
      handler: (_request, reply) =>
        reply
          .type('text/plain; charset=utf-8')
          .send('Alertmanager: the API is at /api/v2, the inbox at /api/v1/inbox.\n'),
    })
    return
  }
  await app.register(fastifyStatic, { root: uiDir, serve: false })
  for (const path of ['/', '/alerts', '/inbox', '/silences', '/status'])
    app.get(path, (_request, reply) => reply.sendFile('alertmanager.html', { maxAge: 0 }))
  app.get<{ Params: { '*': string } }>('/assets/*', (request, reply) =>
    // Names of assets carry a hash of the content.
    reply.sendFile(`assets/${request.params['*']}`, { maxAge: '365d', immutable: true }),
  )
}

function sendError(
  error: Error & { statusCode?: number },
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  reply.headers({ vary: 'Origin', 'cache-control': 'no-store' })
  const status = error instanceof ApiError ? error.status : (error.statusCode ?? 500)
  reply.code(status)
  if (error instanceof ApiError && error.body === undefined) void reply.send('')
  else {
    const body = error instanceof ApiError ? error.body : { code: status, message: error.message }
    void reply.header('content-type', 'application/json').send(JSON.stringify(body) + '\n')
  }
}

function sendNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const path = request.url.split('?', 1)[0]!
  if (request.method === 'OPTIONS' && path === '/') {
    void reply.send('')
    return
  }
  const methods = API_METHODS.find(([pattern]) => pattern.test(path))?.[1]
  if (PLAIN_PATHS.test(path)) {
    void reply.code(405).type('text/plain; charset=utf-8').send('Method Not Allowed\n')
    return
  }
  reply.headers({ vary: 'Origin', 'cache-control': 'no-store' }).code(methods ? 405 : 404)
  const message = methods
    ? `method ${request.method} is not allowed, but [${methods}] are`
    : `path ${path} was not found`
  void reply
    .header('content-type', 'application/json')
    .send(JSON.stringify({ code: reply.statusCode, message }) + '\n')
}
