// The flags of the stand-alone Alertmanager: those of the peer, so that its start scripts work. What is accepted but
// has no effect here is said in a warning when it is set.
import { parseDuration } from '@watchfire/datamodel'
import {
  UsageError,
  parseCommandLine,
  usageText,
  type CommandSpec,
  type FlagSpec,
} from '../amtool/command-line.ts'

const text = (help: string, fallback = ''): FlagSpec => ({ kind: 'text', help, fallback })
const on = (help: string): FlagSpec => ({ kind: 'switch', help })

/** Flags of high availability, which this Alertmanager does not offer. */
const CLUSTER_FLAGS: Readonly<Record<string, FlagSpec>> = {
  'cluster.listen-address': text(
    'Listen address for cluster. Set to empty string to disable HA mode.',
    '0.0.0.0:9094',
  ),
  'cluster.advertise-address': text('Explicit address to advertise in cluster.'),
  'cluster.peer-name': text('Explicit name of the peer, rather than generating a random one'),
  'cluster.peer': { kind: 'list', help: 'Initial peers (may be repeated).' },
  'cluster.peer-timeout': text('Time to wait between peers to send notifications.', '15s'),
  'cluster.peers-resolve-timeout': text('Time to resolve peers.', '15s'),
  'cluster.gossip-interval': text('Interval between sending gossip messages.', '200ms'),
  'cluster.pushpull-interval': text('Interval for gossip state syncs.', '1m'),
  'cluster.tcp-timeout': text('Timeout for establishing a stream connection with a remote node.', '10s'),
  'cluster.probe-timeout': text('Timeout to wait for an ack from a probed node.', '500ms'),
  'cluster.probe-interval': text('Interval between random node probes.', '1s'),
  'cluster.settle-timeout': text('Maximum time to wait for cluster connections to settle.', '1m'),
  'cluster.reconnect-interval': text('Interval between attempting to reconnect to lost peers.', '10s'),
  'cluster.reconnect-timeout': text('Length of time to attempt to reconnect to a lost peer.', '6h'),
  'cluster.tls-config': text('Path to config yaml file for mutual TLS within the gossip protocol.'),
  'cluster.allow-insecure-public-advertise-address-discovery': on(
    'Allow to discover and listen on a public address.',
  ),
  'cluster.label': text('The cluster label on each packet and stream.'),
}
/** Flags that are read and change nothing. */
const WITHOUT_EFFECT: Readonly<Record<string, FlagSpec>> = {
  'silences.max-silence-size-bytes': text('Maximum silence size in bytes.', '0'),
  'log.silences': on('Enable logging silences.'),
  'alerts.per-alertname-limit': text('Maximum number of alerts per alertname.', '0'),
  'dispatch.maintenance-interval': text('Interval between maintenance of aggregation groups.', '30s'),
  'dispatch.start-delay': text('Minimum amount of time to wait before dispatching alerts.', '0s'),
  'web.get-concurrency': text('Maximum number of GET requests processed concurrently.', '0'),
  'web.timeout': text('Timeout for HTTP requests.', '0'),
  'auto-gomemlimit.ratio': text('The ratio of reserved memory to the detected maximum memory.', '0.9'),
  'enable-feature': text('Comma-separated experimental features to enable.'),
  ...CLUSTER_FLAGS,
}

const ALERTMANAGER: CommandSpec = {
  name: 'alertmanager',
  help: 'Handles alerts: groups, routes, silences and notifies.',
  flags: {
    'config.file': text('Alertmanager configuration file name.', 'alertmanager.yml'),
    'storage.path': text('Base path for data storage.', 'data/'),
    'data.retention': text('How long to keep data for.', '120h'),
    'data.maintenance-interval': text(
      'Interval between garbage collection of silences and notification logs.',
      '15m',
    ),
    'alerts.gc-interval': text('Interval between alert GC.', '30m'),
    'silences.max-silences': text('Maximum number of silences, including expired ones. 0 = no limit.', '0'),
    'web.listen-address': { kind: 'list', help: 'Address on which to expose metrics and web interface.' },
    'web.config.file': text('Path to configuration file that can enable TLS or authentication.'),
    'web.systemd-socket': on('Use systemd socket activation listeners instead of port listeners.'),
    'web.external-url': text('The URL under which Alertmanager is externally reachable.'),
    'web.route-prefix': text(
      'Prefix for the internal routes of web endpoints. Defaults to path of --web.external-url.',
    ),
    ...WITHOUT_EFFECT,
    'log.level': {
      ...text('Only log messages with the given severity or above.', 'info'),
      values: ['debug', 'info', 'warn', 'error'],
    },
    'log.format': { ...text('Output format of log messages.', 'logfmt'), values: ['logfmt', 'json'] },
    version: on('Show application version.'),
  },
}

export interface AlertmanagerFlags {
  readonly configFile: string
  readonly dataDir: string
  readonly retentionMs: number
  /** How often what is over is forgotten. */
  readonly maintenanceMs: number
  /** 0 = no limit. */
  readonly silencesMax: number
  readonly host: string
  readonly port: number
  /** '' = from the listen address. */
  readonly externalUrl: string
  /** '' = none, else with a slash before and none behind. */
  readonly routePrefix: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly logFormat: 'logfmt' | 'json'
  /** For the log, once there is one. */
  readonly warnings: readonly string[]
}

/** Reads the flags, or gives the text to show instead (`--help`, `--version`). Throws `UsageError`. */
export function parseAlertmanagerFlags(argv: readonly string[], version: string): AlertmanagerFlags | string {
  const line = parseCommandLine(ALERTMANAGER, argv)
  if (line.wantsHelp) return usageText('alertmanager', ALERTMANAGER, [])
  if (line.isOn('version')) return `alertmanager, version ${version}\n`
  const duration = (name: string) => {
    try {
      return parseDuration(line.text(name))
    } catch (error) {
      throw new UsageError(`--${name}: ${(error as Error).message}`)
    }
  }
  // Silently serving without the protection somebody asked for would be worse than not starting.
  for (const name of ['web.config.file', 'web.systemd-socket', 'cluster.tls-config'])
    if (line.isGiven(name) && line.text(name) !== '') throw new UsageError(`--${name} is not supported`)
  const [address = ':9093', ...more] = line.list('web.listen-address')
  if (more.length > 0) throw new UsageError('--web.listen-address can be given once')
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(address)
  if (!match) throw new UsageError(`--web.listen-address: ${JSON.stringify(address)} is not host:port`)
  const externalUrl = line.text('web.external-url')
  if (externalUrl !== '' && !URL.canParse(externalUrl))
    throw new UsageError(`--web.external-url: ${JSON.stringify(externalUrl)} is no URL`)
  const prefix = line.isGiven('web.route-prefix')
    ? line.text('web.route-prefix')
    : externalUrl === ''
      ? ''
      : new URL(externalUrl).pathname
  return {
    configFile: line.text('config.file'),
    dataDir: line.text('storage.path'),
    retentionMs: duration('data.retention'),
    maintenanceMs: Math.max(
      Math.min(duration('data.maintenance-interval'), duration('alerts.gc-interval')),
      1000,
    ),
    silencesMax: Math.max(0, Number(line.text('silences.max-silences')) || 0),
    host: match[1] ?? (match[2] || '0.0.0.0'),
    port: Number(match[3]),
    externalUrl,
    routePrefix: `/${prefix.replace(/^\/+|\/+$/g, '')}`.replace(/^\/$/, ''),
    logLevel: line.text('log.level') as 'info',
    logFormat: line.text('log.format') as 'logfmt',
    warnings: Object.keys(WITHOUT_EFFECT)
      .filter((name) => line.isGiven(name) && line.text(name) !== '')
      .map((name) =>
        name in CLUSTER_FLAGS
          ? `--${name} has no effect: this Alertmanager runs alone, without a cluster`
          : `--${name} is accepted and has no effect`,
      ),
  }
}
