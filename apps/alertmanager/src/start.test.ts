import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError, startAlertmanager, type StartOptions } from './index.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const closing: (() => Promise<unknown>)[] = []
let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'watchfire-am-'))))
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  rmSync(dir, { recursive: true })
})

async function start(options: Partial<StartOptions> = {}) {
  const running = await startAlertmanager({ port: 0, logger: quiet, ...options })
  closing.push(() => running.stop())
  return running
}

/** A receiver that answers as `answer` says and keeps what it got. */
async function receiver(answer: (count: number, response: ServerResponse) => void) {
  const requests: { headers: IncomingHttpHeaders; body: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      requests.push({ headers: request.headers, body })
      answer(requests.length, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(resolve)
      }),
  )
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

const post = (url: string, alerts: object[]) =>
  fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alerts),
  })

describe('a running Alertmanager', () => {
  it('tells webhooks over the network, again after a failure, and fills the inbox', async () => {
    const hook = await receiver((count, response) => response.writeHead(count === 1 ? 503 : 200).end('busy'))
    const configText = `
route: {receiver: w, group_wait: 10ms, group_interval: 1s}
receivers:
  - name: w
    webhook_configs: [{url: "${hook.url}/x", http_config: {basic_auth: {username: u, password: p}}}]
    inbox_configs: [{}]`
    const { url } = await start({ configText, dataDir: dir, externalUrl: 'http://am.example/' })
    expect((await post(url, [{ labels: { alertname: 'A', html: '<&>' } }])).status).toBe(200)
    await expect.poll(() => hook.requests.length, { timeout: 5000 }).toBe(2)
    const { headers, body } = hook.requests[1]!
    expect(headers).toMatchObject({
      'user-agent': 'Alertmanager/0.34.0',
      authorization: 'Basic dTpw',
      'content-type': 'application/json',
    })
    expect(body).toMatch(/^\{"receiver":"w","status":"firing","alerts":\[\{"status":"firing",.*\}\n$/)
    expect(body).toContain('\\u003c\\u0026\\u003e')
    expect(JSON.parse(body)).toMatchObject({ externalURL: 'http://am.example', groupKey: '{}:{}' })
    const inbox = (await (await fetch(`${url}/api/v1/inbox`)).json()) as { notifications: object[] }
    expect(inbox.notifications).toMatchObject([{ receiver: 'w', alerts: [{ labels: { alertname: 'A' } }] }])
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toContain('alertmanager_notification_requests_failed_total{integration="webhook"} 1')
  })

  it('gives up on a receiver that does not answer in time', async () => {
    const hook = await receiver(() => {})
    const { url } = await start({
      configText: `
route: {receiver: w, group_wait: 10ms}
receivers: [{name: w, webhook_configs: [{url: "${hook.url}", timeout: 100ms}]}]`,
    })
    await post(url, [{ labels: { alertname: 'A' } }])
    await expect.poll(() => hook.requests.length, { timeout: 5000 }).toBeGreaterThanOrEqual(2)
  })

  it('serves below a prefix only', async () => {
    const { url } = await start({ routePrefix: '/am' })
    const status = async (path: string) => (await fetch(url + path)).status
    expect(
      await Promise.all(['/am/-/healthy', '/am', '/am/api/v2/status', '/-/healthy', '/amx'].map(status)),
    ).toEqual([200, 200, 200, 404, 404])
  })

  it('keeps its configuration when a reload fails', async () => {
    const configFile = join(dir, 'am.yml')
    writeFileSync(configFile, 'route: {receiver: a}\nreceivers: [{name: a}]\n')
    const running = await start({ configFile })
    writeFileSync(configFile, 'route: {receiver: b}\nreceivers: [{name: a}]\n')
    const answer = await fetch(`${running.url}/-/reload`, { method: 'POST' })
    expect([answer.status, await answer.text()]).toEqual([
      500,
      'failed to reload config: undefined receiver "b" used in route\n',
    ])
    await expect(running.reload()).rejects.toThrow(`${configFile}:1:19: undefined receiver "b" used in route`)
    expect(running.alertmanager.config.route.receiver).toBe('a')
    writeFileSync(configFile, 'route: {receiver: b}\nreceivers: [{name: b}]\n')
    await running.reload()
    expect(running.alertmanager.config.route.receiver).toBe('b')
  })

  it('serves its page, and says what stops a start', async () => {
    mkdirSync(join(dir, 'ui', 'assets'), { recursive: true })
    writeFileSync(join(dir, 'ui', 'alertmanager.html'), '<p>page</p>')
    writeFileSync(join(dir, 'ui', 'assets', 'a.js'), 'x')
    const { url } = await start({ uiDir: join(dir, 'ui') })
    expect(await (await fetch(url)).text()).toBe('<p>page</p>')
    expect((await fetch(`${url}/assets/a.js`)).headers.get('cache-control')).toContain('immutable')
    expect((await fetch(`${url}/assets/..%2f..%2fam.yml`)).status).toBeGreaterThanOrEqual(400)
    await expect(start({ configText: 'route: {}' })).rejects.toThrow(ConfigError)
    await expect(start({ configFile: join(dir, 'none.yml') })).rejects.toThrow('ENOENT')
    await expect(start({ port: Number(new URL(url).port) })).rejects.toThrow('EADDRINUSE')
  })
})
