// Remote write and remote read: checked as Prometheus does, then refused, because nothing sends or reads yet.
import {
  parsed,
  bool,
  duration,
  field,
  int,
  list,
  mapOf,
  optional,
  struct,
  text,
  uint64,
  url,
  type Schema,
} from '../schema.ts'
import { sigv4 } from './alerting.ts'
import { checkHttpClient, httpClientFields } from './http-client.ts'
import { relabel } from './relabel.ts'
import { headersFault } from './storage.ts'

const AUTHORIZATION_FAULT =
  'authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter'

const message: Schema<string> = parsed(
  'string',
  '',
  (value) => {
    if (value !== 'prometheus.WriteRequest' && value !== 'io.prometheus.write.v2.Request')
      throw new Error(
        `invalid protobuf_message value: unknown type for remote write protobuf message ${value}, supported: prometheus.WriteRequest, io.prometheus.write.v2.Request`,
      )
    return value
  },
  (value) => value,
)

const queue = struct('config.QueueConfig', {
  capacity: field(int, { default: 10_000 }),
  max_shards: field(int, { default: 50 }),
  min_shards: field(int, { default: 1 }),
  max_samples_per_send: field(int, { default: 2000 }),
  batch_send_deadline: field(duration, { default: 5000 }),
  min_backoff: field(duration, { default: 30 }),
  max_backoff: field(duration, { default: 5000 }),
  retry_on_http_429: field(bool),
  sample_age_limit: field(duration),
})

const metadata = struct('config.MetadataConfig', {
  send: field(bool, { default: true, always: true }),
  send_interval: field(duration, { default: 60_000, always: true }),
  max_samples_per_send: field(int, { default: 2000 }),
})

const write = struct(
  'config.plain',
  {
    url: field(url, { always: true }),
    remote_timeout: field(duration, { default: 30_000 }),
    headers: field(mapOf(text())),
    write_relabel_configs: field(
      list(relabel, { nullItem: 'empty or null relabeling rule in remote write config' }),
    ),
    name: field(text()),
    send_exemplars: field(bool),
    send_native_histograms: field(bool),
    round_robin_dns: field(bool),
    protobuf_message: field(message, { default: 'prometheus.WriteRequest' }),
    failed_request_logging: field(bool),
    ...httpClientFields(false),
    queue_config: field(queue, { default: queue.defaults }),
    metadata_config: field(metadata, { default: metadata.defaults }),
    sigv4: field(optional(sigv4)),
    azuread: field(optional(mapOf(text()))),
    google_iam: field(optional(mapOf(text()))),
  },
  {
    check(value, places) {
      if (value.url === '') places.fail('url', 'url for remote_write is empty')
      const fault = headersFault(value.headers, AUTHORIZATION_FAULT)
      if (fault) places.fail('headers', fault)
      checkHttpClient(value, places)
      const q = value.queue_config
      const wrong = (text: string) => places.fail('queue_config', `remote write queue ${text}`)
      if (q.max_shards <= 0) wrong('max_shards must be positive')
      if (q.min_shards <= 0) wrong('min_shards must be positive')
      if (q.min_shards > q.max_shards) wrong('min_shards must not be greater than max_shards')
      if (q.max_samples_per_send <= 0) wrong('max_samples_per_send must be positive')
      if (q.capacity <= 0) wrong('capacity must be positive')
      if (q.max_backoff < q.min_backoff) wrong('max_backoff must not be less than min_backoff')
    },
  },
)

const read = struct(
  'config.plain',
  {
    url: field(url, { always: true }),
    remote_timeout: field(duration, { default: 60_000 }),
    chunked_read_limit: field(uint64, { default: 50_000_000 }),
    headers: field(mapOf(text())),
    read_recent: field(bool),
    name: field(text()),
    ...httpClientFields(),
    required_matchers: field(mapOf(text())),
    filter_external_labels: field(bool, { default: true }),
  },
  {
    check(value, places) {
      if (value.url === '') places.fail('url', 'url for remote_read is empty')
      const fault = headersFault(value.headers, AUTHORIZATION_FAULT)
      if (fault) places.fail('headers', fault)
      checkHttpClient(value, places)
    },
  },
)

export const remoteWriteSection = list(write, { nullItem: 'empty or null remote write config section' })
export const remoteReadSection = list(read, { nullItem: 'empty or null remote read config section' })
