import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SHIPPED_MODELS_DIR } from '../app.ts'
import { RegistryError, UnknownModelError, createFolderRegistry } from './index.ts'
import { parseModelJson } from './model-json.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'inference-folder-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function model(fields: Record<string, unknown> = {}): string {
  return JSON.stringify({
    name: 'm',
    version: '1',
    algorithm: 'A',
    dataset: { name: 'd', source: 's', licence: 'l' },
    output: 'value',
    n_features: 2,
    features: ['a', 'b'],
    output_name: 'out',
    trained_at: '2024-01-01T00:00:00Z',
    samples: [{ features: [1, 2], prediction: 3 }],
    sha256: '0'.repeat(64),
    ...fields,
  })
}

function put(name: string, version: string, fields: Record<string, unknown> = {}): string {
  const folder = join(root, name, version)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'model.json'), model({ name, version, ...fields }))
  return folder
}

describe('resolving', () => {
  test('version, then alias, then stage; without one the newest of Production, or the newest', async () => {
    for (const version of ['9', '10', '2']) put('m', version)
    put('p', '1', { stage: 'Production', aliases: ['2'] })
    put('p', '2', { stage: 'Production', aliases: ['best'] })
    put('p', '3', { stage: 'Staging' })
    const registry = createFolderRegistry(root)
    const version = async (name: string, reference?: string) =>
      (await registry.resolve(name, reference)).version
    expect(await version('m')).toBe('10')
    expect(await version('p')).toBe('2')
    expect(await version('p', '2')).toBe('2')
    expect(await version('p', 'best')).toBe('2')
    expect(await version('p', 'staging')).toBe('3')
    await expect(version('p', 'Archived')).rejects.toThrow(
      'model "p" has no version, alias or stage "Archived" (versions: 1, 2, 3)',
    )
    await expect(version('q')).rejects.toThrow(UnknownModelError)
  })

  test('names from outside never become paths', async () => {
    put('m', '1')
    const registry = createFolderRegistry(join(root, 'm'))
    for (const name of ['..', '../m', '.', '', 'm/1', '%2e%2e', '\0', '1/../..'])
      await expect(registry.resolve(name)).rejects.toThrow(UnknownModelError)
  })
})

describe('listing', () => {
  test('entries that cannot be used are faults with a reason, the rest is listed', async () => {
    put('good', '1')
    put('good', '2', { n_features: 3 })
    put('moved', '1', { name: 'other' })
    mkdirSync(join(root, 'empty', '1'), { recursive: true })
    mkdirSync(join(root, '.hidden', '1'), { recursive: true })
    writeFileSync(join(root, 'README'), '')
    const { versions, faults } = await createFolderRegistry(root).list()
    expect(versions.map((v) => `${v.name} ${v.version}`)).toEqual(['good 1'])
    expect(faults.map((f) => `${f.name} ${f.version}: ${f.reason}`)).toEqual([
      expect.stringContaining('empty 1: cannot read'),
      'good 2: model.json: 2 features but n_features 3',
      'moved 1: model.json says other 1, its folder another name',
    ])
  })

  test('has a limit', async () => {
    for (let i = 0; i < 4; i++) put('m', String(i))
    await expect(createFolderRegistry(root, { maxModelVersions: 3 }).list()).rejects.toThrow(
      'more than 3 versions',
    )
  })

  test('a folder that is not there is a clear error', async () => {
    await expect(createFolderRegistry(join(root, 'nowhere')).list()).rejects.toThrow(
      'cannot read model folder',
    )
  })
})

describe('fetching', () => {
  test('hands out bytes that match the checksum only, of a size that is allowed', async () => {
    cpSync(SHIPPED_MODELS_DIR, root, { recursive: true })
    const registry = createFolderRegistry(root)
    const wine = await registry.resolve('wine-cultivar')
    expect((await registry.fetch(wine)).length).toBeGreaterThan(100)
    await expect(createFolderRegistry(root, { maxModelBytes: 100 }).fetch(wine)).rejects.toThrow(
      'the limit is 100',
    )
    writeFileSync(join(root, 'wine-cultivar', '2', 'model.onnx'), 'garbage')
    await expect(registry.fetch(wine)).rejects.toThrow(RegistryError)
    await expect(registry.fetch({ ...wine, name: '../x' })).rejects.toThrow('is not a plain name')
  })

  test('links that lead out of the folder are refused', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'inference-outside-'))
    try {
      const folder = put('m', '1')
      writeFileSync(join(outside, 'secret'), 'x')
      symlinkSync(join(outside, 'secret'), join(folder, 'model.onnx'))
      const registry = createFolderRegistry(root)
      await expect(registry.fetch(await registry.resolve('m'))).rejects.toThrow(
        'leads out of the model folder',
      )
    } finally {
      rmSync(outside, { recursive: true })
    }
  })
})

describe('model.json', () => {
  const faults: [Record<string, unknown>, string][] = [
    [{ name: '../m' }, 'name "../m" is not a plain name'],
    [{ output: 'text' }, 'output is "text"'],
    [{ sha256: 'x' }, 'sha256 is not 64 hex digits'],
    [{ stage: 'Live' }, 'stage is none of'],
    [{ samples: [{ features: [1], prediction: 1 }] }, 'samples[0] is not 2 numbers and a prediction'],
    [{ n_features: 0 }, 'n_features is not a whole number'],
    [{ dataset: [] }, 'dataset is not an object'],
    [{ features: 'ab' }, 'features is not a list'],
  ]
  test.each(faults)('%o', (fields, message) => {
    expect(() => parseModelJson(model(fields))).toThrow(message)
  })

  test('whatever it holds, the answer is a model or a RegistryError', () => {
    const keys = fc.constantFrom(
      'name',
      'version',
      'n_features',
      'features',
      'samples',
      'metrics',
      'aliases',
      'dataset',
    )
    fc.assert(
      fc.property(keys, fc.jsonValue(), (key, value) => {
        try {
          expect(parseModelJson(model({ [key]: value }))).toBeDefined()
        } catch (error) {
          expect(error).toBeInstanceOf(RegistryError)
        }
      }),
      { numRuns: 500 },
    )
  })
})
