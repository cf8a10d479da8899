import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { DiscoveryConfig } from '../config/index.ts'
import { createLogger } from '../logger.ts'
import { DiscoveryManager, type TargetGroup } from './index.ts'
import { parseTargetFile } from './target-file.ts'

let dir = ''
const groups = new Map<string, readonly TargetGroup[]>()
const log: string[] = []
let manager: DiscoveryManager

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'watchfire-sd-'))
  groups.clear()
  log.length = 0
  manager = new DiscoveryManager({
    logger: createLogger({ write: (line) => log.push(line) }),
    onGroups: (pool, list) => groups.set(pool, list),
  })
})
afterEach(() => {
  manager.stop()
  rmSync(dir, { recursive: true, force: true })
})

const config = (parts: Partial<DiscoveryConfig>) =>
  new Map([['pool', { staticConfigs: [], fileSdConfigs: [], ...parts }]])
const files = (...names: string[]) =>
  config({ fileSdConfigs: [{ files: names.map((name) => join(dir, name)), refreshIntervalMs: 60_000 }] })
const addresses = () => groups.get('pool')?.flatMap((group) => group.targets.map((t) => t.__address__))

describe('DiscoveryManager', () => {
  it('hands over static targets with their labels', async () => {
    await manager.apply(config({ staticConfigs: [{ targets: ['a:1', 'b:2'], labels: { env: 'x' } }] }))
    expect(groups.get('pool')).toEqual([
      { source: '0', labels: { env: 'x' }, targets: [{ __address__: 'a:1' }, { __address__: 'b:2' }] },
    ])
  })

  it('reads JSON and YAML files and follows changes, new files and removals', async () => {
    writeFileSync(join(dir, 'a.json'), '[{"targets": ["a:1"], "labels": {"l": "v"}}]')
    writeFileSync(join(dir, 'b.yml'), '- targets: [b:1]\n')
    await manager.apply(files('*.json', 'b.yml'))
    expect(addresses()).toEqual(['a:1', 'b:1'])
    expect(groups.get('pool')![0]!.labels).toEqual({ l: 'v', __meta_filepath: join(dir, 'a.json') })
    writeFileSync(join(dir, 'c.json.tmp'), '[{"targets": ["c:1"]}]')
    renameSync(join(dir, 'c.json.tmp'), join(dir, 'c.json'))
    await vi.waitFor(() => expect(addresses()).toEqual(['a:1', 'b:1', 'c:1']), 3000)
    unlinkSync(join(dir, 'a.json'))
    await vi.waitFor(() => expect(addresses()).toEqual(['b:1', 'c:1']), 3000)
  })

  it('keeps the groups of a file that turned bad and says so', async () => {
    writeFileSync(join(dir, 'a.json'), '[{"targets": ["a:1"]}]')
    await manager.apply(files('a.json'))
    writeFileSync(join(dir, 'a.json'), '[{"targets": [1]}]')
    await vi.waitFor(() => expect(log.join('')).toContain('targets must be a list of strings'), 3000)
    expect(addresses()).toEqual(['a:1'])
  })

  it('forgets pools that are no longer configured', async () => {
    writeFileSync(join(dir, 'a.json'), '[{"targets": ["a:1"]}]')
    await manager.apply(files('a.json'))
    await manager.apply(new Map())
    groups.clear()
    writeFileSync(join(dir, 'a.json'), '[{"targets": ["a:2"]}]')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(groups.size).toBe(0)
  })
})

describe('parseTargetFile', () => {
  const bad: [string, string, string][] = [
    ['x.json', '{', 'x.json: '],
    ['x.json', '{}', 'expected a list'],
    ['x.json', '[null]', 'nil target group item found (index 0)'],
    ['x.json', '[{"target": []}]', 'unknown field "target"'],
    ['x.json', '[{"labels": {"a": 1}}]', 'label a must be a string'],
    ['x.yml', 'a: 1', 'cannot unmarshal !!map'],
    ['x.yml', '- foo: 1', 'field foo not found'],
    ['x.yml', '- targets: [a', 'x.yml: yaml: line'],
  ]
  it.each(bad)('refuses %s with %j', (path, content, message) => {
    expect(() => parseTargetFile(content, path)).toThrow(message)
  })

  it('throws nothing but errors that name the file', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('f.json', 'f.yml'), (content, path) => {
        try {
          parseTargetFile(content, path)
        } catch (error) {
          expect((error as Error).message).toContain(`${path}: `)
        }
      }),
      { numRuns: 300 },
    )
  })
})
