// The `http_config` section of receivers and of `global`.
import {
  SECRET,
  atMostOne,
  flag,
  list,
  optional,
  secret,
  section,
  shown,
  strings,
  text,
  texts,
  url,
  type Field,
  type ValueOf,
} from './schema.ts'
import type { YamlCursor } from './yaml-cursor.ts'

const VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13']

/** Certificates and names of a TLS connection. */
export const tlsConfig = section(
  'config.TLSConfig',
  {
    ca: text(),
    cert: text(),
    key: secret(),
    ca_file: text(),
    cert_file: text(),
    key_file: text(),
    server_name: text(),
    insecure_skip_verify: flag(),
    min_version: text(),
    max_version: text(),
  },
  (tls, at) => {
    for (const part of ['ca', 'cert', 'key'] as const) atMostOne(at, tls, part, `${part}_file`)
    if ((tls.cert + tls.cert_file === '') !== (tls.key + tls.key_file === ''))
      at.fail(
        'exactly one of cert and cert_file must be configured when a client key is configured, and the other way round',
      )
    for (const version of [tls.min_version, tls.max_version])
      if (version !== '' && !VERSIONS.includes(version)) at.fail(`unknown TLS version: ${version}`)
  },
)
export type TlsConfig = ValueOf<typeof tlsConfig>

const proxyFields = {
  proxy_url: url('secret'),
  no_proxy: text(),
  proxy_from_environment: flag(),
  proxy_connect_header: optional(headerValues('secret')),
}

type ProxyConfig = { readonly [K in keyof typeof proxyFields]: ValueOf<(typeof proxyFields)[K]> }

function checkProxy(proxy: ProxyConfig, at: YamlCursor): void {
  if (proxy.proxy_from_environment && proxy.proxy_url !== '')
    at.fail('if proxy_from_environment is configured, proxy_url must not be configured')
  if (proxy.proxy_from_environment && proxy.no_proxy !== '')
    at.fail('if proxy_from_environment is configured, no_proxy must not be configured')
  if (proxy.no_proxy !== '' && proxy.proxy_url === '')
    at.fail('if no_proxy is configured, proxy_url must also be configured')
  if (proxy.proxy_connect_header && proxy.proxy_url === '' && !proxy.proxy_from_environment)
    at.fail(
      'if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured',
    )
}

const basicAuth = section(
  'config.BasicAuth',
  { username: text(), username_file: text(), password: secret(), password_file: text() },
  (basic, at) => {
    atMostOne(at, basic, 'username', 'username_file')
    atMostOne(at, basic, 'password', 'password_file')
  },
)

const authorization = section(
  'config.Authorization',
  { type: text('Bearer'), credentials: secret(), credentials_file: text() },
  (auth, at) => {
    atMostOne(at, auth, 'credentials', 'credentials_file')
    if (auth.type.toLowerCase() === 'basic')
      at.fail('authorization type cannot be set to "basic", use "basic_auth" instead')
  },
)

const oauth2 = section(
  'config.plain',
  {
    client_id: text(),
    client_secret: secret(),
    client_secret_file: text(),
    scopes: strings(),
    token_url: url(),
    endpoint_params: texts(),
    tls_config: optional(tlsConfig),
    ...proxyFields,
  },
  (oauth, at) => {
    if (oauth.client_id === '') at.fail('oauth2 client_id must be configured')
    if (oauth.client_secret === '' && oauth.client_secret_file === '')
      at.fail('either oauth2 client_secret or client_secret_file must be configured')
    if (oauth.token_url === '') at.fail('oauth2 token_url must be configured')
    atMostOne(at, oauth, 'client_secret', 'client_secret_file')
    checkProxy(oauth, at)
  },
)
export type Oauth2Config = ValueOf<typeof oauth2>

/** How requests of a receiver are made. */
export const httpConfig = section(
  'config.HTTPClientConfig',
  {
    basic_auth: optional(basicAuth),
    authorization: optional(authorization),
    oauth2: optional(oauth2),
    bearer_token: secret(),
    bearer_token_file: text(),
    tls_config: optional(tlsConfig),
    follow_redirects: shown(flag(true), false),
    enable_http2: shown(flag(true), false),
    ...proxyFields,
    http_headers: optional(httpHeaders()),
  },
  (http, at) => {
    const bearer = http.bearer_token !== '' || http.bearer_token_file !== ''
    const ways = [http.basic_auth, http.authorization, http.oauth2, bearer || undefined]
    if (ways.filter((way) => way !== undefined).length > 1)
      at.fail(
        'at most one of basic_auth, oauth2, authorization, bearer_token & bearer_token_file must be configured',
      )
    atMostOne(at, http, 'bearer_token', 'bearer_token_file')
    checkProxy(http, at)
  },
)
export type HttpConfig = ValueOf<typeof httpConfig>

/** Header names and their values, as `proxy_connect_header` has them. */
function headerValues(kind: 'secret'): Field<Readonly<Record<string, readonly string[]>>> {
  const values = list(kind === 'secret' ? secret() : text())
  return {
    read: (cursor) => Object.fromEntries(cursor.entries().map(([name, value]) => [name, values.read(value)])),
    print: (headers) =>
      Object.fromEntries(Object.entries(headers).map(([name, items]) => [name, values.print(items)])),
  }
}

export interface HttpHeader {
  readonly values: readonly string[]
  readonly secrets: readonly string[]
  readonly files: readonly string[]
}

/** Headers that the connection or the authentication sets. */
const RESERVED = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
])

function httpHeaders(): Field<Readonly<Record<string, HttpHeader>>> {
  const header = section('config.Header', { values: strings(), secrets: strings(), files: strings() })
  return {
    read: (cursor) =>
      Object.fromEntries(
        cursor.entries().map(([name, value]) => {
          if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) value.fail(`invalid header name "${name}"`)
          if (RESERVED.has(name.toLowerCase()))
            value.fail(`setting header ${JSON.stringify(name)} is not allowed`)
          return [name, header.read(value)]
        }),
      ),
    print: (headers) =>
      Object.fromEntries(
        Object.entries(headers).map(([name, { values, secrets, files }]) => [
          name,
          header.print({ values, secrets: secrets.map(() => SECRET), files }),
        ]),
      ),
  }
}
