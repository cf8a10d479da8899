// From a configuration to its discoveries. Those with the same key do the same work and are shared between pools.
import type { DiscoveryConfig } from '../config/index.ts'
import type { DiscoveryContext } from './context.ts'
import { createConsulDiscovery } from './consul-discovery.ts'
import type { Discoverer } from './contract.ts'
import { createDnsDiscovery } from './dns-discovery.ts'
import { createDockerDiscovery } from './docker-discovery.ts'
import { FileDiscovery } from './file-discovery.ts'
import { createHttpDiscovery } from './http-discovery.ts'
import { createKubernetesDiscovery } from './kubernetes/index.ts'

export interface DiscoverySpec {
  readonly key: string
  /** Throws when the discovery cannot run at all, e.g. without its credentials. */
  create(context: DiscoveryContext): Discoverer
}

/** The discoveries of a pool, without its static targets. */
export function discoverySpecs(config: DiscoveryConfig): DiscoverySpec[] {
  return [
    ...specs('file', config.fileSdConfigs, createFileDiscovery),
    ...specs('http', config.httpSdConfigs, createHttpDiscovery),
    ...specs('dns', config.dnsSdConfigs, createDnsDiscovery),
    ...specs('kubernetes', config.kubernetesSdConfigs, createKubernetesDiscovery),
    ...specs('consul', config.consulSdConfigs, createConsulDiscovery),
    ...specs('docker', config.dockerSdConfigs, createDockerDiscovery),
  ]
}

function specs<T>(
  kind: string,
  configs: readonly T[] | undefined,
  create: (config: T, context: DiscoveryContext) => Discoverer,
): DiscoverySpec[] {
  return (configs ?? []).map((config) => ({
    key: `${kind} ${JSON.stringify(config)}`,
    create: (context) => create(config, context),
  }))
}

function createFileDiscovery(
  config: DiscoveryConfig['fileSdConfigs'][number],
  { pool, logger, events, onGroups }: DiscoveryContext,
): Discoverer {
  return new FileDiscovery(config, {
    onGroups,
    onReadError(path, error) {
      events.onFileReadError?.()
      logger.error('Error reading file', { discovery: 'file', config: pool, path, err: error })
    },
    onWatchError(path, error) {
      events.onFileWatchError?.()
      logger.error('Error watching file', { discovery: 'file', config: pool, path, err: error })
    },
  })
}
