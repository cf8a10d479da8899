import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from '@watchfire/instrument'
import { createMlMetrics } from '@watchfire/instrument/ml'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SHIPPED_MODELS_DIR } from '../app.ts'
import { createFolderRegistry } from '../registry/index.ts'
import type { ModelRegistry } from '../registry/index.ts'
import { ModelStore } from './index.ts'

const NAME = 'diabetes-progression'
let modelsDir: string
let metrics: Registry
let store: ModelStore
let registry: ModelRegistry
let now = 0

beforeEach(async () => {
  modelsDir = mkdtempSync(join(tmpdir(), 'inference-store-'))
  cpSync(SHIPPED_MODELS_DIR, modelsDir, { recursive: true })
  metrics = new Registry()
  registry = createFolderRegistry(modelsDir)
  store = new ModelStore(registry, createMlMetrics(metrics), { now: () => now, retryAfterMs: 1000 })
  await store.open()
})
afterEach(async () => {
  await store.close()
  rmSync(modelsDir, { recursive: true, force: true })
})

const file = (version: string, name: string) => join(modelsDir, NAME, version, name)
const metric = (series: string) =>
  Number(new RegExp(`^${series.replace(/[{}]/g, '\\$&')} (.*)$`, 'm').exec(metrics.metrics())?.[1])
const predict = (reference?: string) =>
  store.use(NAME, reference, (session) => session.predict([store.describe(NAME).samples[0]!.features]))

/** Puts the model of version 1 in the place of version 2, with everything that goes with it. */
function replaceVersion2(): void {
  const meta = JSON.parse(readFileSync(file('1', 'model.json'), 'utf8')) as Record<string, unknown>
  writeFileSync(file('2', 'model.json'), JSON.stringify({ ...meta, version: '2', stage: 'Production' }))
  cpSync(file('1', 'model.onnx'), file('2', 'model.onnx'))
}

describe('refresh', () => {
  test('takes a new model into use while predictions go on, without one failing', async () => {
    const old = (await predict())[0]
    const answers = new Set<number>()
    let refreshed = false
    const load = async () => {
      let after = 0
      while (after < 20) {
        answers.add((await predict())[0]!)
        if (refreshed) after++
      }
    }
    const clients = [load(), load(), load(), load()]
    for (let i = 0; i < 5; i++) await store.refresh(NAME)
    replaceVersion2()
    await store.refresh(NAME)
    refreshed = true
    await Promise.all(clients)
    const fresh = (await predict())[0]
    expect(fresh).not.toBe(old)
    expect([...answers].sort()).toEqual([old, fresh].sort())
  })

  test('keeps serving the old model if the new one is damaged, and counts the failure', async () => {
    const [old] = await predict()
    writeFileSync(file('2', 'model.onnx'), 'garbage')
    await expect(store.refresh(NAME)).rejects.toThrow('is damaged: its SHA-256')
    expect(await predict()).toEqual([old])
    expect(metric(`ml_model_load_errors_total{model_name="${NAME}",version="2"}`)).toBe(1)
    expect(metric(`ml_model_refresh_total{model_name="${NAME}",result="error"}`)).toBe(1)
    expect(metric(`ml_active_models{model_name="${NAME}",version="2"}`)).toBe(1)
  })

  test('refuses ONNX files that are whole but no model, or not the model they say they are', async () => {
    const forge = (onnx: Buffer) => {
      const meta = JSON.parse(readFileSync(file('2', 'model.json'), 'utf8')) as Record<string, unknown>
      writeFileSync(file('2', 'model.onnx'), onnx)
      const sha256 = createHash('sha256').update(onnx).digest('hex')
      writeFileSync(file('2', 'model.json'), JSON.stringify({ ...meta, sha256 }))
    }
    forge(Buffer.from('garbage'))
    await expect(store.refresh(NAME)).rejects.toThrow(`model ${NAME} version 2 cannot be loaded`)
    forge(readFileSync(file('1', 'model.onnx')))
    await expect(store.refresh(NAME)).rejects.toThrow('was recorded at training')
  })

  test('a damaged description leaves the loaded version in use; a folder that is gone ends it', async () => {
    writeFileSync(file('2', 'model.json'), '{')
    await store.refresh('wine-cultivar')
    expect(await predict('2')).toHaveLength(1)
    rmSync(join(modelsDir, NAME), { recursive: true })
    await store.refresh()
    await expect(predict()).rejects.toThrow('is not in the registry')
    expect(metric(`ml_active_models{model_name="${NAME}",version="2"}`)).toBe(0)
  })

  test('an unreadable registry is an error and changes nothing', async () => {
    rmSync(modelsDir, { recursive: true })
    await expect(store.refresh()).rejects.toThrow('cannot read model folder')
    expect(await predict()).toHaveLength(1)
    expect(metric('ml_model_load_errors_total{model_name="unknown",version="unknown"}')).toBe(1)
  })

  test('no more than sixteen wait', async () => {
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => store.refresh(NAME)))
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(16)
    expect(await store.refresh(NAME)).toHaveLength(1)
  })
})

describe('loading on demand', () => {
  test('versions not served by default load when first asked for, once for all who ask', async () => {
    let fetched = 0
    const fetch = registry.fetch.bind(registry)
    registry.fetch = (model) => {
      fetched++
      return fetch(model)
    }
    expect(metric(`ml_active_models{model_name="${NAME}",version="1"}`)).toBe(0)
    await Promise.all([predict('1'), predict('1'), predict('previous')])
    expect([fetched, metric(`ml_active_models{model_name="${NAME}",version="1"}`)]).toEqual([1, 1])
  })

  test('a version that failed is not tried again at once', async () => {
    const bytes = readFileSync(file('1', 'model.onnx'))
    writeFileSync(file('1', 'model.onnx'), 'garbage')
    await expect(predict('1')).rejects.toThrow('is damaged')
    await expect(predict('1')).rejects.toThrow('is damaged')
    const errors = `ml_model_load_errors_total{model_name="${NAME}",version="1"}`
    expect(metric(errors)).toBe(1)
    expect(store.isAvailable(NAME, '1')).toBe(false)
    writeFileSync(file('1', 'model.onnx'), bytes)
    await expect(predict('1')).rejects.toThrow('is damaged')
    now += 1000
    expect(await predict('1')).toHaveLength(1)
    expect([store.isAvailable(NAME, '1'), metric(errors)]).toEqual([true, 1])
  })
})
