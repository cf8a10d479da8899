// Parts of the API that Prometheus has switched off unless a flag or feature asks for them. The flags that would
// switch them on are refused at the start, so here they answer as Prometheus does without them.
import type { FastifyInstance } from 'fastify'
import { childrenOf, parseExpr, type Expr } from '@watchfire/promql/parser'
import { ApiError, param } from './errors.ts'
import type { WebOptions } from './options.ts'
import { Params, TIME_MAX_MS, TIME_MIN_MS, timeParam } from './params.ts'
import { sendData, sendText } from './reply.ts'
import { timeText } from './time-text.ts'

/** Registers the routes under `/api/v1`. */
export function registerOptionalApi(app: FastifyInstance, options: WebOptions): void {
  app.post('/otlp/v1/metrics', async (_request, reply) =>
    sendText(reply, 404, 'otlp write receiver needs to be enabled with --web.enable-otlp-receiver\n'),
  )
  for (const action of ['delete_series', 'clean_tombstones', 'snapshot'])
    app.route({
      method: ['POST', 'PUT'],
      url: `/admin/tsdb/${action}`,
      handler: async () => {
        throw new ApiError('unavailable', 'admin APIs disabled')
      },
    })
  for (const what of ['metric_names', 'label_names', 'label_values'])
    app.route({
      method: ['GET', 'POST'],
      url: `/search/${what}`,
      handler: async () => {
        throw new ApiError('unavailable', 'search API disabled')
      },
    })

  // Exemplars are kept only with the feature exemplar-storage.
  app.route({
    method: ['GET', 'POST'],
    url: '/query_exemplars',
    handler: async (request, reply) => {
      const params = new Params(request)
      const startMs = param('start', () => timeParam(params, 'start', TIME_MIN_MS))
      const endMs = param('end', () => timeParam(params, 'end', TIME_MAX_MS))
      if (endMs < startMs) throw new ApiError('bad_data', 'end timestamp must not be before start timestamp')
      return sendData(reply, hasSelector(parsed(params.get('query'), options)) ? [] : undefined)
    },
  })

  app.get('/notifications', async (_request, reply) => {
    const { reloadSucceeded, lastReloadTriedMs } = options.server
    return sendData(
      reply,
      reloadSucceeded
        ? []
        : [{ text: 'Configuration reload has failed.', date: timeText(lastReloadTriedMs), active: true }],
    )
  })
}

function parsed(text: string, options: WebOptions): Expr {
  try {
    return parseExpr(text, options.features)
  } catch (error) {
    throw new ApiError('bad_data', (error as Error).message)
  }
}

function hasSelector(expr: Expr): boolean {
  return expr.type === 'vectorSelector' || childrenOf(expr).some(hasSelector)
}
