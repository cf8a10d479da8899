// What happens inside of discoveries, for the metrics `prometheus_sd_*`.

export interface DiscoveryEvents {
  readonly onUpdate?: (pool: string, targetCount: number) => void
  readonly onRemoved?: (pool: string) => void
  /** A discovery handed over groups. */
  readonly onReceived?: () => void
  /** Groups wait because the pool was updated just now. */
  readonly onDelayed?: () => void
  /** Discoveries that could not be created at all; they are tried again with the next configuration. */
  readonly onFailedConfigs?: (count: number) => void
  readonly onRefresh?: (mechanism: string, pool: string, seconds: number, failed: boolean) => void
  readonly onFileReadError?: () => void
  readonly onFileWatchError?: () => void
  readonly onHttpFailure?: () => void
  readonly onDnsLookup?: (failed: boolean) => void
  readonly onConsulCall?: (endpoint: string, call: string, seconds: number, failed: boolean) => void
  readonly onKubernetesEvent?: (role: string, event: KubernetesEvent) => void
  readonly onKubernetesFailure?: () => void
}

export type KubernetesEvent = 'add' | 'update' | 'delete'
