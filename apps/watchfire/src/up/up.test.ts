import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DEPLOY_DIR } from '../paths.ts'
import { parseUpOptions, writeServerConfig, type UpOptions } from '../index.ts'

describe('options of up', () => {
  const read = (argv: string[], env = {}): UpOptions => {
    const options = parseUpOptions(argv, env)
    if (options === 'help') throw new Error('unexpected help')
    return options
  }

  it('takes flags before environment before defaults', () => {
    expect(read([])).toMatchObject({
      port: 9090,
      inferencePort: 8000,
      dashboardsPort: 3000,
      alertmanagerPort: 9093,
      traffic: true,
    })
    expect(read([], { WATCHFIRE_PORT: '1234', WATCHFIRE_TRAFFIC: 'off' })).toMatchObject({
      port: 1234,
      traffic: false,
    })
    expect(read(['--port', '4321'], { WATCHFIRE_PORT: '1234' }).port).toBe(4321)
  })

  it('refuses what it cannot use, naming it', () => {
    expect(() => read([], { WATCHFIRE_PORT: 'http' })).toThrow('WATCHFIRE_PORT: "http" is not a port number')
    expect(() => read(['--port', '3000'])).toThrow('port 3000 is given to two services')
    expect(() => read(['--what'])).toThrow('--what')
    expect(() => read(['--traffic', 'maybe'])).toThrow('expected on or off')
  })
})

describe('the shipped configuration', () => {
  it('is copied with the ports in use, absolute rule paths and its comments', () => {
    const dir = mkdtempSync(join(tmpdir(), 'up-'))
    const target = writeServerConfig({
      source: join(DEPLOY_DIR, 'prometheus.yml'),
      target: join(dir, 'a', 'prometheus.yml'),
      addresses: { 'localhost:8000': '127.0.0.1:18000' },
    })
    const text = readFileSync(target, 'utf8')
    expect(text).toContain('127.0.0.1:18000')
    expect(text).not.toContain('localhost:8000')
    expect(text).toContain(`${join(DEPLOY_DIR, 'rules')}/`)
    expect(text).toContain('# Native histograms where')
    rmSync(dir, { recursive: true })
  })
})
