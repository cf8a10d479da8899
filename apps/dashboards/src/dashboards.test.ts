import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDashboardsApp, type DashboardsOptions } from './index.ts'

let dir: string
const warnings: string[] = []
const options = (extra: Partial<DashboardsOptions> = {}): DashboardsOptions => ({
  host: '127.0.0.1',
  port: 0,
  provisioningDir: dir,
  version: '0',
  env: { PROM: 'http://127.0.0.1:1', SECRET: 'hunter2' },
  log: { info: () => {}, warn: (message) => warnings.push(message) },
  ...extra,
})

beforeEach(async () => {
  warnings.length = 0
  dir = await mkdtemp(join(tmpdir(), 'dashboards-'))
  await mkdir(join(dir, 'datasources'))
  await mkdir(join(dir, 'dashboards'))
  await mkdir(join(dir, 'boards'))
  await writeFile(
    join(dir, 'datasources/a.yml'),
    'datasources:\n  - {name: P, uid: p, url: $PROM, isDefault: true, basicAuth: true, basicAuthUser: u, secureJsonData: {basicAuthPassword: "${SECRET}"}}\n',
  )
  await writeFile(join(dir, 'dashboards/a.yml'), 'providers:\n  - {name: x, options: {path: ../boards}}\n')
  await writeFile(
    join(dir, 'boards/one.json'),
    JSON.stringify({ uid: 'one', title: 'One board', tags: ['ml'], panels: [] }),
  )
})
afterEach(() => rm(dir, { recursive: true }))

describe('dashboards app', () => {
  it("answers Grafana's search and dashboard endpoints from files", async () => {
    await writeFile(
      join(dir, 'dashboards/a.yml'),
      'providers:\n  - {name: x, options: {path: ' + join(dir, 'boards') + '}}\n',
    )
    const { app, store } = await createDashboardsApp(options())
    const found = (await app.inject('/api/search?query=one')).json()
    expect(found).toMatchObject([
      { uid: 'one', title: 'One board', type: 'dash-db', url: '/d/one/one-board' },
    ])
    expect((await app.inject('/api/search?tag=other')).json()).toEqual([])
    const board = (await app.inject('/api/dashboards/uid/one')).json()
    expect(board.dashboard).toMatchObject({ title: 'One board', panels: [] })
    expect(board.meta.provisioned).toBe(true)
    expect((await app.inject('/api/dashboards/uid/none')).statusCode).toBe(404)
    store.stop()
    await app.close()
  })

  it('never shows credentials', async () => {
    const { app, store } = await createDashboardsApp(options())
    const text = (await app.inject('/api/datasources')).body
    expect(text).toContain('"uid":"p"')
    expect(text).not.toContain('hunter2')
    store.stop()
    await app.close()
  })

  it('leaves out a broken dashboard, names it, and goes on', async () => {
    await writeFile(
      join(dir, 'dashboards/a.yml'),
      'providers:\n  - {name: x, options: {path: ' + join(dir, 'boards') + '}}\n',
    )
    await writeFile(join(dir, 'boards/bad.json'), '{"title":')
    await writeFile(join(dir, 'boards/twin.json'), JSON.stringify({ uid: 'one', title: 'Twin' }))
    const { app, store } = await createDashboardsApp(options())
    expect((await app.inject('/api/search')).json()).toHaveLength(1)
    expect(warnings.some((w) => w.includes('bad.json'))).toBe(true)
    expect(warnings.some((w) => w.includes('uid "one" is taken'))).toBe(true)
    store.stop()
    await app.close()
  })

  it('refuses a broken provisioning file with its place', async () => {
    await writeFile(join(dir, 'datasources/b.yml'), 'datasources:\n  - name: [\n')
    await expect(createDashboardsApp(options())).rejects.toThrow(/b\.yml:\d+:\d+/)
  })

  it('passes reading queries on to the data source, with its credentials, and nothing else', async () => {
    const seen: string[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (d) => (body += d))
      request.on('end', () => {
        seen.push(`${request.method} ${request.url} ${request.headers.authorization} ${body}`)
        response.setHeader('content-type', 'application/json').end('{"status":"success"}')
      })
    }).listen(0, '127.0.0.1')
    await new Promise((done) => server.once('listening', done))
    const { port } = server.address() as AddressInfo
    const { app, store } = await createDashboardsApp(options({ dataSourceUrl: `http://127.0.0.1:${port}` }))
    const answer = await app.inject({
      method: 'POST',
      url: '/api/datasources/proxy/uid/p/api/v1/query',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'query=up',
    })
    expect(answer.json()).toEqual({ status: 'success' })
    expect(seen).toEqual([`POST /api/v1/query Basic ${Buffer.from('u:hunter2').toString('base64')} query=up`])
    const refused = await app.inject('/api/datasources/proxy/uid/p/api/v1/admin/tsdb/delete_series')
    expect(refused.statusCode).toBe(403)
    expect((await app.inject('/api/datasources/proxy/uid/p/api/v1/../../-/quit')).statusCode).not.toBe(200)
    expect(seen).toHaveLength(1)
    store.stop()
    await app.close()
    server.close()
  })
})
