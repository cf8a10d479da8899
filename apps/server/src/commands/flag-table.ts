// The command line of the server: Prometheus's flags with their defaults. What this build does not do is known too,
// and marked: `ignored` flags are harmless and accepted with a warning, `refused` ones would promise something.

export type FlagKind = 'bool' | 'string' | 'int' | 'float' | 'duration' | 'size' | 'list'

export interface FlagSpec {
  readonly name: string
  readonly kind: FlagKind
  /** As text, as the command line would give it; lists joined by commas. */
  readonly default: string
  readonly help: string
  readonly hidden?: boolean
  readonly only?: 'server' | 'agent'
  /** Accepted without effect: a warning says so. `refused`: an error unless it keeps its default. */
  readonly support?: 'ignored' | 'refused'
}

const FEATURES =
  'concurrent-rule-eval, created-timestamp-zero-ingestion, delayed-compaction, exemplar-storage, extra-scrape-metrics, ' +
  'histograms-st-encoding, memory-snapshot-on-shutdown, metadata-wal-records, old-ui, otlp-deltatocumulative, ' +
  'otlp-native-delta-ingestion, promql-binop-fill-modifiers, promql-delayed-name-removal, ' +
  'promql-experimental-functions, promql-extended-range-selectors, promql-per-step-stats, search-api, st-storage, ' +
  'st-synthesis, type-and-unit-labels, use-start-timestamps, use-uncached-io, xor2-encoding'

type Extra = Pick<FlagSpec, 'hidden' | 'only' | 'support'>

function flag(name: string, kind: FlagKind, fallback: string, help: string, extra: Extra = {}): FlagSpec {
  return { name, kind, default: fallback, help, ...extra }
}

const server = { only: 'server' } as const
const ignored = { support: 'ignored' } as const
const refused = { support: 'refused' } as const
const agent = { only: 'agent', support: 'refused' } as const
const hidden = { hidden: true } as const

/** Every flag, in the order of `--help`. */
export const FLAGS: readonly FlagSpec[] = [
  flag('config.file', 'string', 'prometheus.yml', 'Configuration file path.'),
  flag(
    'config.auto-reload',
    'bool',
    'false',
    'Reload the configuration when the file, its rule files or scrape config files change. See also --config.auto-reload-interval.',
  ),
  flag(
    'config.auto-reload-interval',
    'duration',
    '30s',
    'How often to look for changes of the configuration. Only used when --config.auto-reload is set.',
  ),
  flag(
    'web.listen-address',
    'list',
    '0.0.0.0:9090',
    'Address to listen on for UI, API, and telemetry. Can be repeated.',
  ),
  flag('auto-gomaxprocs', 'bool', 'true', 'No effect; there is no Go scheduler to tune.'),
  flag('auto-gomemlimit', 'bool', 'true', 'No effect; there is no Go memory limit to tune.'),
  flag('auto-gomemlimit.ratio', 'float', '0.9', 'No effect.'),
  flag('auto-gomemlimit.refresh-interval', 'duration', '0s', 'No effect.'),
  flag(
    'web.config.file',
    'string',
    '',
    'Path to a configuration file that can enable TLS or authentication.',
    refused,
  ),
  flag(
    'web.read-timeout',
    'duration',
    '5m',
    'Maximum duration before timing out read of the request, and closing idle connections.',
  ),
  flag(
    'web.max-connections',
    'int',
    '512',
    'Maximum number of simultaneous connections across all listeners.',
  ),
  flag(
    'web.max-notifications-subscribers',
    'int',
    '16',
    'Limits the maximum number of subscribers of live notifications.',
    ignored,
  ),
  flag(
    'web.external-url',
    'string',
    '',
    'The URL under which the server is externally reachable (for example, if it is served via a reverse proxy). Used for generating relative and absolute links back to itself. If the URL has a path portion, it will be used to prefix all HTTP endpoints. If omitted, relevant URL components will be derived automatically.',
  ),
  flag(
    'web.route-prefix',
    'string',
    '',
    'Prefix for the internal routes of web endpoints. Defaults to path of --web.external-url.',
  ),
  flag('web.user-assets', 'string', '', 'Path to static asset directory, available at /user.', refused),
  flag('web.enable-lifecycle', 'bool', 'false', 'Enable shutdown and reload via HTTP request.'),
  flag('web.enable-admin-api', 'bool', 'false', 'Enable API endpoints for admin control actions.', refused),
  flag(
    'web.enable-remote-write-receiver',
    'bool',
    'false',
    'Enable API endpoint accepting remote write requests.',
  ),
  flag(
    'web.remote-write-receiver.accepted-protobuf-messages',
    'list',
    'prometheus.WriteRequest,io.prometheus.write.v2.Request',
    'List of the remote write protobuf messages to accept when receiving the remote writes.',
  ),
  flag(
    'web.enable-otlp-receiver',
    'bool',
    'false',
    'Enable API endpoint accepting OTLP write requests.',
    refused,
  ),
  flag(
    'web.console.templates',
    'string',
    'consoles',
    'Path to the console template directory, available at /consoles.',
    ignored,
  ),
  flag(
    'web.console.libraries',
    'string',
    'console_libraries',
    'Path to the console library directory.',
    ignored,
  ),
  flag(
    'web.page-title',
    'string',
    'Prometheus Time Series Collection and Processing Server',
    'Document title of the server.',
    ignored,
  ),
  flag(
    'web.cors.origin',
    'string',
    '.*',
    "Regex for CORS origin. It is fully anchored. Example: 'https?://(domain1|domain2)\\.com'",
  ),
  flag('storage.tsdb.path', 'string', 'data/', 'Base path for metrics storage.', server),
  flag(
    'storage.tsdb.min-block-duration',
    'duration',
    '2h',
    'Minimum duration of a data block before being persisted. For use in testing.',
    { ...server, ...hidden },
  ),
  flag(
    'storage.tsdb.max-block-duration',
    'duration',
    '',
    'Maximum duration compacted blocks may span. For use in testing. (Defaults to 10% of the retention period.)',
    { ...server, ...hidden },
  ),
  flag(
    'storage.tsdb.max-block-chunk-segment-size',
    'size',
    '0B',
    'The maximum size for a single chunk segment in a block. Example: 512MB',
    { ...server, ...hidden },
  ),
  flag(
    'storage.tsdb.wal-segment-size',
    'size',
    '0B',
    'Size at which to split the tsdb WAL segment files. Example: 100MB',
    { ...server, ...hidden },
  ),
  flag(
    'storage.tsdb.retention.time',
    'duration',
    '',
    '[DEPRECATED] How long to retain samples in storage. If neither this flag nor "storage.tsdb.retention.size" is set, the retention time defaults to 15d. Units Supported: y, w, d, h, m, s, ms. This flag has been deprecated, use the storage.tsdb.retention.time field in the config file instead.',
    server,
  ),
  flag(
    'storage.tsdb.retention.size',
    'size',
    '0B',
    '[DEPRECATED] Maximum number of bytes that can be stored for blocks. A unit is required, supported units: B, KB, MB, GB, TB, PB, EB. Ex: "512MB". Based on powers-of-2, so 1KB is 1024B. This flag has been deprecated, use the storage.tsdb.retention.size field in the config file instead.',
    server,
  ),
  flag('storage.tsdb.no-lockfile', 'bool', 'false', 'Do not create lockfile in data directory.', {
    ...server,
    ...ignored,
  }),
  flag(
    'storage.tsdb.allow-overlapping-compaction',
    'bool',
    'true',
    'Allow compaction of overlapping blocks.',
    { ...server, ...hidden, ...ignored },
  ),
  flag('storage.tsdb.wal-compression', 'bool', 'true', 'Compress the tsdb WAL.', { ...server, ...hidden }),
  flag(
    'storage.tsdb.wal-compression-type',
    'string',
    'snappy',
    'Compression algorithm for the tsdb WAL, used when --storage.tsdb.wal-compression is true.',
    { ...server, ...hidden },
  ),
  flag(
    'storage.tsdb.head-chunks-write-queue-size',
    'int',
    '0',
    'Size of the queue through which head chunks are written to the disk to be m-mapped, 0 disables the queue completely. Experimental.',
    { ...server, ...ignored },
  ),
  flag('storage.tsdb.samples-per-chunk', 'int', '120', 'Target number of samples per chunk.', {
    ...server,
    ...hidden,
    ...ignored,
  }),
  flag(
    'storage.tsdb.delayed-compaction.max-percent',
    'int',
    '10',
    'Sets the upper limit for the random compaction delay, specified as a percentage of the head chunk range.',
    { ...server, ...hidden, ...ignored },
  ),
  flag(
    'storage.tsdb.delay-compact-file.path',
    'string',
    '',
    'Path to a JSON file with uploaded TSDB blocks e.g. Thanos shipper meta file.',
    { ...server, ...refused },
  ),
  flag(
    'storage.tsdb.block-reload-interval',
    'duration',
    '1m',
    'Interval at which to check for new or removed blocks in storage.',
    { ...server, ...hidden, ...ignored },
  ),
  flag('storage.agent.path', 'string', 'data-agent/', 'Base path for metrics storage.', agent),
  flag('storage.agent.wal-segment-size', 'size', '0B', 'Size at which to split WAL segment files.', {
    ...agent,
    ...hidden,
  }),
  flag('storage.agent.wal-compression', 'bool', 'true', 'Compress the agent WAL.', agent),
  flag('storage.agent.wal-compression-type', 'string', 'snappy', 'Compression algorithm for the agent WAL.', {
    ...agent,
    ...hidden,
  }),
  flag(
    'storage.agent.wal-truncate-frequency',
    'duration',
    '0s',
    'The frequency at which to truncate the WAL.',
    {
      ...agent,
      ...hidden,
    },
  ),
  flag(
    'storage.agent.retention.min-time',
    'duration',
    '5m',
    'Minimum age samples may be before being considered for deletion when the WAL is truncated.',
    agent,
  ),
  flag(
    'storage.agent.retention.max-time',
    'duration',
    '4h',
    'Maximum age samples may be before being forcibly deleted when the WAL is truncated.',
    agent,
  ),
  flag(
    'storage.agent.checkpoint-from-in-memory-series',
    'bool',
    'false',
    'Use only in-memory series data when building a checkpoint.',
    agent,
  ),
  flag('storage.agent.checkpoint-batch-size', 'int', '1000', 'Size of a single WAL log entry chunk.', agent),
  flag('storage.agent.no-lockfile', 'bool', 'false', 'Do not create lockfile in data directory.', agent),
  flag(
    'storage.remote.flush-deadline',
    'duration',
    '1m',
    'How long to wait flushing sample on shutdown or config reload.',
    ignored,
  ),
  flag(
    'storage.remote.read-sample-limit',
    'int',
    '50000000',
    'Maximum overall number of samples to return via the remote read interface, in a single query.',
    { ...server, ...ignored },
  ),
  flag(
    'storage.remote.read-concurrent-limit',
    'int',
    '10',
    'Maximum number of concurrent remote read calls. 0 means no limit.',
    { ...server, ...ignored },
  ),
  flag(
    'storage.remote.read-max-bytes-in-frame',
    'int',
    '1048576',
    'Maximum number of bytes in a single frame for streaming remote read response types before marshalling.',
    { ...server, ...ignored },
  ),
  flag(
    'web.search.max-limit',
    'int',
    '10000',
    'Hard upper bound on the "limit" query parameter accepted by the experimental search API.',
    { ...server, ...ignored },
  ),
  flag(
    'rules.alert.for-outage-tolerance',
    'duration',
    '1h',
    'Max time to tolerate an outage of the server for restoring "for" state of alert.',
    server,
  ),
  flag(
    'rules.alert.for-grace-period',
    'duration',
    '10m',
    'Minimum duration between alert and restored "for" state. This is maintained only for alerts with configured "for" time greater than grace period.',
    server,
  ),
  flag(
    'rules.alert.resend-delay',
    'duration',
    '1m',
    'Minimum amount of time to wait before resending an alert to Alertmanager.',
    server,
  ),
  flag(
    'rules.max-concurrent-evals',
    'int',
    '4',
    'Global concurrency limit for independent rules that can run concurrently.',
    { ...server, ...ignored },
  ),
  flag(
    'scrape.adjust-timestamps',
    'bool',
    'true',
    'Adjust scrape timestamps to align them to the schedule.',
    {
      ...hidden,
      ...ignored,
    },
  ),
  flag('scrape.timestamp-tolerance', 'duration', '2ms', 'Timestamp tolerance.', { ...hidden, ...ignored }),
  flag(
    'alertmanager.notification-queue-capacity',
    'int',
    '10000',
    'The capacity of the queue for pending Alertmanager notifications.',
    server,
  ),
  flag(
    'alertmanager.notification-batch-size',
    'int',
    '256',
    'The maximum number of notifications per batch to send to the Alertmanager.',
    server,
  ),
  flag(
    'alertmanager.drain-notification-queue-on-shutdown',
    'bool',
    'true',
    'Send any outstanding Alertmanager notifications when shutting down. If false, any outstanding Alertmanager notifications will be dropped when shutting down.',
    server,
  ),
  flag(
    'query.lookback-delta',
    'duration',
    '5m',
    'The maximum lookback duration for retrieving metrics during expression evaluations and federation.',
    server,
  ),
  flag('query.timeout', 'duration', '2m', 'Maximum time a query may take before being aborted.', server),
  flag('query.max-concurrency', 'int', '20', 'Maximum number of queries executed concurrently.', server),
  flag(
    'query.max-samples',
    'int',
    '50000000',
    'Maximum number of samples a single query can load into memory. Note that queries will fail if they try to load more samples than this into memory, so this also limits the number of samples a query can return.',
    server,
  ),
  flag(
    'scrape.discovery-reload-interval',
    'duration',
    '5s',
    'Interval used by scrape manager to throttle target groups updates.',
    hidden,
  ),
  flag(
    'enable-feature',
    'list',
    '',
    `Comma separated feature names to enable. Valid options: ${FEATURES}. See https://prometheus.io/docs/prometheus/latest/feature_flags/ for more details.`,
  ),
  flag('agent', 'bool', 'false', "Run in 'Agent mode'.", refused),
  flag(
    'log.level',
    'string',
    'info',
    'Only log messages with the given severity or above. One of: [debug, info, warn, error]',
  ),
  flag('log.format', 'string', 'logfmt', 'Output format of log messages. One of: [logfmt, json]'),
  flag('write-documentation', 'bool', 'false', 'Generate command line documentation. Internal use.', {
    ...hidden,
    ...refused,
  }),
]

/** Every feature name of Prometheus. Others give a warning only. */
export const KNOWN_FEATURES: ReadonlySet<string> = new Set(FEATURES.split(', '))

/** Features that are on by default now: naming them is harmless. */
export const SETTLED_FEATURES: ReadonlySet<string> = new Set([
  'promql-duration-expr',
  'native-histograms',
  'ooo-native-histograms',
  'auto-reload-config',
])

/** Features that change something here. The other known ones are accepted with a warning. */
export const WORKING_FEATURES: ReadonlySet<string> = new Set([
  'created-timestamp-zero-ingestion',
  'exemplar-storage',
  'extra-scrape-metrics',
  'promql-binop-fill-modifiers',
  'promql-delayed-name-removal',
  'promql-experimental-functions',
  'promql-extended-range-selectors',
  'promql-per-step-stats',
  'type-and-unit-labels',
  'use-start-timestamps',
])
