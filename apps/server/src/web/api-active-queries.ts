// status/active_queries: the queries that wait or run now, and how to end one.
import type { FastifyInstance } from 'fastify'
import { ApiError } from './errors.ts'
import type { WebOptions } from './options.ts'
import { sendData } from './reply.ts'
import { timeText } from './time-text.ts'

/** Registers the routes under `/api/v1`. */
export function registerActiveQueriesApi(app: FastifyInstance, { pool }: WebOptions): void {
  app.get('/status/active_queries', async (_request, reply) => {
    const queries = pool.activeQueries?.() ?? []
    return sendData(
      reply,
      queries.map(({ startMs, ...query }) => ({ ...query, startTime: timeText(startMs) })),
    )
  })

  app.delete<{ Params: { id: string } }>('/status/active_queries/:id', async (request, reply) => {
    const { id } = request.params
    const found = /^\d{1,15}$/.test(id) && pool.cancelQuery?.(Number(id)) === true
    if (!found) throw new ApiError('not_found', `no active query with id ${JSON.stringify(id)}`)
    return reply.code(204).send()
  })
}
