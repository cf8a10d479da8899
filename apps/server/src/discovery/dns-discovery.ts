// dns_sd: one group a name, one target a record. A name that could not be asked keeps its targets.
import type { DnsSdConfig } from '../config/index.ts'
import { joinHostPort, reasonOf, type DiscoveryContext } from './context.ts'
import type { Discoverer, TargetGroup } from './contract.ts'
import { createDnsLookup, type DnsLookup, type DnsRecord } from './dns-lookup.ts'
import { RefreshDiscovery } from './refresh.ts'

/** Most targets of one name. */
const RECORDS_MAX = 100_000

export function createDnsDiscovery(
  config: DnsSdConfig,
  context: DiscoveryContext,
  lookup: DnsLookup = createDnsLookup(),
): Discoverer {
  const known = new Map<string, TargetGroup>()
  const one = async (name: string) => {
    try {
      const records = await lookup(name, config.type)
      context.events.onDnsLookup?.(false)
      const targets = records.slice(0, RECORDS_MAX).map((record) => targetOf(name, record, config))
      // Servers rotate their answers; the order must not look like a change.
      targets.sort((a, b) => (a.__address__! < b.__address__! ? -1 : 1))
      known.set(name, { source: name, labels: {}, targets })
    } catch (error) {
      context.events.onDnsLookup?.(true)
      context.logger.error('Error refreshing DNS targets', {
        discovery: 'dns',
        config: context.pool,
        err: reasonOf(error),
      })
    }
  }
  const refresh = async () => {
    await Promise.all(config.names.map(one))
    return config.names.flatMap((name) => known.get(name) ?? [])
  }
  return new RefreshDiscovery({ mechanism: 'dns', intervalMs: config.refreshIntervalMs, refresh }, context)
}

function targetOf(name: string, { host, port }: DnsRecord, config: DnsSdConfig): Record<string, string> {
  const rooted = `${host}.`
  const isSrv = config.type === 'SRV'
  return {
    __address__: joinHostPort(host, isSrv ? (port ?? 0) : config.port),
    __meta_dns_name: name,
    __meta_dns_srv_record_target: isSrv ? rooted : '',
    __meta_dns_srv_record_port: isSrv ? String(port ?? 0) : '',
    __meta_dns_mx_record_target: config.type === 'MX' ? rooted : '',
    __meta_dns_ns_record_target: config.type === 'NS' ? rooted : '',
  }
}
