// Queries and what the storage knows about series: query, query_range, series, labels, label values, format, parse.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { exprToJson, parseExpr, prettyExpr, valueType, type Expr } from '@watchfire/promql/parser'
import { documentedType } from '@watchfire/promql/parser'
import { quoteString } from '@watchfire/datamodel'
import { parseSelector, type MetadataRequest, type QueryJsonAnswer } from '../query/index.ts'
import { ApiError, invalidParam, param } from './errors.ts'
import type { WebOptions } from './options.ts'
import {
  Params,
  TIME_MAX_MS,
  TIME_MIN_MS,
  limitParam,
  parseDurationParam,
  parseTime,
  timeParam,
} from './params.ts'
import { sendBytes, sendData } from './reply.ts'
import { unescapeName } from './unescape-name.ts'

/** Most steps of a range query: (end − start) / step. */
const STEPS_MAX = 11_000

/** Registers the routes under `/api/v1`. */
export function registerQueryApi(app: FastifyInstance, options: WebOptions): void {
  const now = options.now ?? Date.now
  const parse = (text: string): Expr => param('query', () => parseExpr(text, options.features))

  const both = ['GET', 'POST']
  app.route({
    method: both,
    url: '/query',
    handler: async (request, reply) => {
      const params = new Params(request)
      const limit = param('limit', () => limitParam(params))
      const timeMs = param('time', () => timeParam(params, 'time', now()))
      const common = queryOptions(params)
      const expr = params.get('query')
      parse(expr)
      const answer = await options.pool.json(
        { expr, startMs: timeMs, endMs: timeMs, limit, ...common },
        clientGone(request, reply),
      )
      return sendAnswer(reply, answer)
    },
  })

  app.route({
    method: both,
    url: '/query_range',
    handler: async (request, reply) => {
      const params = new Params(request)
      const limit = param('limit', () => limitParam(params))
      const startMs = param('start', () => parseTime(params.get('start')))
      const endMs = param('end', () => parseTime(params.get('end')))
      if (endMs < startMs) throw invalidParam('end', 'end timestamp must not be before start time')
      const stepMs = param('step', () => parseDurationParam(params.get('step')))
      if (stepMs <= 0)
        throw invalidParam(
          'step',
          'zero or negative query resolution step widths are not accepted. Try a positive integer',
        )
      if (Math.floor((endMs - startMs) / stepMs) > STEPS_MAX)
        throw new ApiError(
          'bad_data',
          'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
        )
      const common = queryOptions(params)
      const expr = params.get('query')
      const type = valueType(parse(expr))
      if (type !== 'scalar' && type !== 'vector')
        throw invalidParam(
          'query',
          `invalid expression type "${documentedType(type)}" for range query, must be Scalar or instant Vector`,
        )
      const answer = await options.pool.json(
        { expr, startMs, endMs, stepMs: Math.max(1, Math.trunc(stepMs)), limit, ...common },
        clientGone(request, reply),
      )
      return sendAnswer(reply, answer)
    },
  })

  app.route({
    method: both,
    url: '/format_query',
    handler: async (request, reply) => sendData(reply, prettyExpr(parse(new Params(request).get('query')))),
  })
  app.route({
    method: both,
    url: '/parse_query',
    handler: async (request, reply) => sendData(reply, exprToJson(parse(new Params(request).get('query')))),
  })

  const metadata = async (
    request: FastifyRequest,
    reply: FastifyReply,
    what: Pick<MetadataRequest, 'what' | 'label'>,
  ) => {
    const params = new Params(request)
    const matches = params.all('match[]')
    if (what.what === 'series' && matches.length === 0)
      throw new ApiError('bad_data', 'no match[] parameter provided')
    const limit = param('limit', () => limitParam(params))
    const startMs = param('start', () => timeParam(params, 'start', TIME_MIN_MS))
    const endMs = param('end', () => timeParam(params, 'end', TIME_MAX_MS))
    checkSelectors(matches, what.what === 'series')
    const answer = await options.pool.metadata(
      { ...what, matches, startMs, endMs, limit },
      clientGone(request, reply),
    )
    return sendAnswer(reply, answer)
  }
  app.route({
    method: both,
    url: '/series',
    handler: (request, reply) => metadata(request, reply, { what: 'series' }),
  })
  app.route({
    method: both,
    url: '/labels',
    handler: (request, reply) => metadata(request, reply, { what: 'labelNames' }),
  })
  app.route<{ Params: { name: string } }>({
    method: 'GET',
    url: '/label/:name/values',
    handler: (request, reply) => {
      const given = request.params.name
      const name = given.startsWith('U__') ? unescapeName(given) : given
      if (name === '') throw new ApiError('bad_data', `invalid label name: ${quoteString(name)}`)
      return metadata(request, reply, { what: 'labelValues', label: name })
    },
  })
}

function checkSelectors(matches: readonly string[], named: boolean): void {
  try {
    for (const match of matches) parseSelector(match)
  } catch (error) {
    const { message } = error as Error
    throw named ? invalidParam('match[]', message) : new ApiError('bad_data', message)
  }
}

/** timeout, lookback_delta and stats. */
function queryOptions(params: Params) {
  const timeoutText = params.get('timeout')
  const timeoutMs = timeoutText === '' ? undefined : param('timeout', () => parseDurationParam(timeoutText))
  const lookbackText = params.get('lookback_delta')
  let lookbackMs = 0
  if (lookbackText !== '')
    try {
      lookbackMs = parseDurationParam(lookbackText)
    } catch (error) {
      throw new ApiError('bad_data', `error parsing lookback delta duration: ${(error as Error).message}`)
    }
  const stats = params.get('stats')
  return {
    ...(timeoutMs !== undefined && { timeoutMs: Math.max(0, timeoutMs) }),
    ...(lookbackMs > 0 && { lookbackMs }),
    ...(stats !== '' && { stats: stats === 'all' ? ('all' as const) : ('basic' as const) }),
    ...(stats !== '' &&
      stats !== 'true' &&
      stats !== 'all' && {
        warnings: [
          `value ${quoteString(stats)} for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"`,
        ],
      }),
  }
}

/** Aborts when the client closes the connection before it has its answer. */
function clientGone(_request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort()
  })
  return controller.signal
}

function sendAnswer(reply: FastifyReply, answer: QueryJsonAnswer): FastifyReply {
  if (answer.ok) return sendBytes(reply, answer.body)
  // Parse errors were found before; a bad_data of the engine is about the query all the same.
  const prefix = answer.kind === 'bad_data' ? 'invalid parameter "query": ' : ''
  const message = answer.message.startsWith(prefix) ? answer.message : prefix + answer.message
  throw new ApiError(answer.kind, message)
}
