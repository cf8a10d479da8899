// Measures whole queries in one thread over series in memory: `npm run build`, then
//   node packages/promql/bench/engine.bench.mjs [--series 2800] [--hours 6] [--rounds 15] [--only TEXT] [--disable NAME,…] [--helper]
// Series are XOR chunks of 120 samples that a selection copies into the query's memory, as the database does. Prints the median and the
// least time, samples a second, and a checksum of the answers, per query; then the time of the JSON.
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { Labels, matchesAll } from '@watchfire/datamodel'
import { XOR_STATE_BYTES, createArena, histogramImageBytes } from '@watchfire/kernels'
import { createEngine, createFoldHelper, resultToJson } from '@watchfire/promql'

const { values: args } = parseArgs({
  options: {
    series: { type: 'string', default: '2800' },
    hours: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '15' },
    only: { type: 'string', default: '' },
    disable: { type: 'string', default: '' },
    helper: { type: 'boolean', default: false },
  },
})
const SERIES = Number(args.series)
const HOURS = Number(args.hours)
const ROUNDS = Number(args.rounds)
const STEP_MS = 15_000
const CHUNK_SAMPLES = 120
const ROW_BYTES = 48
const END = 1_700_000_000_000
const START = END - HOURS * 3_600_000

/** A small generator, so that every run has the same data. */
let seed = 42
function random() {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

function encodeSeries(arena, labels, gauge) {
  const { kernels } = arena
  const mark = arena.mark()
  const state = arena.alloc(XOR_STATE_BYTES)
  const chunk = arena.alloc(4096)
  const bits = new DataView(arena.memory.buffer)
  const chunks = []
  let value = Math.floor(random() * 10_000)
  const rate = 1 + Math.floor(random() * 50)
  const jitter = Math.floor(random() * STEP_MS)
  for (let t = START + jitter; t <= END;) {
    kernels.xorInit(state, chunk, 4096)
    const minTime = t
    let count = 0
    for (; count < CHUNK_SAMPLES && t <= END; count++, t += STEP_MS) {
      value = gauge ? random() : value + Math.floor(random() * rate)
      if (!gauge && random() < 0.0005) value = 0
      kernels.xorAppend(state, t, value)
    }
    const length = (bits.getUint32(state + 8, true) + 7) >> 3
    chunks.push({ bytes: arena.bytes().slice(chunk, chunk + length), count, minTime, maxTime: t - STEP_MS })
  }
  arena.release(mark)
  return { labels, chunks }
}

/** A native histogram of 24 buckets that counts requests, in chunks of 40 samples. */
function encodeHistograms(arena, labels) {
  const buckets = 24
  const mark = arena.mark()
  const size = histogramImageBytes({ samples: 40, spans: 1, buckets, customValues: 0 })
  const image = arena.alloc(size)
  const chunk = arena.alloc(16_384)
  const view = new DataView(arena.memory.buffer, image)
  const total = new Float64Array(buckets)
  const chunks = []
  for (let t = START; t + 40 * STEP_MS <= END; t += 40 * STEP_MS) {
    const header = [3, 0, 0, 0, 40, 1, 0, buckets, 0, 0, -12, buckets]
    header.forEach((word, i) => view.setInt32(i * 4, word, true))
    const put = (index, value) => view.setFloat64(48 + index * 8, value, true)
    for (let i = 0; i < 40; i++) {
      for (let b = 0; b < buckets; b++) {
        total[b] += Math.floor(random() * 4)
        put(160 + i * buckets + b, total[b])
      }
      const count = total.reduce((sum, own) => sum + own, 0)
      for (const [column, value] of [t + i * STEP_MS, count, 0, count * 0.3].entries())
        put(column * 40 + i, value)
    }
    const length = arena.kernels.histogramEncode(2, image, size, chunk, 16_384)
    if (length < 0) throw new Error(`histogramEncode: ${length}`)
    const bytes = arena.bytes().slice(chunk, chunk + length)
    chunks.push({ bytes, encoding: 2, count: 40, minTime: t, maxTime: t + 39 * STEP_MS })
  }
  arena.release(mark)
  return { labels, chunks }
}

function buildData() {
  const arena = createArena(1 << 20)
  const statuses = ['200', '404', '429', '500']
  const handlers = ['/v1/predict', '/v1/batch', '/v1/models', '/healthz', '/v1/embed', '/v1/rank', '/metrics']
  const series = []
  for (let i = 0; i < SERIES; i++) {
    const labels = Labels.from({
      __name__: 'http_requests_total',
      handler: handlers[i % 7],
      instance: `host-${String(Math.floor(i / 28)).padStart(2, '0')}:9100`,
      job: 'bench',
      status: statuses[Math.floor(i / 7) % 4],
    })
    series.push(encodeSeries(arena, labels, false))
  }
  for (let i = 0; i < SERIES / 4; i++) {
    const labels = Labels.from({
      __name__: 'drift_score',
      feature: `f${i % 20}`,
      instance: `host-${Math.floor(i / 20)}:9100`,
    })
    series.push(encodeSeries(arena, labels, true))
  }
  for (let i = 0; i < SERIES / 28; i++)
    series.push(
      encodeHistograms(
        arena,
        Labels.from({ __name__: 'latency_seconds', instance: `host-${i}`, model: `m${i % 5}` }),
      ),
    )
  return series.sort((a, b) => a.labels.compare(b.labels))
}

class MemoryQueryable {
  constructor(series) {
    this.series = series
  }

  querier() {
    return { select: (matchers, hints, arena) => this.select(matchers, hints, arena), close() {} }
  }

  select(matchers, hints, arena) {
    const picked = this.series.filter(({ labels }) => matchesAll(matchers, labels))
    const rows = []
    const chunkStart = new Uint32Array(picked.length + 1)
    picked.forEach(({ chunks }, i) => {
      for (const chunk of chunks)
        if (chunk.maxTime >= hints.start && chunk.minTime <= hints.end) rows.push(chunk)
      chunkStart[i + 1] = rows.length
    })
    const chunkTable = arena.alloc(rows.length * ROW_BYTES)
    const total = rows.reduce((sum, { bytes }) => sum + bytes.length, 0)
    let address = arena.alloc(total)
    const memory = arena.bytes()
    const words = new DataView(memory.buffer)
    rows.forEach(({ bytes, encoding = 1, count, minTime, maxTime }, row) => {
      memory.set(bytes, address)
      const at = chunkTable + row * ROW_BYTES
      words.setUint32(at, address, true)
      words.setUint32(at + 4, bytes.length, true)
      words.setUint32(at + 8, encoding, true)
      words.setUint32(at + 12, count, true)
      words.setFloat64(at + 16, minTime, true)
      words.setFloat64(at + 24, maxTime, true)
      words.setUint32(at + 32, 0, true)
      address += bytes.length
    })
    const labels = (i) => picked[i].labels
    return { count: picked.length, labels, chunkStart, chunkTable, overlapping: false, warnings: [] }
  }
}

/** A second thread that takes units of folds. */
function startHelper() {
  const state = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL('./helper.mjs', import.meta.url), { workerData: state })
  const link = createFoldHelper({ post: (message) => worker.postMessage(message), state, isIdle: () => true })
  return { link, stop: () => worker.terminate() }
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]

const began = performance.now()
const series = buildData()
const bytes = series.reduce(
  (sum, { chunks }) => sum + chunks.reduce((own, chunk) => own + chunk.bytes.length, 0),
  0,
)
const samples = series.reduce(
  (sum, { chunks }) => sum + chunks.reduce((own, chunk) => own + chunk.count, 0),
  0,
)
console.log(
  `${series.length} series, ${samples} samples, ${(bytes / samples).toFixed(2)} B/sample, made in ${Math.round(performance.now() - began)} ms`,
)
const queryable = new MemoryQueryable(series)
const helper = args.helper ? startHelper() : undefined
const engine = createEngine({ disable: args.disable.split(','), ...(helper && { helper: helper.link }) })
// Lets the helper start: this thread is busy from here on.
await new Promise((resolve) => setTimeout(resolve, helper ? 500 : 0))

const HOUR = 3_600_000
const range = (expr, spanMs, stepMs) => ({ expr, startMs: END - spanMs, endMs: END, stepMs })
const instant = (expr) => ({ expr, startMs: END, endMs: END })
const span = HOURS * HOUR - 600_000
const QUERIES = [
  range('sum by (status) (rate(http_requests_total[5m]))', span, 60_000),
  range('sum(drift_score)', span, 60_000),
  range('rate(http_requests_total{instance="host-03:9100"}[5m])', HOUR, 15_000),
  range('http_requests_total{instance=~"host-0[0-6]:.*"}', 6_000_000, 15_000),
  range('avg by (instance) (avg_over_time(drift_score[30m]))', span / 2, 60_000),
  range('topk(5, sum by (handler) (rate(http_requests_total[5m])))', HOUR, 15_000),
  range('max_over_time(sum(rate(http_requests_total[5m]))[30m:1m])', HOUR, 60_000),
  range(
    'sum by (handler) (rate(http_requests_total{status="500"}[5m])) / sum by (handler) (rate(http_requests_total[5m]))',
    span,
    60_000,
  ),
  range(
    'http_requests_total * on (instance) group_left () max by (instance) (http_requests_total)',
    HOUR,
    60_000,
  ),
  range('histogram_quantile(0.95, sum by (model) (rate(latency_seconds[5m])))', HOUR, 30_000),
  range('histogram_avg(rate(latency_seconds[5m]))', HOUR, 30_000),
  instant('http_requests_total'),
  instant('sum by (handler) (rate(http_requests_total[5m]))'),
  instant('topk(10, sum by (instance, handler) (rate(http_requests_total[5m])))'),
  instant('quantile_over_time(0.9, drift_score[3h])'),
  instant('max_over_time(drift_score[6h])'),
  instant('label_replace(rate(http_requests_total[5m]), "host", "$1", "instance", "([^:]+):.*")'),
]

for (const request of QUERIES) {
  if (!request.expr.includes(args.only)) continue
  const times = []
  const cpu = []
  const jsonTimes = []
  let result
  let json
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    const start = performance.now()
    result = engine.query(queryable, request)
    const middle = performance.now()
    const { user, system } = process.cpuUsage(before)
    cpu.push((user + system) / 1000)
    json = resultToJson(result)
    times.push(middle - start)
    jsonTimes.push(performance.now() - middle)
  }
  const { samplesRead } = result.stats.samples
  const perSample = (median(times) * 1e6) / samplesRead
  console.log(
    `${median(times).toFixed(1).padStart(7)} ms  min ${Math.min(...times)
      .toFixed(1)
      .padStart(6)}  cpu ${Math.min(...cpu)
      .toFixed(1)
      .padStart(6)}  ` +
      `${perSample.toFixed(1).padStart(6)} ns/sample read  json ${median(jsonTimes).toFixed(1)} ms ${json.length} B  ` +
      `${request.stepMs ? `[${(request.endMs - request.startMs) / 60_000}m by ${request.stepMs / 1000}s] ` : ''}${request.expr}`,
  )
}
await helper?.stop()
