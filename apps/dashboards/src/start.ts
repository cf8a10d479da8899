// Wires the dashboards app: provisioning, Grafana's API, the page.
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import fastifyHelmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import fastify, { type FastifyInstance } from 'fastify'
import { systemClock, type Clock } from '@watchfire/datamodel'
import { dashboardRoutes } from './api/dashboards.ts'
import { dataSourceRoutes } from './api/datasources.ts'
import { Store, type Log } from './store.ts'

export interface DashboardsOptions {
  readonly host: string
  readonly port: number
  /** Folder with Grafana's `datasources/` and `dashboards/`. */
  readonly provisioningDir: string
  readonly dataSourceUrl?: string
  /** Folder of the built pages; without it only the API is served. */
  readonly uiDir?: string
  readonly version: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly clock?: Clock
  readonly log: Log
}

export interface RunningDashboards {
  readonly url: string
  reload(): Promise<void>
  stop(): Promise<void>
}

const PAGES = ['/', '/dashboards', '/d/:uid', '/d/:uid/:slug', '/explore']

/** Builds the app without listening. */
export async function createDashboardsApp(
  options: DashboardsOptions,
): Promise<{ app: FastifyInstance; store: Store }> {
  const store = await Store.open({
    provisioningDir: options.provisioningDir,
    ...(options.dataSourceUrl !== undefined && { dataSourceUrl: options.dataSourceUrl }),
    env: options.env ?? process.env,
    clock: options.clock ?? systemClock,
    log: options.log,
  })
  const app = fastify({ bodyLimit: 1024 * 1024, forceCloseConnections: true })
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      directives: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        upgradeInsecureRequests: null,
      },
    },
    strictTransportSecurity: false,
  })
  app.get('/api/health', () => ({ database: 'ok', version: options.version, commit: '' }))
  dashboardRoutes(app, store)
  dataSourceRoutes(app, store)
  if (options.uiDir !== undefined && existsSync(options.uiDir)) {
    await app.register(fastifyStatic, { root: options.uiDir, wildcard: true, index: false })
    for (const page of PAGES) app.get(page, (_request, reply) => reply.sendFile('dashboards.html'))
  }
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ message: 'Not found' }))
  return { app, store }
}

/** Starts listening. Rejects with a clear error when the port is taken or a provisioning file is broken. */
export async function startDashboards(options: DashboardsOptions): Promise<RunningDashboards> {
  const { app, store } = await createDashboardsApp(options)
  try {
    await app.listen({ host: options.host, port: options.port })
  } catch (error) {
    store.stop()
    throw new Error(
      `dashboards cannot listen on ${options.host}:${options.port}: ${(error as Error).message}`,
      {
        cause: error,
      },
    )
  }
  const { port } = app.server.address() as AddressInfo
  return {
    url: `http://${options.host === '0.0.0.0' ? 'localhost' : options.host}:${port}`,
    async reload() {
      await store.reload()
    },
    async stop() {
      store.stop()
      await app.close()
    },
  }
}
