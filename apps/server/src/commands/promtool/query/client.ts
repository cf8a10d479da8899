// HTTP client of the query commands: Prometheus's API with its errors as promtool words them.
import { Agent, request } from 'undici'
import { ValueError } from '../../../config/errors.ts'
import { readText } from '../../../config/index.ts'
import { struct } from '../../../config/schema.ts'
import {
  checkHttpClient,
  httpClientConfig,
  httpClientFields,
  resolveHttpClient,
} from '../../../config/sections/http-client.ts'
import type { HttpClientConfig } from '../../../config/types.ts'
import { YamlDocument, isNull } from '../../../config/yaml-document.ts'
import { authorizationHeader, customHeaders, tlsConnectOptions } from '../../../outgoing/index.ts'

export interface ApiClientOptions {
  /** URL of the server; without a scheme http is meant. */
  readonly server: string
  /** '' = none. */
  readonly httpConfigFile: string
  readonly headers: Readonly<Record<string, string>>
  /** For a whole request, ms. Default 2 min. */
  readonly timeoutMs?: number
}

/** Parameters; a list gives the name several times. */
export type Params = Readonly<Record<string, string | readonly string[]>>

export interface ApiAnswer {
  readonly data: unknown
  readonly warnings: readonly string[]
}

/** An answer that is an error; `message` is `type: text`. */
export class ApiError extends Error {
  override name = 'ApiError'
  /** The body, '' when the message says it all. */
  readonly detail: string

  constructor(type: string, text: string, detail = '') {
    super(`${type}: ${text}`)
    this.detail = detail
  }
}

const TIMEOUT_MS = 120_000
/** Most bytes of an answer. */
const BODY_BYTES_MAX = 1024 * 1024 * 1024
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
/** Answers with these statuses carry an error in JSON. */
const ERROR_STATUSES: readonly number[] = [400, 422]
/** A server that does not take POST gets a GET. */
const NO_POST: readonly number[] = [403, 405, 501]

const httpSchema = struct('config.HTTPClientConfig', httpClientFields(), { check: checkHttpClient })

export class ApiClient {
  /** With its scheme. */
  readonly server: string
  readonly #http: HttpClientConfig
  readonly #headers: Readonly<Record<string, string>>
  readonly #timeoutMs: number
  readonly #agent: Agent

  /** Throws an Error when the HTTP configuration cannot be used. */
  constructor({ server, httpConfigFile, headers, timeoutMs }: ApiClientOptions) {
    this.server = /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(server) ? server : `http://${server.replace(/^\/\//, '')}`
    this.#headers = headers
    this.#timeoutMs = timeoutMs ?? TIMEOUT_MS
    this.#http = httpConfigFile === '' ? { followRedirects: true } : readHttpConfig(httpConfigFile)
    if (httpConfigFile !== '' && URL.canParse(this.server) && new URL(this.server).username !== '')
      throw new Error('Cannot set base auth in the server URL and use a http.config.file at the same time')
    const connect = tlsConnectOptions(this.#http.tls)
    this.#agent = new Agent({ maxResponseSize: BODY_BYTES_MAX, ...(connect && { connect }) })
  }

  /** A GET whose answer is text. */
  async get(path: string): Promise<{ status: number; body: string }> {
    return this.#send('GET', this.#url(path), undefined)
  }

  /** A call of the API by POST, or by GET where the server wants that. Throws `ApiError` or a network error. */
  async call(path: string, params: Params): Promise<ApiAnswer> {
    const url = this.#url(path)
    const body = encode(params)
    const answer = await this.#send('POST', url, body)
    return decode(
      NO_POST.includes(answer.status) ? await this.#send('GET', `${url}?${body}`, undefined) : answer,
    )
  }

  /** A call of the API by GET. */
  async callGet(path: string, params: Params): Promise<ApiAnswer> {
    const query = encode(params)
    return decode(await this.#send('GET', this.#url(path) + (query === '' ? '' : `?${query}`), undefined))
  }

  /** Posts bytes to a path below the server's URL, which may end with that path already. */
  async post(
    path: string,
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ status: number; body: string }> {
    const local = path.replace(/^\/+/, '')
    const known = URL.canParse(this.server) && new URL(this.server).pathname.endsWith(`/${local}`)
    return this.#send('POST', this.#url(known ? '' : local).replace(/\/$/, ''), body, headers)
  }

  async close(): Promise<void> {
    await this.#agent.close()
  }

  #url(path: string): string {
    if (!/^https?:\/\//i.test(this.server)) {
      const scheme = this.server.slice(0, this.server.indexOf(':'))
      throw new Error(`Post "${this.server}": unsupported protocol scheme "${scheme}"`)
    }
    const url = new URL(this.server)
    url.username = ''
    url.password = ''
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`
    return url.toString()
  }

  async #send(
    method: 'GET' | 'POST',
    url: string,
    body: string | Uint8Array | undefined,
    headers: Readonly<Record<string, string>> = FORM,
  ): Promise<{ status: number; body: string }> {
    const { username, password } = new URL(this.server)
    const login =
      username === '' ? undefined : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    const authorization =
      login === undefined ? authorizationHeader(this.#http) : `Basic ${Buffer.from(login).toString('base64')}`
    try {
      const answer = await request(url, {
        method,
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(this.#timeoutMs),
        headers: {
          'user-agent': 'promtool/3.14.0',
          ...(body !== undefined && headers),
          ...(authorization !== undefined && { authorization }),
          ...Object.fromEntries(customHeaders(this.#http)),
          ...this.#headers,
        },
        ...(body !== undefined && { body }),
      })
      return { status: answer.statusCode, body: await answer.body.text() }
    } catch (error) {
      const verb = method === 'GET' ? 'Get' : 'Post'
      throw new Error(`${verb} "${url}": ${networkText(error)}`, { cause: error })
    }
  }
}

function encode(params: Params): string {
  const out = new URLSearchParams()
  for (const name of Object.keys(params).sort())
    for (const value of [params[name]!].flat()) out.append(name, value)
  return out.toString()
}

function decode({ status, body }: { status: number; body: string }): ApiAnswer {
  if (Math.floor(status / 100) !== 2 && !ERROR_STATUSES.includes(status)) {
    const kind = status < 500 && status >= 400 ? 'client' : status >= 500 ? 'server' : undefined
    if (!kind) throw new ApiError('bad_response', `bad response code ${status}`, body)
    throw new ApiError(`${kind}_error`, `${kind} error: ${status}`, body)
  }
  if (status === 204) return { data: null, warnings: [] }
  let answer: { status?: string; data?: unknown; warnings?: string[]; errorType?: string; error?: string }
  try {
    answer = JSON.parse(body) as typeof answer
  } catch (error) {
    throw new ApiError('bad_response', (error as Error).message)
  }
  if (ERROR_STATUSES.includes(status) && answer.status === 'success')
    throw new ApiError('bad_response', 'inconsistent body for response code')
  if (answer.status === 'error') throw new ApiError(answer.errorType ?? '', answer.error ?? '')
  return { data: answer.data, warnings: answer.warnings ?? [] }
}

function networkText(error: unknown): string {
  const { code, message, address, port } = error as NodeJS.ErrnoException & {
    address?: string
    port?: number
  }
  const peer = address === undefined ? '' : `dial tcp ${address}:${port}: `
  switch (code) {
    case 'ECONNREFUSED':
      return `${peer}connect: connection refused`
    case 'ENOTFOUND':
      return `dial tcp: lookup ${(error as { hostname?: string }).hostname ?? ''}: no such host`
    case 'ETIMEDOUT':
      return `${peer}connect: connection timed out`
    default:
      return (error as Error).name === 'TimeoutError' ? 'context deadline exceeded' : message
  }
}

function readHttpConfig(path: string): HttpClientConfig {
  try {
    const document = new YamlDocument(readText(path))
    const root = document.resolve(document.root)
    const raw = isNull(root) ? httpSchema.defaults : httpSchema.decode(root, document)
    const [first] = document.problems
    if (first) throw new ValueError(`yaml: unmarshal errors:\n  line ${first.line}: ${first.text}`, first)
    const [unsupported] = document.unsupported
    if (unsupported) throw new ValueError(`${unsupported.what} is not supported yet`, unsupported)
    return httpClientConfig(resolveHttpClient(raw, path.replace(/[^/]*$/, '') || '.'))
  } catch (error) {
    throw new Error(`Failed to load HTTP config file: ${(error as Error).message}`, { cause: error })
  }
}
