// Every error leaves the service as JSON {error, detail}: a stable word for programs, a sentence for people.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RegistryError, UnknownModelError } from '../registry/index.ts'
import { InferenceError, ModelLoadError, StoreBusyError } from '../runtime/index.ts'

export interface ErrorBody {
  readonly error: string
  readonly detail: string
}

/** An error with the status and the word it is answered with. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }
}

/** Installs the JSON error answers. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, body } = describeError(error)
    if (status >= 500) request.log.error(error)
    return reply.code(status).send(body)
  })
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send({ error: 'not_found', detail: `there is no ${request.method} ${request.url.slice(0, 200)}` }),
  )
}

/** Requests no route is looked up for, such as addresses that cannot be decoded. */
export function answerFrameworkError(
  error: FastifyError,
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { status, body } = describeError(error)
  void reply.code(status).send(body)
}

const FASTIFY_CODES: Readonly<Record<number, string>> = {
  400: 'bad_request',
  413: 'too_large',
  415: 'unsupported_media_type',
}

function describeError(error: FastifyError | Error): { status: number; body: ErrorBody } {
  const say = (status: number, code: string) => ({ status, body: { error: code, detail: error.message } })
  if (error instanceof ApiError) return say(error.status, error.code)
  if (error instanceof UnknownModelError) return say(404, 'model_not_found')
  if (error instanceof ModelLoadError) return say(503, 'model_not_ready')
  if (error instanceof StoreBusyError) return say(503, 'busy')
  if (error instanceof RegistryError) return say(503, 'registry_unavailable')
  if (error instanceof InferenceError) return say(500, 'prediction_failed')
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500
  if (status < 500) return say(status, FASTIFY_CODES[status] ?? 'bad_request')
  return { status, body: { error: 'internal', detail: 'the service failed to answer; its log says why' } }
}
