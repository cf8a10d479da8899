// Values that the global section and the scrape configs share.
import type { ScrapeProtocol } from '../types.ts'
import { field, parsed, size, text, uint, type Schema } from '../schema.ts'
import type { ValidationScheme } from './relabel.ts'

export const PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusProto',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
]

/** Offered when nothing is configured. */
export const DEFAULT_PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
]

/** Offered when native histograms are wanted. */
export const NATIVE_PROTOCOLS: readonly ScrapeProtocol[] = ['PrometheusProto', ...DEFAULT_PROTOCOLS]

/** The fault of a protocol's name. */
export function protocolFault(name: string): string | undefined {
  return PROTOCOLS.some((known) => known === name)
    ? undefined
    : `unknown scrape protocol ${name}, supported: [${PROTOCOLS.join(' ')}]`
}

/** The fault of a list of protocols. */
export function protocolsFault(names: readonly string[]): string | undefined {
  if (names.length === 0) return 'scrape_protocols cannot be empty'
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name.toLowerCase()))
      return `duplicated protocol in scrape_protocols, got [${names.join(' ')}]`
    const fault = protocolFault(name)
    if (fault) return `scrape_protocols: ${fault}`
    seen.add(name.toLowerCase())
  }
  return undefined
}

export const validationScheme: Schema<ValidationScheme | ''> = parsed<ValidationScheme | ''>(
  'string',
  '',
  (value) => {
    if (value === '' || value === 'utf8' || value === 'legacy') return value
    throw new Error(`unrecognized ValidationScheme: ${JSON.stringify(value)}`)
  },
  (value) => (value === '' ? undefined : value),
)

export const ESCAPING_SCHEMES = ['allow-utf-8', 'underscores', 'dots', 'values']

export const limitFields = {
  body_size_limit: field(size),
  sample_limit: field(uint),
  target_limit: field(uint),
  label_limit: field(uint),
  label_name_length_limit: field(uint),
  label_value_length_limit: field(uint),
}

export const schemeFields = {
  metric_name_validation_scheme: field(validationScheme),
  metric_name_escaping_scheme: field(text()),
}
