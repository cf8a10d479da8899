// Fetches one target's body: one keep-alive connection a target, everything bounded in time and size.
import { STATUS_CODES } from 'node:http'
import { Client, type Dispatcher } from 'undici'
import type { Clock } from '@watchfire/datamodel'
import type { HttpClientConfig } from '../config/types.ts'
import { authorizationHeader, customHeaders, tlsConnectOptions } from '../outgoing/index.ts'
import { BodyError, bodySizeError, ScrapeError } from './errors.ts'
import { BodyBuffer } from './body-buffer.ts'
import { gunzipBody } from './gunzip.ts'
import { networkError } from './network-errors.ts'

const REDIRECTS_MAX = 10
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export interface FetchOptions {
  readonly url: string
  readonly unixSocket: string
  readonly timeoutMs: number
  readonly accept: string
  readonly compression: boolean
  /** Most bytes of the body, packed and unpacked. */
  readonly bodySizeMax: number
  readonly http: HttpClientConfig
  readonly userAgent: string
  readonly clock: Clock
}

export interface ScrapeBody {
  readonly bytes: Buffer
  readonly contentType: string
  /** Gives the memory of `bytes` back. */
  release(): void
}

interface RawAnswer {
  readonly status: number
  readonly statusText: string
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: BodyBuffer
}

/** The connection of one target. Not for two fetches at a time. */
export class ScrapeClient {
  readonly #options: FetchOptions
  #client: Client | undefined
  #abort: ((reason: Error) => void) | undefined

  constructor(options: FetchOptions) {
    this.#options = options
  }

  /** Fetches the body; rejects with a `ScrapeError`. */
  async fetch(): Promise<ScrapeBody> {
    const { timeoutMs, clock, bodySizeMax } = this.#options
    let url = this.#options.url
    const deadline = clock.setTimeout(() => {
      this.#abort?.(new ScrapeError('context deadline exceeded'))
    }, timeoutMs)
    try {
      for (let hops = 0; ; hops++) {
        const answer = await this.request(url, hops)
        const location = this.#options.http.followRedirects ? redirectOf(answer) : undefined
        if (location === undefined) return decodeAnswer(answer, bodySizeMax)
        answer.body.release()
        if (hops + 1 >= REDIRECTS_MAX)
          throw new ScrapeError(`Get ${JSON.stringify(location)}: stopped after ${REDIRECTS_MAX} redirects`)
        url = new URL(location, url).href
      }
    } finally {
      deadline.cancel()
      this.#abort = undefined
    }
  }

  /** Ends a running fetch and the connection. */
  close(): void {
    this.#abort?.(new ScrapeError('context canceled'))
    this.drop()
  }

  private drop(): void {
    const client = this.#client
    this.#client = undefined
    client?.destroy().catch(() => undefined)
  }

  private async request(url: string, hops: number): Promise<RawAnswer> {
    const target = new URL(url)
    const home = new URL(this.#options.url)
    const sameOrigin = target.origin === home.origin
    const keep = sameOrigin && hops === 0
    let client: Client | undefined
    try {
      const credentials = target.host === home.host
      const headers = this.headers(credentials)
      const reused = sameOrigin && this.#client !== undefined
      client = sameOrigin ? (this.#client ??= this.connect(target)) : this.connect(target)
      try {
        return await this.dispatch(client, target, headers)
      } catch (error) {
        // A target may close a kept connection just when the next request is on its way.
        if (!reused || !isClosedConnection(error)) throw error
        this.drop()
        client = this.#client = this.connect(target)
        return await this.dispatch(client, target, headers)
      }
    } catch (error) {
      this.drop()
      throw networkError(error, url)
    } finally {
      if (!keep && client !== undefined && client !== this.#client) client.destroy().catch(() => undefined)
    }
  }

  private connect(url: URL): Client {
    const { http, unixSocket, timeoutMs } = this.#options
    return new Client(url.origin, {
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 10 * 60_000,
      keepAliveMaxTimeout: 10 * 60_000,
      pipelining: 1,
      ...(unixSocket !== '' && { socketPath: unixSocket }),
      connect: {
        timeout: timeoutMs,
        ...tlsConnectOptions(http.tls),
      },
    })
  }

  private headers(withCredentials: boolean): string[] {
    const { accept, compression, userAgent, timeoutMs, http } = this.#options
    const headers = [
      'User-Agent',
      userAgent,
      'Accept',
      accept,
      'Accept-Encoding',
      compression ? 'gzip' : 'identity',
      'X-Prometheus-Scrape-Timeout-Seconds',
      String(timeoutMs / 1000),
    ]
    if (!withCredentials) return headers
    const authorization = authorizationHeader(http)
    if (authorization !== undefined) headers.push('Authorization', authorization)
    for (const [name, value] of customHeaders(http)) headers.push(name, value)
    return headers
  }

  private dispatch(client: Client, url: URL, headers: string[]): Promise<RawAnswer> {
    const { bodySizeMax } = this.#options
    return new Promise((resolve, reject) => {
      let controller: Dispatcher.DispatchController | undefined
      let settled: Error | undefined
      const body = new BodyBuffer()
      let status = 0
      let statusText = ''
      let answerHeaders: RawAnswer['headers'] = {}
      const fail = (reason: Error): void => {
        if (settled !== undefined) return
        settled = reason
        controller?.abort(reason)
        body.release()
        reject(reason)
      }
      // A deadline that passes while the body comes in has no `Get "URL": ` in front.
      this.#abort = (reason) => fail(status === 0 ? reason : new BodyError(reason))
      client.dispatch(
        { origin: url.origin, path: url.pathname + url.search, method: 'GET', headers },
        {
          onRequestStart: (started) => {
            controller = started
            if (settled !== undefined) started.abort(settled)
          },
          onResponseStart: (_, code, received, text) => {
            status = code
            statusText = text ?? ''
            answerHeaders = received
          },
          onResponseData: (_, chunk) => {
            if (settled !== undefined) return
            // Errors and redirects are not read to the end of a long body.
            if (body.length + chunk.length > bodySizeMax) fail(new BodyError(bodySizeError()))
            else body.append(chunk)
          },
          onResponseEnd: () => {
            if (settled !== undefined) return
            settled = new Error('done')
            resolve({ status, statusText, headers: answerHeaders, body })
          },
          onResponseError: (_, error) => fail(status === 0 ? error : new BodyError(error)),
        },
      )
    })
  }
}

const CLOSED: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/** True when the connection ended before anything was answered. */
function isClosedConnection(error: unknown): boolean {
  return error instanceof Error && !(error instanceof BodyError) && 'code' in error && CLOSED.has(error.code)
}

function header(answer: RawAnswer, name: string): string {
  const value = answer.headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? ''
}

function redirectOf(answer: RawAnswer): string | undefined {
  const location = header(answer, 'location')
  return REDIRECTS.has(answer.status) && location !== '' ? location : undefined
}

function decodeAnswer(answer: RawAnswer, bodySizeMax: number): ScrapeBody {
  const { body, status, statusText } = answer
  if (status !== 200) {
    const text = statusText || (STATUS_CODES[status] ?? '')
    throw new ScrapeError(`server returned HTTP status ${status}${text === '' ? '' : ` ${text}`}`)
  }
  const packed = header(answer, 'content-encoding') === 'gzip'
  const bytes = packed ? gunzipBody(body.bytes(), bodySizeMax) : body.bytes()
  if (bytes.length >= bodySizeMax) throw bodySizeError()
  return { bytes, contentType: header(answer, 'content-type'), release: () => body.release() }
}
