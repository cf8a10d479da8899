// The HTTP side of one Alertmanager configuration: TLS, authentication, time limit.
import { Agent, fetch } from 'undici'
import type { HttpClientConfig } from '../config/types.ts'
import { authorizationHeader, customHeaders, tlsConnectOptions } from '../outgoing/index.ts'

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
  const agent = new Agent({ connections: 2, connect: { ...tlsConnectOptions(http.tls) } })
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
          ...authHeaders(http),
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

function authHeaders(http: HttpClientConfig): Record<string, string> {
  const authorization = authorizationHeader(http)
  return {
    ...(authorization !== undefined && { Authorization: authorization }),
    ...Object.fromEntries(customHeaders(http)),
  }
}
