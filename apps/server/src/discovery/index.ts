export { DiscoveryManager, type DiscoveryEvents, type DiscoveryManagerOptions } from './manager.ts'
export type { TargetGroup } from './contract.ts'
