// Fastify plugin with the default metrics of prometheus-fastapi-instrumentator (same names, labels, buckets, help) and the
// scrape endpoint. A request is measured from its arrival to the last byte of its answer.
import { gzip } from 'node:zlib'
import { promisify } from 'node:util'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Counter, Gauge, Histogram, Summary, register } from './index.ts'
import type { NativeOptions, Registry } from './index.ts'

/** Seconds; buckets of http_request_duration_highr_seconds. */
export const HIGHR_BUCKETS: readonly number[] = [
  0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5, 10, 30, 60,
]
/** Seconds; buckets of http_request_duration_seconds. */
export const LOWR_BUCKETS: readonly number[] = [0.1, 0.5, 1]

export interface FastifyMetricsOptions {
  /** Default: the default registry. */
  registry?: Registry
  /** Path of the exposition, or false for none. Default `/metrics`. */
  endpoint?: string | false
  /** Compress the exposition for those who accept gzip. Default false. */
  gzip?: boolean
  /** Schema of the scrape route, e.g. `{ hide: true }` for @fastify/swagger. */
  endpointSchema?: Readonly<Record<string, unknown>>
  /** Print "2xx" instead of "200". Default true. */
  groupStatusCodes?: boolean
  /** Handlers (route templates) not measured. Default none. */
  excludedHandlers?: readonly RegExp[]
  latencyHighrBuckets?: readonly number[]
  latencyLowrBuckets?: readonly number[]
  /** Adds native buckets to both latencies. Default none. */
  native?: NativeOptions
  /** Adds the gauge http_requests_inprogress. Default false. */
  inProgress?: boolean
  /** Adds the gauge http_open_connections. Default false. */
  openConnections?: boolean
}

type Done = (error?: Error) => void

/** `await app.register(fastifyMetrics, { registry })`, before the routes it shall measure. */
export function fastifyMetrics(app: FastifyInstance, options: FastifyMetricsOptions, done: Done): void {
  const registry = options.registry ?? register
  const record = createRecorder(registry, options)
  const inProgress = options.inProgress
    ? new Gauge({
        name: 'http_requests_inprogress',
        help: 'Number of HTTP requests in progress.',
        registers: [registry],
      }).labels()
    : undefined
  if (options.openConnections) countConnections(app, registry)
  const excluded = options.excludedHandlers ?? []

  app.addHook('onRequest', (request, reply, next) => {
    const handler = handlerOf(request)
    if (excluded.some((pattern) => pattern.test(handler))) return next()
    const began = performance.now()
    let ended = false
    inProgress?.inc()
    const end = () => {
      if (ended) return
      ended = true
      inProgress?.dec()
      record(request, reply, handler, (performance.now() - began) / 1000)
    }
    // `finish`: the last byte was handed over. `close` alone: the client went away before.
    reply.raw.once('finish', end)
    reply.raw.once('close', end)
    next()
  })
  if (options.endpoint !== false) addEndpoint(app, registry, options)
  done()
}

// The hooks are for all routes of the app, not only those registered inside the plugin.
Object.assign(fastifyMetrics, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'watchfire-instrument',
})

type Recorder = (request: FastifyRequest, reply: FastifyReply, handler: string, seconds: number) => void

function createRecorder(registry: Registry, options: FastifyMetricsOptions): Recorder {
  const registers = [registry]
  const native = options.native ? { native: options.native } : {}
  const total = new Counter({
    name: 'http_requests_total',
    help: 'Total number of requests by method, status and handler.',
    labelNames: ['method', 'status', 'handler'],
    registers,
  })
  const inSize = new Summary({
    name: 'http_request_size_bytes',
    help: 'Content length of incoming requests by handler. Only value of header is respected. Otherwise ignored. No percentile calculated.',
    labelNames: ['handler'],
    registers,
  })
  const outSize = new Summary({
    name: 'http_response_size_bytes',
    help: 'Content length of outgoing responses by handler. Only value of header is respected. Otherwise ignored. No percentile calculated.',
    labelNames: ['handler'],
    registers,
  })
  const highr = new Histogram({
    name: 'http_request_duration_highr_seconds',
    help: 'Latency with many buckets but no API specific labels. Made for more accurate percentile calculations.',
    buckets: options.latencyHighrBuckets ?? HIGHR_BUCKETS,
    ...native,
    registers,
  }).labels()
  const lowr = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Latency with only few buckets by handler. Made to be only used if aggregation by handler is important.',
    labelNames: ['method', 'handler'],
    buckets: options.latencyLowrBuckets ?? LOWR_BUCKETS,
    ...native,
    registers,
  })
  const group = options.groupStatusCodes ?? true
  return (request, reply, handler, seconds) => {
    const code = reply.raw.headersSent ? reply.raw.statusCode : CLIENT_CLOSED_REQUEST
    const status = group ? `${Math.floor(code / 100)}xx` : String(code)
    total.labels(request.method, status, handler).inc()
    inSize.labels(handler).observe(contentLength(request.headers['content-length']))
    outSize.labels(handler).observe(contentLength(reply.getHeader('content-length')))
    highr.observe(seconds)
    lowr.labels(request.method, handler).observe(seconds)
  }
}

/** What nginx counts a request as whose client went away before an answer began. */
const CLIENT_CLOSED_REQUEST = 499

/** The route template as FastAPI writes it, `/models/{name}`; "none" where no route matched. */
function handlerOf(request: FastifyRequest): string {
  const url = request.is404 ? undefined : request.routeOptions.url
  return url === undefined ? 'none' : url.replace(/:(\w+)/g, '{$1}')
}

function contentLength(header: unknown): number {
  const length = Number(header ?? 0)
  return Number.isFinite(length) ? length : 0
}

function countConnections(app: FastifyInstance, registry: Registry): void {
  const gauge = new Gauge({
    name: 'http_open_connections',
    help: 'Number of open connections of the HTTP server.',
    registers: [registry],
  }).labels()
  app.server.on('connection', (socket) => {
    gauge.inc()
    socket.once('close', () => gauge.dec())
  })
}

const compress = promisify(gzip)

function addEndpoint(app: FastifyInstance, registry: Registry, options: FastifyMetricsOptions): void {
  const schema = options.endpointSchema
  app.get(options.endpoint || '/metrics', schema ? { schema } : {}, async (request, reply) => {
    const { contentType, body } = registry.render(request.headers.accept)
    reply.header('content-type', contentType)
    if (!options.gzip || !/\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:[,\s]|$))/i.test(acceptEncoding(request)))
      return typeof body === 'string' ? body : Buffer.from(body)
    reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding')
    return compress(body)
  })
}

function acceptEncoding(request: FastifyRequest): string {
  return String(request.headers['accept-encoding'] ?? '')
}
