// Which format is asked for and which parser reads what came.
import { quoteString } from '@watchfire/datamodel'
import type { ScrapeProtocol } from '../config/types.ts'
import { NhcbParser } from './nhcb-parser.ts'
import { OpenMetricsParser } from './openmetrics-parser.ts'
import { ProtobufParser } from './protobuf-parser.ts'
import { TextParser } from './text-parser.ts'
import type { ExpositionParser, ParserOptions } from './types.ts'

const MEDIA_TYPES: Readonly<Record<ScrapeProtocol, string>> = {
  PrometheusProto:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
}
const PROTOCOL_COUNT = Object.keys(MEDIA_TYPES).length

/** The `Accept` header: protocols in order of preference, `escaping` only where the format knows it. */
export function acceptHeader(protocols: readonly ScrapeProtocol[], escapingScheme: string): string {
  let weight = PROTOCOL_COUNT + 1
  const parts = protocols.map((protocol) => {
    const escapes = protocol === 'PrometheusText1.0.0' || protocol === 'OpenMetricsText1.0.0'
    return `${MEDIA_TYPES[protocol]}${escapes ? `;escaping=${escapingScheme}` : ''};q=0.${weight--}`
  })
  return [...parts, `*/*;q=0.${weight}`].join(',')
}

/** Media type (without parameters) that stands for a protocol as fallback. */
export function fallbackMediaType(protocol: ScrapeProtocol | undefined): string {
  return protocol === undefined ? '' : (MEDIA_TYPES[protocol].split(';')[0] ?? '')
}

const KNOWN: ReadonlySet<string> = new Set([
  'application/openmetrics-text',
  'application/vnd.google.protobuf',
  'text/plain',
])

/** The media type to parse as, with a warning when the fallback had to be used; `mediaType` '' = the scrape fails. */
export function negotiateMediaType(
  contentType: string,
  fallback: string,
): { mediaType: string; warning?: string } {
  if (contentType === '') {
    const warning = 'non-compliant scrape target sending blank Content-Type'
    return fallback === ''
      ? { mediaType: '', warning: `${warning} and no fallback_scrape_protocol specified for target` }
      : {
          mediaType: fallback,
          warning: `${warning}, using fallback_scrape_protocol ${quoteString(fallback)}`,
        }
  }
  const quoted = quoteString(contentType)
  const parsed = parseMediaType(contentType)
  if ('error' in parsed) {
    return fallback === ''
      ? {
          mediaType: '',
          warning: `cannot parse Content-Type ${quoted} and no fallback_scrape_protocol for target\n${parsed.error}`,
        }
      : {
          mediaType: fallback,
          warning: `could not parse received Content-Type ${quoted}, using fallback_scrape_protocol ${quoteString(fallback)}\n${parsed.error}`,
        }
  }
  if (KNOWN.has(parsed.mediaType)) return { mediaType: parsed.mediaType }
  const warning = `received unsupported Content-Type ${quoted}`
  return fallback === ''
    ? { mediaType: '', warning: `${warning} and no fallback_scrape_protocol specified for target` }
    : { mediaType: fallback, warning: `${warning}, using fallback_scrape_protocol ${quoteString(fallback)}` }
}

const MEDIA_TOKEN = String.raw`[!#$%&'*+\-.^_\`|~0-9A-Za-z]+`
const MEDIA = new RegExp(`^\\s*(${MEDIA_TOKEN}(?:/${MEDIA_TOKEN})?)\\s*(?:;|$)`)
const PARAMETER = new RegExp(
  `^\\s*;\\s*(${MEDIA_TOKEN})\\s*=\\s*(?:${MEDIA_TOKEN}|"(?:[^"\\\\]|\\\\.)*")\\s*`,
)

/** `type/subtype` in lower case after a check of the parameters. */
function parseMediaType(text: string): { mediaType: string } | { error: string } {
  const base = text.split(';', 1)[0] ?? ''
  if (base.trim() === '') return { error: 'mime: no media type' }
  if (!MEDIA.test(text)) return { error: mediaTypeError(base.trim()) }
  const mediaType = base.trim().toLowerCase()
  const names = new Set<string>()
  let rest = text.slice(base.length)
  while (rest.trim() !== '') {
    if (/^\s*;\s*$/.test(rest)) break
    const match = PARAMETER.exec(rest)
    if (match === null) return { error: 'mime: invalid media parameter' }
    const name = (match[1] ?? '').toLowerCase()
    if (names.has(name)) return { error: 'mime: duplicate parameter name' }
    names.add(name)
    rest = rest.slice(match[0].length)
  }
  return { mediaType }
}

function mediaTypeError(base: string): string {
  const slash = base.indexOf('/')
  if (slash < 0) return 'mime: unexpected content after media type'
  return slash === base.length - 1
    ? 'mime: expected token after slash'
    : 'mime: unexpected content after media subtype'
}

/** Parser for a body, undefined when its type is unknown and no fallback helps (`warning` says why). */
export function createParser(
  body: Uint8Array,
  contentType: string,
  options: ParserOptions = {},
): { parser: ExpositionParser | undefined; warning?: string; mediaType: string } {
  const negotiated = negotiateMediaType(contentType, options.fallbackContentType ?? '')
  return { parser: parserFor(body, negotiated.mediaType, options), ...negotiated }
}

function parserFor(
  body: Uint8Array,
  mediaType: string,
  options: ParserOptions,
): ExpositionParser | undefined {
  const { typeAndUnitLabels = false, skipStartTimestampSeries = false } = options
  let parser: ExpositionParser
  switch (mediaType) {
    case 'application/vnd.google.protobuf':
      return new ProtobufParser(body, options)
    case 'application/openmetrics-text':
      parser = new OpenMetricsParser(body, { typeAndUnitLabels, skipCreated: skipStartTimestampSeries })
      break
    case 'text/plain':
      parser = new TextParser(body, typeAndUnitLabels)
      break
    default:
      return undefined
  }
  if (options.convertClassicToNhcb !== true) return parser
  return new NhcbParser(parser, {
    keepClassic: options.keepClassic ?? false,
    startTimestamps: skipStartTimestampSeries,
  })
}
