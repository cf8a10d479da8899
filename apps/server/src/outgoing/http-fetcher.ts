// GET requests of discovery: bounded in time and size, credentials only to the host that was configured.
import { STATUS_CODES } from 'node:http'
import { Agent, type Dispatcher } from 'undici'
import type { HttpClientConfig } from '../config/types.ts'
import { authorizationHeader, customHeaders } from './credentials.ts'
import { tlsConnectOptions } from './tls-options.ts'

const REDIRECTS_MAX = 10
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** Most bytes of an error's body that are shown. */
const ERROR_BYTES_MAX = 1024

export interface FetchRequest {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** For headers and body together; 0 = no limit. */
  readonly timeoutMs: number
  readonly bytesMax: number
  readonly signal?: AbortSignal
}

export interface FetchedBody {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
}

/** An answer other than 200. `message` is `server returned HTTP status 500 Internal Server Error`. */
export class HttpStatusError extends Error {
  override name = 'HttpStatusError'
  readonly status: number
  /** The beginning of the answer's body. */
  readonly detail: string

  constructor(status: number, detail: string) {
    super(`server returned HTTP status ${status} ${STATUS_CODES[status] ?? ''}`.trim())
    this.status = status
    this.detail = detail
  }
}

export interface HttpFetcherOptions {
  readonly http: HttpClientConfig
  readonly userAgent: string
  /** Path of a unix socket to connect to whatever the URL says. */
  readonly socketPath?: string
}

/** One configuration's client; its connections are kept until `close`. */
export class HttpFetcher {
  readonly #options: HttpFetcherOptions
  #agent: Agent | undefined

  constructor(options: HttpFetcherOptions) {
    this.#options = options
  }

  /** The whole body of a 200. Rejects with `HttpStatusError`, or with the error of the network. */
  async get(request: FetchRequest): Promise<FetchedBody> {
    const limit = limitOf(request)
    try {
      const answer = await this.open(request, limit.signal)
      const chunks: Buffer[] = []
      let length = 0
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        length += chunk.length
        if (length > request.bytesMax) throw new Error(`body larger than ${request.bytesMax} bytes`)
        chunks.push(chunk)
      }
      return { headers: answer.headers, body: Buffer.concat(chunks) }
    } catch (error) {
      throw limit.signal.aborted && limit.signal.reason instanceof Error ? limit.signal.reason : error
    } finally {
      limit.end()
    }
  }

  /** A 200 whose body is still to be read (and must be read or destroyed). */
  async open(
    request: Pick<FetchRequest, 'url' | 'headers'>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const home = new URL(request.url)
    let url = home
    for (let hops = 0; ; hops++) {
      const answer = await this.#dispatcher().request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers: this.#headers(request, url.host === home.host),
        signal,
      })
      const location = answer.headers.location
      if (
        REDIRECTS.has(answer.statusCode) &&
        this.#options.http.followRedirects &&
        typeof location === 'string'
      ) {
        answer.body.on('error', () => undefined).destroy()
        if (hops + 1 >= REDIRECTS_MAX)
          throw new Error(`Get ${JSON.stringify(location)}: stopped after ${REDIRECTS_MAX} redirects`)
        url = new URL(location, url)
        continue
      }
      if (answer.statusCode === 200) return answer
      throw new HttpStatusError(answer.statusCode, await firstBytes(answer.body))
    }
  }

  /** New connections, which read certificates anew; running requests end in peace. */
  reconnect(): void {
    const agent = this.#agent
    this.#agent = undefined
    agent?.close().catch(() => undefined)
  }

  close(): void {
    const agent = this.#agent
    this.#agent = undefined
    agent?.destroy().catch(() => undefined)
  }

  #dispatcher(): Agent {
    const { http, socketPath } = this.#options
    this.#agent ??= new Agent({
      headersTimeout: 0,
      bodyTimeout: 0,
      pipelining: 1,
      connect: {
        timeout: 10_000,
        ...(socketPath !== undefined && { socketPath }),
        ...tlsConnectOptions(http.tls),
      },
    })
    return this.#agent
  }

  #headers(request: Pick<FetchRequest, 'headers'>, withCredentials: boolean): Record<string, string> {
    const { http, userAgent } = this.#options
    const headers: Record<string, string> = { 'User-Agent': userAgent, ...request.headers }
    if (!withCredentials) return headers
    const authorization = authorizationHeader(http)
    if (authorization !== undefined) headers.Authorization = authorization
    for (const [name, value] of customHeaders(http)) headers[name] = value
    return headers
  }
}

interface Limit {
  readonly signal: AbortSignal
  end(): void
}

function limitOf({ timeoutMs, signal }: FetchRequest): Limit {
  const controller = new AbortController()
  const timer =
    timeoutMs > 0
      ? setTimeout(() => controller.abort(new Error('context deadline exceeded')), timeoutMs)
      : undefined
  const cancel = () => controller.abort(new Error('context canceled'))
  if (signal?.aborted) cancel()
  signal?.addEventListener('abort', cancel, { once: true })
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
    },
  }
}

async function firstBytes(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length >= ERROR_BYTES_MAX) break
    }
  } catch {
    // The status says enough.
  }
  return Buffer.concat(chunks).subarray(0, ERROR_BYTES_MAX).toString('utf8').trim()
}
