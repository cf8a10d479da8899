// dns_sd_configs: targets from the records of names.
import type { DnsSdConfig } from '../types.ts'
import { duration, field, int, list, struct, text, type ValueOf } from '../schema.ts'

const TYPES: readonly string[] = ['SRV', 'A', 'AAAA', 'MX', 'NS']

export const dnsSd = struct(
  'dns.plain',
  {
    names: field(list(text()), { always: true }),
    refresh_interval: field(duration, { default: 30_000 }),
    type: field(text(), { default: 'SRV', always: true }),
    port: field(int, { always: true }),
  },
  {
    check(value, places) {
      if (value.names.length === 0)
        places.fail('names', 'DNS-SD config must contain at least one SRV record name')
      const type = value.type.toUpperCase()
      if (!TYPES.includes(type)) places.fail('type', `invalid DNS-SD records type ${value.type}`)
      if (type !== 'SRV' && value.port === 0)
        places.fail('port', 'a port is required in DNS-SD configs for all record types except SRV')
    },
  },
)

export function dnsSdConfig(raw: ValueOf<typeof dnsSd>): DnsSdConfig {
  return {
    names: raw.names,
    refreshIntervalMs: raw.refresh_interval,
    type: raw.type.toUpperCase() as DnsSdConfig['type'],
    port: raw.port,
  }
}
