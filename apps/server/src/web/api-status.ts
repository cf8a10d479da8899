// status/*: what the server is, how it was started, what it holds.
import { hostname } from 'node:os'
import { availableParallelism } from 'node:os'
import type { FastifyInstance } from 'fastify'
import { ApiError } from './errors.ts'
import type { WebOptions } from './options.ts'
import { Params, TIME_MAX_MS, TIME_MIN_MS, parseInteger } from './params.ts'
import { sendBytes, sendData } from './reply.ts'
import { timeText } from './time-text.ts'

const TSDB_LIMIT_DEFAULT = 10
const TSDB_LIMIT_MAX = 10_000

/** What an empty head reports as its first and last time. */
const EMPTY_MIN = '9223372036854775807'
const EMPTY_MAX = '-9223372036854775808'

/** Registers the routes under `/api/v1`. */
export function registerStatusApi(app: FastifyInstance, options: WebOptions): void {
  const { server } = options
  const now = options.now ?? Date.now

  app.get('/status/buildinfo', async (_request, reply) => sendData(reply, options.build))
  app.get('/status/config', async (_request, reply) => sendData(reply, { yaml: server.configYaml }))
  app.get('/status/flags', async (_request, reply) => sendData(reply, options.flags))

  app.get('/status/runtimeinfo', async (_request, reply) => {
    const stats = await options.ingest.stats()
    return sendData(reply, {
      startTime: timeText(server.startMs),
      CWD: process.cwd(),
      hostname: hostname(),
      serverTime: timeText(now()),
      reloadConfigSuccess: server.reloadSucceeded,
      lastConfigTime: timeText(server.lastReloadMs),
      corruptionCount: stats.walCorruptions,
      goroutineCount: 0,
      GOMAXPROCS: availableParallelism(),
      GOMEMLIMIT: Math.min(Number.MAX_SAFE_INTEGER, process.constrainedMemory() || Number.MAX_SAFE_INTEGER),
      GOGC: '75',
      GODEBUG: '',
      storageRetention: server.retentionText,
    })
  })

  app.get('/status/walreplay', async (_request, reply) => sendData(reply, server.replay))

  app.get('/status/tsdb', async (request, reply) => {
    const limit = tsdbLimit(new Params(request).get('limit'))
    const [stats, cardinality] = await Promise.all([
      options.ingest.stats(),
      options.pool.metadata({
        what: 'cardinality',
        matches: [],
        startMs: TIME_MIN_MS,
        endMs: TIME_MAX_MS,
        limit,
      }),
    ])
    if (!cardinality.ok) throw new ApiError(cardinality.kind, cardinality.message)
    const time = (ms: number, empty: string) => (Number.isFinite(ms) ? String(ms) : empty)
    const head =
      `{"numSeries":${stats.seriesCount},"numLabelPairs":${stats.labelPairCount},"chunkCount":${stats.chunkCount},` +
      `"minTime":${time(stats.minTime, EMPTY_MIN)},"maxTime":${time(stats.maxTime, EMPTY_MAX)}}`
    // The worker's object follows without its opening brace.
    return sendBytes(
      reply,
      Buffer.concat([
        Buffer.from(`{"status":"success","data":{"headStats":${head},`),
        cardinality.body.subarray(1),
        Buffer.from('}'),
      ]),
    )
  })
}

function tsdbLimit(text: string): number {
  if (text === '') return TSDB_LIMIT_DEFAULT
  let limit = 0
  try {
    limit = parseInteger(text)
  } catch {
    // Not a number: the message below says what is wanted.
  }
  if (limit < 1) throw new ApiError('bad_data', 'limit must be a positive number')
  if (limit > TSDB_LIMIT_MAX) throw new ApiError('bad_data', `limit must not exceed ${TSDB_LIMIT_MAX}`)
  return limit
}
