import { describe, expect, it } from 'vitest'
import type { Clock } from '@watchfire/datamodel'
import { Alertmanager } from '../alertmanager.ts'
import { loadConfig } from '../config/index.ts'
import { createApp } from './index.ts'

const NOW = Date.parse('2026-06-01T00:00:00Z')
const clock: Clock = { now: () => NOW, monotonic: () => NOW, setTimeout: () => ({ cancel() {} }) }
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const CONFIG = `
route:
  receiver: default
  group_by: [alertname]
  routes: [{receiver: ml, matchers: [team="ml"], group_by: [model]}]
inhibit_rules:
  - {source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [cluster]}
receivers: [{name: default}, {name: ml, inbox_configs: [{}]}]
`

async function setup() {
  const manager = new Alertmanager({
    config: loadConfig(CONFIG, 'c.yml'),
    clock,
    logger: quiet,
    externalUrl: 'http://am.example',
    version: '0.34.0',
  })
  const app = await createApp(manager, {
    version: '0.34.0',
    reload: async () => {
      throw new Error('undefined receiver "missing" used in route')
    },
  })
  const call = async (
    method: 'GET' | 'POST' | 'DELETE' | 'PUT',
    url: string,
    payload?: unknown,
    type = 'application/json',
  ) => {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
    const answer = await app.inject({
      method,
      url,
      ...(payload !== undefined && { payload: text, headers: { 'content-type': type } }),
    })
    const isJson = String(answer.headers['content-type']).startsWith('application/json')
    return { status: answer.statusCode, body: (isJson ? JSON.parse(answer.body) : answer.body) as never }
  }
  return { manager, call }
}

const silence = (more: object = {}) => ({
  matchers: [{ name: 'model', value: 'a', isRegex: false }],
  startsAt: '2026-01-01T00:00:00Z',
  endsAt: '2099-01-01T00:00:00Z',
  createdBy: 'me',
  comment: 'c',
  ...more,
})

describe('alerts', () => {
  it('are taken, shown with their state, filtered and grouped', async () => {
    const { call } = await setup()
    const posted = await call('POST', '/api/v2/alerts', [
      {
        labels: { alertname: 'E', model: 'a', severity: 'critical', cluster: 'eu', team: 'ml', empty: '' },
        annotations: { summary: 's', empty: '' },
        startsAt: '2026-05-31T23:00:00.5Z',
        generatorURL: 'http://prom.example/g',
      },
      { labels: { alertname: 'E', model: 'b', severity: 'warning', cluster: 'eu' } },
      { labels: { alertname: 'Old' }, endsAt: '2026-01-02T00:00:00Z' },
    ])
    expect(posted).toEqual({ status: 200, body: '' })
    const all = await call('GET', '/api/v2/alerts')
    const byModel = (all.body as { labels: { model: string } }[]).toSorted((a, b) =>
      a.labels.model < b.labels.model ? -1 : 1,
    )
    expect(byModel).toEqual([
      {
        labels: { alertname: 'E', cluster: 'eu', model: 'a', severity: 'critical', team: 'ml' },
        annotations: { empty: '', summary: 's' },
        startsAt: '2026-05-31T23:00:00.500Z',
        endsAt: '2026-06-01T00:05:00.000Z',
        updatedAt: '2026-06-01T00:00:00.000Z',
        generatorURL: 'http://prom.example/g',
        fingerprint: 'd72bd60d3877cf83',
        receivers: [{ name: 'ml' }],
        status: { state: 'active', silencedBy: [], inhibitedBy: [], mutedBy: [] },
      },
      expect.objectContaining({
        status: { state: 'suppressed', silencedBy: [], inhibitedBy: ['d72bd60d3877cf83'], mutedBy: [] },
        receivers: [{ name: 'default' }],
      }),
    ])
    const count = async (query: string) =>
      ((await call('GET', `/api/v2/alerts?${query}`)).body as object[]).length
    expect(await count('filter=model%3D%22a%22')).toBe(1)
    expect(await count('filter=model%3D~%22a|b%22&inhibited=false')).toBe(1)
    expect(await count('active=false')).toBe(1)
    expect(await count('receiver=m.')).toBe(1)
    expect(await call('GET', '/api/v2/alerts?receiver=(')).toEqual({
      status: 400,
      body: 'failed to parse receiver param: error parsing regexp: missing closing ): `^(?:()$`',
    })
    expect((await call('GET', '/api/v2/alerts/groups')).body).toMatchObject([
      { labels: { model: 'a' }, receiver: { name: 'ml' } },
      {
        labels: { alertname: 'E' },
        receiver: { name: 'default' },
        routeLabels: {},
        alerts: [{ labels: { model: 'b' } }],
      },
    ])
  })

  it('that are invalid are refused, valid ones beside them are kept', async () => {
    const { call } = await setup()
    const f = async (body: unknown, status: number, want: unknown) =>
      expect(await call('POST', '/api/v2/alerts', body)).toEqual({ status, body: want })
    await f([{ labels: { alertname: 'ok' } }, { labels: {} }], 400, 'at least one label pair required')
    expect((await call('GET', '/api/v2/alerts')).body).toHaveLength(1)
    await f('', 422, { code: 602, message: 'alerts in body is required' })
    await f([{}], 422, { code: 602, message: '0.labels in body is required' })
    await f([{ labels: { a: 'b' }, generatorURL: '::bad' }], 422, {
      code: 601,
      message: '0.generatorURL in body must be of type uri: "::bad"',
    })
    await f([{ labels: { a: 'b' }, startsAt: 'nope' }], 400, {
      code: 400,
      message:
        'parsing alerts body from "" failed, because parsing time "nope" as "2006-01-02": cannot parse "nope" as "2006"',
    })
    await f(
      [{ labels: { a: 'b' }, startsAt: '2026-01-02T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' }],
      400,
      'start time must be before end time',
    )
    expect((await call('POST', '/api/v2/alerts', '[]', 'text/plain')).status).toBe(415)
    expect((await call('POST', '/api/v2/alerts', '[{')).status).toBe(400)
  })
})

describe('silences', () => {
  it('are created, found, replaced and expired', async () => {
    const { call } = await setup()
    await call('POST', '/api/v2/alerts', [{ labels: { alertname: 'E', model: 'a' } }])
    const { silenceID } = (await call('POST', '/api/v2/silences', silence())).body as { silenceID: string }
    expect((await call('GET', `/api/v2/silence/${silenceID}`)).body).toEqual({
      id: silenceID,
      status: { state: 'active' },
      updatedAt: '2026-06-01T00:00:00.000Z',
      startsAt: '2026-06-01T00:00:00.000Z',
      endsAt: '2099-01-01T00:00:00.000Z',
      createdBy: 'me',
      comment: 'c',
      matchers: [{ name: 'model', value: 'a', isRegex: false, isEqual: true }],
    })
    expect((await call('GET', '/api/v2/alerts')).body).toMatchObject([
      { status: { state: 'suppressed', silencedBy: [silenceID] } },
    ])
    const changed = await call(
      'POST',
      '/api/v2/silences',
      silence({ id: silenceID, startsAt: '2026-06-01T00:00:00Z', comment: 'd' }),
    )
    expect(changed.body).toEqual({ silenceID })
    const other = (
      await call(
        'POST',
        '/api/v2/silences',
        silence({ id: silenceID, matchers: [{ name: 'x', value: 'y', isRegex: true }] }),
      )
    ).body as { silenceID: string }
    expect(other.silenceID).not.toBe(silenceID)
    expect((await call('GET', '/api/v2/silences')).body).toMatchObject([
      { id: other.silenceID, status: { state: 'active' } },
      { id: silenceID, status: { state: 'expired' }, comment: 'd' },
    ])
    expect((await call('GET', '/api/v2/silences?expired=false&filter=x%3D~%22y%22')).body).toHaveLength(1)
    expect((await call('DELETE', `/api/v2/silence/${other.silenceID}`)).status).toBe(200)
    expect((await call('GET', '/api/v2/silences?expired=false')).body).toEqual([])
  })

  it('that are invalid are refused', async () => {
    const { call } = await setup()
    const f = async (more: object, status: number, want: unknown) =>
      expect(await call('POST', '/api/v2/silences', silence(more))).toEqual({ status, body: want })
    await f({ matchers: null }, 422, { code: 602, message: 'matchers in body is required' })
    await f(
      { matchers: [{ name: 'a', value: '.*', isRegex: true }] },
      400,
      'invalid silence: matcher set 0: at least one matcher must not match the empty string',
    )
    await f(
      { matchers: [{ name: '', value: 'x', isRegex: false }] },
      400,
      'invalid silence: invalid label matcher 0 in set 0: invalid label name ""',
    )
    await f(
      { endsAt: '2025-01-01T00:00:00Z' },
      400,
      'Failed to create silence: start time must be before end time',
    )
    await f({ id: 'no-such-id' }, 404, 'silence not found')
    expect((await call('DELETE', '/api/v2/silence/nope')).status).toBe(422)
    expect((await call('GET', '/api/v2/silence/00000000-0000-0000-0000-000000000000')).status).toBe(404)
  })
})

describe('the rest of the server', () => {
  it('answers status, receivers, probes, metrics, the inbox, and errors for what is unknown', async () => {
    const { call } = await setup()
    expect((await call('GET', '/api/v2/receivers')).body).toEqual([
      { name: 'default', labels: { name: 'default' } },
      { name: 'ml', labels: { name: 'ml' } },
    ])
    const status = (await call('GET', '/api/v2/status')).body as { config: { original: string } }
    expect(status).toMatchObject({ cluster: { status: 'disabled' }, versionInfo: { version: '0.34.0' } })
    expect(status.config.original).toContain('matchers:\n    - team="ml"')
    expect(await call('GET', '/-/healthy')).toEqual({ status: 200, body: 'OK' })
    expect(await call('POST', '/-/reload')).toEqual({
      status: 500,
      body: 'failed to reload config: undefined receiver "missing" used in route\n',
    })
    expect((await call('GET', '/metrics')).body).toContain('alertmanager_alerts{state="active"} 0')
    expect((await call('GET', '/api/v1/inbox')).body).toEqual({ notifications: [] })
    expect((await call('GET', '/api/v2/nope')).body).toEqual({
      code: 404,
      message: 'path /api/v2/nope was not found',
    })
    expect((await call('PUT', '/api/v2/silences')).body).toEqual({
      code: 405,
      message: 'method PUT is not allowed, but [POST,GET] are',
    })
    expect((await call('POST', '/api/v1/alerts')).status).toBe(410)
  })
})
