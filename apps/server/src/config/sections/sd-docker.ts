// docker_sd_configs: targets from the containers of a Docker daemon.
import type { DockerSdConfig } from '../types.ts'
import { bool, duration, field, int, list, struct, text, type ValueOf } from '../schema.ts'
import { checkHttpClient, httpClientConfig, httpClientFields, resolveHttpClient } from './http-client.ts'

const filter = struct('moby.Filter', {
  name: field(text(), { always: true }),
  values: field(list(text()), { always: true }),
})

export const dockerSd = struct(
  'moby.plain',
  {
    ...httpClientFields(),
    host: field(text(), { always: true }),
    port: field(int, { default: 80, always: true }),
    filters: field(list(filter), { always: true }),
    host_networking_host: field(text(), { default: 'localhost', always: true }),
    refresh_interval: field(duration, { default: 60_000 }),
    match_first_network: field(bool, { default: true, always: true }),
  },
  {
    check(value, places) {
      if (value.host === '') places.fail('host', 'host missing')
      if (!/^(?:unix:\/\/\/|(?:https?|tcp):\/\/[^/])/.test(value.host) || !URL.canParse(value.host))
        places.fail(
          'host',
          `parse ${JSON.stringify(value.host)}: expected unix:///PATH, tcp://HOST:PORT, http://… or https://…`,
        )
      checkHttpClient(value, places)
    },
  },
)

export type DockerSdRaw = ValueOf<typeof dockerSd>

export const resolveDockerSd = (raw: DockerSdRaw, dir: string): DockerSdRaw => resolveHttpClient(raw, dir)

export function dockerSdConfig(raw: DockerSdRaw): DockerSdConfig {
  return {
    host: raw.host,
    port: raw.port,
    filters: raw.filters,
    hostNetworkingHost: raw.host_networking_host,
    refreshIntervalMs: raw.refresh_interval,
    matchFirstNetwork: raw.match_first_network,
    http: httpClientConfig(raw),
  }
}
