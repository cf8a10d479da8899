// Everything outside the API: life-cycle endpoints, own metrics, the pages and their files.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { TEXT_CONTENT_TYPE } from '@watchfire/instrument'
import type { WebOptions } from './options.ts'
import { sendText } from './reply.ts'
import { registerRunbooks } from './runbooks.ts'

/** Paths of the single-page application. */
const PAGES = [
  '/query',
  '/alerts',
  '/rules',
  '/targets',
  '/service-discovery',
  '/alertmanager-discovery',
  '/status',
  '/tsdb-status',
  '/flags',
  '/config',
]

/** Registers the routes below the prefix. */
export function registerPages(app: FastifyInstance, options: WebOptions): void {
  const { server } = options

  app.route({
    method: ['GET', 'HEAD'],
    url: '/-/healthy',
    handler: async (_request, reply) => sendText(reply, 200, 'Prometheus Server is Healthy.\n'),
  })
  app.route({
    method: ['GET', 'HEAD'],
    url: '/-/ready',
    handler: async (_request, reply) => sendText(reply, 200, 'Prometheus Server is Ready.\n'),
  })

  const lifecycle = (url: string, action: (reply: FastifyReply) => Promise<FastifyReply>) => {
    app.route({
      method: ['POST', 'PUT'],
      url,
      handler: async (_request, reply) =>
        options.enableLifecycle ? action(reply) : sendText(reply, 403, 'Lifecycle API is not enabled.'),
    })
    app.get(url, async (_request, reply) => sendText(reply, 405, 'Only POST or PUT requests allowed'))
  }
  lifecycle('/-/reload', async (reply) => {
    try {
      await server.reload()
      return reply.code(200).send()
    } catch (error) {
      return sendText(reply, 500, `failed to reload config: ${(error as Error).message}\n`)
    }
  })
  lifecycle('/-/quit', async (reply) => {
    server.quit()
    return sendText(reply, 200, 'Requesting termination... Goodbye!')
  })

  app.get('/metrics', async (_request, reply) => {
    const worker = server.ready ? await options.ingest.metricsText() : ''
    return reply.header('content-type', TEXT_CONTENT_TYPE).send(options.registry.metrics() + worker)
  })
  app.get('/version', async (_request, reply) => sendText(reply, 200, `${JSON.stringify(options.build)}\n`))

  const redirect = (reply: FastifyReply, target: string) =>
    reply
      .code(302)
      .header('location', target)
      .header('content-type', 'text/html; charset=utf-8')
      .send(`<a href="${target.replaceAll('&', '&amp;').replaceAll('"', '&#34;')}">Found</a>.\n\n`)
  app.get('/', async (_request, reply) => redirect(reply, `${options.externalPath}/query`))
  app.get('/graph', async (request, reply) => {
    const query = /\?(.*)$/s.exec(request.raw.url ?? '')?.[1] ?? ''
    return redirect(reply, `${options.externalPath}/query${query === '' ? '' : `?${query}`}`)
  })

  if (options.uiDir !== undefined) registerUi(app, options.uiDir)
  if (options.runbooksDir !== undefined) registerRunbooks(app, options.runbooksDir)
}

function registerUi(app: FastifyInstance, uiDir: string): void {
  void app.register(fastifyStatic, {
    root: uiDir,
    serve: false,
    cacheControl: false,
    index: false,
    dotfiles: 'deny',
  })
  for (const page of PAGES)
    app.get(page, async (_request, reply) => {
      if (!existsSync(join(uiDir, 'server.html')))
        return sendText(reply, 404, 'The pages are not built; run "npm run build".\n')
      return reply.header('cache-control', 'no-cache').sendFile('server.html')
    })
  // Names of assets carry a hash of their content.
  app.get<{ Params: { '*': string } }>('/assets/*', async (request, reply) =>
    reply
      .header('cache-control', 'public, max-age=31536000, immutable')
      .sendFile(`assets/${request.params['*']}`),
  )
  for (const name of ['favicon.svg', 'favicon.ico', 'manifest.json'])
    app.get(`/${name}`, async (_request, reply) =>
      reply.header('cache-control', 'public, max-age=3600').sendFile(name),
    )
}
