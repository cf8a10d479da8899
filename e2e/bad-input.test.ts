// What happens when things around the server are wrong: a clear message, and the rest works.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { FakeTarget, TestProcess, until } from '@watchfire/testkit'
import { ServerProcess } from './server-process.ts'

const disposables: { dispose?: () => Promise<void>; stop?: () => Promise<unknown> }[] = []
afterEach(async () => {
  for (const one of disposables.splice(0)) await (one.dispose ? one.dispose() : one.stop?.())
})
const keep = <T extends (typeof disposables)[number]>(one: T): T => {
  disposables.push(one)
  return one
}

describe('configuration', () => {
  it('with an unknown field stops the start, naming file, line and column', async () => {
    const server = keep(await ServerProcess.start('global:\n  scrape_intervall: 15s\n', { wait: false }))
    expect((await server.process.ended).code).not.toBe(0)
    expect(server.process.output).toContain('prometheus.yml')
    expect(server.process.output).toMatch(/line 2/)
    expect(server.process.output).toContain('scrape_intervall')
  })

  it('that is broken on reload leaves the old one in force', async () => {
    const server = keep(await ServerProcess.start('scrape_configs: []\n'))
    server.writeConfig('scrape_configs: [\n')
    const reload = await fetch(`${server.url}/-/reload`, { method: 'POST' })
    expect(reload.status).toBe(500)
    expect(await reload.text()).toContain('failed to reload config')
    expect((await fetch(`${server.url}/-/ready`)).status).toBe(200)
    server.writeConfig('scrape_configs: []\n')
    expect((await fetch(`${server.url}/-/reload`, { method: 'POST' })).status).toBe(200)
  })
})

describe('the machine', () => {
  it('with the port in use gives a message and an exit code', async () => {
    const first = keep(await ServerProcess.start('scrape_configs: []\n'))
    const second = TestProcess.start({
      program: process.execPath,
      args: [
        join(import.meta.dirname, '../bin/watchfire'),
        `--config.file=${first.configFile}`,
        `--storage.tsdb.path=${join(first.dir, 'other')}`,
        `--web.listen-address=127.0.0.1:${first.port}`,
      ],
    })
    expect((await second.ended).code).not.toBe(0)
    expect(second.output).toMatch(/address already in use|EADDRINUSE/)
  })

  it('with the data folder in use by another server gives a message', async () => {
    const first = keep(await ServerProcess.start('scrape_configs: []\n'))
    const second = TestProcess.start({
      program: process.execPath,
      args: [
        join(import.meta.dirname, '../bin/watchfire'),
        `--config.file=${first.configFile}`,
        `--storage.tsdb.path=${join(first.dir, 'data')}`,
        '--web.listen-address=127.0.0.1:0',
      ],
    })
    expect((await second.ended).code).not.toBe(0)
    expect(second.output).toMatch(/lock/i)
  })

  it('with something that is no folder where the data should be gives a message', async () => {
    const server = keep(await ServerProcess.start('scrape_configs: []\n'))
    await server.process.stop()
    const file = join(server.dir, 'a-file')
    writeFileSync(file, 'x')
    chmodSync(file, 0o400)
    const second = TestProcess.start({
      program: process.execPath,
      args: [
        join(import.meta.dirname, '../bin/watchfire'),
        `--config.file=${server.configFile}`,
        `--storage.tsdb.path=${file}`,
        '--web.listen-address=127.0.0.1:0',
      ],
    })
    expect((await second.ended).code).not.toBe(0)
    expect(second.output).toContain('a-file')
  })
})

describe('targets', () => {
  it('that send garbage, too much, nothing or end at once are failed scrapes with a reason, and the good one is scraped', async () => {
    const good = keep(await FakeTarget.start(FakeTarget.text(() => 'good_metric 1\n')))
    const garbage = keep(
      await FakeTarget.start((_q, r) =>
        r.setHeader('content-type', 'text/plain; version=0.0.4').end('{{{{ \u0000 not a metric'),
      ),
    )
    const huge = keep(
      await FakeTarget.start((_q, r) => {
        r.setHeader('content-type', 'text/plain; version=0.0.4')
        const block = Buffer.alloc(1 << 20, 'a')
        let blocks = 0
        const more = (): void => {
          while (blocks++ < 100) if (!r.write(block)) return void r.once('drain', more)
          r.end()
        }
        more()
      }),
    )
    const silent = keep(await FakeTarget.start(() => {}))
    const rude = keep(await FakeTarget.start((_q, r) => r.destroy()))
    const names = { good, garbage, huge, silent, rude }
    const jobs = Object.entries(names)
      .map(
        ([name, target]) =>
          `  - job_name: ${name}\n    body_size_limit: 20MB\n    scrape_interval: 2s\n    scrape_timeout: 1s\n    static_configs: [{targets: ['${target.address}']}]\n`,
      )
      .join('')
    const server = keep(await ServerProcess.start(`scrape_configs:\n${jobs}`))
    type Targets = { activeTargets: { scrapePool: string; health: string; lastError: string }[] }
    const targets = await until(25_000, async () => {
      const { activeTargets } = await server.api<Targets>('targets')
      return activeTargets.length === 5 && activeTargets.every((one) => one.health !== 'unknown')
        ? activeTargets
        : undefined
    })
    expect(targets).toBeDefined()
    for (const one of targets!) {
      expect(`${one.scrapePool} ${one.health}`).toBe(
        `${one.scrapePool} ${one.scrapePool === 'good' ? 'up' : 'down'}`,
      )
      if (one.scrapePool !== 'good') expect(one.lastError).not.toBe('')
    }
    expect((await server.vector('good_metric'))[0]?.value[1]).toBe('1')
    expect(await server.vector('up == 0')).toHaveLength(4)
  })
})

describe('queries', () => {
  it('that ask for too much end alone', async () => {
    const target = keep(
      await FakeTarget.start(
        FakeTarget.text(() => Array.from({ length: 200 }, (_, i) => `m{i="${i}"} ${i}`).join('\n') + '\n'),
      ),
    )
    const server = keep(
      await ServerProcess.start(
        `global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: a\n    static_configs: [{targets: ['${target.address}']}]\n`,
      ),
    )
    await until(20_000, async () => (await server.vector('count(m) == 200')).length)
    const bomb =
      'count(' + Array.from({ length: 6 }, () => '{__name__="m"}').join(' * on() group_left() ') + ')'
    const timed = await fetch(
      `${server.url}/api/v1/query?timeout=1s&query=${encodeURIComponent(`sum(sum_over_time(m[60d:1ms]))`)}`,
    )
    expect(timed.status).toBeGreaterThanOrEqual(400)
    const many = await fetch(`${server.url}/api/v1/query?timeout=2s&query=${encodeURIComponent(bomb)}`)
    expect(many.status).toBeGreaterThanOrEqual(400)
    expect((await server.vector('count(m)'))[0]?.value[1]).toBe('200')
    expect(server.process.over).toBe(false)
  })

  it('and requests that make no sense get an error of the API', async () => {
    const server = keep(await ServerProcess.start('scrape_configs: []\n'))
    const response = await fetch(`${server.url}/api/v1/query?query=${encodeURIComponent('sum(rate(')}`)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ status: 'error', errorType: 'bad_data' })
    expect((await fetch(`${server.url}/api/v1/nothing`)).status).toBe(404)
  })
})

// A target that answers on a plain socket with no HTTP at all.
describe('a peer that speaks another protocol', () => {
  it('is a failed scrape', async () => {
    const server = createServer()
    server.on('connection', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    const watch = keep(
      await ServerProcess.start(
        `global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: ssh\n    static_configs: [{targets: ['127.0.0.1:${port}']}]\n`,
      ),
    )
    const down = await until(15_000, async () => (await watch.vector('up{job="ssh"} == 0')).length)
    expect(down).toBe(1)
    server.close()
  })
})
