import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { fastifyMetrics } from './fastify.ts'
import type { FastifyMetricsOptions } from './fastify.ts'
import { Registry } from './index.ts'

let app: FastifyInstance
let registry: Registry

async function create(options: FastifyMetricsOptions = {}): Promise<void> {
  registry = new Registry()
  app = Fastify()
  await app.register(fastifyMetrics, { registry, ...options })
  app.get('/models/:name/samples', () => ({ ok: true }))
  app.post('/predict', () => ({ predictions: [1] }))
  app.get('/fails', () => {
    throw new Error('no')
  })
}
afterEach(() => app.close())

const line = (start: string) =>
  registry
    .metrics()
    .split('\n')
    .find((text) => text.startsWith(start))
    ?.slice(start.length)
    .trim()

test('counts by method, grouped status and route template; unmatched paths are one handler', async () => {
  await create()
  for (const name of ['a', 'b']) await app.inject(`/models/${name}/samples`)
  for (const path of ['/x', '/y/z']) await app.inject(path)
  await app.inject('/fails')
  expect(line('http_requests_total{method="GET",status="2xx",handler="/models/{name}/samples"}')).toBe('2')
  expect(line('http_requests_total{method="GET",status="4xx",handler="none"}')).toBe('2')
  expect(line('http_requests_total{method="GET",status="5xx",handler="/fails"}')).toBe('1')
  expect(line('http_request_duration_highr_seconds_count')).toBe('5')
  expect(line('http_request_duration_seconds_count{method="GET",handler="none"}')).toBe('2')
})

test('has the buckets of the instrumentator and sizes from the content-length headers', async () => {
  await create()
  await app.inject({ method: 'POST', url: '/predict', payload: { model_name: 'm' } })
  const text = registry.metrics()
  const bounds = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}_bucket\\{.*le="([^"]+)"`, 'gm'))].map((m) => m[1])
  expect(bounds('http_request_duration_highr_seconds')).toHaveLength(22)
  expect(bounds('http_request_duration_seconds')).toEqual(['0.1', '0.5', '1.0', '+Inf'])
  expect(line('http_request_size_bytes_sum{handler="/predict"}')).toBe('18')
  expect(line('http_response_size_bytes_sum{handler="/predict"}')).toBe('19')
})

test('serves the exposition in the format asked for, compressed only where accepted', async () => {
  await create({ gzip: true })
  const plain = await app.inject('/metrics')
  expect(plain.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(plain.headers['content-encoding']).toBeUndefined()
  const open = await app.inject({
    url: '/metrics',
    headers: { accept: 'application/openmetrics-text', 'accept-encoding': 'gzip' },
  })
  expect(open.headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(open.rawPayload).toString()).toMatch(/# EOF\n$/)
  const refused = await app.inject({ url: '/metrics', headers: { 'accept-encoding': 'gzip;q=0' } })
  expect(refused.headers['content-encoding']).toBeUndefined()
})

test('leaves out what it is told to, and counts exact statuses if asked', async () => {
  await create({ excludedHandlers: [/^none$/], groupStatusCodes: false, endpoint: false })
  await app.inject('/nowhere')
  await app.inject('/models/a/samples')
  expect((await app.inject('/metrics')).statusCode).toBe(404)
  expect(registry.metrics()).not.toContain('handler="none"')
  expect(line('http_requests_total{method="GET",status="200",handler="/models/{name}/samples"}')).toBe('1')
})

test('a client that goes away before the answer is counted once and is no longer in progress', async () => {
  await create({ inProgress: true, openConnections: true })
  let arrived = () => {}
  const waiting = new Promise<void>((resolve) => (arrived = resolve))
  app.get('/slow', () => {
    arrived()
    return new Promise(() => {})
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
  await waiting
  expect([line('http_requests_inprogress'), line('http_open_connections')]).toEqual(['1', '1'])
  socket.destroy()
  await expect.poll(() => line('http_open_connections')).toBe('0')
  expect(line('http_requests_inprogress')).toBe('0')
  expect(line('http_requests_total{method="GET",status="4xx",handler="/slow"}')).toBe('1')
})
