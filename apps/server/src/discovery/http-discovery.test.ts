import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { HttpSdConfig } from '../config/index.ts'
import { createLogger } from '../logger.ts'
import { createHttpDiscovery } from './http-discovery.ts'
import type { Discoverer, TargetGroup } from './index.ts'

let server: Server
let url = ''
let handler: (request: IncomingMessage, response: ServerResponse) => void
let discovery: Discoverer | undefined
const updates: (readonly TargetGroup[])[] = []
const log: string[] = []
let failures = 0
const refreshes: boolean[] = []

beforeEach(async () => {
  updates.length = log.length = refreshes.length = failures = 0
  server = createServer((request, response) => handler(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sd?x=1`
})

afterEach(() => {
  discovery?.stop()
  server.closeAllConnections()
  server.close()
})

function start(config: Partial<HttpSdConfig> = {}) {
  discovery = createHttpDiscovery(
    { url, refreshIntervalMs: 150, http: { followRedirects: true }, ...config },
    {
      pool: 'job',
      logger: createLogger({ write: (line) => log.push(line) }),
      events: {
        onHttpFailure: () => failures++,
        onRefresh: (_, __, ___, failed) => refreshes.push(failed),
      },
      userAgent: 'Prometheus/3.14.0',
      onGroups: (groups) => updates.push(groups),
    },
  )
  void discovery.start()
}

const json = (body: string, type = 'application/json') =>
  ((_, response) => response.writeHead(200, { 'Content-Type': type }).end(body)) as typeof handler

describe('http_sd', () => {
  it('takes targets and labels, with the headers that Prometheus sends', async () => {
    let seen: IncomingMessage | undefined
    handler = (request, response) => {
      seen = request
      json('[{"targets":["a:1","b:2"],"labels":{"env":"x"}},{"targets":["c:3"]}]')(request, response)
    }
    start({ http: { followRedirects: true, basicAuth: { username: 'u', password: 'p' } } })
    await vi.waitFor(() => expect(updates).toHaveLength(1))
    expect(updates[0]).toEqual([
      {
        source: `${url}:0`,
        labels: { env: 'x', __meta_url: url },
        targets: [{ __address__: 'a:1' }, { __address__: 'b:2' }],
      },
      { source: `${url}:1`, labels: { __meta_url: url }, targets: [{ __address__: 'c:3' }] },
    ])
    expect(seen!.headers).toMatchObject({
      accept: 'application/json',
      'user-agent': 'Prometheus/3.14.0',
      'x-prometheus-refresh-interval-seconds': '0.15',
      authorization: `Basic ${Buffer.from('u:p').toString('base64')}`,
    })
  })

  it('accepts a charset and says nothing new when nothing changed', async () => {
    handler = json('[{"targets":["a:1"]}]', 'application/json; charset=utf-8')
    start()
    await vi.waitFor(() => expect(refreshes.length).toBeGreaterThanOrEqual(3))
    expect(updates).toHaveLength(1)
    expect(failures).toBe(0)
  })

  const broken: [string, typeof handler, string][] = [
    ['another status', (_, response) => response.writeHead(500).end('no'), 'HTTP status 500'],
    ['another content type', json('[]', 'text/html'), 'unsupported content type'],
    ['text that is no JSON', json('[{'), 'JSON'],
    ['a null group', json('[null]'), 'nil target group item found'],
    ['unknown fields', json('[{"target":[]}]'), 'unknown field'],
    ['an answer that never comes', () => undefined, 'context deadline exceeded'],
    ['a connection that is cut', (_, response) => response.destroy(), 'err='],
  ]
  it.each(broken)('keeps the last groups through %s', async (_, bad, reason) => {
    handler = json('[{"targets":["a:1"]}]')
    start()
    await vi.waitFor(() => expect(updates).toHaveLength(1))
    handler = bad
    await vi.waitFor(() => expect(failures).toBeGreaterThan(0), 3000)
    await vi.waitFor(() => expect(refreshes).toContain(true))
    expect(log.join('')).toContain(reason)
    handler = json('[{"targets":["b:1"]}]')
    await vi.waitFor(() => expect(updates).toHaveLength(2), 3000)
    expect(updates[1]![0]!.targets).toEqual([{ __address__: 'b:1' }])
  })

  it('follows redirects without giving credentials to another host', async () => {
    const seen: (string | undefined)[] = []
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization)
      json('[{"targets":["a:1"]}]')(request, response)
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const port = (other.address() as AddressInfo).port
    handler = (_, response) => response.writeHead(302, { Location: `http://127.0.0.1:${port}/` }).end()
    start({ http: { followRedirects: true, authorization: { type: 'Bearer', credentials: 's3cret' } } })
    await vi.waitFor(() => expect(updates).toHaveLength(1))
    expect(seen).toEqual([undefined])
    other.closeAllConnections()
    other.close()
  })
})
