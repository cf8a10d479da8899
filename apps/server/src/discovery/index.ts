export { DiscoveryManager, type DiscoveryManagerOptions } from './manager.ts'
export { createDiscoveryMetrics } from './metrics.ts'
export type { DiscoveryEvents } from './events.ts'
export type { Discoverer, TargetGroup } from './contract.ts'
