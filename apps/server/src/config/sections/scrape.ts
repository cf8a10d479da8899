// One scrape config: shape, defaults from the global section, checks.
import type { ScrapeConfig, ScrapeProtocol } from '../types.ts'
import { ValueError, type Place } from '../errors.ts'
import {
  bool,
  duration,
  field,
  float,
  list,
  mapOf,
  optional,
  struct,
  text,
  uint,
  type Schema,
  type ValueOf,
} from '../schema.ts'
import {
  discoveryConfig,
  discoveryFields,
  isOtherDiscovery,
  resolveDiscovery,
  staticTargetFault,
} from './discovery.ts'
import type { GlobalRaw } from './global.ts'
import {
  checkHttpClient,
  httpClientConfig,
  httpClientFields,
  joinDir,
  resolveHttpClient,
} from './http-client.ts'
import {
  DEFAULT_PROTOCOLS,
  ESCAPING_SCHEMES,
  NATIVE_PROTOCOLS,
  limitFields,
  protocolFault,
  protocolsFault,
  validationScheme,
} from './limits.ts'
import { checkRelabel, relabel, relabelConfig } from './relabel.ts'

const fields = {
  job_name: field(text(), { always: true }),
  honor_labels: field(bool),
  honor_timestamps: field(bool, { default: true, always: true }),
  track_timestamps_staleness: field(bool, { always: true }),
  params: field(mapOf(list(text()), 'url.Values')),
  scrape_interval: field(duration),
  scrape_timeout: field(duration),
  scrape_protocols: field(optional(list(text()))),
  fallback_scrape_protocol: field(text()),
  scrape_native_histograms: field(optional(bool)),
  always_scrape_classic_histograms: field(optional(bool)),
  convert_classic_histograms_to_nhcb: field(optional(bool)),
  scrape_failure_log_file: field(text(), { unsupported: true }),
  metrics_path: field(text(), { default: '/metrics' }),
  scheme: field(text(), { default: 'http' }),
  enable_compression: field(bool, { default: true, always: true }),
  ...limitFields,
  native_histogram_bucket_limit: field(uint),
  native_histogram_min_bucket_factor: field(float),
  keep_dropped_targets: field(uint),
  metric_name_validation_scheme: field(validationScheme),
  metric_name_escaping_scheme: field(text()),
  extra_scrape_metrics: field(optional(bool)),
  ...httpClientFields(),
  relabel_configs: field(
    list(relabel, { nullItem: 'empty or null target relabeling rule in scrape config' }),
  ),
  metric_relabel_configs: field(
    list(relabel, { nullItem: 'empty or null metric relabeling rule in scrape config' }),
  ),
  ...discoveryFields,
}

const shape = struct('config.ScrapeConfig', fields, {
  refused: isOtherDiscovery,
  check(value, places) {
    if (value.job_name === '') places.fail('job_name', 'job_name is empty')
    checkHttpClient(value, places)
    if (value.relabel_configs.length > 0) return
    const fault = staticTargetFault(value)
    if (fault) places.fail('static_configs', fault)
  },
})

type ScrapeValues = ValueOf<typeof shape>

/** A scrape config as read, with its place. */
export interface ScrapeRaw {
  readonly value: ScrapeValues
  readonly place: Place
}

export const scrapeSection: Schema<ScrapeRaw> = {
  goType: shape.goType,
  zero: { value: shape.zero, place: { line: 0, column: 0 } },
  decode: (node, document) => ({ value: shape.decode(node, document), place: document.place(node) }),
  encode: ({ value }) => shape.encode(value),
}

/** Fills in what the global section decides and checks the result. Throws `ValueError`. */
export function completeScrape({ value: own, place }: ScrapeRaw, global: GlobalRaw): ScrapeRaw {
  const fail = (message: string): never => {
    throw new ValueError(message, place)
  }
  const quoted = JSON.stringify(own.job_name)
  const interval = own.scrape_interval || global.scrape_interval
  if (own.scrape_timeout > interval)
    fail(`scrape timeout greater than scrape interval for scrape config with job name ${quoted}`)
  const native = own.scrape_native_histograms ?? global.scrape_native_histograms ?? false
  const protocols =
    own.scrape_protocols ?? global.scrape_protocols ?? (native ? NATIVE_PROTOCOLS : DEFAULT_PROTOCOLS)
  const fault = protocolsFault(protocols)
  if (fault) fail(`${fault} for scrape config with job name ${quoted}`)
  if (own.fallback_scrape_protocol !== '') {
    const wrong = protocolFault(own.fallback_scrape_protocol)
    if (wrong) fail(`invalid fallback_scrape_protocol for scrape config with job name ${quoted}: ${wrong}`)
  }
  const schemes = nameSchemes(own, global, fail)
  const value: ScrapeValues = {
    ...own,
    ...schemes,
    scrape_interval: interval,
    scrape_timeout: own.scrape_timeout || Math.min(global.scrape_timeout, interval),
    scrape_protocols: protocols,
    scrape_native_histograms: native,
    always_scrape_classic_histograms:
      own.always_scrape_classic_histograms ?? global.always_scrape_classic_histograms,
    convert_classic_histograms_to_nhcb:
      own.convert_classic_histograms_to_nhcb ?? global.convert_classic_histograms_to_nhcb,
    extra_scrape_metrics: own.extra_scrape_metrics ?? global.extra_scrape_metrics,
    scrape_failure_log_file: own.scrape_failure_log_file || global.scrape_failure_log_file,
    body_size_limit: own.body_size_limit || global.body_size_limit,
    sample_limit: own.sample_limit || global.sample_limit,
    target_limit: own.target_limit || global.target_limit,
    label_limit: own.label_limit || global.label_limit,
    label_name_length_limit: own.label_name_length_limit || global.label_name_length_limit,
    label_value_length_limit: own.label_value_length_limit || global.label_value_length_limit,
    keep_dropped_targets: own.keep_dropped_targets || global.keep_dropped_targets,
  }
  const scheme = schemes.metric_name_validation_scheme
  for (const rule of [...value.relabel_configs, ...value.metric_relabel_configs]) checkRelabel(rule, scheme)
  return { value, place }
}

function nameSchemes(own: ScrapeValues, global: GlobalRaw, fail: (message: string) => never) {
  const among = ESCAPING_SCHEMES.map((name) => `'${name}'`)
  const choice = `${among.slice(0, -1).join(', ')}, or ${among.at(-1)}`
  const globalScheme = global.metric_name_validation_scheme || 'utf8'
  const escapingOf = (scheme: string) => (scheme === 'legacy' ? 'underscores' : 'allow-utf-8')
  const globalEscaping = global.metric_name_escaping_scheme || escapingOf(globalScheme)
  if (!ESCAPING_SCHEMES.includes(globalEscaping))
    fail(
      `unknown global name escaping method specified, must be one of ${choice}, got ${JSON.stringify(globalEscaping)}`,
    )
  const scheme = own.metric_name_validation_scheme || globalScheme
  const escaping =
    own.metric_name_escaping_scheme ||
    (own.metric_name_validation_scheme === '' ? globalEscaping : escapingOf(scheme))
  if (!ESCAPING_SCHEMES.includes(escaping))
    fail(
      `unknown scrape config name escaping method specified, must be one of ${choice}, got ${JSON.stringify(escaping)}`,
    )
  if (escaping === 'allow-utf-8' && scheme !== 'utf8')
    fail('utf8 metric names requested but validation scheme is not set to UTF8')
  return { metric_name_validation_scheme: scheme, metric_name_escaping_scheme: escaping } as const
}

/** Paths relative to the file's folder. */
export function resolveScrape({ value, place }: ScrapeRaw, dir: string): ScrapeRaw {
  const resolved = resolveDiscovery(resolveHttpClient(value, dir), dir)
  return {
    value: { ...resolved, scrape_failure_log_file: joinDir(dir, value.scrape_failure_log_file) },
    place,
  }
}

/** What discovery and the scrape pools get. Call it on a completed, resolved config. */
export function scrapeConfig({ value }: ScrapeRaw): ScrapeConfig {
  return {
    jobName: value.job_name,
    honorLabels: value.honor_labels,
    honorTimestamps: value.honor_timestamps,
    trackTimestampsStaleness: value.track_timestamps_staleness,
    params: value.params,
    scrapeIntervalMs: value.scrape_interval,
    scrapeTimeoutMs: value.scrape_timeout,
    scrapeProtocols: (value.scrape_protocols ?? DEFAULT_PROTOCOLS) as readonly ScrapeProtocol[],
    ...(value.fallback_scrape_protocol !== '' && {
      fallbackScrapeProtocol: value.fallback_scrape_protocol as ScrapeProtocol,
    }),
    scrapeNativeHistograms: value.scrape_native_histograms ?? false,
    alwaysScrapeClassicHistograms: value.always_scrape_classic_histograms ?? false,
    convertClassicHistogramsToNhcb: value.convert_classic_histograms_to_nhcb ?? false,
    extraScrapeMetrics: value.extra_scrape_metrics ?? false,
    metricsPath: value.metrics_path,
    scheme: value.scheme as ScrapeConfig['scheme'],
    enableCompression: value.enable_compression,
    bodySizeLimit: value.body_size_limit,
    sampleLimit: value.sample_limit,
    targetLimit: value.target_limit,
    labelLimit: value.label_limit,
    labelNameLengthLimit: value.label_name_length_limit,
    labelValueLengthLimit: value.label_value_length_limit,
    keepDroppedTargets: value.keep_dropped_targets,
    nativeHistogramBucketLimit: value.native_histogram_bucket_limit,
    nativeHistogramMinBucketFactor: value.native_histogram_min_bucket_factor,
    metricNameValidationScheme: value.metric_name_validation_scheme || 'utf8',
    metricNameEscapingScheme: value.metric_name_escaping_scheme,
    http: httpClientConfig(value),
    discovery: discoveryConfig(value),
    relabelConfigs: value.relabel_configs.map(relabelConfig),
    metricRelabelConfigs: value.metric_relabel_configs.map(relabelConfig),
  }
}
