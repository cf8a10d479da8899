// The use case's service, from its objects in a cluster to its samples.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { parseFlags } from './flags.ts'
import { createLogger } from './logger.ts'
import { startServer, type RunningServer } from './server.ts'

let dir = ''
let cluster: Server
let service: Server
let running: RunningServer | undefined
const watches = new Map<string, ServerResponse[]>()
let objects: Record<string, unknown[]> = {}

const listen = (server: Server) =>
  new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'watchfire-kube-'))
  objects = {}
  watches.clear()
  cluster = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://x')
    if (searchParams.get('watch') !== 'true') {
      response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: objects[pathname] ?? [] }))
      return
    }
    response.writeHead(200).flushHeaders()
    watches.set(pathname, [...(watches.get(pathname) ?? []), response])
  })
  service = createServer((_, response) =>
    response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end('ml_predictions_total 7\n'),
  )
})

afterEach(async () => {
  await running?.stop()
  for (const server of [cluster, service]) {
    server.closeAllConnections()
    server.close()
  }
  rmSync(dir, { recursive: true, force: true })
})

// The workers are built files; `npm run build` makes them.
const built = ['ingest/ingest.worker.js', 'query/query.worker.js'].every((path) =>
  existsSync(new URL(`../dist/${path}`, import.meta.url)),
)

it.skipIf(!built)(
  'a ServiceMonitor is scraped with the labels of the operator, and ends with the object',
  async () => {
    const port = await listen(service)
    const base = '/api/v1/namespaces/platform'
    objects[`${base}/endpoints`] = [
      {
        metadata: { name: 'fastapi-ml', namespace: 'platform' },
        subsets: [
          {
            addresses: [
              { ip: '127.0.0.1', targetRef: { kind: 'Pod', namespace: 'platform', name: 'web-0' } },
            ],
            ports: [{ name: 'fastapi-port', port, protocol: 'TCP' }],
          },
        ],
      },
    ]
    objects[`${base}/services`] = [
      { metadata: { name: 'fastapi-ml', namespace: 'platform', labels: { app: 'fastapi-ml' } }, spec: {} },
    ]
    objects[`${base}/pods`] = [
      {
        metadata: { name: 'web-0', namespace: 'platform' },
        spec: { containers: [{ name: 'fastapi-ml', ports: [{ containerPort: port }] }] },
        status: { podIP: '127.0.0.1', phase: 'Running' },
      },
    ]
    const monitor = {
      metadata: { name: 'fastapi-ml', namespace: 'platform' },
      spec: {
        selector: { matchLabels: { app: 'fastapi-ml' } },
        endpoints: [{ port: 'fastapi-port', path: '/metrics', interval: '1s' }],
      },
    }
    const path = join(dir, 'prometheus.yml')
    const api = `http://127.0.0.1:${await listen(cluster)}`
    writeFileSync(
      path,
      `kubernetes_operator: {api_server: "${api}", service_monitor_selector: {}, service_monitor_namespace_selector: {}}\n`,
    )
    running = await startServer({
      flags: parseFlags([
        `--config.file=${path}`,
        `--storage.tsdb.path=${join(dir, 'data')}`,
        '--web.listen-address=127.0.0.1:0',
      ]),
      logger: createLogger({ write: () => undefined }),
    })
    await running.ready
    const get = async (query: string) =>
      ((await (await fetch(`${running!.url}/api/v1/${query}`)).json()) as { data: Record<string, unknown> })
        .data
    const kind = '/apis/monitoring.coreos.com/v1/servicemonitors'
    await vi.waitFor(() => expect(watches.has(kind)).toBe(true), 5000)
    const tell = (type: string) =>
      watches.get(kind)!.forEach((watch) => watch.write(`${JSON.stringify({ type, object: monitor })}\n`))
    tell('ADDED')
    const query = 'query?query=ml_predictions_total'
    await vi.waitFor(async () => expect((await get(query)).result).toHaveLength(1), {
      timeout: 10_000,
      interval: 200,
    })
    expect(((await get(query)).result as { metric: object }[])[0]!.metric).toEqual({
      __name__: 'ml_predictions_total',
      namespace: 'platform',
      service: 'fastapi-ml',
      pod: 'web-0',
      container: 'fastapi-ml',
      endpoint: 'fastapi-port',
      job: 'fastapi-ml',
      instance: `127.0.0.1:${port}`,
    })
    const pool = 'serviceMonitor/platform/fastapi-ml/0'
    expect((await get('targets')).activeTargets).toMatchObject([{ scrapePool: pool, health: 'up' }])
    expect(await get('scrape_pools')).toEqual({ scrapePools: [pool] })
    tell('DELETED')
    await vi.waitFor(async () => expect((await get('targets')).activeTargets).toEqual([]), 5000)
  },
  30_000,
)
