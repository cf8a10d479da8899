// The HTTP side of one Alertmanager configuration: TLS, authentication, time limit.
import { readFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { Agent, fetch } from 'undici'
import type { HttpClientConfig } from '../config/types.ts'

export interface AlertmanagerPost {
  readonly url: string
  readonly body: string
  readonly signal: AbortSignal
}

/** Posts a batch; rejects unless the answer is 2xx. */
export interface AlertmanagerClient {
  post(request: AlertmanagerPost): Promise<void>
  close(): Promise<void>
}

/** Most bytes of an error's body that are read. */
const ERROR_BYTES_MAX = 1024

/** Reads certificates now; throws when one cannot be read. */
export function createAlertmanagerClient(http: HttpClientConfig, userAgent: string): AlertmanagerClient {
  const { tls } = http
  const file = (path: string | undefined) => (path ? readFileSync(path) : undefined)
  const agent = new Agent({
    connections: 2,
    connect: tls
      ? {
          ca: file(tls.caFile),
          cert: file(tls.certFile),
          key: file(tls.keyFile),
          servername: tls.serverName,
          rejectUnauthorized: !tls.insecureSkipVerify,
        }
      : {},
  })
  return {
    async post({ url, body, signal }) {
      const answer = await fetch(url, {
        method: 'POST',
        body,
        signal,
        dispatcher: agent,
        redirect: http.followRedirects ? 'follow' : 'manual',
        headers: {
          'User-Agent': userAgent,
          'Content-Type': 'application/json',
          ...(await authHeaders(http)),
        },
      })
      const text = answer.ok ? '' : await firstBytes(answer.body as AsyncIterable<Uint8Array> | null)
      if (answer.ok) await answer.body?.cancel()
      else throw new Error(`bad response status ${answer.status} ${answer.statusText}${text && `: ${text}`}`)
    },
    close: () => agent.destroy(),
  }
}

async function firstBytes(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= ERROR_BYTES_MAX) break
  }
  return Buffer.concat(chunks).subarray(0, ERROR_BYTES_MAX).toString('utf8').trim()
}

async function authHeaders(http: HttpClientConfig): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  const secret = async (value: string | undefined, path: string | undefined) =>
    path ? (await readFile(path, 'utf8')).trim() : (value ?? '')
  for (const [name, values] of Object.entries(http.httpHeaders ?? {})) headers[name] = values.join(', ')
  if (http.basicAuth) {
    const password = await secret(http.basicAuth.password, http.basicAuth.passwordFile)
    headers.Authorization = `Basic ${Buffer.from(`${http.basicAuth.username}:${password}`).toString('base64')}`
  }
  if (http.authorization) {
    const credentials = await secret(http.authorization.credentials, http.authorization.credentialsFile)
    headers.Authorization = `${http.authorization.type} ${credentials}`
  }
  return headers
}
