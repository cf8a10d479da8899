import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { SHIPPED_MODELS_DIR } from '../app.ts'
import { createInferenceApp, startInference } from '../index.ts'
import { PAUSE_MAX_MS, kindOf, makeRequest, pauseMs, rateAt, readRows, startTraffic } from './index.ts'

describe('the wave', () => {
  const wave = { dayMs: 600_000, peakRate: 3, floorRate: 0.4 }

  test('rises from the floor to the peak and back within the day', () => {
    expect(rateAt(wave, 0, 0)).toBeCloseTo(0.4)
    expect(rateAt(wave, 300_000, 0)).toBeCloseTo(3)
    expect(rateAt(wave, 600_000, 0)).toBeCloseTo(0.4)
    expect(rateAt(wave, 0, 0.5)).toBeCloseTo(3)
  })

  test('never leaves a model without a request for 5 s, whatever the options and chance', () => {
    for (const floorRate of [0, 0.01, 0.4])
      for (let elapsed = 0; elapsed < 600_000; elapsed += 5000)
        for (const random of [0, 0.5, 0.999999])
          expect(
            pauseMs(rateAt({ dayMs: 600_000, peakRate: 0, floorRate }, elapsed, 0.3), random),
          ).toBeLessThanOrEqual(PAUSE_MAX_MS)
    expect(PAUSE_MAX_MS).toBeLessThan(5000)
  })
})

describe('requests', () => {
  const models = readRows(SHIPPED_MODELS_DIR)

  test('every shipped model has rows', () => {
    expect(models.map((m) => m.name)).toEqual(['breast-cancer', 'diabetes-progression', 'wine-cultivar'])
  })

  test('2 to 4 % are bad, and inference errors stay far below 5 % of the counted in any 75 in a row', () => {
    const kinds = Array.from({ length: 10_000 }, (_, i) => kindOf(i + 1))
    const share = kinds.filter((k) => k !== 'predict').length / kinds.length
    expect(share).toBeGreaterThan(0.02)
    expect(share).toBeLessThan(0.04)
    for (let i = 0; i + 75 <= kinds.length; i++) {
      const counted = kinds.slice(i, i + 75).filter((k) => k === 'predict' || k === 'wrong-width')
      expect(counted.filter((k) => k === 'wrong-width').length / counted.length).toBeLessThan(0.02)
    }
    expect(new Set(kinds.slice(0, 40)).size).toBe(4)
  })

  test('the service answers each kind as it should', async () => {
    const { app, metrics, close } = await createInferenceApp()
    const want = { predict: 200, ragged: 422, 'unknown-model': 404, 'wrong-width': 422 }
    const versions = new Set<string>()
    for (const model of models)
      for (let count = 1; count <= 40; count++) {
        const { kind, path, body } = makeRequest(model, count, Math.random)
        const response = await app.inject({ method: 'POST', url: path, payload: body as object })
        expect([kind, response.statusCode]).toEqual([kind, want[kind]])
        versions.add(response.json<{ version: string }>().version)
      }
    const errors = [...metrics.metrics().matchAll(/^ml_predictions_total\{.*status="error"\} (\d+)/gm)]
    expect(errors.reduce((sum, m) => sum + Number(m[1]), 0)).toBe(models.length)
    expect(versions).toContain('1')
    await close()
  })
})

describe('running', () => {
  test('sends to all models, refreshes, and stops when told', async () => {
    const inference = await startInference({ port: 0 })
    const traffic = startTraffic({
      url: inference.url,
      dayMs: 1000,
      peakRate: 50,
      floorRate: 50,
      refreshMs: 200,
    })
    await expect.poll(() => traffic.answers.get('predict 200') ?? 0, { timeout: 10_000 }).toBeGreaterThan(30)
    await expect.poll(() => traffic.answers.get('refresh 200') ?? 0, { timeout: 5000 }).toBeGreaterThan(0)
    await traffic.stop()
    const after = [...traffic.answers]
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect([...traffic.answers]).toEqual(after)
    await inference.close()
  })

  test('goes on when the service does not answer, or is not there', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const models = [{ name: 'm', rows: [[1, 2]] }]
    const options = { models, dayMs: 1000, peakRate: 50, floorRate: 50, refreshMs: 0, timeoutMs: 50 }
    for (const address of [url, 'http://127.0.0.1:9']) {
      const traffic = startTraffic({ url: address, ...options })
      await expect.poll(() => traffic.answers.get('predict 0') ?? 0, { timeout: 5000 }).toBeGreaterThan(3)
      await traffic.stop()
    }
    silent.closeAllConnections()
    silent.close()
  })

  test('says what is missing where there is nothing to replay', () => {
    expect(() => startTraffic({ url: 'http://127.0.0.1:9', models: [] })).toThrow('no rows to replay')
  })
})
