import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Labels, systemClock, type Alert } from '@watchfire/datamodel'
import { Registry } from '@watchfire/instrument'
import type { AlertmanagerConfig, RelabelConfig } from '../config/types.ts'
import { createLogger } from '../logger.ts'
import { Notifier, type NotifierOptions } from './index.ts'

const entry: AlertmanagerConfig = {
  scheme: 'http',
  pathPrefix: '/am/',
  timeoutMs: 1000,
  apiVersion: 'v2',
  http: { followRedirects: true, basicAuth: { username: 'u', password: 'p' } },
  discovery: { staticConfigs: [], fileSdConfigs: [] },
  relabelConfigs: [],
  alertRelabelConfigs: [],
}
const drop = (label: string, regex: string): RelabelConfig => ({
  sourceLabels: [label],
  separator: ';',
  regex,
  modulus: 0,
  targetLabel: '',
  replacement: '$1',
  action: 'drop',
})
const alert = (labels: Record<string, string>): Alert => ({
  labels: Labels.from({ alertname: 'A', ...labels }),
  annotations: Labels.from({ summary: 's' }),
  startsAt: 1_000_000,
  endsAt: 2_000_000,
  generatorUrl: 'http://prom.example/graph',
})
const group = (...addresses: string[]) => [
  { source: 'static/0', labels: {}, targets: addresses.map((address) => ({ __address__: address })) },
]

const closing: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function start(options: Partial<NotifierOptions> = {}) {
  const registry = new Registry()
  const logger = createLogger({ write: () => {} })
  const notifier = new Notifier({
    clock: systemClock,
    logger,
    registry,
    userAgent: 'Prometheus/test',
    ...options,
  })
  closing.push(() => notifier.stop())
  return { notifier, registry }
}

/** A fake Alertmanager that answers with `status`. */
async function receiver(status = 200) {
  const requests: { url: string; headers: Record<string, unknown>; alerts: { labels: object }[] }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      requests.push({ url: request.url!, headers: request.headers, alerts: JSON.parse(body) as never })
      response.writeHead(status).end('x'.repeat(10))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

describe('notifier', () => {
  it('posts relabelled alerts with external labels in batches', async () => {
    const { address, requests } = await receiver()
    const { notifier, registry } = start({ batchMax: 2 })
    notifier.applyConfig({
      alertmanagers: [entry],
      alertRelabelConfigs: [drop('quiet', 'yes')],
      externalLabels: { cluster: 'eu', own: 'external' },
    })
    notifier.setTargetGroups(0, group(address))
    notifier.send([
      alert({ n: '1', own: 'mine' }),
      alert({ quiet: 'yes' }),
      alert({ n: '2' }),
      alert({ n: '3' }),
    ])
    await expect.poll(() => requests.length).toBe(2)
    expect(notifier.active()).toEqual([`http://${address}/am/api/v2/alerts`])
    expect(requests[0]).toMatchObject({
      url: '/am/api/v2/alerts',
      headers: {
        'user-agent': 'Prometheus/test',
        authorization: 'Basic dTpw',
        'content-type': 'application/json',
      },
      alerts: [
        {
          labels: { alertname: 'A', cluster: 'eu', n: '1', own: 'mine' },
          annotations: { summary: 's' },
          startsAt: '1970-01-01T00:16:40.000Z',
          endsAt: '1970-01-01T00:33:20.000Z',
          generatorURL: 'http://prom.example/graph',
        },
        { labels: { n: '2', own: 'external' } },
      ],
    })
    await expect
      .poll(() => registry.metrics())
      .toContain(`prometheus_notifications_sent_total{alertmanager="http://${address}/am/api/v2/alerts"} 3`)
  })

  it('tells every Alertmanager on its own: one that fails does not hold up the others', async () => {
    const [good, bad] = [await receiver(), await receiver(500)]
    const { notifier, registry } = start()
    notifier.applyConfig({ alertmanagers: [entry, entry], alertRelabelConfigs: [], externalLabels: {} })
    notifier.setTargetGroups(0, group(good.address, '127.0.0.1:1'))
    notifier.setTargetGroups(1, group(bad.address))
    notifier.send([alert({})])
    await expect.poll(() => good.requests.length).toBe(1)
    await expect.poll(() => bad.requests.length).toBe(1)
    for (const address of ['127.0.0.1:1', bad.address])
      await expect
        .poll(() => registry.metrics())
        .toContain(
          `prometheus_notifications_errors_total{alertmanager="http://${address}/am/api/v2/alerts"} 1`,
        )
  })

  it('drops the oldest alerts when the queue is full, and sends the rest before it stops', async () => {
    const bodies: string[] = []
    let release = () => {}
    const blocked = new Promise<void>((resolve) => (release = resolve))
    const { notifier, registry } = start({
      queueCapacity: 3,
      batchMax: 1,
      createClient: () => ({
        post: async ({ body }) => {
          bodies.push(body)
          await blocked
        },
        close: async () => {},
      }),
    })
    notifier.applyConfig({ alertmanagers: [entry], alertRelabelConfigs: [], externalLabels: {} })
    notifier.setTargetGroups(0, group('a:1'))
    for (let i = 0; i < 6; i++) notifier.send([alert({ i: String(i) })])
    const text = registry.metrics()
    expect(text).toContain(
      'prometheus_notifications_dropped_total{alertmanager="http://a:1/am/api/v2/alerts"} 2',
    )
    expect(text).toContain(
      'prometheus_notifications_queue_length{alertmanager="http://a:1/am/api/v2/alerts"} 3',
    )
    release()
    await notifier.stop()
    expect(bodies.map((body) => /"i":"(\d)"/.exec(body)![1])).toEqual(['0', '3', '4', '5'])
  })

  it('shows what relabelling dropped and keeps queues over a reload', () => {
    const { notifier } = start()
    const config = {
      alertmanagers: [{ ...entry, relabelConfigs: [drop('__address__', 'b:.*')] }],
      alertRelabelConfigs: [],
      externalLabels: {},
    }
    notifier.applyConfig(config)
    notifier.setTargetGroups(0, group('a:1', 'b:1'))
    notifier.applyConfig(config)
    expect(notifier.active()).toEqual(['http://a:1/am/api/v2/alerts'])
    expect(notifier.dropped()).toEqual(['http://b:1/am/api/v2/alerts'])
    notifier.applyConfig({ ...config, alertmanagers: [{ ...entry, pathPrefix: '' }] })
    expect(notifier.active()).toEqual(['http://a:1/api/v2/alerts', 'http://b:1/api/v2/alerts'])
  })
})
