// Ready answers of the API. Bodies are bytes, so that the content type stays exactly `application/json`.
import type { FastifyReply } from 'fastify'
import type { ApiError } from './errors.ts'

/** Most warnings (and most infos) in one answer. */
const NOTES_MAX = 10

export function sendBytes(reply: FastifyReply, bytes: Uint8Array): FastifyReply {
  return reply
    .header('content-type', 'application/json')
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}

/** `{"status":"success","data":…}`; no data is 204. */
export function sendData(
  reply: FastifyReply,
  data: unknown,
  notes: { readonly warnings?: readonly string[] } = {},
): FastifyReply {
  const { warnings = [] } = notes
  if (data === undefined && warnings.length === 0) return reply.code(204).send()
  return sendJson(reply, {
    status: 'success',
    data,
    ...(warnings.length > 0 && { warnings: warnings.slice(0, NOTES_MAX) }),
  })
}

export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return sendBytes(reply, Buffer.from(JSON.stringify(value)))
}

export function sendError(reply: FastifyReply, error: ApiError): FastifyReply {
  return sendJson(reply.code(error.status), {
    status: 'error',
    errorType: error.kind,
    error: error.message,
  })
}

export function sendText(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).header('content-type', 'text/plain; charset=utf-8').send(text)
}
