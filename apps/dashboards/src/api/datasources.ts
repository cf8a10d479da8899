// Grafana's data source endpoints, and the proxy through which pages ask the Prometheus-compatible server.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { request as httpRequest } from 'undici'
import type { DataSource } from '../provisioning/datasources.ts'
import type { Store } from '../store.ts'

/** Only reading endpoints of the query API are passed on. */
const PROXIED =
  /^api\/v1\/(query|query_range|query_exemplars|series|labels|label\/[^/]+\/values|metadata|rules|alerts|status\/buildinfo|format_query|parse_query)$/
const PROXY_TIMEOUT_MS = 125_000

export function dataSourceRoutes(app: FastifyInstance, store: Store): void {
  const byUid = (uid: string): DataSource | undefined =>
    store.dataSources().find((source) => source.uid === uid)
  const show = (reply: FastifyReply, source: DataSource | undefined): unknown =>
    source ? view(source) : reply.code(404).send({ message: 'Data source not found' })

  app.get('/api/datasources', () => store.dataSources().map(view))
  app.get<{ Params: { uid: string } }>('/api/datasources/uid/:uid', (request, reply) =>
    show(reply, byUid(request.params.uid)),
  )
  app.get<{ Params: { name: string } }>('/api/datasources/name/:name', (request, reply) =>
    show(
      reply,
      store.dataSources().find((source) => source.name === request.params.name),
    ),
  )
  app.get<{ Params: { uid: string } }>('/api/datasources/uid/:uid/health', async (request, reply) => {
    const source = byUid(request.params.uid)
    if (!source) return reply.code(404).send({ message: 'Data source not found' })
    try {
      const answer = await httpRequest(`${source.url}/api/v1/query?query=1`, {
        headers: authorization(source),
      })
      await answer.body.dump()
      if (answer.statusCode === 200)
        return { status: 'OK', message: 'Successfully queried the Prometheus API.' }
      return reply.code(400).send({ status: 'ERROR', message: `the server answered ${answer.statusCode}` })
    } catch (error) {
      return reply
        .code(400)
        .send({ status: 'ERROR', message: `cannot reach ${source.url}: ${String(error)}` })
    }
  })

  const proxy = async (
    request: FastifyRequest,
    reply: FastifyReply,
    source: DataSource | undefined,
    path: string,
  ): Promise<unknown> => {
    if (!source) return reply.code(404).send({ message: 'Data source not found' })
    if (!PROXIED.test(path))
      return reply.code(403).send({ message: `path "${path}" is not passed on to data sources` })
    const query = request.url.includes('?') ? request.url.slice(request.url.indexOf('?')) : ''
    const aborted = new AbortController()
    // The response's end, not the request's: a request is closed as soon as its body is read.
    reply.raw.on('close', () => {
      if (!reply.raw.writableFinished) aborted.abort()
    })
    try {
      const answer = await httpRequest(`${source.url}/${path}${query}`, {
        method: request.method as 'GET' | 'POST',
        headers: {
          ...authorization(source),
          ...(request.headers['content-type'] && { 'content-type': request.headers['content-type'] }),
          ...(request.headers['accept-encoding'] && {
            'accept-encoding': String(request.headers['accept-encoding']),
          }),
        },
        body: request.method === 'POST' ? (request.body as Buffer) : null,
        headersTimeout: PROXY_TIMEOUT_MS,
        signal: aborted.signal,
      })
      reply.code(answer.statusCode)
      for (const name of ['content-type', 'content-encoding', 'content-length']) {
        const value = answer.headers[name]
        if (value !== undefined) reply.header(name, value)
      }
      return await reply.send(answer.body)
    } catch (error) {
      if (aborted.signal.aborted) return reply.code(499).send()
      return reply
        .code(502)
        .send({ message: `data source "${source.name}" cannot be reached: ${(error as Error).message}` })
    }
  }

  // Forms travel as they are: the proxy has no business with their content.
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.route<{ Params: { uid: string; '*': string } }>({
    method: ['GET', 'POST'],
    url: '/api/datasources/proxy/uid/:uid/*',
    handler: (request, reply) => proxy(request, reply, byUid(request.params.uid), request.params['*']),
  })
  app.route<{ Params: { id: string; '*': string } }>({
    method: ['GET', 'POST'],
    url: '/api/datasources/proxy/:id/*',
    handler: (request, reply) =>
      proxy(
        request,
        reply,
        store.dataSources().find((source) => String(source.id) === request.params.id),
        request.params['*'],
      ),
  })
}

function authorization(source: DataSource): Record<string, string> {
  if (source.basicAuthUser === '') return {}
  const pair = Buffer.from(`${source.basicAuthUser}:${source.basicAuthPassword}`).toString('base64')
  return { authorization: `Basic ${pair}` }
}

/** What the API shows of a data source: no credentials. */
function view(source: DataSource): object {
  return {
    id: source.id,
    uid: source.uid,
    orgId: 1,
    name: source.name,
    type: source.type,
    typeName: 'Prometheus',
    access: 'proxy',
    url: source.url,
    basicAuth: source.basicAuthUser !== '',
    isDefault: source.isDefault,
    jsonData: source.jsonData,
    readOnly: !source.editable,
  }
}
