// The ingest core on a real database, in-process and behind the worker's messages.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { APPEND, systemClock } from '@watchfire/datamodel'
import { openDb, type Db } from '@watchfire/tsdb'
import type { GlobalConfig, ScrapeConfig } from '../config/types.ts'
import { IngestClient, IngestCore, type Ingest } from './index.ts'

let dir: string
let server: Server
let address: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'watchfire-ingest-'))
  server = createServer((_, response) =>
    response
      .writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
      .end('# TYPE a counter\na{x="1"} 1\n'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(dir, { recursive: true, force: true })
})

describe('the ingest core', () => {
  it('scrapes into the database and takes samples of rules', async () => {
    let db: Db | undefined
    const core = new IngestCore(
      { db: { dir, headMemoryBytesMax: 64 * 1024 * 1024 } },
      { clock: systemClock, openDb: async (options) => (db = await openDb(options)), log: () => undefined },
    )
    await core.ready
    await exercise(core)
    const reader = db!.reader()
    const querier = reader.querier(0, Date.now() + 1000)
    expect(querier.labelValues('__name__', [], 0, Date.now() + 1000, 0)).toEqual([
      'a',
      'recorded',
      'scrape_duration_seconds',
      'scrape_samples_post_metric_relabeling',
      'scrape_samples_scraped',
      'scrape_series_added',
      'up',
    ])
    querier.close()
    reader.close()
    await core.stop()
    await expect(core.append([])).rejects.toThrow('the database is not open')
  })

  it('says why the database cannot be opened', async () => {
    const core = new IngestCore(
      { db: { dir } },
      {
        clock: systemClock,
        log: () => undefined,
        openDb: () => {
          throw new Error('lock held')
        },
      },
    )
    await expect(core.ready).rejects.toThrow('lock held')
    await expect(core.stats()).rejects.toThrow('lock held')
    await core.stop()
  })
})

describe('the ingest worker', () => {
  it('does the same behind messages', async () => {
    const deaths: Error[] = []
    const client = new IngestClient(
      { db: { dir, headMemoryBytesMax: 64 * 1024 * 1024 } },
      { onDeath: (reason) => deaths.push(reason) },
    )
    expect(() => client.handle()).toThrow('the database is not open')
    await client.ready
    expect(client.handle().shards).toHaveLength(1)
    await exercise(client)
    await client.stop()
    await expect(client.stats()).rejects.toThrow('the ingest worker ended')
    expect(deaths).toEqual([])
  })

  it('that dies fails everything that waits', async () => {
    const deaths: Error[] = []
    const client = new IngestClient(
      { db: { dir } },
      {
        onDeath: (reason) => deaths.push(reason),
        workerUrl: new URL('data:text/javascript,setTimeout(() => process.exit(3), 50)'),
      },
    )
    const waiting = client.stats()
    await expect(waiting).rejects.toThrow('the ingest worker ended with code 3')
    await expect(client.ready).rejects.toThrow('the ingest worker ended with code 3')
    expect(deaths).toHaveLength(1)
  })
})

/** One target, one rule, one look at everything. */
async function exercise(ingest: Ingest): Promise<void> {
  await ingest.applyConfig({} as GlobalConfig, [JOB], {})
  ingest.setTargetGroups('job', [{ source: 's', labels: {}, targets: [{ __address__: address }] }])
  const timeMs = Date.now()
  const pairs = ['__name__', 'recorded', 'job', 'x']
  expect(await ingest.append([{ pairs, timeMs, value: 1 }])).toEqual([APPEND.ok])
  expect(await ingest.append([{ pairs, timeMs, value: 2 }])).toEqual([APPEND.duplicate])
  expect(await ingest.append([{ pairs, timeMs: timeMs + 1, value: 0, stale: true }])).toEqual([APPEND.ok])
  for (let i = 0; i < 200; i++) {
    if ((await ingest.targets()).active[0]?.health === 'up' && (await ingest.stats()).seriesCount === 7) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect((await ingest.targets()).active[0]).toMatchObject({ health: 'up', lastError: '', scrapePool: 'job' })
  expect(await ingest.metadata()).toMatchObject([{ metric: 'a', type: 'counter', target: { job: 'job' } }])
  const text = await ingest.metricsText()
  expect(text).toContain('prometheus_tsdb_head_series 7\n')
  expect(text).toContain('prometheus_target_scrape_pool_targets{scrape_job="job"} 1\n')
  expect(text).toContain('# TYPE prometheus_target_scrapes_sample_out_of_order_total counter\n')
}

const JOB: ScrapeConfig = {
  jobName: 'job',
  honorLabels: false,
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  params: {},
  scrapeIntervalMs: 100,
  scrapeTimeoutMs: 100,
  scrapeProtocols: ['PrometheusText0.0.4'],
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
  metricNameEscapingScheme: '',
  http: { followRedirects: true },
  discovery: { staticConfigs: [], fileSdConfigs: [] },
  relabelConfigs: [],
  metricRelabelConfigs: [],
}
