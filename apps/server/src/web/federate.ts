// `/federate`: the newest sample of each selected series for another server to scrape.
import type { FastifyInstance } from 'fastify'
import { parseDuration } from '@watchfire/datamodel'
import { parseMetricSelector } from '@watchfire/promql/parser'
import { federationFormat, federationText } from './federation-text.ts'
import type { WebOptions } from './options.ts'
import { Params } from './params.ts'
import { sendText } from './reply.ts'

/** Registers the route below the prefix. */
export function registerFederate(app: FastifyInstance, options: WebOptions): void {
  const now = options.now ?? Date.now
  app.get('/federate', async (request, reply) => {
    const matches = new Params(request).all('match[]')
    try {
      for (const match of matches) parseMetricSelector(match)
    } catch (error) {
      return sendText(reply, 400, `${(error as Error).message}\n`)
    }
    const answer = await options.pool.latest({
      matches,
      timeMs: now(),
      lookbackMs: parseDuration(options.flags['query.lookback-delta'] ?? '5m'),
    })
    if (!answer.ok) return sendText(reply, 500, `${answer.message}\n`)
    const format = federationFormat(request.headers.accept ?? '')
    return reply
      .header('content-type', format.contentType)
      .send(federationText(answer.samples, options.server.externalLabels, format))
  })
}
