// consul_sd_configs: targets from Consul's catalog.
import type { ConsulSdConfig } from '../types.ts'
import { bool, duration, field, list, mapOf, secret, struct, text, type ValueOf } from '../schema.ts'
import { checkHttpClient, httpClientConfig, httpClientFields, resolveHttpClient } from './http-client.ts'

export const consulSd = struct(
  'consul.plain',
  {
    server: field(text(), { default: 'localhost:8500' }),
    path_prefix: field(text()),
    token: field(secret),
    datacenter: field(text()),
    namespace: field(text()),
    partition: field(text()),
    tag_separator: field(text(), { default: ',' }),
    scheme: field(text(), { default: 'http' }),
    username: field(text()),
    password: field(secret),
    allow_stale: field(bool, { default: true, always: true }),
    refresh_interval: field(duration, { default: 30_000 }),
    services: field(list(text())),
    tags: field(list(text())),
    node_meta: field(mapOf(text())),
    filter: field(text()),
    health_filter: field(text()),
    ...httpClientFields(),
  },
  {
    check(value, places) {
      if (value.server.trim() === '')
        places.fail('server', 'consul SD configuration requires a server address')
      if ((value.username !== '' || value.password !== '') && value.basic_auth)
        places.fail(
          'basic_auth',
          'at most one of consul SD configuration username and password and basic auth can be configured',
        )
      if (value.token !== '' && (value.authorization || value.oauth2))
        places.fail('token', 'at most one of consul SD token, authorization, or oauth2 can be configured')
      checkHttpClient(value, places)
    },
  },
)

export type ConsulSdRaw = ValueOf<typeof consulSd>

export function resolveConsulSd(raw: ConsulSdRaw, dir: string): ConsulSdRaw {
  const { username, password } = raw
  if (username === '' && password === '') return resolveHttpClient(raw, dir)
  return resolveHttpClient(
    {
      ...raw,
      basic_auth: {
        username,
        username_file: '',
        username_ref: '',
        password,
        password_file: '',
        password_ref: '',
      },
    },
    dir,
  )
}

export function consulSdConfig(raw: ConsulSdRaw): ConsulSdConfig {
  return {
    server: raw.server,
    pathPrefix: raw.path_prefix,
    token: raw.token,
    datacenter: raw.datacenter,
    namespace: raw.namespace,
    partition: raw.partition,
    tagSeparator: raw.tag_separator,
    scheme: raw.scheme,
    allowStale: raw.allow_stale,
    refreshIntervalMs: raw.refresh_interval,
    services: raw.services,
    tags: raw.tags,
    nodeMeta: raw.node_meta,
    filter: raw.filter,
    healthFilter: raw.health_filter,
    http: httpClientConfig(raw),
  }
}
