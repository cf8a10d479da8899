// Targets: from what discovery found, through relabel_configs, to a URL and a label set.
import { Labels, formatDuration, parseDuration, quoteString } from '@watchfire/datamodel'
import type { ScrapeConfig } from '../config/types.ts'
import type { TargetGroup } from '../discovery/contract.ts'
import { relabelMap, type CompiledRelabel } from '../relabel/index.ts'
import { fnv1a64 } from './fnv.ts'

const ADDRESS = '__address__'
const SCHEME = '__scheme__'
const METRICS_PATH = '__metrics_path__'
const PARAM_PREFIX = '__param_'
const META_PREFIX = '__meta_'
const INTERVAL = '__scrape_interval__'
const TIMEOUT = '__scrape_timeout__'
const UNIX_SOCKET = '__unix_socket__'
const NATIVE = '__scrape_native_histograms__'
const CLASSIC = '__always_scrape_classic_histograms__'
const NHCB = '__convert_classic_histograms_to_nhcb__'
const SWITCHES = [
  [NHCB, 'convert classic histograms to nhcb'],
  [CLASSIC, 'always scrape classic histograms'],
  [NATIVE, 'scrape native histograms'],
] as const

/** A target that is scraped, or was dropped by relabelling (then only `discovered` counts). */
export interface Target {
  readonly discovered: Readonly<Record<string, string>>
  /** Without the labels that begin with `__`. */
  readonly labels: Labels
  readonly url: string
  /** Path of a Unix socket to connect to, '' = by the URL. */
  readonly unixSocket: string
  readonly intervalMs: number
  readonly timeoutMs: number
  /** Interval and timeout as the labels say them. */
  readonly intervalText: string
  readonly timeoutText: string
  readonly scrapeNativeHistograms: boolean
  readonly alwaysScrapeClassicHistograms: boolean
  readonly convertClassicHistogramsToNhcb: boolean
  /** Labels and URL: targets with equal keys are one target. */
  readonly key: string
  /** Places the target's scrapes within the interval. */
  readonly hash: bigint
}

export interface BuiltTargets {
  /** In order, duplicates removed. */
  readonly targets: Target[]
  readonly dropped: Readonly<Record<string, string>>[]
  /** One message for each target that could not be built. */
  readonly failures: string[]
}

/** Builds the targets of all groups of a pool. */
export function buildTargets(
  groups: readonly TargetGroup[],
  config: ScrapeConfig,
  rules: readonly CompiledRelabel[],
): BuiltTargets {
  const targets = new Map<string, Target>()
  const built: { dropped: Readonly<Record<string, string>>[]; failures: string[] } = {
    dropped: [],
    failures: [],
  }
  for (const group of groups)
    for (const [i, own] of group.targets.entries()) {
      const discovered = discoveredLabels(config, group, own)
      try {
        const target = buildTarget(config, rules, discovered)
        if (target === undefined) built.dropped.push(Object.fromEntries(discovered))
        else if (!targets.has(target.key)) targets.set(target.key, target)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        built.failures.push(`instance ${i} in group ${group.source}: ${reason}`)
      }
    }
  return { targets: [...targets.values()], ...built }
}

/** Labels before relabelling: the target's, the group's, then the job's defaults. */
function discoveredLabels(
  config: ScrapeConfig,
  group: TargetGroup,
  own: Readonly<Record<string, string>>,
): Map<string, string> {
  const labels = new Map([...Object.entries(group.labels), ...Object.entries(own)])
  const defaults: [string, string][] = [
    ['job', config.jobName],
    [INTERVAL, formatDuration(config.scrapeIntervalMs)],
    [TIMEOUT, formatDuration(config.scrapeTimeoutMs)],
    [METRICS_PATH, config.metricsPath],
    [SCHEME, config.scheme],
    [NHCB, String(config.convertClassicHistogramsToNhcb)],
    [CLASSIC, String(config.alwaysScrapeClassicHistograms)],
    [NATIVE, String(config.scrapeNativeHistograms)],
  ]
  for (const [name, values] of Object.entries(config.params))
    if (values[0] !== undefined) defaults.push([PARAM_PREFIX + name, values[0]])
  for (const [name, value] of defaults) if ((labels.get(name) ?? '') === '') labels.set(name, value)
  return labels
}

function buildTarget(
  config: ScrapeConfig,
  rules: readonly CompiledRelabel[],
  discovered: Map<string, string>,
): Target | undefined {
  const all = new Map(discovered)
  if (!relabelMap(all, rules)) return undefined
  const get = (name: string): string => all.get(name) ?? ''
  const address = get(ADDRESS)
  if (address === '') throw new Error('no address')
  if (address.includes('/')) throw new Error(`${quoteString(address)} is not a valid hostname`)
  const intervalMs = duration(get(INTERVAL), 'scrape interval')
  const timeoutMs = duration(get(TIMEOUT), 'scrape timeout')
  if (timeoutMs > intervalMs)
    throw new Error(
      `scrape timeout cannot be greater than scrape interval (${quoteString(get(TIMEOUT))} > ${quoteString(get(INTERVAL))})`,
    )
  const [nhcb, classic, native] = SWITCHES.map(([name, what]) => parseSwitch(get(name), what))
  for (const name of [...all.keys()]) if (name.startsWith(META_PREFIX)) all.delete(name)
  if (get('instance') === '') all.set('instance', address)
  const labels = Labels.from([...all].filter(([name]) => !name.startsWith('__')))
  const url = targetUrl(config, all)
  const key = `${labels.key()}\u0001${url}\u0001${get(UNIX_SOCKET)}`
  return {
    discovered: Object.fromEntries(discovered),
    labels,
    url,
    unixSocket: get(UNIX_SOCKET),
    intervalMs,
    timeoutMs,
    intervalText: get(INTERVAL),
    timeoutText: get(TIMEOUT),
    convertClassicHistogramsToNhcb: nhcb ?? config.convertClassicHistogramsToNhcb,
    alwaysScrapeClassicHistograms: classic ?? config.alwaysScrapeClassicHistograms,
    scrapeNativeHistograms: native ?? config.scrapeNativeHistograms,
    key,
    hash: fnv1a64(key),
  }
}

function duration(text: string, what: string): number {
  let ms: number
  try {
    ms = parseDuration(text)
  } catch (error) {
    throw new Error(`error parsing ${what}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  if (ms === 0) throw new Error(`${what} cannot be 0`)
  return ms
}

function parseSwitch(text: string, what: string): boolean | undefined {
  if (text === '') return undefined
  if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true
  if (/^(?:0|f|F|false|FALSE|False)$/.test(text)) return false
  throw new Error(`error parsing ${what}: strconv.ParseBool: parsing ${quoteString(text)}: invalid syntax`)
}

function targetUrl(config: ScrapeConfig, labels: ReadonlyMap<string, string>): string {
  const params = new Map(Object.entries(config.params).map(([name, values]) => [name, [...values]]))
  for (const [label, value] of labels) {
    if (!label.startsWith(PARAM_PREFIX)) continue
    const name = label.slice(PARAM_PREFIX.length)
    const values = params.get(name)
    if (values === undefined || values.length === 0) params.set(name, [value])
    else values[0] = value
  }
  const query = [...params.keys()]
    .sort()
    .flatMap((name) => (params.get(name) ?? []).map((value) => `${escapeQuery(name)}=${escapeQuery(value)}`))
    .join('&')
  const path = labels.get(METRICS_PATH) ?? ''
  const rooted = path === '' || path.startsWith('/') ? path : `/${path}`
  const base = `${labels.get(SCHEME) ?? 'http'}://${labels.get(ADDRESS) ?? ''}`
  return `${base}${encodeURI(rooted).replace(/[?#]/g, encodeURIComponent)}${query === '' ? '' : `?${query}`}`
}

/** As Go's `url.QueryEscape`. */
function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}
