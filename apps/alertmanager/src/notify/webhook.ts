// The webhook receiver: POSTs the message as JSON. Any 2xx is success, 5xx and network errors are tried again.
import { readFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { Agent, fetch } from 'undici'
import type { OutgoingHttpConfig, WebhookConfig } from '../config/index.ts'
import { NotifyError, type FailureReason, type Integration } from './integration.ts'
import { goJson } from './message.ts'

export interface HttpPost {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly tls?: OutgoingHttpConfig['tls']
  readonly followRedirects: boolean
  readonly signal: AbortSignal
}

/** Sends one POST; resolves with the status and the first bytes of the answer. Rejects on network errors. */
export type PostFunction = (request: HttpPost) => Promise<{ status: number; body: string }>

export interface WebhookOptions {
  readonly userAgent: string
  readonly post: PostFunction
  /** Milliseconds timer for `timeout`; aborts the attempt. */
  readonly withTimeout: (timeoutMs: number, signal: AbortSignal) => { signal: AbortSignal; done: () => void }
}

export function createWebhook(config: WebhookConfig, index: number, options: WebhookOptions): Integration {
  return {
    kind: 'webhook',
    index,
    sendResolved: config.sendResolved,
    maxAlerts: config.maxAlerts,
    async send(message, signal) {
      const limit = options.withTimeout(config.timeoutMs, signal)
      try {
        const { status, body } = await options.post({
          url: config.url || (await readFile(config.urlFile, 'utf8')).trim(),
          headers: {
            'User-Agent': options.userAgent,
            'Content-Type': 'application/json',
            ...(await authHeaders(config.http)),
          },
          body: goJson(message),
          followRedirects: config.http.followRedirects,
          ...(config.http.tls && { tls: config.http.tls }),
          signal: limit.signal,
        })
        checkStatus(status, body)
      } catch (error) {
        throw asNotifyError(error, limit.signal)
      } finally {
        limit.done()
      }
    },
  }
}

async function authHeaders(http: OutgoingHttpConfig): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const [name, values] of Object.entries(http.headers)) headers[name] = values.join(', ')
  if (http.basicAuth) {
    const { username, password, passwordFile } = http.basicAuth
    const secret = passwordFile === '' ? password : (await readFile(passwordFile, 'utf8')).trim()
    headers.Authorization = `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`
  }
  if (http.authorization) {
    const { type, credentials, credentialsFile } = http.authorization
    const secret = credentialsFile === '' ? credentials : (await readFile(credentialsFile, 'utf8')).trim()
    headers.Authorization = `${type} ${secret}`
  }
  return headers
}

function checkStatus(status: number, body: string): void {
  if (status >= 200 && status < 300) return
  const detail = body === '' ? '' : `: ${body}`
  throw new NotifyError(`unexpected status code ${status}${detail}`, status >= 500, reasonOf(status))
}

function reasonOf(status: number): FailureReason {
  if (status >= 500) return 'serverError'
  if (status === 401 || status === 403) return 'authError'
  if (status === 429) return 'rateLimited'
  return status >= 400 ? 'clientError' : 'other'
}

function asNotifyError(error: unknown, signal: AbortSignal): NotifyError {
  if (error instanceof NotifyError) return error
  if (signal.aborted) {
    const text = signal.reason instanceof Error ? signal.reason.message : 'context canceled'
    const late = text === 'context deadline exceeded'
    return new NotifyError(text, true, late ? 'contextDeadlineExceeded' : 'contextCanceled')
  }
  // The cause says what failed; the URL may hold a token and is not repeated.
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return new NotifyError(
    `post failed: ${cause instanceof Error ? cause.message : String(cause)}`,
    true,
    'other',
  )
}

/** Most bytes of an answer that are read for the error message. */
const ANSWER_BYTES_MAX = 1024

const agents = new Map<string, Agent>()

/** Connections with these TLS settings; certificates are read when first needed. */
function agentOf(tls: NonNullable<OutgoingHttpConfig['tls']>): Agent {
  const key = JSON.stringify(tls)
  let agent = agents.get(key)
  if (!agent) {
    const file = (path: string) => (path === '' ? undefined : readFileSync(path))
    agent = new Agent({
      connect: {
        ca: file(tls.caFile),
        cert: file(tls.certFile),
        key: file(tls.keyFile),
        rejectUnauthorized: !tls.insecureSkipVerify,
        ...(tls.serverName !== '' && { servername: tls.serverName }),
      },
    })
    agents.set(key, agent)
  }
  return agent
}

/** POST over the network. */
export const postOverNetwork: PostFunction = async (request) => {
  const answer = await fetch(request.url, {
    method: 'POST',
    headers: request.headers,
    body: request.body,
    redirect: request.followRedirects ? 'follow' : 'manual',
    ...(request.tls && { dispatcher: agentOf(request.tls) }),
    signal: request.signal,
  })
  const chunks: Uint8Array[] = []
  let bytes = 0
  if (answer.body) {
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= ANSWER_BYTES_MAX) break
    }
  }
  return { status: answer.status, body: Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX).toString('utf8') }
}
