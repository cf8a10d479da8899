// The server's command line: text in, typed flags or a FlagError out. Nothing is printed here.
import { formatDuration, parseDuration, quoteString } from '@watchfire/datamodel'
import {
  FLAGS,
  KNOWN_FEATURES,
  SETTLED_FEATURES,
  WORKING_FEATURES,
  type FlagSpec,
} from './commands/flag-table.ts'
import { formatSize, parseSize } from './config/index.ts'
import { PROTOCOLS } from './remote/index.ts'

/** A command line that cannot be used; `message` is what Prometheus prints after `error: `. */
export class FlagError extends Error {
  override name = 'FlagError'
  /** What the process should exit with. */
  readonly exitCode: number

  constructor(message: string, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Flags as the server uses them; times in ms, sizes in bytes. */
export interface ServerFlags {
  readonly configFile: string
  readonly autoReload: boolean
  readonly autoReloadIntervalMs: number
  /** `host:port`, at least one; port 0 takes any free port. */
  readonly listenAddresses: readonly string[]
  readonly readTimeoutMs: number
  readonly maxConnections: number
  /** '' = derived from the host's name and the port. */
  readonly externalUrl: string
  /** '' = the path of the external URL. */
  readonly routePrefix: string
  readonly enableLifecycle: boolean
  readonly enableRemoteWriteReceiver: boolean
  /** Names of protobuf messages, at least one. */
  readonly remoteWriteMessages: readonly string[]
  readonly corsOrigin: string
  readonly storagePath: string
  /** 0 = not given. */
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly walCompression: 'none' | 'snappy'
  /** 0 = the database's default. */
  readonly walSegmentBytes: number
  readonly blockRangeMs: number
  readonly blockRangeMsMax: number
  readonly blockSegmentBytes: number
  readonly lookbackMs: number
  readonly queryTimeoutMs: number
  readonly queryMaxConcurrency: number
  readonly queryMaxSamples: number
  readonly forOutageToleranceMs: number
  readonly forGracePeriodMs: number
  readonly resendDelayMs: number
  readonly notificationQueueCapacity: number
  readonly notificationBatchSize: number
  readonly drainOnShutdown: boolean
  readonly discoveryReloadIntervalMs: number
  readonly features: ReadonlySet<string>
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly logFormat: 'logfmt' | 'json'
  /** Every flag as text, for `/api/v1/status/flags`. */
  readonly all: Readonly<Record<string, string>>
  /** For the log. */
  readonly warnings: readonly string[]
}

const BY_NAME = new Map(FLAGS.map((spec) => [spec.name, spec]))
const DAY_MS = 86_400_000

/** Parses arguments (without the program's name). Throws `FlagError`. `--help` and `--version` are the caller's. */
export function parseFlags(args: readonly string[]): ServerFlags {
  const given = collect(args)
  const warnings: string[] = []
  const values = new Map<string, string>()
  for (const spec of FLAGS) {
    const texts = given.get(spec.name)
    const value = texts === undefined ? spec.default : normalise(spec, texts)
    values.set(spec.name, value)
    if (texts === undefined || value === spec.default) continue
    if (spec.only === 'agent')
      throw new FlagError(`The following flag(s) can only be used in agent mode: ["--${spec.name}"]`, 3)
    if (spec.support === 'refused') throw new FlagError(`flag '--${spec.name}' is not supported yet`)
    if (spec.support === 'ignored') warnings.push(`flag --${spec.name} has no effect`)
  }
  return typed(values, warnings)
}

/** The text of `--help`. */
export function helpText(program = 'watchfire'): string {
  const rows = FLAGS.filter((spec) => spec.hidden !== true).map((spec) => {
    const left = spec.kind === 'bool' ? `--[no-]${spec.name}` : `--${spec.name}=${placeholder(spec)}`
    return `  ${left}\n${wrap(spec.help, 76, '      ')}`
  })
  return `usage: ${program} [<flags>]\n\nThe Watchfire monitoring server\n\nFlags:\n  -h, --[no-]help\n      Show context-sensitive help.\n  --[no-]version\n      Show application version.\n${rows.join('\n')}\n`
}

function placeholder(spec: FlagSpec): string {
  if (spec.default === '') return spec.name.toUpperCase().replace(/^.*\./, '')
  return spec.kind === 'string' || spec.kind === 'list' ? quoteString(spec.default) : spec.default
}

function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(indent + line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, indent + line].join('\n')
}

function collect(args: readonly string[]): Map<string, string[]> {
  const given = new Map<string, string[]>()
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (!arg.startsWith('-') || arg === '-') throw new FlagError(`unexpected ${arg}`)
    if (!arg.startsWith('--')) throw new FlagError(`unknown short flag '${arg}'`)
    const equals = arg.indexOf('=')
    const name = arg.slice(2, equals < 0 ? undefined : equals)
    const positive = BY_NAME.get(name)
    const negated = !positive && name.startsWith('no-') ? BY_NAME.get(name.slice(3)) : undefined
    const spec = positive ?? (negated?.kind === 'bool' ? negated : undefined)
    if (!spec) throw new FlagError(`unknown long flag '--${name}'`)
    let value: string
    if (equals >= 0) value = arg.slice(equals + 1)
    else if (spec.kind === 'bool') value = negated ? 'false' : 'true'
    else {
      const next = args[++i]
      if (next === undefined || (next.startsWith('--') && next.length > 2))
        throw new FlagError(`expected argument for flag '--${name}'`)
      value = next
    }
    if (negated && equals >= 0) throw new FlagError(`unknown long flag '--${name}'`)
    const before = given.get(spec.name)
    if (before && spec.kind !== 'list') throw new FlagError(`flag '${spec.name}' cannot be repeated`)
    given.set(spec.name, [...(before ?? []), value])
  }
  return given
}

/** The value as it is shown, checked. */
function normalise(spec: FlagSpec, texts: readonly string[]): string {
  const value = texts[0] ?? ''
  const invalid = (reason: string) => new FlagError(reason)
  switch (spec.kind) {
    case 'list':
      return texts.join(',')
    case 'string':
      return value
    case 'bool':
      if (!['true', 'false', '1', '0', 't', 'f', 'T', 'F', 'TRUE', 'FALSE', 'True', 'False'].includes(value))
        throw invalid(`strconv.ParseBool: parsing ${quoteString(value)}: invalid syntax`)
      return String(/^(1|t)/i.test(value))
    case 'int':
      if (!/^[-+]?[0-9]+(e[0-9]+)?$/.test(value) || !Number.isSafeInteger(Number(value)))
        throw invalid(`strconv.ParseFloat: parsing ${quoteString(value)}: invalid syntax`)
      return String(Number(value))
    case 'float':
      if (value === '' || Number.isNaN(Number(value)))
        throw invalid(`strconv.ParseFloat: parsing ${quoteString(value)}: invalid syntax`)
      return String(Number(value))
    case 'duration':
      return guard(() => formatDuration(parseDuration(value)))
    case 'size':
      return guard(() => formatSize(parseSize(value)))
  }
}

function guard(body: () => string): string {
  try {
    return body()
  } catch (error) {
    throw new FlagError((error as Error).message)
  }
}

function typed(values: Map<string, string>, warnings: string[]): ServerFlags {
  const text = (name: string) => values.get(name) ?? ''
  const bool = (name: string) => text(name) === 'true'
  const int = (name: string) => Number(text(name))
  const ms = (name: string) => (text(name) === '' ? 0 : parseDuration(text(name)))
  const bytes = (name: string) => parseSize(text(name))
  const choice = <T extends string>(name: string, allowed: readonly T[]): T => {
    const found = allowed.find((candidate) => candidate === text(name))
    if (found === undefined)
      throw new FlagError(`enum value must be one of ${allowed.join(',')}, got ${quoteString(text(name))}`)
    return found
  }
  const positive = (name: string): number => {
    if (int(name) <= 0) throw new FlagError(`--${name} must be greater than 0`)
    return int(name)
  }
  const externalUrl = text('web.external-url')
  if (/^["']|["']$/.test(externalUrl))
    throw new FlagError(
      `parse external URL ${quoteString(externalUrl)}: URL must not begin or end with quotes`,
      2,
    )
  if (externalUrl !== '' && !URL.canParse(externalUrl) && !externalUrl.startsWith('/'))
    throw new FlagError(`parse external URL ${quoteString(externalUrl)}: invalid URL`, 2)
  const listenAddresses = text('web.listen-address').split(',')
  for (const address of listenAddresses)
    if (!/^(\[[0-9a-fA-F:.]+\]|[^:]*):[0-9]{1,5}$/.test(address))
      throw new FlagError(`--web.listen-address: ${quoteString(address)} is not host:port`)
  if (bool('agent')) throw new FlagError("flag '--agent' is not supported yet")
  const compression = choice('storage.tsdb.wal-compression-type', ['snappy', 'zstd'])
  if (compression === 'zstd')
    throw new FlagError("flag '--storage.tsdb.wal-compression-type=zstd' is not supported yet")
  const retentionMs = ms('storage.tsdb.retention.time')
  const retentionBytes = bytes('storage.tsdb.retention.size')
  const retention = retentionMs > 0 || retentionBytes > 0 ? retentionMs : 15 * DAY_MS
  const prefix = text('web.route-prefix') || pathOf(externalUrl)
  return {
    configFile: text('config.file'),
    autoReload: bool('config.auto-reload'),
    autoReloadIntervalMs: Math.max(1000, ms('config.auto-reload-interval')),
    listenAddresses,
    readTimeoutMs: ms('web.read-timeout'),
    maxConnections: int('web.max-connections'),
    externalUrl,
    routePrefix: `/${prefix.replace(/^\/+|\/+$/g, '')}`,
    enableLifecycle: bool('web.enable-lifecycle'),
    enableRemoteWriteReceiver: bool('web.enable-remote-write-receiver'),
    remoteWriteMessages: writeMessages(text('web.remote-write-receiver.accepted-protobuf-messages')),
    corsOrigin: text('web.cors.origin'),
    storagePath: text('storage.tsdb.path'),
    retentionMs,
    retentionBytes,
    walCompression: bool('storage.tsdb.wal-compression') ? 'snappy' : 'none',
    walSegmentBytes: bytes('storage.tsdb.wal-segment-size'),
    blockRangeMs: ms('storage.tsdb.min-block-duration'),
    blockRangeMsMax: ms('storage.tsdb.max-block-duration'),
    blockSegmentBytes: bytes('storage.tsdb.max-block-chunk-segment-size'),
    lookbackMs: ms('query.lookback-delta'),
    queryTimeoutMs: ms('query.timeout'),
    queryMaxConcurrency: positive('query.max-concurrency'),
    queryMaxSamples: positive('query.max-samples'),
    forOutageToleranceMs: ms('rules.alert.for-outage-tolerance'),
    forGracePeriodMs: ms('rules.alert.for-grace-period'),
    resendDelayMs: ms('rules.alert.resend-delay'),
    notificationQueueCapacity: positive('alertmanager.notification-queue-capacity'),
    notificationBatchSize: positive('alertmanager.notification-batch-size'),
    drainOnShutdown: bool('alertmanager.drain-notification-queue-on-shutdown'),
    discoveryReloadIntervalMs: ms('scrape.discovery-reload-interval'),
    features: features(text('enable-feature'), warnings),
    logLevel: choice('log.level', ['debug', 'info', 'warn', 'error']),
    logFormat: choice('log.format', ['logfmt', 'json']),
    all: {
      ...Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1))),
      'storage.tsdb.retention.time': formatDuration(retention),
      'storage.tsdb.max-block-duration':
        text('storage.tsdb.max-block-duration') ||
        formatDuration(Math.min(31 * DAY_MS, Math.floor((retention || 15 * DAY_MS) / 10))),
      'web.route-prefix': `/${prefix.replace(/^\/+|\/+$/g, '')}`,
    },
    warnings,
  }
}

function writeMessages(list: string): readonly string[] {
  const names = list.split(',')
  for (const name of names)
    if (!PROTOCOLS.has(name))
      throw new FlagError(
        `unknown type for remote write protobuf message ${name}, supported: ${[...PROTOCOLS.keys()].join(', ')}`,
      )
  return names
}

function pathOf(externalUrl: string): string {
  if (externalUrl === '') return '/'
  return URL.canParse(externalUrl) ? new URL(externalUrl).pathname : externalUrl
}

function features(list: string, warnings: string[]): ReadonlySet<string> {
  const names = list.split(',').filter((name) => name !== '')
  for (const name of names) {
    if (WORKING_FEATURES.has(name) || SETTLED_FEATURES.has(name)) continue
    warnings.push(
      KNOWN_FEATURES.has(name)
        ? `--enable-feature: ${name} has no effect yet`
        : `Unknown option for --enable-feature: ${name}`,
    )
  }
  return new Set(names)
}
