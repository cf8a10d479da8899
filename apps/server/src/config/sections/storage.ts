// The sections `storage`, `tracing`, `otlp` and `runtime`.
import {
  bool,
  duration,
  field,
  float,
  int,
  list,
  mapOf,
  optional,
  parsed,
  size,
  struct,
  text,
  type Schema,
  type ValueOf,
} from '../schema.ts'
import { formatSize } from '../schema.ts'

const retention = struct(
  'config.plain',
  {
    time: field(duration),
    size: field(size),
    percentage: field(float),
  },
  {
    check(value, places) {
      if (value.size < 0)
        places.fail(
          'size',
          `'storage.tsdb.retention.size' must be greater than or equal to 0, got ${formatSize(value.size)}`,
        )
      if (value.percentage < 0 || value.percentage > 100)
        places.fail(
          'percentage',
          `'storage.tsdb.retention.percentage' must be in the range [0, 100], got ${value.percentage}`,
        )
    },
  },
)

const floatEncoding: Schema<string> = parsed(
  'string',
  '',
  (value) => {
    if (value !== '' && value !== 'xor' && value !== 'xor2')
      throw new Error(
        `'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or the field must be omitted entirely, got ${JSON.stringify(value)}`,
      )
    return value
  },
  (value) => (value === '' ? undefined : value),
)

const chunkEncoding = struct(
  'config.ChunkEncodingConfig',
  { floats: field(floatEncoding) },
  {
    check(value, places, document) {
      if (value.floats === 'xor2') document.refuse(places.node, 'floats: xor2')
    },
  },
)

const tsdb = struct('config.plain', {
  outofordertimewindow: field(int, { always: true }),
  out_of_order_time_window: field(duration),
  stale_series_compaction_threshold: field(float, { unsupported: true }),
  chunk_encoding: field(chunkEncoding),
  retention: field(optional(retention)),
})

export const storageSection = struct('config.StorageConfig', {
  tsdb: field(optional(tsdb)),
  exemplars: field(optional(struct('config.ExemplarsConfig', { max_exemplars: field(int) }))),
})

export type StorageRaw = ValueOf<typeof storageSection>
export type OtlpRaw = ValueOf<typeof otlpSection>

/** The section with its derived field and the retention that holds when the file gives none. */
export function fillStorage(
  raw: StorageRaw,
  flags: { readonly retentionMs: number; readonly retentionBytes: number },
): StorageRaw {
  const own = raw.tsdb ?? tsdb.zero
  const given = own.retention
  const limits =
    given && (given.time > 0 || given.size > 0 || given.percentage > 0)
      ? given
      : { time: flags.retentionMs, size: flags.retentionBytes, percentage: 0 }
  return {
    ...raw,
    tsdb: { ...own, outofordertimewindow: own.out_of_order_time_window, retention: limits },
  }
}

const STRATEGIES = [
  'UnderscoreEscapingWithSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoTranslation',
]

/** OTLP translation; it is checked here and used by nothing until a receiver exists. */
export const otlpSection = struct(
  'config.plain',
  {
    promote_all_resource_attributes: field(bool),
    promote_resource_attributes: field(list(text())),
    ignore_resource_attributes: field(list(text())),
    translation_strategy: field(text(), { default: 'UnderscoreEscapingWithSuffixes' }),
    keep_identifying_resource_attributes: field(bool),
    convert_histograms_to_nhcb: field(bool),
    promote_scope_metadata: field(bool),
    label_name_underscore_sanitization: field(bool, { default: true }),
    label_name_preserve_multiple_underscores: field(bool, { default: true }),
  },
  {
    check(value, places) {
      if (value.promote_all_resource_attributes) {
        if (value.promote_resource_attributes.length > 0)
          places.fail(
            'promote_resource_attributes',
            "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured simultaneously",
          )
        const fault = attributesFault(value.ignore_resource_attributes, 'ignored')
        if (fault) places.fail('ignore_resource_attributes', `invalid 'ignore_resource_attributes': ${fault}`)
        return
      }
      if (value.ignore_resource_attributes.length > 0)
        places.fail(
          'ignore_resource_attributes',
          "'ignore_resource_attributes' cannot be configured unless 'promote_all_resource_attributes' is true",
        )
      const fault = attributesFault(value.promote_resource_attributes, 'promoted')
      if (fault) places.fail('promote_resource_attributes', `invalid 'promote_resource_attributes': ${fault}`)
    },
  },
)

/** The section with the blanks around attribute names removed. */
export function trimOtlp(raw: OtlpRaw): OtlpRaw {
  const trim = (names: readonly string[]) => names.map((name) => name.trim())
  return {
    ...raw,
    promote_resource_attributes: trim(raw.promote_resource_attributes),
    ignore_resource_attributes: trim(raw.ignore_resource_attributes),
  }
}

/** The fault of the strategy, which depends on the global naming scheme. */
export function strategyFault(strategy: string, scheme: string): string | undefined {
  if (strategy === '') return undefined
  if (!STRATEGIES.includes(strategy))
    return `unsupported OTLP translation strategy ${JSON.stringify(strategy)}`
  return scheme === 'legacy' && (strategy === 'NoTranslation' || strategy === 'NoUTF8EscapingWithSuffixes')
    ? `OTLP translation strategy ${JSON.stringify(strategy)} is not allowed when UTF8 is disabled`
    : undefined
}

function attributesFault(attributes: readonly string[], adjective: string): string | undefined {
  const seen = new Set<string>()
  const faults: string[] = []
  for (const attribute of attributes.map((name) => name.trim())) {
    if (attribute === '') faults.push(`empty ${adjective} OTel resource attribute`)
    else if (seen.has(attribute))
      faults.push(`duplicated ${adjective} OTel resource attribute ${JSON.stringify(attribute)}`)
    seen.add(attribute)
  }
  return faults.length === 0 ? undefined : faults.join('\n')
}

const clientType: Schema<string> = parsed(
  'string',
  '',
  (value) => {
    if (value !== 'http' && value !== 'grpc')
      throw new Error(`expected tracing client type to be to be http or grpc, but got ${value}`)
    return value
  },
  (value) => (value === '' ? undefined : value),
)

const tracing = struct(
  'config.plain',
  {
    client_type: field(clientType, { default: 'grpc' }),
    endpoint: field(text()),
    sampling_fraction: field(float),
    insecure: field(bool),
    tls_config: field(mapOf(text())),
    headers: field(mapOf(text())),
    compression: field(text()),
    timeout: field(duration),
  },
  {
    check(value, places) {
      const fault = headersFault(
        value.headers,
        'custom authorization header configuration is not yet supported',
      )
      if (fault) places.fail('headers', fault)
      if (value.endpoint === '') places.fail('endpoint', 'tracing endpoint must be set')
      if (value.compression !== '' && value.compression !== 'gzip')
        places.fail(
          'compression',
          `invalid compression type ${value.compression} provided, valid options: gzip`,
        )
    },
  },
)
export const tracingSection = optional(tracing)

const RESERVED = new Set(
  (
    'content-encoding content-length content-type user-agent connection keep-alive proxy-authenticate ' +
    'proxy-authorization www-authenticate accept-encoding x-prometheus-remote-write-version ' +
    'x-prometheus-remote-read-version x-amz-date x-amz-security-token x-amz-content-sha256'
  ).split(' '),
)

/** The fault of custom headers. */
export function headersFault(
  headers: Readonly<Record<string, string>>,
  authorizationFault: string,
): string | undefined {
  for (const name of Object.keys(headers)) {
    if (name.toLowerCase() === 'authorization') return authorizationFault
    if (RESERVED.has(name.toLowerCase())) return `${name} is a reserved header. It must not be changed`
  }
  return undefined
}

export const runtimeSection = struct('config.RuntimeConfig', { gogc: field(int) })
