import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
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

describe('discoveries over the network', () => {
  let server: Server
  let url = ''
  let answer = '[{"targets": ["a:1"]}]'
  let requests = 0
  const updates: string[] = []

  beforeEach(async () => {
    requests = 0
    answer = '[{"targets": ["a:1"]}]'
    updates.length = 0
    server = createServer((_, response) => {
      requests++
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(answer)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    manager.stop()
    manager = new DiscoveryManager({
      logger: createLogger({ write: (line) => log.push(line) }),
      onGroups: (pool, list) => {
        updates.push(pool)
        groups.set(pool, list)
      },
      events: { onFailedConfigs: (count) => (failed = count) },
      updatePauseMsMax: 300,
    })
  })
  let failed = 0

  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  const http = (refreshIntervalMs = 60_000): Partial<DiscoveryConfig> => ({
    httpSdConfigs: [{ url, refreshIntervalMs, http: { followRedirects: true } }],
  })
  const pools = (...names: string[]) =>
    new Map(names.map((name) => [name, { staticConfigs: [], fileSdConfigs: [], ...http() }]))
  const of = (pool: string) => groups.get(pool)?.flatMap(({ targets }) => targets.map((t) => t.__address__))

  it('do not keep static targets waiting', async () => {
    await manager.apply(config({ staticConfigs: [{ targets: ['s:1'], labels: {} }], ...http() }))
    expect(of('pool')).toEqual(['s:1'])
    await vi.waitFor(() => expect(of('pool')).toEqual(['s:1', 'a:1']))
  })

  it('run once for all pools that have the same, and go on through a reload', async () => {
    await manager.apply(pools('x', 'y'))
    await vi.waitFor(() => expect([of('x'), of('y')]).toEqual([['a:1'], ['a:1']]))
    await manager.apply(pools('y', 'z'))
    await vi.waitFor(() => expect(of('z')).toEqual(['a:1']))
    expect(requests).toBe(1)
  })

  it('leave a pool its targets until a changed discovery has answered', async () => {
    await manager.apply(config(http()))
    await vi.waitFor(() => expect(of('pool')).toEqual(['a:1']))
    updates.length = 0
    answer = '[{"targets": ["b:1"]}]'
    await manager.apply(config(http(50_000)))
    await vi.waitFor(() => expect(of('pool')).toEqual(['b:1']))
    expect(updates).toHaveLength(1)
  })

  it('hand over bursts of changes together', async () => {
    await manager.apply(config(http(100)))
    await vi.waitFor(() => expect(of('pool')).toEqual(['a:1']))
    updates.length = 0
    const until = performance.now() + 1200
    for (let i = 0; performance.now() < until; i++) {
      answer = `[{"targets": ["b:${i}"]}]`
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(updates.length).toBeGreaterThanOrEqual(3)
    expect(updates.length).toBeLessThan(requests)
  })

  it('that cannot be created are counted, and tried again with the next configuration', async () => {
    const path = join(dir, 'kubeconfig')
    const kubernetes = {
      role: 'pod' as const,
      kubeconfigFile: path,
      http: { followRedirects: true },
      namespaces: [],
      ownNamespace: false,
      selectors: [],
      attach: { node: false, namespace: false, deployment: false, job: false, cronJob: false },
    }
    const parts = { kubernetesSdConfigs: [kubernetes] }
    await manager.apply(config({ staticConfigs: [{ targets: ['s:1'], labels: {} }], ...parts }))
    expect(of('pool')).toEqual(['s:1'])
    expect(failed).toBe(1)
    expect(log.join('')).toContain('Cannot create service discovery')
    writeFileSync(
      path,
      `current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\nclusters: [{name: k, cluster: {server: "${url}"}}]\n`,
    )
    await manager.apply(config({ staticConfigs: [{ targets: ['s:1'], labels: {} }], ...parts }))
    expect(failed).toBe(0)
  })
})
