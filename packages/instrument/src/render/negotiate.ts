// Which exposition format a scraper gets: the offered one its Accept header likes best, as Go's client chooses.

export type Format = 'text' | 'openmetrics' | 'protobuf'

export interface Choice {
  readonly format: Format
  readonly contentType: string
}

export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
export const PROTOBUF_CONTENT_TYPE =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited'
const openMetricsContentType = (version: string) =>
  `application/openmetrics-text; version=${version}; charset=utf-8`
export const OPENMETRICS_CONTENT_TYPE = openMetricsContentType('1.0.0')

const TEXT: Choice = { format: 'text', contentType: TEXT_CONTENT_TYPE }

/** Accept headers above this many characters are answered with text. */
const ACCEPT_MAX_LENGTH = 4096

/** Highest q wins, the first of equals; a header that names nothing we have gets text 0.0.4. */
export function negotiate(accept: string | undefined): Choice {
  if (accept === undefined || accept.length > ACCEPT_MAX_LENGTH) return TEXT
  let best = TEXT
  let bestWeight = 0
  for (const entry of accept.split(',')) {
    const [type = '', ...rest] = entry.split(';').map((part) => part.trim())
    const parameters = new Map<string, string>()
    for (const part of rest) {
      const at = part.indexOf('=')
      if (at > 0) parameters.set(part.slice(0, at).trim().toLowerCase(), unquoted(part.slice(at + 1).trim()))
    }
    const weight = parameters.has('q') ? Number(parameters.get('q')) : 1
    const choice = offered(type.toLowerCase(), parameters)
    if (choice === undefined || !(weight > bestWeight)) continue
    best = choice
    bestWeight = weight
  }
  return best
}

function offered(type: string, parameters: ReadonlyMap<string, string>): Choice | undefined {
  const version = parameters.get('version') ?? ''
  if (type === 'application/vnd.google.protobuf') {
    const fits = parameters.get('proto') === 'io.prometheus.client.MetricFamily'
    if (!fits || parameters.get('encoding') !== 'delimited') return undefined
    return { format: 'protobuf', contentType: PROTOBUF_CONTENT_TYPE }
  }
  if (type === 'application/openmetrics-text') {
    if (version !== '' && version !== '0.0.1' && version !== '1.0.0') return undefined
    return { format: 'openmetrics', contentType: openMetricsContentType(version || '1.0.0') }
  }
  // Names are of the old character set, so an answer in 0.0.4 serves one who asks for 1.0.0 too.
  return type === 'text/plain' || type === '*/*' || type === 'text/*' ? TEXT : undefined
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}
