// HTTP as receivers use it: authentication and headers of their `http_config`, and failures as the pipeline wants them.
import { readFile } from 'node:fs/promises'
import type { HttpConfig, Oauth2Config } from '../../config/http-config.ts'
import { NotifyError, type FailureReason } from '../integration.ts'
import type { IncomingAnswer, OutgoingRequest, SendRequest } from './transport.ts'

export interface HttpClient {
  /** Rejects with `NotifyError` when there is no answer; any status is an answer. */
  request(
    request: Pick<OutgoingRequest, 'method' | 'url' | 'body'> & {
      readonly headers?: Readonly<Record<string, string>>
    },
    signal: AbortSignal,
  ): Promise<IncomingAnswer>
}

export interface HttpClientOptions {
  readonly send: SendRequest
  readonly userAgent: string
  /** Milliseconds, for the life of OAuth2 tokens. */
  readonly now: () => number
}

/** A client with these settings; absent settings = none. */
export function createHttpClient(config: HttpConfig | undefined, options: HttpClientOptions): HttpClient {
  const oauth = config?.oauth2 && new Oauth2Tokens(config.oauth2, options)
  return {
    async request({ method, url, body, headers }, signal) {
      try {
        const authorization = oauth
          ? { Authorization: `Bearer ${await oauth.token(signal)}` }
          : await authHeaders(config)
        return await options.send({
          method,
          url,
          headers: {
            'User-Agent': options.userAgent,
            ...headers,
            ...(await extraHeaders(config)),
            ...authorization,
          },
          followRedirects: config?.follow_redirects ?? true,
          ...(body !== undefined && { body }),
          ...(config && { connection: config }),
          signal,
        })
      } catch (error) {
        throw asNotifyError(error, signal)
      }
    },
  }
}

/** A secret: given, or the trimmed text of a file that is read for every message. */
export async function readSecret(value: string, file: string): Promise<string> {
  return value !== '' || file === '' ? value : (await readFile(file, 'utf8')).trim()
}

async function authHeaders(config: HttpConfig | undefined): Promise<Record<string, string>> {
  if (!config) return {}
  const { basic_auth: basic, authorization, bearer_token: token, bearer_token_file: tokenFile } = config
  if (basic) {
    const user = await readSecret(basic.username, basic.username_file)
    const password = await readSecret(basic.password, basic.password_file)
    return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
  }
  if (authorization) {
    const { type, credentials, credentials_file: file } = authorization
    return { Authorization: `${type} ${await readSecret(credentials, file)}` }
  }
  if (token === '' && tokenFile === '') return {}
  return { Authorization: `Bearer ${await readSecret(token, tokenFile)}` }
}

async function extraHeaders(config: HttpConfig | undefined): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const [name, { values, secrets, files }] of Object.entries(config?.http_headers ?? {})) {
    const fromFiles = await Promise.all(files.map((file) => readSecret('', file)))
    headers[name] = [...values, ...secrets, ...fromFiles].join(', ')
  }
  return headers
}

/** Pause before a token ends in which a new one is fetched, ms. */
const TOKEN_MARGIN_MS = 10_000

/** Tokens by the client credentials grant. */
class Oauth2Tokens {
  readonly #config: Oauth2Config
  readonly #options: HttpClientOptions
  #token = ''
  #validUntil = 0

  constructor(config: Oauth2Config, options: HttpClientOptions) {
    this.#config = config
    this.#options = options
  }

  async token(signal: AbortSignal): Promise<string> {
    if (this.#options.now() < this.#validUntil) return this.#token
    const { client_id: id, client_secret: given, client_secret_file: file, scopes } = this.#config
    const secret = await readSecret(given, file)
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...this.#config.endpoint_params })
    if (scopes.length > 0) form.set('scope', scopes.join(' '))
    const credentials = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`
    const { status, body } = await this.#options.send({
      method: 'POST',
      url: this.#config.token_url,
      headers: {
        'User-Agent': this.#options.userAgent,
        'Content-Type': 'application/x-www-form-urlencoded',
        Authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      },
      body: form.toString(),
      followRedirects: false,
      connection: this.#config,
      signal,
    })
    const answer = parseJson(body) as { access_token?: unknown; expires_in?: unknown } | undefined
    if (status < 200 || status >= 300 || typeof answer?.access_token !== 'string')
      throw new NotifyError(`oauth2: cannot fetch token: status ${status}`, status >= 500, reasonOf(status))
    const lifeMs = Number(answer.expires_in ?? 3600) * 1000
    this.#token = answer.access_token
    this.#validUntil = this.#options.now() + (Number.isFinite(lifeMs) ? lifeMs : 0) - TOKEN_MARGIN_MS
    return this.#token
  }
}

/** The value of a JSON text, undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** Longest part of an answer that is shown in a message. */
const DETAIL_MAX = 1024

export interface StatusRules {
  /** Codes besides 5xx that are worth another attempt. */
  readonly retryCodes?: readonly number[]
  /** What the message says of the answer; its text by default. */
  readonly detail?: (answer: IncomingAnswer) => string
}

/** Throws `NotifyError` unless the status is 2xx. */
export function checkStatus(answer: IncomingAnswer, rules: StatusRules = {}): void {
  const { status } = answer
  if (status >= 200 && status < 300) return
  const detail = (rules.detail ? rules.detail(answer) : answer.body).slice(0, DETAIL_MAX)
  throw new NotifyError(
    `unexpected status code ${status}${detail === '' ? '' : `: ${detail}`}`,
    (status >= 500 && status < 600) || (rules.retryCodes?.includes(status) ?? false),
    reasonOf(status),
  )
}

export function reasonOf(status: number): FailureReason {
  if (status === 401 || status === 403) return 'authError'
  if (status === 429) return 'rateLimited'
  if (status >= 500) return 'serverError'
  return status >= 400 ? 'clientError' : 'other'
}

/** Any failure of an attempt; what is not a `NotifyError` yet is one of the network. */
export function asNotifyError(error: unknown, signal: AbortSignal): NotifyError {
  if (error instanceof NotifyError) return error
  if (signal.aborted) {
    const text = signal.reason instanceof Error ? signal.reason.message : 'context canceled'
    const late = text === 'context deadline exceeded'
    return new NotifyError(text, true, late ? 'contextDeadlineExceeded' : 'contextCanceled')
  }
  // The cause says what failed; the URL may hold a token and is not repeated.
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const text = cause instanceof Error ? cause.message : String(cause)
  return new NotifyError(`post failed: ${text.replace(/https?:\/\/\S+/g, '<redacted>')}`, true, 'other')
}
