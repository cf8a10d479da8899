// Speaks to an Alertmanager's API v2.
import { readFile } from 'node:fs/promises'
import { httpConfig } from '../config/http-config.ts'
import { openYaml } from '../config/yaml-cursor.ts'
import { NotifyError } from '../notify/integration.ts'
import { createHttpClient, parseJson, sendOverNetwork, type HttpClient } from '../notify/http/index.ts'
import { UsageError } from './command-line.ts'

/** An answer other than 2xx, in the words of Alertmanager's own client. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly status: number
  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

export interface ApiClient {
  /** `operation` names the call in messages, e.g. `postSilences`. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, operation: string, body?: unknown): Promise<unknown>
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  404: 'NotFound',
  500: 'InternalServerError',
}

export async function connect(
  address: string,
  httpConfigFile: string,
  signal: AbortSignal,
): Promise<ApiClient> {
  const base = readAddress(address)
  const options = { send: sendOverNetwork, userAgent: 'amtool', now: () => Date.now() }
  let http: HttpClient = createHttpClient(undefined, options)
  const headers: Record<string, string> = {}
  if (base.username !== '') {
    if (httpConfigFile !== '')
      throw new UsageError('basic authentication and http.config.file are mutually exclusive')
    const user = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`
    headers.Authorization = `Basic ${Buffer.from(user).toString('base64')}`
    base.username = base.password = ''
  }
  if (httpConfigFile !== '')
    http = createHttpClient(
      httpConfig.read(openYaml(await readFile(httpConfigFile, 'utf8'), httpConfigFile)),
      options,
    )
  const prefix = `${base.origin}${base.pathname.replace(/\/$/, '')}/api/v2`
  return {
    async call(method, path, operation, body) {
      const url = prefix + path
      let answer
      try {
        answer = await http.request(
          {
            method,
            url,
            ...(body !== undefined && {
              body: JSON.stringify(body),
              headers: { 'Content-Type': 'application/json', ...headers },
            }),
            ...(body === undefined && { headers }),
          },
          signal,
        )
      } catch (error) {
        if (!(error instanceof NotifyError)) throw error
        const verb = method[0] + method.slice(1).toLowerCase()
        throw new Error(`${verb} "${url}": ${error.message.replace(/^post failed: /, '')}`, { cause: error })
      }
      const { status, body: text } = answer
      if (status >= 200 && status < 300) return text === '' ? undefined : parseJson(text)
      const shown = path.replace(/\?.*/, '').replace(/^\/silence\/.*/, '/silence/{silenceID}')
      const name = `${operation}${STATUS_NAMES[status] ?? ` (status ${status})`}`
      throw new ApiError(`[${method} ${shown}][${status}] ${name} ${text.trim()}`.trim(), status)
    },
  }
}

function readAddress(address: string): URL {
  const full = /^[a-z]+:\/\//i.test(address) ? address : `http://${address.replace(/^\/\//, '')}`
  if (!URL.canParse(full) || !/^https?:/.test(full))
    throw new UsageError(`invalid URL ${JSON.stringify(address)}`)
  return new URL(full)
}
