// One HTTP request over the network. Redirects are followed only on the same host: an address that somebody was trusted
// with must not send secrets elsewhere, nor lead to addresses inside. Answers are read up to a bound.
import { readFileSync } from 'node:fs'
import { Agent, EnvHttpProxyAgent, ProxyAgent, fetch, type Dispatcher } from 'undici'
import type { HttpConfig, TlsConfig } from '../../config/http-config.ts'

/** The connection settings of a request. */
export type ConnectionConfig = Pick<
  HttpConfig,
  'tls_config' | 'proxy_url' | 'no_proxy' | 'proxy_from_environment' | 'proxy_connect_header'
>

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly followRedirects: boolean
  readonly connection?: ConnectionConfig
  readonly signal: AbortSignal
}

export interface IncomingAnswer {
  readonly status: number
  /** The first bytes, at most `ANSWER_BYTES_MAX`. */
  readonly body: string
  /** '' when it is not said. */
  readonly contentType?: string
}

/** Sends one request. Rejects on network errors. */
export type SendRequest = (request: OutgoingRequest) => Promise<IncomingAnswer>

/** Most bytes of an answer that are read. */
const ANSWER_BYTES_MAX = 1024 * 1024
const REDIRECTS_MAX = 10

/** The request over the network. */
export const sendOverNetwork: SendRequest = async (request) => {
  let { url, method, body } = request
  for (let hops = 0; ; hops++) {
    const answer = await fetch(url, {
      method,
      headers: request.headers,
      redirect: 'manual',
      dispatcher: dispatcherOf(url, request.connection),
      signal: request.signal,
      ...(body !== undefined && { body }),
    })
    const location = answer.headers.get('location')
    if (!request.followRedirects || !isRedirect(answer.status) || location === null) {
      return {
        status: answer.status,
        contentType: answer.headers.get('content-type') ?? '',
        body: await readBounded(answer.body as AsyncIterable<Uint8Array> | null),
      }
    }
    await answer.body?.cancel()
    if (hops >= REDIRECTS_MAX) throw new Error(`stopped after ${REDIRECTS_MAX} redirects`)
    url = nextAddress(url, location)
    if (answer.status < 307 && method !== 'GET') {
      method = 'GET'
      body = undefined
    }
  }
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}

function nextAddress(from: string, location: string): string {
  const here = new URL(from)
  const there = URL.canParse(location, from) ? new URL(location, from) : undefined
  const samePort = there?.port === here.port || (here.protocol === 'http:' && there?.protocol === 'https:')
  const sameHost = there?.hostname === here.hostname && samePort && /^https?:$/.test(there.protocol)
  // Nor from https back to http: what is sent would be readable.
  if (!there || !sameHost || (here.protocol === 'https:' && there.protocol === 'http:'))
    throw new Error('the answer redirects to another host, which is refused')
  return there.href
}

async function readBounded(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  if (body)
    for await (const chunk of body) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= ANSWER_BYTES_MAX) break
    }
  return Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX).toString('utf8')
}

/** Connections by settings; certificates are read when first needed. */
const dispatchers = new Map<string, Dispatcher>()
/** Most settings that connections are kept for. */
const DISPATCHERS_MAX = 200

function dispatcherOf(url: string, config: ConnectionConfig | undefined): Dispatcher | undefined {
  if (!config) return undefined
  const proxied = config.proxy_url !== '' && !isExempt(new URL(url).hostname, config.no_proxy)
  const proxy = proxied ? config.proxy_url : config.proxy_from_environment ? 'environment' : ''
  if (proxy === '' && !config.tls_config) return undefined
  const key = JSON.stringify([proxy, config.tls_config, config.proxy_connect_header])
  let dispatcher = dispatchers.get(key)
  if (!dispatcher) {
    dispatcher = createDispatcher(proxy, config)
    const oldest = dispatchers.keys().next()
    if (dispatchers.size >= DISPATCHERS_MAX && !oldest.done) dispatchers.delete(oldest.value)
    dispatchers.set(key, dispatcher)
  }
  return dispatcher
}

function createDispatcher(proxy: string, config: ConnectionConfig): Dispatcher {
  const tls = tlsOptions(config.tls_config)
  if (proxy === '') return new Agent({ connect: tls })
  if (proxy === 'environment') return new EnvHttpProxyAgent({ requestTls: tls })
  const headers = Object.fromEntries(
    Object.entries(config.proxy_connect_header ?? {}).map(([name, values]) => [name, [...values]]),
  )
  return new ProxyAgent({ uri: proxy, requestTls: tls, headers })
}

/** The options of Node's TLS for a `tls_config`. Throws when a file cannot be read. */
export function tlsOptions(tls: TlsConfig | undefined) {
  const part = (inline: string, path: string) =>
    inline !== '' ? inline : path === '' ? undefined : readFileSync(path)
  const version = (name: string) =>
    name === '' ? undefined : (`TLSv1.${name.at(-1)}`.replace('TLSv1.0', 'TLSv1') as 'TLSv1.2')
  if (!tls) return {}
  const [ca, cert, key] = [
    part(tls.ca, tls.ca_file),
    part(tls.cert, tls.cert_file),
    part(tls.key, tls.key_file),
  ]
  const [minVersion, maxVersion] = [version(tls.min_version), version(tls.max_version)]
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(minVersion && { minVersion }),
    ...(maxVersion && { maxVersion }),
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(tls.server_name !== '' && { servername: tls.server_name }),
  }
}

/** True for hosts that `no_proxy` names: exactly, or as a domain they are in. */
function isExempt(host: string, noProxy: string): boolean {
  return noProxy.split(',').some((entry) => {
    const name = entry
      .trim()
      .replace(/:\d+$/, '')
      .replace(/^\*?\./, '')
    return name === '*' || (name !== '' && (host === name || host.endsWith(`.${name}`)))
  })
}
