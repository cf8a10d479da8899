// Parts of the API that Prometheus has switched off unless a flag or feature asks for them. The flags that would
// switch them on are refused at the start, so here they answer as Prometheus does without them.
import type { FastifyInstance } from 'fastify'
import { Labels, formatValue } from '@watchfire/datamodel'
import { childrenOf, parseExpr, type Expr } from '@watchfire/promql/parser'
import type { ExemplarSeries, ExemplarsRequest } from '../ingest/index.ts'
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
      const selectors = selectorsOf(parsed(params.get('query'), options))
      if (selectors.length === 0) return sendData(reply, undefined)
      const found = await options.ingest.exemplars({ selectors, startMs, endMs })
      return sendData(reply, found.map(exemplarsJson))
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

/** Matchers of every selector, as plain data. */
function selectorsOf(expr: Expr): ExemplarsRequest['selectors'] {
  const own =
    expr.type === 'vectorSelector'
      ? [expr.matchers.map(({ type, name, value }) => ({ type, name, value }))]
      : []
  return [...own, ...childrenOf(expr).flatMap(selectorsOf)]
}

function exemplarsJson({ pairs, exemplars }: ExemplarSeries) {
  return {
    seriesLabels: Labels.fromSortedPairs(pairs),
    exemplars: exemplars.map((one) => ({
      labels: Labels.fromSortedPairs(one.pairs),
      value: formatValue(one.value),
      timestamp: one.timeMs / 1000,
    })),
  }
}
