// The `global` section.
import type { GlobalConfig } from '../types.ts'
import { bool, duration, field, list, optional, struct, text, uint, type ValueOf } from '../schema.ts'
import { checkedLabels } from './discovery.ts'
import { joinDir } from './http-client.ts'
import { DEFAULT_PROTOCOLS, limitFields, protocolsFault, validationScheme } from './limits.ts'
import { isValidLabelName } from './relabel.ts'

const fields = {
  scrape_interval: field(duration),
  scrape_timeout: field(duration),
  scrape_protocols: field(optional(list(text()))),
  evaluation_interval: field(duration),
  rule_query_offset: field(duration),
  query_log_file: field(text(), { unsupported: true }),
  scrape_failure_log_file: field(text(), { unsupported: true }),
  external_labels: field(checkedLabels),
  ...limitFields,
  keep_dropped_targets: field(uint),
  metric_name_validation_scheme: field(validationScheme),
  metric_name_escaping_scheme: field(text()),
  scrape_native_histograms: field(optional(bool)),
  convert_classic_histograms_to_nhcb: field(bool),
  always_scrape_classic_histograms: field(bool),
  extra_scrape_metrics: field(optional(bool)),
}

export const globalSection = struct('config.plain', fields, {
  check(value, places) {
    const scheme = value.metric_name_validation_scheme || 'utf8'
    for (const name of Object.keys(value.external_labels))
      if (!isValidLabelName(name, scheme))
        places.fail('external_labels', `${JSON.stringify(name)} is not a valid label name`)
    const interval = value.scrape_interval || MINUTE
    if (value.scrape_timeout > interval)
      places.fail('scrape_timeout', 'global scrape timeout greater than scrape interval')
    const fault = value.scrape_protocols && protocolsFault(value.scrape_protocols)
    if (fault) places.fail('scrape_protocols', `${fault} for global config`)
  },
})

const MINUTE = 60_000

export type GlobalRaw = ValueOf<typeof globalSection>

/** The section when the file has none. */
export const DEFAULT_GLOBAL: GlobalRaw = fillGlobal({
  ...globalSection.zero,
  metric_name_escaping_scheme: 'allow-utf-8',
})

/** Defaults of a section that is there. */
export function fillGlobal(raw: GlobalRaw): GlobalRaw {
  const interval = raw.scrape_interval || MINUTE
  return {
    ...raw,
    scrape_interval: interval,
    scrape_timeout: raw.scrape_timeout || Math.min(10_000, interval),
    evaluation_interval: raw.evaluation_interval || MINUTE,
    metric_name_validation_scheme: raw.metric_name_validation_scheme || 'utf8',
    scrape_native_histograms: raw.scrape_native_histograms ?? false,
    extra_scrape_metrics: raw.extra_scrape_metrics ?? false,
  }
}

/** `$X`, `${X}` and `$$` in the values of external labels, from the environment; unknown names give ''. */
export function expandExternalLabels(
  labels: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
  onMissing: (name: string) => void,
): Record<string, string> {
  const expand = (value: string) =>
    value.replace(
      /\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*|[*#$@!?\-0-9]))/g,
      (_, braced?: string, bare?: string) => {
        const name = braced ?? bare ?? ''
        if (name === '$') return '$'
        const found = environment[name]
        if (found) return found
        onMissing(name)
        return ''
      },
    )
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, expand(value)]))
}

export function resolveGlobal(raw: GlobalRaw, dir: string): GlobalRaw {
  return {
    ...raw,
    query_log_file: joinDir(dir, raw.query_log_file),
    scrape_failure_log_file: joinDir(dir, raw.scrape_failure_log_file),
  }
}

export function globalConfig(raw: GlobalRaw): GlobalConfig {
  return {
    scrapeIntervalMs: raw.scrape_interval,
    scrapeTimeoutMs: raw.scrape_timeout,
    evaluationIntervalMs: raw.evaluation_interval,
    ruleQueryOffsetMs: raw.rule_query_offset,
    externalLabels: raw.external_labels,
    scrapeProtocols: (raw.scrape_protocols ?? DEFAULT_PROTOCOLS) as GlobalConfig['scrapeProtocols'],
  }
}
