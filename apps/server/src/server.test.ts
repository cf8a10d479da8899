import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  ListenError,
  ServerError,
  createLogger,
  parseFlags,
  startServer,
  type RunningServer,
} from './index.ts'

// The workers are built files; `npm run build` makes them.
const built = ['ingest/ingest.worker.js', 'query/query.worker.js'].every((path) =>
  existsSync(new URL(`../dist/${path}`, import.meta.url)),
)

let dir = ''
let target: HttpServer
let address = ''
const running: RunningServer[] = []
const log: string[] = []

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'watchfire-server-'))
  log.length = 0
  let count = 0
  target = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4')
    response.end(`# TYPE demo_total counter\ndemo_total{path="/a"} ${++count}\n`)
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  address = `127.0.0.1:${(target.address() as AddressInfo).port}`
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()))
  target.closeAllConnections()
  target.close()
  rmSync(dir, { recursive: true, force: true })
})

const config = (job = 'demo') =>
  `global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n- job_name: ${job}\n  static_configs: [{targets: ['${address}']}]\n`

async function start(text: string, ...args: string[]): Promise<RunningServer> {
  writeFileSync(join(dir, 'prometheus.yml'), text)
  const server = await startServer({
    flags: parseFlags([
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      ...(args.some((arg) => arg.startsWith('--web.listen-address'))
        ? []
        : ['--web.listen-address=127.0.0.1:0']),
      ...args,
    ]),
    logger: createLogger({ write: (line) => log.push(line) }),
  })
  running.push(server)
  return server
}
interface Answer {
  data: { result: { metric: Record<string, string>; value: [number, string] }[] }
}
async function query(server: RunningServer, expr: string) {
  const response = await fetch(`${server.url}/api/v1/query?query=${encodeURIComponent(expr)}`)
  return ((await response.json()) as Answer).data.result
}
const jobs = async (server: RunningServer) => (await query(server, 'up')).map((sample) => sample.metric.job)

describe.runIf(built)('startServer', () => {
  it('scrapes, answers queries and stops at once', async () => {
    const server = await start(config())
    await server.ready
    await vi.waitFor(
      async () => {
        const [sample] = await query(server, 'increase(demo_total{path="/a"}[1m])')
        expect(Number(sample?.value[1])).toBeGreaterThan(0)
      },
      { timeout: 10_000, interval: 200 },
    )
    expect(await query(server, 'up')).toMatchObject([
      { metric: { __name__: 'up', job: 'demo', instance: address }, value: [expect.any(Number), '1'] },
    ])
    const began = performance.now()
    await server.stop()
    expect(performance.now() - began).toBeLessThan(5000)
    await expect(fetch(`${server.url}/-/healthy`)).rejects.toThrow()
  })

  it('replaces the configuration, and keeps the old one when the new one is wrong', async () => {
    const server = await start(config('one'), '--web.enable-lifecycle')
    await server.ready
    await vi.waitFor(async () => expect(await jobs(server)).toEqual(['one']), { timeout: 10_000 })
    writeFileSync(join(dir, 'prometheus.yml'), 'scrape_configs:\n- job_name: two\n  foo: 1\n')
    const failed = await fetch(`${server.url}/-/reload`, { method: 'POST' })
    expect(failed.status).toBe(500)
    expect(await failed.text()).toContain(
      'field foo not found in type config.ScrapeConfig (line 3, column 3)',
    )
    const pools = await (await fetch(`${server.url}/api/v1/scrape_pools`)).json()
    expect(pools).toMatchObject({ data: { scrapePools: ['one'] } })
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain(
      'prometheus_config_last_reload_successful 0',
    )
    writeFileSync(join(dir, 'prometheus.yml'), config('two'))
    await server.reload()
    await vi.waitFor(async () => expect(await jobs(server)).toEqual(['two']), { timeout: 10_000 })
  })

  it('evaluates rules, sends alerts, and keeps the old rules when the new ones are wrong', async () => {
    const posts: string[] = []
    const alertmanager = createServer((request, response) => {
      let body = ''
      request.on('data', (part) => (body += String(part)))
      request.on('end', () => {
        posts.push(`${request.method} ${request.url} ${body}`)
        response.end()
      })
    })
    await new Promise<void>((resolve) => alertmanager.listen(0, '127.0.0.1', resolve))
    const { port } = alertmanager.address() as AddressInfo
    const rules = (expr: string) =>
      writeFileSync(
        join(dir, 'rules.yml'),
        `groups:\n- name: g\n  interval: 200ms\n  rules:\n  - record: demo:sum\n    expr: ${expr}\n` +
          '  - alert: Up\n    expr: up == 1\n    labels: {severity: info}\n',
      )
    rules('sum(demo_total)')
    const server = await start(
      `${config()}rule_files: [rules.yml]\nalerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:${port}']}]}]}\n`,
    )
    await server.ready
    await vi.waitFor(async () => expect(await query(server, 'demo:sum')).toHaveLength(1), { timeout: 10_000 })
    await vi.waitFor(() => expect(posts[0]).toContain('"alertname":"Up"'), { timeout: 10_000 })
    expect(posts[0]).toMatch(/^POST \/api\/v2\/alerts /)
    expect(await (await fetch(`${server.url}/api/v1/alerts`)).json()).toMatchObject({
      data: { alerts: [{ labels: { alertname: 'Up', severity: 'info', job: 'demo' }, state: 'firing' }] },
    })
    rules('sum(demo_total')
    await expect(server.reload()).rejects.toThrow('one or more errors occurred while applying')
    expect(log.join('')).toContain('unclosed left parenthesis')
    expect(log.join('')).not.toContain('Failed to restore')
    expect(await (await fetch(`${server.url}/api/v1/rules?type=record`)).json()).toMatchObject({
      data: { groups: [{ name: 'g', rules: [{ name: 'demo:sum', health: 'ok' }] }] },
    })
    alertmanager.closeAllConnections()
    alertmanager.close()
  })

  it('reloads by itself when a file changed, if asked to', async () => {
    const server = await start(config('one'), '--config.auto-reload', '--config.auto-reload-interval=1s')
    await server.ready
    writeFileSync(join(dir, 'prometheus.yml'), config('two'))
    await vi.waitFor(async () => expect(await jobs(server)).toContain('two'), { timeout: 10_000 })
  })

  it('asks for the end on /-/quit', async () => {
    const server = await start(config(), '--web.enable-lifecycle')
    await server.ready
    expect((await fetch(`${server.url}/-/quit`, { method: 'POST' })).status).toBe(200)
    await server.quit
  })

  it('keeps its samples over a restart', async () => {
    const first = await start(config())
    await first.ready
    await vi.waitFor(async () => expect(await query(first, 'demo_total')).toHaveLength(1), {
      timeout: 10_000,
    })
    const [before] = await query(first, 'count_over_time(demo_total[1h])')
    await first.stop()
    const second = await start('scrape_configs: []')
    await second.ready
    const [after] = await query(second, 'count_over_time(demo_total[1h])')
    expect(Number(after?.value[1])).toBeGreaterThanOrEqual(Number(before?.value[1]))
  })

  it('says what is wrong with the configuration, the address or the data folder', async () => {
    await expect(start('global:\n  foo: 1\n')).rejects.toThrow(
      /couldn't load configuration .*line 2: field foo not found in type config\.plain \(line 2, column 3\)/s,
    )
    const server = await start('')
    await server.ready
    const inUse = start('', `--web.listen-address=127.0.0.1:${server.port}`)
    await expect(inUse).rejects.toThrow(ListenError)
    await expect(inUse).rejects.toThrow(`listen tcp 127.0.0.1:${server.port}: bind: address already in use`)
    const locked = start('')
    await expect(locked).rejects.toThrow(ServerError)
    await expect(locked).rejects.toThrow(/Failed to open the database in .*data: .*lock/i)
    writeFileSync(join(dir, 'file'), '')
    await expect(
      start('', `--storage.tsdb.path=${join(dir, 'other')}`, '--web.cors.origin=('),
    ).rejects.toThrow()
  })
})
