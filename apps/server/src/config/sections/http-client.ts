// The HTTP client block that scrape configs, Alertmanagers and remote endpoints share.
import { join, isAbsolute } from 'node:path'
import type { HttpClientConfig, TlsVersion } from '../types.ts'
import {
  bool,
  field,
  list,
  mapOf,
  optional,
  parsed,
  secret,
  struct,
  text,
  url,
  type Schema,
  type StructOf,
  type StructPlaces,
} from '../schema.ts'

const basicAuth = struct('config.BasicAuth', {
  username: field(text()),
  username_file: field(text()),
  username_ref: field(text(), { unsupported: true }),
  password: field(secret),
  password_file: field(text()),
  password_ref: field(text(), { unsupported: true }),
})

const authorization = struct('config.Authorization', {
  type: field(text()),
  credentials: field(secret),
  credentials_file: field(text()),
  credentials_ref: field(text(), { unsupported: true }),
})

const TLS_VERSIONS: Readonly<Record<string, TlsVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
}

const tlsVersion: Schema<string> = parsed(
  'string',
  '',
  (value) => {
    if (!Object.hasOwn(TLS_VERSIONS, value)) throw new Error(`unknown TLS version: ${value}`)
    return value
  },
  (value) => (value === '' ? undefined : value),
)

const tlsConfig = struct('config.plain', {
  ca: field(text()),
  cert: field(text()),
  key: field(secret),
  ca_file: field(text()),
  cert_file: field(text()),
  key_file: field(text()),
  ca_ref: field(text(), { unsupported: true }),
  cert_ref: field(text(), { unsupported: true }),
  key_ref: field(text(), { unsupported: true }),
  server_name: field(text()),
  insecure_skip_verify: field(bool, { always: true }),
  min_version: field(tlsVersion),
  max_version: field(tlsVersion),
})

const oauth2 = struct('config.plain', {
  client_id: field(text(), { always: true }),
  client_secret: field(secret),
  client_secret_file: field(text()),
  client_secret_ref: field(text()),
  client_certificate_key_id: field(text()),
  client_certificate_key: field(secret),
  client_certificate_key_file: field(text()),
  client_certificate_key_ref: field(text()),
  grant_type: field(text()),
  signature_algorithm: field(text()),
  iss: field(text()),
  audience: field(text()),
  claims: field(mapOf(text())),
  scopes: field(list(text())),
  token_url: field(text(), { always: true }),
  endpoint_params: field(mapOf(text())),
  tls_config: field(optional(tlsConfig)),
  proxy_url: field(url),
  no_proxy: field(text()),
  proxy_from_environment: field(bool),
  proxy_connect_header: field(mapOf(list(secret))),
})

const header = struct('config.Header', {
  values: field(list(text())),
  secrets: field(list(secret)),
  files: field(list(text())),
})

/** Fields that are laid into the struct that uses them. `http2` is the default of enable_http2. */
export function httpClientFields(http2 = true) {
  return {
    basic_auth: field(optional(basicAuth)),
    authorization: field(optional(authorization)),
    oauth2: field(optional(oauth2), { unsupported: true }),
    bearer_token: field(secret),
    bearer_token_file: field(text()),
    tls_config: field(optional(tlsConfig)),
    follow_redirects: field(bool, { default: true, always: true }),
    enable_http2: field(bool, { default: http2, always: true }),
    proxy_url: field(url, { unsupported: true }),
    no_proxy: field(text(), { unsupported: true }),
    proxy_from_environment: field(bool, { unsupported: true }),
    proxy_connect_header: field(mapOf(list(secret)), { unsupported: true }),
    http_headers: field(mapOf(header)),
  }
}

export type HttpClientRaw = StructOf<ReturnType<typeof httpClientFields>>

/** Headers that the client sets itself. */
const RESERVED_HEADERS = new Set(
  (
    'Accept-Charset Accept-Encoding Authorization Connection Content-Encoding Content-Length Content-Type Date ' +
    'Expect Host Proxy-Authenticate Proxy-Authorization Proxy-Connection Range Te Trailer Transfer-Encoding ' +
    'Upgrade User-Agent Www-Authenticate X-Prometheus-Scrape-Timeout-Seconds'
  )
    .toLowerCase()
    .split(' '),
)

/** Conflicts between the fields, with Prometheus's texts. */
export function checkHttpClient(raw: HttpClientRaw, places: StructPlaces): void {
  const basic = raw.basic_auth
  if (raw.bearer_token && raw.bearer_token_file)
    places.fail('bearer_token_file', 'at most one of bearer_token & bearer_token_file must be configured')
  if ((basic || raw.oauth2) && (raw.bearer_token || raw.bearer_token_file))
    places.fail(
      raw.bearer_token ? 'bearer_token' : 'bearer_token_file',
      'at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured',
    )
  if (basic && basic.username && basic.username_file)
    places.fail(
      'basic_auth',
      'at most one of basic_auth username, username_file & username_ref must be configured',
    )
  if (basic && basic.password && basic.password_file)
    places.fail(
      'basic_auth',
      'at most one of basic_auth password, password_file & password_ref must be configured',
    )
  const auth = raw.authorization
  if (auth) {
    if (raw.bearer_token || raw.bearer_token_file)
      places.fail('authorization', 'authorization is not compatible with bearer_token & bearer_token_file')
    if (auth.credentials && auth.credentials_file)
      places.fail(
        'authorization',
        'at most one of authorization credentials & credentials_file must be configured',
      )
    if (auth.type.trim().toLowerCase() === 'basic')
      places.fail('authorization', 'authorization type cannot be set to "basic", use "basic_auth" instead')
    if (basic || raw.oauth2)
      places.fail('authorization', 'at most one of basic_auth, oauth2 & authorization must be configured')
  }
  if (raw.oauth2) {
    if (basic) places.fail('oauth2', 'at most one of basic_auth, oauth2 & authorization must be configured')
    if (raw.oauth2.client_id === '') places.fail('oauth2', 'oauth2 client_id must be configured')
    if (raw.oauth2.token_url === '') places.fail('oauth2', 'oauth2 token_url must be configured')
  }
  if (raw.proxy_from_environment) {
    if (raw.proxy_url !== '')
      places.fail('proxy_url', 'if proxy_from_environment is configured, proxy_url must not be configured')
    if (raw.no_proxy !== '')
      places.fail('no_proxy', 'if proxy_from_environment is configured, no_proxy must not be configured')
  }
  if (raw.no_proxy !== '' && raw.proxy_url === '')
    places.fail('no_proxy', 'if no_proxy is configured, proxy_url must also be configured')
  for (const name of Object.keys(raw.http_headers))
    if (RESERVED_HEADERS.has(name.toLowerCase()))
      places.fail('http_headers', `setting header "${name}" is not allowed`)
  const tls = raw.tls_config
  if (tls && tls.ca && tls.ca_file)
    places.fail('tls_config', 'at most one of ca, ca_file & ca_ref must be configured')
  if (tls && tls.cert && tls.cert_file)
    places.fail('tls_config', 'at most one of cert, cert_file & cert_ref must be configured')
  if (tls && tls.key && tls.key_file)
    places.fail('tls_config', 'at most one of key, key_file & key_ref must be configured')
  if (tls && (tls.cert_file !== '' || tls.cert !== '') !== (tls.key_file !== '' || tls.key !== ''))
    places.fail(
      'tls_config',
      'exactly one of key or key_file must be configured when a client certificate is configured',
    )
}

/** A path of the file, made relative to the file's folder. */
export function joinDir(dir: string, path: string): string {
  return path === '' || isAbsolute(path) ? path : join(dir, path)
}

/** The block with old bearer tokens moved to `authorization`, and paths resolved. */
export function resolveHttpClient<T extends HttpClientRaw>(raw: T, dir: string): T {
  const path = (value: string) => joinDir(dir, value)
  const bearer = raw.bearer_token !== '' || raw.bearer_token_file !== ''
  const auth = bearer
    ? {
        type: '',
        credentials: raw.bearer_token,
        credentials_file: raw.bearer_token_file,
        credentials_ref: '',
      }
    : raw.authorization
  return {
    ...raw,
    bearer_token: '',
    bearer_token_file: '',
    basic_auth: raw.basic_auth && {
      ...raw.basic_auth,
      username_file: path(raw.basic_auth.username_file),
      password_file: path(raw.basic_auth.password_file),
    },
    authorization: auth && {
      ...auth,
      type: auth.type.trim() || 'Bearer',
      credentials_file: path(auth.credentials_file),
    },
    http_headers: Object.fromEntries(
      Object.entries(raw.http_headers).map(([name, header]) => [
        name,
        { ...header, files: header.files.map(path) },
      ]),
    ),
    tls_config: raw.tls_config && {
      ...raw.tls_config,
      ca_file: path(raw.tls_config.ca_file),
      cert_file: path(raw.tls_config.cert_file),
      key_file: path(raw.tls_config.key_file),
    },
  }
}

/** What the HTTP clients get. Call it on a resolved block. */
export function httpClientConfig(raw: HttpClientRaw): HttpClientConfig {
  const { basic_auth: basic, authorization: auth, tls_config: tls } = raw
  const headers = Object.entries(raw.http_headers).map(
    ([name, { values, secrets }]) => [name, [...values, ...secrets]] as const,
  )
  const headerFiles = Object.entries(raw.http_headers).flatMap(([name, { files }]) =>
    files.length > 0 ? [[name, files] as const] : [],
  )
  return {
    ...(basic && {
      basicAuth: {
        username: basic.username,
        ...(basic.username_file !== '' && { usernameFile: basic.username_file }),
        ...(basic.password !== '' && { password: basic.password }),
        ...(basic.password_file !== '' && { passwordFile: basic.password_file }),
      },
    }),
    ...(auth && {
      authorization: {
        type: auth.type,
        ...(auth.credentials !== '' && { credentials: auth.credentials }),
        ...(auth.credentials_file !== '' && { credentialsFile: auth.credentials_file }),
      },
    }),
    ...(tls && {
      tls: {
        ...(tls.ca !== '' && { ca: tls.ca }),
        ...(tls.cert !== '' && { cert: tls.cert }),
        ...(tls.key !== '' && { key: tls.key }),
        ...(tls.min_version !== '' && { minVersion: TLS_VERSIONS[tls.min_version]! }),
        ...(tls.max_version !== '' && { maxVersion: TLS_VERSIONS[tls.max_version]! }),
        ...(tls.ca_file !== '' && { caFile: tls.ca_file }),
        ...(tls.cert_file !== '' && { certFile: tls.cert_file }),
        ...(tls.key_file !== '' && { keyFile: tls.key_file }),
        ...(tls.server_name !== '' && { serverName: tls.server_name }),
        insecureSkipVerify: tls.insecure_skip_verify,
      },
    }),
    followRedirects: raw.follow_redirects,
    ...(headers.length > 0 && { httpHeaders: Object.fromEntries(headers) }),
    ...(headerFiles.length > 0 && { httpHeaderFiles: Object.fromEntries(headerFiles) }),
  }
}
