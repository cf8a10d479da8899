// Scrape loops against real HTTP servers that behave and misbehave; the database is a map.
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import {
  APPEND,
  Labels,
  isStale,
  systemClock,
  type AppendResult,
  type Appender,
  type Exemplar,
  type HistogramSample,
} from '@watchfire/datamodel'
import type { RelabelConfig, ScrapeConfig } from '../config/types.ts'
import { BodyAppender } from './body-appender.ts'
import { appendPolicy } from './settings.ts'
import {
  DEFAULT_SCRAPE_OPTIONS,
  ScrapeCache,
  ScrapeLoop,
  ScrapeManager,
  TextScanner,
  buildTargets,
  createCounters,
  jobSettings,
  type LoopContext,
  type ScrapeOptions,
} from './index.ts'

const TEXT = 'text/plain; version=0.0.4'
const INSTANCE_X: RelabelConfig = {
  sourceLabels: [],
  separator: ';',
  regex: '(.*)',
  modulus: 0,
  targetLabel: 'instance',
  replacement: 'x',
  action: 'replace',
}

describe('one scrape', () => {
  it('stores samples with target labels, and reports on itself', async () => {
    const { scrape, db } = await target(body('a_total{x="1"} 3\nb 4.5\n'))
    await scrape(1000)
    expect(db.at(1000)).toMatchObject({
      'a_total{instance="TARGET", job="job", x="1"}': '3',
      'b{instance="TARGET", job="job"}': '4.5',
      'up{instance="TARGET", job="job"}': '1',
      'scrape_samples_scraped{instance="TARGET", job="job"}': '2',
      'scrape_samples_post_metric_relabeling{instance="TARGET", job="job"}': '2',
      'scrape_series_added{instance="TARGET", job="job"}': '2',
    })
  })

  it('ends series that vanish, and all of them when a scrape fails', async () => {
    let text = 'a 1\nb 2\n'
    const { scrape, db, loop } = await target((_, response) => {
      if (text === '') response.writeHead(500).end()
      else response.writeHead(200, { 'content-type': TEXT }).end(text)
    })
    await scrape(1000)
    text = 'a 1\n'
    await scrape(2000)
    expect(db.at(2000)).toMatchObject({
      'a{instance="TARGET", job="job"}': '1',
      'b{instance="TARGET", job="job"}': 'stale',
    })
    text = ''
    await scrape(3000)
    expect(db.at(3000)).toMatchObject({
      'a{instance="TARGET", job="job"}': 'stale',
      'up{instance="TARGET", job="job"}': '0',
    })
    expect(db.at(3000)).not.toHaveProperty('b{instance="TARGET", job="job"}')
    expect(loop.state).toMatchObject({
      health: 'down',
      lastError: 'server returned HTTP status 500 Internal Server Error',
    })
    text = 'a 5\n'
    await scrape(4000)
    expect(db.at(4000)).toMatchObject({
      'a{instance="TARGET", job="job"}': '5',
      'up{instance="TARGET", job="job"}': '1',
    })
  })

  it('keeps nothing of a body that breaks off with an error', async () => {
    const { scrape, db, loop } = await target(body('ok 1\nbad{ 2\nok2 3\n'))
    await scrape(1000)
    expect(db.at(1000)).not.toHaveProperty('ok{instance="TARGET", job="job"}')
    expect(db.at(1000)).toMatchObject({
      'up{instance="TARGET", job="job"}': '0',
      'scrape_samples_scraped{instance="TARGET", job="job"}': '1',
    })
    expect(loop.state.lastError).toBe('expected label name, got "2" ("INVALID") while parsing: "bad{ 2"')
  })

  it('moves or keeps labels that clash with the target, as honor_labels says', async () => {
    const text = 'm{job="x",instance="",exported_job="y"} 1\n'
    const moved = await target(body(text))
    await moved.scrape(1000)
    expect(moved.db.at(1000)).toHaveProperty(
      'm{exported_exported_job="x", exported_job="y", instance="TARGET", job="job"}',
    )
    const honored = await target(body(text), { honorLabels: true })
    await honored.scrape(1000)
    expect(honored.db.at(1000)).toHaveProperty('m{exported_job="y", job="x"}')
  })

  it('relabels metrics once and remembers what was dropped', async () => {
    const rule = {
      sourceLabels: ['__name__'],
      separator: ';',
      regex: 'drop_.*',
      modulus: 0,
      targetLabel: '',
      replacement: '$1',
    }
    const { scrape, db } = await target(body('drop_me 1\nkeep 2\n'), {
      metricRelabelConfigs: [{ ...rule, action: 'drop' }],
    })
    await scrape(1000)
    await scrape(2000)
    expect(db.at(2000)).toMatchObject({
      'scrape_samples_scraped{instance="TARGET", job="job"}': '2',
      'scrape_samples_post_metric_relabeling{instance="TARGET", job="job"}': '1',
      'scrape_series_added{instance="TARGET", job="job"}': '0',
    })
    expect(Object.keys(db.at(2000)).some((series) => series.startsWith('drop_me'))).toBe(false)
  })

  it('counts duplicates and goes on', async () => {
    const { scrape, db, context } = await target(body('d{a="1"} 1\nd{a="1"} 2\n'))
    await scrape(1000)
    expect(db.at(1000)).toMatchObject({ 'd{a="1", instance="TARGET", job="job"}': '1' })
    expect(context.counters.duplicateTimestamp).toBe(1)
  })

  it('enforces limits as whole failed scrapes', async () => {
    const f = async (config: Partial<ScrapeConfig>, error: string): Promise<void> => {
      const { scrape, loop, db } = await target(body('m1{a="1"} 1\nm2{a="2"} 2\nm3 3\n'), config)
      await scrape(1000)
      expect(loop.state.lastError).toBe(error)
      expect(db.at(1000)).not.toHaveProperty('m3{instance="TARGET", job="job"}')
    }
    await f({ sampleLimit: 2 }, 'sample limit exceeded')
    await f({ labelLimit: 3 }, 'label_limit exceeded (metric: m1, number of labels: 4, limit: 3)')
    await f(
      { labelNameLengthLimit: 7 },
      'label_name_length_limit exceeded (metric: m1, label name: __name__, length: 8, limit: 7)',
    )
    await f(
      { jobName: 'a-long-name', labelValueLengthLimit: 10, relabelConfigs: [INSTANCE_X] },
      'label_value_length_limit exceeded (metric: m1, label name: job, value: "a-long-name", length: 11, limit: 10)',
    )
    await f({ bodySizeLimit: 20 }, 'body size limit exceeded')
  })

  it('honours, ignores and bounds exposed times', async () => {
    const future = Date.now() + 86_400_000
    const honoured = await target(body(`t1 1 500\nt2 2 ${future}\n`))
    await honoured.scrape(1000)
    expect(honoured.db.at(500)).toEqual({ 't1{instance="TARGET", job="job"}': '1' })
    expect(honoured.db.at(future)).toEqual({})
    expect(honoured.context.counters.outOfBounds).toBe(1)
    const ignored = await target(body('t1 1 500\n'), { honorTimestamps: false })
    await ignored.scrape(1000)
    expect(ignored.db.at(1000)).toHaveProperty('t1{instance="TARGET", job="job"}', '1')
  })

  it('keeps metadata', async () => {
    const { scrape, loop } = await target(body('# HELP a help text\n# TYPE a counter\na 1\n'))
    await scrape(1000)
    expect(Object.fromEntries(loop.cache.metadata)).toMatchObject({
      a: { type: 'counter', help: 'help text', unit: '' },
    })
  })

  it('reads native histograms from protobuf', async () => {
    const hex =
      '2f0a027068120168180422243a220805110000000000000840280031fca9f1d24d62503f38016204080010026a020400'
    const { scrape, db } = await target(
      body(
        Buffer.from(hex, 'hex'),
        'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
      ),
      { scrapeNativeHistograms: true },
    )
    await scrape(1000)
    expect(db.histograms.get('ph{instance="TARGET", job="job"}')).toMatchObject({
      count: 5,
      sum: 3,
      integer: true,
    })
  })

  it('asks for what the job wants, with its credentials', async () => {
    const seen: IncomingMessage[] = []
    const { scrape } = await target(
      (request, response) => {
        seen.push(request)
        response.writeHead(200, { 'content-type': TEXT }).end('a 1\n')
      },
      {
        http: { followRedirects: true, authorization: { type: 'Bearer', credentials: 'tok' } },
        params: { x: ['1', 'ä b'] },
      },
    )
    await scrape(1000)
    expect(seen[0]?.url).toBe('/metrics?x=1&x=%C3%A4+b')
    expect(seen[0]?.headers).toMatchObject({
      accept:
        'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.4',
      'accept-encoding': 'gzip',
      authorization: 'Bearer tok',
      'x-prometheus-scrape-timeout-seconds': '0.3',
    })
  })

  it('tries again on a new connection when a kept one was closed', async () => {
    let requests = 0
    const { scrape, loop } = await target((request, response) => {
      // The second request comes on the connection of the first and finds it closing.
      if (++requests === 2) request.socket.destroy()
      else response.writeHead(200, { 'content-type': TEXT }).end('a 1\n')
    })
    await scrape(1000)
    await scrape(2000)
    expect(loop.state.lastError).toBe('')
    expect(requests).toBe(3)
  })

  it('follows redirects, without credentials to other hosts', async () => {
    const seen: (string | undefined)[] = []
    const elsewhere = await listen((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(200, { 'content-type': TEXT }).end('a 1\n')
    })
    const { scrape, loop } = await target(
      (_, response) => response.writeHead(302, { location: `http://${elsewhere}/x` }).end(),
      { http: { followRedirects: true, authorization: { type: 'Bearer', credentials: 'tok' } } },
    )
    await scrape(1000)
    expect(loop.state.lastError).toBe('')
    expect(seen).toEqual([undefined])
  })
})

describe('a body of known shape', () => {
  const scanner = new TextScanner()
  /** Scrapes the bodies with and without the scan and expects the same samples; returns the lines that took the fast path. */
  const f = async (
    bodies: readonly string[],
    change: Partial<ScrapeConfig> = {},
    type = TEXT,
  ): Promise<number> => {
    let turn = 0
    const listener: RequestListener = (_, response) => {
      const text = bodies[Math.floor(turn++ / 2)]!
      if (text === '') response.writeHead(500).end()
      else response.writeHead(200, { 'content-type': type }).end(text)
    }
    const fast = await target(listener, change, { exemplars: true }, scanner)
    const slow = await targetAt(fast.db.target, change, { exemplars: true })
    for (let i = 1; i <= bodies.length; i++) {
      await fast.scrape(i * 1000)
      await slow.scrape(i * 1000)
      const without = (samples: Record<string, string>): Record<string, string> =>
        Object.fromEntries(Object.entries(samples).filter(([name]) => !name.startsWith('scrape_duration')))
      expect(without(fast.db.at(i * 1000))).toEqual(without(slow.db.at(i * 1000)))
    }
    const show = ({ db }: Fixture): unknown => [[...db.histogramLog], db.exemplars]
    expect(show(fast)).toEqual(show(slow))
    expect({ ...fast.context.counters, fastSamples: 0 }).toEqual(slow.context.counters)
    return fast.context.counters.fastSamples
  }

  it('is stored without parsing, with the same result', async () => {
    expect(await f(['# TYPE a counter\na{x="1"} 1\nb 2\n', '# TYPE a counter\na{x="1"} 3\nb 4.5\n'])).toBe(2)
  })

  it('is parsed again when series come, go or move, when comments change and after a failure', async () => {
    expect(
      await f([
        'a 1\nb 2\n',
        'a 2\nb 3\nc 4\n',
        'a 1\nc 2\n',
        'c 1\na 2\n',
        '# TYPE a gauge\nc 1\na 2\n',
        '',
        'c 1\na 2\n',
      ]),
    ).toBe(0)
  })

  it('resolves single lines that the kernel leaves to us', async () => {
    const long = (n: number): string => `a ${n}.${'123456789'.repeat(3)}\nb 1\n`
    expect(await f([long(1), long(2), long(3)])).toBe(4)
    const om = (n: number): string =>
      `# TYPE a counter\na_total ${n} # {id="${n}"} 0.5 1.5\nb ${n} ${n}.25\n# EOF\n`
    expect(await f([om(1), om(2), om(3)], {}, 'application/openmetrics-text; version=1.0.0')).toBe(4)
  })

  it('knows dropped, duplicate and timed lines', async () => {
    const rule = { ...INSTANCE_X, sourceLabels: ['__name__'], regex: 'drop', action: 'drop' as const }
    const text = (n: number): string => `a ${n}\ndrop ${n}\na ${n + 1}\nt ${n} ${n * 1000}\nz NaN\n`
    expect(await f([text(1), text(2), text(3)], { metricRelabelConfigs: [rule] })).toBe(10)
    expect(await f([text(1), text(2)], { honorTimestamps: false })).toBe(5)
  })

  it('converts classic histograms', async () => {
    const text = (n: number): string =>
      `# TYPE h histogram\nh_bucket{m="a",le="0.5"} ${n}\nh_bucket{m="a",le="+Inf"} ${2 * n}\nh_sum{m="a"} 1.5\nh_count{m="a"} ${2 * n}\n` +
      `h_bucket{m="b",le="1"} 1\nh_bucket{m="b",le="+Inf"} 1\nh_sum{m="b"} 1.5\nh_count{m="b"} 1\n# TYPE g gauge\ng ${n}\n`
    const bodies = [text(1), text(2), text(3)]
    expect(await f(bodies, { convertClassicHistogramsToNhcb: true })).toBe(18)
    expect(
      await f(bodies, { convertClassicHistogramsToNhcb: true, alwaysScrapeClassicHistograms: true }),
    ).toBe(18)
  })
})

describe('a hostile target', () => {
  const f = async (
    listener: RequestListener,
    error: RegExp,
    config: Partial<ScrapeConfig> = {},
  ): Promise<void> => {
    const { scrape, loop, db } = await target(listener, config, { bodySizeCeiling: 1024 * 1024 })
    await scrape(1000)
    expect(loop.state.health).toBe('down')
    expect(loop.state.lastError).toMatch(error)
    expect(db.at(1000)).toHaveProperty('up{instance="TARGET", job="job"}', '0')
  }

  it('that never answers is one failed scrape', async () => {
    await f(() => undefined, /^Get "http:\/\/127\.0\.0\.1:\d+\/metrics": context deadline exceeded$/)
  })

  it('that drips bytes for ever is cut off', async () => {
    await f((_, response) => {
      response.writeHead(200, { 'content-type': TEXT })
      const timer = setInterval(() => response.write('a 1\n'), 20)
      response.on('close', () => clearInterval(timer))
    }, /^context deadline exceeded$/)
  })

  it('that sends more than the ceiling is cut off', async () => {
    await f((_, response) => {
      response.writeHead(200, { 'content-type': TEXT })
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65536)));
        response.once('drain', more)
      }
      more()
    }, /^body size limit exceeded$/)
  })

  it('that sends a gzip bomb is cut off', async () => {
    const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024))
    await f(
      (_, response) =>
        response.writeHead(200, { 'content-type': TEXT, 'content-encoding': 'gzip' }).end(bomb),
      /^body size limit exceeded$/,
    )
  })

  it('that sends damaged gzip fails', async () => {
    const half = gzipSync('a 1\n'.repeat(1000)).subarray(0, 30)
    await f(
      (_, response) =>
        response.writeHead(200, { 'content-type': TEXT, 'content-encoding': 'gzip' }).end(half),
      /^unexpected EOF$/,
    )
  })

  it('that sends garbage fails', async () => {
    await f(body('\u0001\u0002\u0003'), /^expected a valid start token/)
    await f(body('garbage', 'application/vnd.google.protobuf'), /^clientpb: /)
    await f(body('<html>', 'text/html'), /^received unsupported Content-Type/)
  })

  it('that closes the connection fails', async () => {
    await f((request) => request.socket.destroy(), /^Get "http:.*": (EOF|read: connection reset by peer)$/)
  })

  it('that is not there fails', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    await new Promise((resolve) => server.close(resolve))
    const { scrape, loop } = await targetAt(address)
    await scrape(1000)
    expect(loop.state.lastError).toBe(
      `Get "http://${address}/metrics": dial tcp ${address}: connect: connection refused`,
    )
  })
})

describe('any sequence of bodies', () => {
  it('is stored alike with and without the scan', () => {
    const scanner = new TextScanner()
    const line = fc.oneof(
      fc
        .tuple(
          fc.constantFrom(
            'a',
            'b',
            'c{x="1"}',
            'c{x="2"}',
            'd{y="\\n"}',
            'drop',
            'h_bucket{le="1"}',
            'h_bucket{le="+Inf"}',
            'h_count',
            'h_sum',
          ),
          fc.constantFrom('1', '2.5', 'NaN', '+Inf', '3', '0.12345678901234567890123', 'x'),
          fc.constantFrom('', '', '', ' 500', ' 1500', '\t'),
        )
        .map(([series, value, time]) => `${series} ${value}${time}\n`),
      fc.constantFrom('# TYPE h histogram\n', '# TYPE a counter\n', '# x\n', '\n', '# EOF\n'),
    )
    // Bodies that mostly stay as they are: the first one, with a few lines changed.
    const bodies = fc
      .tuple(fc.array(line, { maxLength: 12 }), fc.array(fc.tuple(fc.nat(11), line), { maxLength: 6 }))
      .map(([first, changes]) => {
        const lines = [...first]
        return [
          first,
          first,
          ...changes.map(([at, changed]) => lines.splice(at, 1, changed) && [...lines]),
          lines,
        ]
      })
    const rule = { ...INSTANCE_X, sourceLabels: ['__name__'], regex: 'drop', action: 'drop' as const }
    let fastSamples = 0
    fc.assert(
      fc.property(
        bodies,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (all, nhcb, keepClassic, honorTimestamps) => {
          const store = (withScanner: boolean): unknown => {
            const { context, db } = contextOf()
            const job = jobSettings(
              config({ metricRelabelConfigs: [rule], honorTimestamps }),
              context.options,
            )
            const cache = new ScrapeCache()
            const parser = { convertClassicToNhcb: nhcb, keepClassic }
            const bodyAppender = new BodyAppender({
              parser,
              scanner: withScanner ? scanner : undefined,
              log: () => undefined,
            })
            const policy = appendPolicy(job, Labels.from({ job: 'j' }), context.options)
            const log: unknown[] = []
            for (const [i, lines] of all.entries()) {
              const appender = db.appender()
              const counts = { scraped: 0, added: 0, seriesAdded: 0 }
              const timeMs = (i + 1) * 1000
              let error = ''
              let unchanged = false
              try {
                const appendContext = { cache, policy, counters: context.counters, nowMs: 0, timeMs }
                const bytes = Buffer.from(lines.join(''))
                unchanged = bodyAppender.append(appender, { bytes, contentType: TEXT }, appendContext, counts)
                appender.commit()
              } catch (thrown) {
                error = String(thrown)
                cache.forgetCurrent()
                bodyAppender.forget()
              }
              if (unchanged) cache.finishUnchanged()
              else {
                log.push(
                  cache
                    .vanished()
                    .map(({ text }) => text)
                    .sort(),
                )
                cache.finish(error === '')
              }
              if (unchanged) log.push([])
              log.push(counts, error)
            }
            fastSamples += context.counters.fastSamples
            return [
              log,
              [...db.samples].map(([series, times]) => [series, [...times]]).sort(),
              db.histogramLog,
              { ...context.counters, fastSamples: 0 },
            ]
          }
          expect(store(true)).toEqual(store(false))
        },
      ),
      { numRuns: 400, interruptAfterTimeLimit: 8000 },
    )
    expect(fastSamples).toBeGreaterThan(100)
  })
})

describe('the manager', () => {
  it('goes on with the series of a job that changed, and ends those that are dropped now', async () => {
    const address = await listen(body('a 1\nb 2\n'))
    const { context, db } = contextOf()
    const manager = new ScrapeManager(context)
    const job = config({ scrapeIntervalMs: 40, scrapeTimeoutMs: 40 })
    manager.applyConfig([job], {})
    manager.setTargetGroups('job', [{ source: 's', labels: {}, targets: [{ __address__: address }] }])
    await until(() => manager.targets().active[0]?.health === 'up')
    const loop = [...manager.pools.get('job')!.loops][0]
    manager.applyConfig([{ ...job }], {})
    expect([...manager.pools.get('job')!.loops][0]).toBe(loop)
    const rule = { ...INSTANCE_X, sourceLabels: ['__name__'], regex: 'b', action: 'drop' as const }
    manager.applyConfig([{ ...job, metricRelabelConfigs: [rule] }], {})
    await until(() => db.stale().length > 0)
    expect(db.stale()).toEqual([`b{instance="${address}", job="job"}`])
    expect(() =>
      manager.applyConfig([{ ...job, metricRelabelConfigs: [{ ...rule, regex: '(' }] }], {}),
    ).toThrow()
    expect(manager.targets().active[0]?.health).toBe('up')
    manager.applyConfig([], {})
    await until(() => db.stale().some((series) => series.startsWith('up{')))
    manager.stop()
  })

  it('scrapes at the interval, starts and ends targets, and shows dropped ones', async () => {
    const address = await listen(body('a 1\n'))
    const { context, db } = contextOf()
    const manager = new ScrapeManager(context)
    const rule = {
      sourceLabels: ['drop'],
      separator: ';',
      regex: 'yes',
      modulus: 0,
      targetLabel: '',
      replacement: '$1',
    }
    const job = config({
      scrapeIntervalMs: 50,
      scrapeTimeoutMs: 50,
      relabelConfigs: [{ ...rule, action: 'drop' }],
    })
    manager.setTargetGroups('job', [
      {
        source: 'static/0',
        labels: {},
        targets: [{ __address__: address }, { __address__: address }, { __address__: 'x:1', drop: 'yes' }],
      },
    ])
    manager.applyConfig([job], {})
    await until(() => manager.targets().active[0]?.health === 'up')
    const { active, dropped, droppedCounts } = manager.targets()
    expect(active).toHaveLength(1)
    expect(active[0]).toMatchObject({
      scrapeUrl: `http://${address}/metrics`,
      scrapeInterval: '50ms',
      labels: { job: 'job', instance: address },
    })
    expect(dropped).toHaveLength(1)
    expect(droppedCounts).toEqual({ job: 1 })
    manager.setTargetGroups('job', [])
    await until(() => db.stale().length > 0)
    expect(db.stale().some((series) => series.startsWith('a{'))).toBe(true)
    manager.stop()
  })

  it('marks no series stale when it stops', async () => {
    const address = await listen(body('a 1\n'))
    const { context, db } = contextOf()
    const manager = new ScrapeManager(context)
    manager.applyConfig([config({ scrapeIntervalMs: 30, scrapeTimeoutMs: 30 })], {})
    manager.setTargetGroups('job', [{ source: 's', labels: {}, targets: [{ __address__: address }] }])
    await until(() => manager.targets().active[0]?.health === 'up')
    manager.stop()
    await new Promise((resolve) => setTimeout(resolve, 120))
    expect(db.stale()).toEqual([])
  })

  it('fails all targets over target_limit', async () => {
    const address = await listen(body('a 1\n'))
    const { context } = contextOf()
    const manager = new ScrapeManager(context)
    manager.applyConfig([config({ scrapeIntervalMs: 30, scrapeTimeoutMs: 30, targetLimit: 1 })], {})
    manager.setTargetGroups('job', [
      { source: 's', labels: {}, targets: [{ __address__: address }, { __address__: address, n: '2' }] },
    ])
    await until(() => manager.targets().active.every(({ health }) => health === 'down'))
    expect(manager.targets().active[0]?.lastError).toBe(
      'target_limit exceeded (number of targets: 2, limit: 1)',
    )
    manager.stop()
  })
})

// ---- helpers

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function body(content: string | Buffer, contentType = TEXT): RequestListener {
  return (_, response) => response.writeHead(200, { 'content-type': contentType }).end(content)
}

function config(change: Partial<ScrapeConfig> = {}): ScrapeConfig {
  return {
    jobName: 'job',
    honorLabels: false,
    honorTimestamps: true,
    trackTimestampsStaleness: false,
    params: {},
    scrapeIntervalMs: 1000,
    scrapeTimeoutMs: 300,
    scrapeProtocols: ['OpenMetricsText1.0.0', 'PrometheusText0.0.4'],
    scrapeNativeHistograms: false,
    alwaysScrapeClassicHistograms: false,
    convertClassicHistogramsToNhcb: false,
    metricsPath: '/metrics',
    scheme: 'http',
    enableCompression: true,
    bodySizeLimit: 0,
    sampleLimit: 0,
    targetLimit: 0,
    labelLimit: 0,
    labelNameLengthLimit: 0,
    labelValueLengthLimit: 0,
    keepDroppedTargets: 0,
    nativeHistogramBucketLimit: 0,
    nativeHistogramMinBucketFactor: 0,
    metricNameValidationScheme: 'utf8',
    metricNameEscapingScheme: 'allow-utf-8',
    http: { followRedirects: true },
    discovery: { staticConfigs: [], fileSdConfigs: [] },
    relabelConfigs: [],
    metricRelabelConfigs: [],
    ...change,
  }
}

function contextOf(
  options: Partial<ScrapeOptions> = {},
  scanner?: TextScanner,
): { context: LoopContext; db: MemoryDb } {
  const db = new MemoryDb()
  const context: LoopContext = {
    clock: systemClock,
    appender: () => db.appender(),
    counters: createCounters(),
    intervalLengths: new Map(),
    options: { ...DEFAULT_SCRAPE_OPTIONS, ...options },
    log: () => undefined,
    scanner,
  }
  return { context, db }
}

interface Fixture {
  loop: ScrapeLoop
  context: LoopContext
  db: MemoryDb
  scrape: (timeMs: number) => Promise<void>
}

async function target(
  listener: RequestListener,
  change: Partial<ScrapeConfig> = {},
  options: Partial<ScrapeOptions> = {},
  scanner?: TextScanner,
): Promise<Fixture> {
  return targetAt(await listen(listener), change, options, scanner)
}

async function targetAt(
  address: string,
  change: Partial<ScrapeConfig> = {},
  options: Partial<ScrapeOptions> = {},
  scanner?: TextScanner,
): Promise<Fixture> {
  const { context, db } = contextOf(options, scanner)
  db.target = address
  const job = jobSettings(config(change), context.options)
  const groups = [{ source: 's', labels: {}, targets: [{ __address__: address }] }]
  const built = buildTargets(groups, job.config, job.targetRules).targets[0]!
  const loop = new ScrapeLoop(built, job, context, 0n)
  return { loop, context, db, scrape: (timeMs) => loop.scrape(timeMs) }
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(done()).toBe(true)
}

/** Samples by time and series. The target's address shows as TARGET. */
class MemoryDb {
  target = ''
  readonly samples = new Map<string, Map<number, string>>()
  readonly histograms = new Map<string, HistogramSample>()
  /** Every histogram and exemplar appended, printed. */
  readonly histogramLog: string[] = []
  readonly exemplars: string[] = []
  readonly #series: Labels[] = []
  readonly #refs = new Map<string, number>()

  at(timeMs: number): Record<string, string> {
    const found: Record<string, string> = {}
    for (const [series, times] of this.samples) {
      const value = times.get(timeMs)
      if (value !== undefined) found[series] = value
    }
    return found
  }

  stale(): string[] {
    return [...this.samples]
      .filter(([, times]) => [...times.values()].includes('stale'))
      .map(([series]) => series)
  }

  appender(): Appender {
    const pending: (() => void)[] = []
    const staged = new Map<string, number>()
    const check = (ref: number, timeMs: number, value: string): AppendResult => {
      const series = this.show(ref)
      if (series === undefined) return APPEND.unknownRef
      const times = this.samples.get(series)
      const last = Math.max(staged.get(series) ?? -1, ...(times?.keys() ?? []))
      if (timeMs < last) return APPEND.outOfOrder
      if (timeMs === last) return times?.get(timeMs) === value ? APPEND.ok : APPEND.duplicate
      staged.set(series, timeMs)
      pending.push(() =>
        this.samples.set(series, new Map([...(this.samples.get(series) ?? []), [timeMs, value]])),
      )
      return APPEND.ok
    }
    return {
      series: (labels) => {
        let ref = this.#refs.get(labels.key())
        if (ref === undefined) {
          ref = this.#series.push(labels)
          this.#refs.set(labels.key(), ref)
        }
        return ref
      },
      float: (ref, timeMs, value) => check(ref, timeMs, isStale(value) ? 'stale' : String(value)),
      floats: (refs, timeMs, values, results, count) => {
        for (let i = 0; i < count; i++)
          results[i] = check(refs[i]!, timeMs, isStale(values[i]!) ? 'stale' : String(values[i]))
      },
      histogram: (ref, timeMs, histogram) => {
        const result = check(ref, timeMs, `histogram ${histogram.count}`)
        pending.push(() => this.histograms.set(this.show(ref)!, histogram))
        this.histogramLog.push(`${this.show(ref)} ${timeMs} ${JSON.stringify(histogram)}`)
        return result
      },
      exemplar: (ref: number, exemplar: Exemplar) => {
        this.exemplars.push(`${this.show(ref)} ${JSON.stringify(exemplar)}`)
        return APPEND.ok
      },
      commit: () => pending.forEach((apply) => apply()),
      rollback: () => undefined,
    }
  }

  private show(ref: number): string | undefined {
    const labels = this.#series[ref - 1]
    if (labels === undefined) return undefined
    const shown = labels.withoutName().toString()
    return (labels.metricName + shown).replaceAll(`"${this.target}"`, '"TARGET"')
  }
}
