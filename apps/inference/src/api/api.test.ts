import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SHIPPED_MODELS_DIR, createInferenceApp, startInference } from '../index.ts'
import type { InferenceApp } from '../index.ts'

let inference: InferenceApp
beforeAll(async () => {
  inference = await createInferenceApp({ bodyLimitBytes: 4 << 20 })
})
afterAll(() => inference.close())

async function post(url: string, payload: unknown, headers: Record<string, string> = {}) {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const response = await inference.app.inject({
    method: 'POST',
    url,
    payload: text,
    headers: { 'content-type': 'application/json', ...headers },
  })
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() }
}

async function get(url: string) {
  const response = await inference.app.inject(url)
  return { status: response.statusCode, body: response.json<unknown>() }
}

function metric(series: string): number {
  const line = inference.metrics
    .metrics()
    .split('\n')
    .find((text) => text.startsWith(`${series} `))
  return line === undefined ? NaN : Number(line.slice(series.length))
}

interface Listed {
  model_name: string
  version: string
  default: boolean
  n_features: number
  features: string[]
  loaded_at: string | null
}

const listed = async () => (await get('/models')).body as Listed[]
const WINE_ROW = [13.49, 3.59, 2.19, 19.5, 88, 1.62, 0.48, 0.58, 0.88, 5.7, 0.81, 1.82, 580]

describe('predictions', () => {
  test('every version gives the predictions recorded at its training again', async () => {
    const models = await listed()
    expect(models).toHaveLength(6)
    for (const { model_name, version, n_features, features } of models) {
      const { body } = await get(`/models/${model_name}/samples?version=${version}`)
      const samples = body as { features: number[]; prediction: number }[]
      expect(samples.length).toBeGreaterThanOrEqual(5)
      expect(samples.every((s) => s.features.length === n_features)).toBe(true)
      expect(features).toHaveLength(n_features)
      expect(new Set(samples.map((s) => s.prediction)).size).toBeGreaterThan(1)
      const answer = await post('/predict', { model_name, version, features: samples.map((s) => s.features) })
      expect(answer).toMatchObject({ status: 200, body: { model_name, version } })
      for (const [i, prediction] of (answer.body.predictions as number[]).entries())
        expect(Math.abs(prediction - samples[i]!.prediction)).toBeLessThan(1e-4 * Math.max(1, prediction))
    }
  })

  test('samples without version are those of the version served by default', async () => {
    for (const model of (await listed()).filter((m) => m.default)) {
      const base = `/models/${model.model_name}/samples`
      expect((await get(base)).body).toEqual((await get(`${base}?version=${model.version}`)).body)
    }
  })

  test('the bare matrix with the model in the query is counted like the object form, once a request', async () => {
    const series = 'ml_predictions_total{model_name="wine-cultivar",version="2",status="success"}'
    const [before, observed] = [
      metric(series),
      metric('ml_predictions_duration_seconds_count{model_name="wine-cultivar",version="2"}'),
    ]
    const bare = await post('/predict?model_name=wine-cultivar', [WINE_ROW, WINE_ROW, WINE_ROW])
    const object = await post('/predict', { model_name: 'wine-cultivar', features: [WINE_ROW] })
    expect([bare.body.predictions, object.body.predictions]).toEqual([[2, 2, 2], [2]])
    expect(metric(series) - before).toBe(2)
    expect(
      metric('ml_predictions_duration_seconds_count{model_name="wine-cultivar",version="2"}') - observed,
    ).toBe(2)
  })

  test('a version can be asked for by number, alias and stage', async () => {
    const ask = async (version: unknown) =>
      (await post('/predict', { model_name: 'wine-cultivar', version, features: [WINE_ROW] })).body.version
    expect(
      await Promise.all(['1', 1, 'previous', 'archived', 'champion', 'Production', null].map(ask)),
    ).toEqual(['1', '1', '1', '1', '2', '2', '2'])
  })

  test('5,000 rows are answered, 5,001 are not', async () => {
    const many = await post(
      '/predict?model_name=wine-cultivar',
      Array.from({ length: 5000 }, () => WINE_ROW),
    )
    expect([many.status, (many.body.predictions as number[]).length]).toEqual([200, 5000])
    const more = await post(
      '/predict?model_name=wine-cultivar',
      Array.from({ length: 5001 }, () => WINE_ROW),
    )
    expect(more).toMatchObject({ status: 422, body: { detail: '5001 rows are more than 5000' } })
  })
})

describe('bad requests', () => {
  const model_name = 'wine-cultivar'
  const cases: [string, unknown, number, string][] = [
    [
      'an unknown model',
      { model_name: 'no-such', features: [[1]] },
      404,
      'model "no-such" is not in the registry',
    ],
    [
      'an unknown version',
      { model_name, version: '9', features: [[1]] },
      404,
      'has no version, alias or stage "9"',
    ],
    [
      'a model called like a member of objects',
      { model_name: '__proto__', features: [[1]] },
      404,
      'is not in',
    ],
    ['a path for a name', { model_name: '../../etc', features: [[1]] }, 404, 'is not in the registry'],
    ['no model', { features: [[1]] }, 422, 'model_name is missing'],
    ['no rows', { model_name, features: [] }, 422, 'there are no rows'],
    ['no features', { model_name }, 422, 'features is missing'],
    [
      'rows of unequal length',
      { model_name, features: [[1, 2], [1]] },
      422,
      'row 1 has 1 numbers, row 0 has 2',
    ],
    ['text', { model_name, features: [['a']] }, 422, 'row 0, column 0 is not a finite number'],
    ['null', { model_name, features: [[null]] }, 422, 'row 0, column 0 is not a finite number'],
    ['an empty row', { model_name, features: [[]] }, 422, 'row 0 is not a list of numbers'],
    ['a vector', { model_name, features: [1, 2] }, 422, 'row 0 is not a list of numbers'],
    ['a number too large', '{"model_name":"wine-cultivar","features":[[1e999]]}', 422, 'not a finite number'],
    ['a very long row', { model_name, features: [Array(10_001).fill(1)] }, 422, 'is longer than 10000'],
    ['a long name', { model_name: 'x'.repeat(201), features: [[1]] }, 422, 'longer than 200'],
    ['text for a body', '"x"', 422, 'the body is not a JSON object'],
    ['broken JSON', '{"model_name":', 400, ''],
    ['a huge body', JSON.stringify([Array(3_000_000).fill(1)]), 413, 'too large'],
  ]
  test.each(cases)('%s', async (_what, payload, status, detail) => {
    const counted = () =>
      inference.metrics
        .metrics()
        .split('\n')
        .filter((l) => l.startsWith('ml_predictions_total'))
    const before = counted()
    const answer = await post('/predict', payload)
    expect(answer.status).toBe(status)
    expect(answer.body.detail).toContain(detail)
    expect(answer.body.error).toMatch(/^[a-z_]+$/)
    expect(counted()).toEqual(before)
  })

  test('rows of a width the model does not take fail in the session: 422, and an error of the model', async () => {
    const series = 'ml_predictions_total{model_name="wine-cultivar",version="2",status="error"}'
    const before = metric(series)
    const answer = await post('/predict', { model_name, features: [[1, 2, 3]] })
    expect(answer).toMatchObject({
      status: 422,
      body: { detail: 'model wine-cultivar takes 13 features, not 3' },
    })
    expect(metric(series) - before).toBe(1)
    expect(metric('ml_predictions_in_flight{model_name="wine-cultivar",version="2"}')).toBe(0)
  })

  test('what is not there, and what is not JSON, is answered in JSON too', async () => {
    expect(await get('/nowhere')).toMatchObject({ status: 404, body: { error: 'not_found' } })
    expect(await get('/models/nobody/samples')).toMatchObject({
      status: 404,
      body: { error: 'model_not_found' },
    })
    expect(await get('/models/%ff/samples')).toMatchObject({ status: 400, body: { error: 'bad_request' } })
    const text = await post('/predict', 'x', { 'content-type': 'text/csv' })
    expect(text).toMatchObject({ status: 415, body: { error: 'unsupported_media_type' } })
  })
})

describe('models', () => {
  test('availability follows the registry', async () => {
    const available = async (body: unknown) => (await post('/is_model_available', body)).body.available
    expect(await available({ model_name: 'wine-cultivar' })).toBe(true)
    expect(await available({ model_name: 'wine-cultivar', version: '1' })).toBe(true)
    expect(await available({ model_name: 'wine-cultivar', version: '3' })).toBe(false)
    expect(await available({ model_name: 'nobody' })).toBe(false)
    expect((await post('/is_model_available', {})).status).toBe(422)
  })

  test('a refresh answers with the versions served and is counted', async () => {
    const one = await post('/refresh', { model_name: 'diabetes-progression', version: '1' })
    expect(one).toEqual({
      status: 200,
      body: { status: 'models loaded', models: { 'diabetes-progression': [['1', '1']] } },
    })
    const all = await post('/refresh', '')
    expect(Object.keys(all.body.models as object)).toEqual([
      'breast-cancer',
      'diabetes-progression',
      'wine-cultivar',
    ])
    expect(metric('ml_model_refresh_total{model_name="all",result="success"}')).toBe(1)
    expect(metric('ml_model_refresh_duration_seconds_count{model_name="diabetes-progression"}')).toBe(1)
  })

  test('refreshing made-up models is a 404 and a load error under one fixed name', async () => {
    const series = 'ml_model_load_errors_total{model_name="unknown",version="unknown"}'
    expect(metric(series)).toBe(0)
    for (let i = 0; i < 20; i++)
      expect(await post('/refresh', { model_name: `made-up-${i}` })).toMatchObject({
        status: 404,
        body: { error: 'model_not_found' },
      })
    expect(metric(series)).toBe(20)
    expect((await post('/refresh', { model_name: 'wine-cultivar', version: 'made-up' })).status).toBe(404)
    expect(metric('ml_model_load_errors_total{model_name="wine-cultivar",version="unknown"}')).toBe(1)
    expect((await post('/refresh', { version: '1' })).status).toBe(422)
    expect(inference.metrics.metrics()).not.toContain('made-up')
  })
})

describe('service', () => {
  test('health, readiness and documentation', async () => {
    expect(await get('/health')).toMatchObject({
      status: 200,
      body: { status: 'healthy', onnxruntime_available: true },
    })
    expect(await get('/ready')).toEqual({ status: 200, body: { status: 'ready' } })
    const home = await inference.app.inject('/')
    expect([home.statusCode, home.headers.location]).toEqual([302, '/docs'])
    expect((await inference.app.inject('/docs')).headers['content-type']).toContain('text/html')
    const openapi = (await get('/openapi.json')).body as { paths: object }
    expect(Object.keys(openapi.paths)).toEqual(
      expect.arrayContaining([
        '/predict',
        '/refresh',
        '/models/{name}/samples',
        '/metrics',
        '/is_model_available',
      ]),
    )
  })

  test('HTTP metrics name routes, not addresses', async () => {
    const text = (await inference.app.inject('/metrics')).payload
    expect(text).toContain('handler="/models/{name}/samples"')
    expect(text).toMatch(/^http_requests_total\{method="POST",status="4xx",handler="\/predict"\} /m)
  })

  test('a trace in the request becomes the exemplar of its prediction', async () => {
    const id = '4bf92f3577b34da6a3ce929d0e0e4736'
    await post('/predict?model_name=wine-cultivar', [WINE_ROW], {
      traceparent: `00-${id}-00f067aa0ba902b7-01`,
    })
    const open = await inference.app.inject({
      url: '/metrics',
      headers: { accept: 'application/openmetrics-text' },
    })
    expect(open.payload).toContain(`# {trace_id="${id}"} 1 `)
  })
})

test('models that cannot be loaded leave the others alone', async () => {
  const modelsDir = mkdtempSync(join(tmpdir(), 'inference-models-'))
  try {
    cpSync(SHIPPED_MODELS_DIR, modelsDir, { recursive: true })
    writeFileSync(join(modelsDir, 'wine-cultivar', '2', 'model.onnx'), 'garbage')
    writeFileSync(join(modelsDir, 'breast-cancer', '1', 'model.json'), '{"name":')
    const damaged = await createInferenceApp({ modelsDir })
    const predict = async (model_name: string, version?: string) => {
      const payload = {
        model_name,
        version,
        features: [Array(model_name === 'wine-cultivar' ? 13 : 30).fill(1)],
      }
      const response = await damaged.app.inject({ method: 'POST', url: '/predict', payload })
      return [response.statusCode, response.json<{ detail?: string }>().detail ?? '']
    }
    expect((await damaged.app.inject('/ready')).statusCode).toBe(503)
    expect(await predict('breast-cancer')).toEqual([200, ''])
    expect(await predict('wine-cultivar', '1')).toEqual([200, ''])
    expect(await predict('wine-cultivar')).toEqual([503, expect.stringContaining('is damaged: its SHA-256')])
    expect((await predict('breast-cancer', '1'))[0]).toBe(404)
    const text = damaged.metrics.metrics()
    expect(text).toContain('ml_model_load_errors_total{model_name="wine-cultivar",version="2"} 1\n')
    expect(text).toContain('ml_model_load_errors_total{model_name="breast-cancer",version="1"} 1\n')
    expect(text).toContain('ml_active_models{model_name="wine-cultivar",version="2"} 0\n')
    await damaged.close()
  } finally {
    rmSync(modelsDir, { recursive: true })
  }
})

test('a connection that never says anything does not hold up the end', async () => {
  const running = await startInference({ port: 0, closeGraceMs: 50 })
  const socket = connect(running.port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  const ended = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => {})
  const began = performance.now()
  await running.close()
  await ended
  expect(performance.now() - began).toBeLessThan(2000)
})
