// The remote write receiver: a body goes to the ingest worker as it came, its outcome comes back.
import type { FastifyInstance, FastifyReply } from 'fastify'
import { encodingFault, protocolOf } from '../remote/index.ts'
import type { WriteResult } from '../remote/index.ts'
import type { WebOptions } from './options.ts'
import { sendText } from './reply.ts'

/** Largest body, compressed, in bytes. */
const BODY_BYTES_MAX = 38 * 1024 * 1024
/** Bodies that wait for the ingest worker, in bytes, before more are refused. */
const WAITING_BYTES_MAX = 256 * 1024 * 1024

/** Registers the route under `/api/v1`. */
export function registerWriteApi(app: FastifyInstance, options: WebOptions): void {
  const { remoteWrite } = options
  if (remoteWrite === undefined) {
    app.post('/write', async (_request, reply) =>
      sendText(
        reply,
        404,
        'remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n',
      ),
    )
    return
  }
  let waitingBytes = 0
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX },
      (_request, body, done) => done(null, body),
    )
    scope.post('/write', { bodyLimit: BODY_BYTES_MAX, compress: false }, async (request, reply) => {
      const { headers } = request
      const encoding = encodingFault(String(headers['content-encoding'] ?? ''))
      if (encoding !== undefined) return sendText(reply, 415, `${encoding}\n`)
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const protocol = protocolOf(headers['content-type'] ?? '', remoteWrite.accepted)
      if (waitingBytes > WAITING_BYTES_MAX) return sendText(reply, 503, 'too many remote write requests\n')
      const { length } = body
      waitingBytes += length
      try {
        if (typeof protocol === 'number')
          return answer(reply, protocol, await remoteWrite.write(body, protocol))
        // A body is decompressed before its type matters.
        const checked = await remoteWrite.write(body, 'none')
        return checked.status === 204
          ? sendText(reply, 415, `${protocol}\n`)
          : sendText(reply, checked.status, `${checked.text}\n`)
      } finally {
        waitingBytes -= length
      }
    })
  })
}

function answer(reply: FastifyReply, protocol: 1 | 2, result: WriteResult): FastifyReply {
  if (protocol === 2)
    void reply
      .header('x-prometheus-remote-write-samples-written', String(result.samples))
      .header('x-prometheus-remote-write-histograms-written', String(result.histograms))
      .header('x-prometheus-remote-write-exemplars-written', String(result.exemplars))
  return result.status === 204 ? reply.code(204).send() : sendText(reply, result.status, `${result.text}\n`)
}
