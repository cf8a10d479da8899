// The configuration after loading: defaults filled in, durations in ms, secrets wrapped. Grows with the configuration surface.

export interface GlobalConfig {
  readonly scrapeIntervalMs: number
  readonly scrapeTimeoutMs: number
  readonly evaluationIntervalMs: number
  readonly ruleQueryOffsetMs: number
  readonly externalLabels: Readonly<Record<string, string>>
  readonly scrapeProtocols: readonly ScrapeProtocol[]
}

export type ScrapeProtocol =
  | 'PrometheusProto'
  | 'OpenMetricsText1.0.0'
  | 'OpenMetricsText0.0.1'
  | 'PrometheusText1.0.0'
  | 'PrometheusText0.0.4'

export interface RelabelConfig {
  readonly sourceLabels: readonly string[]
  readonly separator: string
  readonly regex: string
  readonly modulus: number
  readonly targetLabel: string
  readonly replacement: string
  readonly action:
    | 'replace'
    | 'keep'
    | 'drop'
    | 'keepequal'
    | 'dropequal'
    | 'hashmod'
    | 'labelmap'
    | 'labeldrop'
    | 'labelkeep'
    | 'lowercase'
    | 'uppercase'
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

/** Options of outgoing HTTP. Passwords and tokens are plain here and never printed. */
export interface HttpClientConfig {
  readonly basicAuth?: {
    readonly username: string
    readonly usernameFile?: string
    readonly password?: string
    readonly passwordFile?: string
  }
  readonly authorization?: {
    readonly type: string
    readonly credentials?: string
    readonly credentialsFile?: string
  }
  readonly tls?: {
    /** Certificates and key as PEM text, each instead of its file. */
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly caFile?: string
    readonly certFile?: string
    readonly keyFile?: string
    readonly minVersion?: TlsVersion
    readonly maxVersion?: TlsVersion
    readonly serverName?: string
    readonly insecureSkipVerify: boolean
  }
  readonly followRedirects: boolean
  readonly httpHeaders?: Readonly<Record<string, readonly string[]>>
  /** Files whose contents are values too, after those of `httpHeaders`. */
  readonly httpHeaderFiles?: Readonly<Record<string, readonly string[]>>
}

export interface StaticConfig {
  readonly targets: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

export interface FileSdConfig {
  readonly files: readonly string[]
  readonly refreshIntervalMs: number
}

export interface HttpSdConfig {
  readonly url: string
  readonly refreshIntervalMs: number
  readonly http: HttpClientConfig
}

export interface DnsSdConfig {
  readonly names: readonly string[]
  readonly refreshIntervalMs: number
  readonly type: 'SRV' | 'A' | 'AAAA' | 'MX' | 'NS'
  /** Not used for SRV. */
  readonly port: number
}

export type KubernetesRole = 'node' | 'pod' | 'service' | 'endpoints' | 'endpointslice' | 'ingress'

/** Where the API server is and who we are: `api_server`, else `kubeconfigFile`, else the pod's service account. */
export interface KubernetesAccess {
  readonly apiServer?: string
  readonly kubeconfigFile?: string
  readonly http: HttpClientConfig
}

export interface KubernetesSdConfig extends KubernetesAccess {
  readonly role: KubernetesRole
  /** Empty, and not the own one either = all namespaces. */
  readonly namespaces: readonly string[]
  readonly ownNamespace: boolean
  readonly selectors: readonly {
    readonly role: KubernetesRole
    readonly label: string
    readonly field: string
  }[]
  readonly attach: {
    readonly node: boolean
    readonly namespace: boolean
    readonly deployment: boolean
    readonly job: boolean
    readonly cronJob: boolean
  }
}

/** As in Kubernetes' own objects; an empty one selects everything. */
export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>
  readonly matchExpressions: readonly {
    readonly key: string
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
    readonly values: readonly string[]
  }[]
}

/** Which monitors of a cluster become scrape configs. */
export interface KubernetesOperatorConfig {
  readonly access: KubernetesAccess
  /** The own namespace; '' = that of the pod. */
  readonly namespace: string
  /** Without a selector no monitor of the kind is taken. */
  readonly serviceMonitors: LabelSelector | undefined
  readonly podMonitors: LabelSelector | undefined
  /** Without a selector only the own namespace is looked at. */
  readonly serviceMonitorNamespaces: LabelSelector | undefined
  readonly podMonitorNamespaces: LabelSelector | undefined
  readonly role: 'endpoints' | 'endpointslice'
  /** Monitors may name files of this machine, for tokens and certificates. */
  readonly allowArbitraryFiles: boolean
}

export interface ConsulSdConfig {
  readonly server: string
  readonly pathPrefix: string
  readonly token: string
  readonly datacenter: string
  readonly namespace: string
  readonly partition: string
  readonly tagSeparator: string
  readonly scheme: string
  readonly allowStale: boolean
  readonly refreshIntervalMs: number
  readonly services: readonly string[]
  readonly tags: readonly string[]
  readonly nodeMeta: Readonly<Record<string, string>>
  readonly filter: string
  readonly healthFilter: string
  readonly http: HttpClientConfig
}

export interface DockerSdConfig {
  readonly host: string
  readonly port: number
  readonly filters: readonly { readonly name: string; readonly values: readonly string[] }[]
  readonly hostNetworkingHost: string
  readonly refreshIntervalMs: number
  readonly matchFirstNetwork: boolean
  readonly http: HttpClientConfig
}

export interface DiscoveryConfig {
  readonly staticConfigs: readonly StaticConfig[]
  readonly fileSdConfigs: readonly FileSdConfig[]
  readonly httpSdConfigs?: readonly HttpSdConfig[]
  readonly dnsSdConfigs?: readonly DnsSdConfig[]
  readonly kubernetesSdConfigs?: readonly KubernetesSdConfig[]
  readonly consulSdConfigs?: readonly ConsulSdConfig[]
  readonly dockerSdConfigs?: readonly DockerSdConfig[]
}

export interface ScrapeConfig {
  readonly jobName: string
  readonly honorLabels: boolean
  readonly honorTimestamps: boolean
  readonly trackTimestampsStaleness: boolean
  readonly params: Readonly<Record<string, readonly string[]>>
  readonly scrapeIntervalMs: number
  readonly scrapeTimeoutMs: number
  readonly scrapeProtocols: readonly ScrapeProtocol[]
  readonly fallbackScrapeProtocol?: ScrapeProtocol
  readonly scrapeNativeHistograms: boolean
  readonly alwaysScrapeClassicHistograms: boolean
  readonly convertClassicHistogramsToNhcb: boolean
  /** Adds scrape_timeout_seconds, scrape_sample_limit and scrape_body_size_bytes. */
  readonly extraScrapeMetrics?: boolean
  readonly metricsPath: string
  readonly scheme: 'http' | 'https'
  readonly enableCompression: boolean
  /** 0 = no limit, for all limits. */
  readonly bodySizeLimit: number
  readonly sampleLimit: number
  readonly targetLimit: number
  readonly labelLimit: number
  readonly labelNameLengthLimit: number
  readonly labelValueLengthLimit: number
  readonly keepDroppedTargets: number
  readonly nativeHistogramBucketLimit: number
  readonly nativeHistogramMinBucketFactor: number
  readonly metricNameValidationScheme: 'utf8' | 'legacy'
  readonly metricNameEscapingScheme: string
  readonly http: HttpClientConfig
  readonly discovery: DiscoveryConfig
  readonly relabelConfigs: readonly RelabelConfig[]
  readonly metricRelabelConfigs: readonly RelabelConfig[]
}

export interface AlertmanagerConfig {
  readonly scheme: 'http' | 'https'
  readonly pathPrefix: string
  readonly timeoutMs: number
  readonly apiVersion: 'v2'
  readonly http: HttpClientConfig
  readonly discovery: DiscoveryConfig
  readonly relabelConfigs: readonly RelabelConfig[]
  readonly alertRelabelConfigs: readonly RelabelConfig[]
}

export interface Config {
  /** Path of the file, for messages and relative paths. */
  readonly path: string
  /** The text as loaded. */
  readonly text: string
  readonly global: GlobalConfig
  readonly scrapeConfigs: readonly ScrapeConfig[]
  /** Files that the patterns of `rule_files` found, in order of the patterns; relative to the working directory or absolute. */
  readonly ruleFiles: readonly string[]
  readonly alertRelabelConfigs: readonly RelabelConfig[]
  readonly alertmanagers: readonly AlertmanagerConfig[]
  /** Files of `scrape_config_files` that were read. */
  readonly scrapeConfigFiles: readonly string[]
  readonly storage: StorageLimits
  readonly kubernetesOperator?: KubernetesOperatorConfig
  /** The configuration as `/api/v1/status/config` shows it: defaults filled in, secrets as `<secret>`. */
  readonly effectiveYaml: string
  /** Things worth a line in the log. */
  readonly warnings: readonly string[]
}

/** What the file says about the database, the flags' values where it says nothing. */
export interface StorageLimits {
  /** 0 = no limit, for both. */
  readonly retentionMs: number
  readonly retentionBytes: number
  /** Share of the file system, 0–100; counts instead of the bytes when above 0. */
  readonly retentionPercentage: number
  readonly outOfOrderWindowMs: number
  /** Exemplars kept with the feature `exemplar-storage`; 0 = none. */
  readonly exemplarsMax: number
}
