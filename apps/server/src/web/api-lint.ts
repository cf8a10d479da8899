// `lint_query`: what the linter says about a query, with the knowledge of this server's metrics.
import type { FastifyInstance } from 'fastify'
import { METRIC_NAME, quoteLabelName, quoteString } from '@watchfire/datamodel'
import { parseExpr } from '@watchfire/promql/parser'
import { gatherKnowledge, lintQuery, type KnowledgeSources } from '../lint/index.ts'
import type { MetadataRequest } from '../query/index.ts'
import { ApiError, param } from './errors.ts'
import type { WebOptions } from './options.ts'
import { Params } from './params.ts'
import { sendData } from './reply.ts'

/** How far back names and labels of series count, ms. */
const LOOKBACK_MS = 24 * 3_600_000
/** Most names of metrics that are looked at. */
const NAMES_MAX = 100_000

/** Registers the route under `/api/v1`. */
export function registerLintApi(app: FastifyInstance, options: WebOptions): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/lint_query',
    handler: async (request, reply) => {
      const query = new Params(request).get('query')
      param('query', () => parseExpr(query, options.features))
      const knowledge = await gatherKnowledge(query, sourcesOf(options), options.features)
      return sendData(reply, { findings: lintQuery(query, knowledge, options.features) })
    },
  })
}

function sourcesOf({ pool, ingest, rules, now = Date.now }: WebOptions): KnowledgeSources {
  const nowMs = now()
  const list = async (request: Pick<MetadataRequest, 'what' | 'label' | 'matches'>) => {
    const answer = await pool.metadata({
      ...request,
      startMs: nowMs - LOOKBACK_MS,
      endMs: nowMs,
      limit: NAMES_MAX,
    })
    if (!answer.ok) throw new ApiError(answer.kind, answer.message)
    const { data } = JSON.parse(Buffer.from(answer.body).toString('utf8')) as { data: string[] }
    return data
  }
  return {
    metadata: () => ingest.metadata(),
    metricNames: () => list({ what: 'labelValues', label: METRIC_NAME, matches: [] }),
    labelNames: (metric) =>
      list({
        what: 'labelNames',
        matches: [`{${quoteLabelName(METRIC_NAME)}=${quoteString(metric)}}`],
      }),
    recordedNames: () =>
      rules
        .groups()
        .flatMap((group) => group.rules.filter(({ type }) => type === 'recording').map(({ name }) => name)),
  }
}
