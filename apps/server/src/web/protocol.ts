// What holds for all requests: cross-origin rules, readiness, unknown paths and methods, counting.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { compileAnchored, type StringMatcher } from '@watchfire/datamodel'
import type { ApiMetrics } from './metrics.ts'
import type { WebOptions } from './options.ts'
import { sendText } from './reply.ts'

/** Routes answer before the server is ready unless they are listed here. */
const GATED = /^\/(?:api\/v1\/|-\/ready$|federate$|consoles\/)/
const NEVER_GATED = /^\/api\/v1\/(?:notifications(?:\/live)?|status\/walreplay)$/

/** Remembers every route, to tell an unknown path from an unknown method. */
export class RouteTable {
  readonly #routes: { pattern: RegExp; methods: Set<string> }[] = []
  readonly #byUrl = new Map<string, Set<string>>()

  add(url: string, methods: readonly string[]): void {
    let known = this.#byUrl.get(url)
    if (!known) {
      known = new Set()
      this.#byUrl.set(url, known)
      const source = url
        .split('/')
        .map((part) =>
          part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
        )
        .join('/')
      this.#routes.push({ pattern: new RegExp(`^${source}$`), methods: known })
    }
    for (const method of methods) known.add(method)
  }

  /** Methods of a path, sorted, with OPTIONS; empty for an unknown path. */
  methods(path: string): string[] {
    const found = new Set<string>()
    for (const { pattern, methods } of this.#routes)
      if (pattern.test(path)) for (const method of methods) found.add(method)
    return found.size === 0 ? [] : [...found.add('OPTIONS')].sort()
  }
}

/** Path of a request without the prefix and the query; undefined outside of the prefix. */
function localPath(request: FastifyRequest, prefix: string): string | undefined {
  const path = (request.raw.url ?? '').replace(/\?.*$/s, '')
  if (prefix === '/') return path
  if (path === prefix) return '/'
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : undefined
}

/** Installs the hooks. Call it before the routes. */
export function registerProtocol(
  app: FastifyInstance,
  options: WebOptions,
  routes: RouteTable,
  metrics: ApiMetrics,
): void {
  const origin = compileAnchored(options.corsOrigin)

  app.addHook('onRequest', async (request, reply) => {
    const path = localPath(request, options.routePrefix)
    if (path?.startsWith('/api/v1/')) cors(request, reply, origin)
    if (request.method === 'OPTIONS' && path !== undefined) return answerOptions(reply, routes, path)
    if (options.server.ready || path === undefined) return undefined
    if (!GATED.test(path) || NEVER_GATED.test(path)) return undefined
    return sendText(
      reply.header('x-prometheus-stopping', String(options.server.stopping)),
      503,
      'Service Unavailable',
    )
  })

  app.addHook('onResponse', async (request, reply) => {
    const handler = request.routeOptions.url
    if (handler === undefined) return
    metrics.observe(
      options.routePrefix === '/' ? handler : handler.slice(options.routePrefix.length) || '/',
      reply.statusCode,
      reply.elapsedTime / 1000,
      Number(reply.getHeader('content-length') ?? NaN),
    )
  })

  app.setNotFoundHandler(async (request, reply) => {
    const path = localPath(request, options.routePrefix)
    if (path === undefined && request.raw.url === '/')
      return reply.code(302).header('location', `${options.externalPath}/`).send()
    const methods = path === undefined ? [] : routes.methods(path)
    if (methods.length === 0) return sendText(reply, 404, '404 page not found\n')
    return sendText(reply.header('allow', methods.join(', ')), 405, 'Method Not Allowed\n')
  })
}

function cors(request: FastifyRequest, reply: FastifyReply, allowed: StringMatcher): void {
  void reply.header('vary', 'Origin')
  const { origin } = request.headers
  if (origin === undefined) return
  void reply
    .header('access-control-allow-headers', 'Accept, Authorization, Content-Type, Origin')
    .header('access-control-allow-methods', 'GET, POST, OPTIONS')
    .header('access-control-expose-headers', 'Date')
  if (allowed.matches(origin)) void reply.header('access-control-allow-origin', origin)
}

function answerOptions(reply: FastifyReply, routes: RouteTable, path: string): FastifyReply {
  if (path.startsWith('/api/v1/')) return reply.code(204).send()
  const methods = routes.methods(path)
  if (methods.length === 0) return sendText(reply, 404, '404 page not found\n')
  return reply.code(200).header('allow', methods.join(', ')).send()
}
