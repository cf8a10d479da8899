export {
  effectiveConfigYaml,
  loadConfig,
  parseConfig,
  parseScrapeJob,
  readText,
  type LoadOptions,
} from './load.ts'
export { ConfigError, type Place } from './errors.ts'
export { formatSize, parseSize } from './schema.ts'
export { glob, partMatcher } from './glob.ts'
export type {
  AlertmanagerConfig,
  Config,
  ConsulSdConfig,
  DiscoveryConfig,
  DnsSdConfig,
  DockerSdConfig,
  FileSdConfig,
  GlobalConfig,
  HttpClientConfig,
  HttpSdConfig,
  KubernetesAccess,
  KubernetesOperatorConfig,
  KubernetesRole,
  KubernetesSdConfig,
  LabelSelector,
  RelabelConfig,
  ScrapeConfig,
  ScrapeProtocol,
  StaticConfig,
  StorageLimits,
} from './types.ts'
