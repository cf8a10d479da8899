// From a monitor's endpoint to a scrape config in Prometheus's names, as the operator writes it.
import type { KubernetesOperatorConfig } from '../../config/index.ts'
import { sanitizeLabelName } from '../context.ts'
import { at, childOf, listAt, objectOf, optionalIntAt, textAt, textsAt } from '../untrusted.ts'
import { clientOptions } from './client-options.ts'
import type { Monitor, MonitorKind } from './monitor.ts'
import {
  copy,
  copyNonEmpty,
  keep,
  ownRules,
  runningRules,
  selectorRules,
  transferRules,
  type Rule,
} from './relabeling.ts'
import type { SecretReader } from './secret-reader.ts'
import { selectorAt } from './selector.ts'

export type Job = Readonly<Record<string, unknown>> & { readonly job_name: string }

const M = '__meta_kubernetes_'

/** Name of the scrape config of an endpoint, e.g. `serviceMonitor/platform/fastapi-ml/0`. */
export function jobName(kind: MonitorKind, { meta }: Monitor, index: number): string {
  return `${kind}/${meta.namespace}/${meta.name}/${index}`
}

export function endpointsOf(kind: MonitorKind, { spec }: Monitor): readonly unknown[] {
  return listAt(spec, kind === 'serviceMonitor' ? 'endpoints' : 'podMetricsEndpoints')
}

/** Throws (or rejects) for what cannot be honoured; nothing in a message comes from a secret. */
export async function scrapeJob(
  kind: MonitorKind,
  monitor: Monitor,
  index: number,
  config: Pick<KubernetesOperatorConfig, 'role' | 'allowArbitraryFiles'>,
  secrets: SecretReader,
): Promise<Job> {
  const { meta, spec } = monitor
  const endpoint = objectOf(endpointsOf(kind, monitor)[index])
  const relabelings =
    kind === 'serviceMonitor'
      ? serviceRelabeling(spec, endpoint, config.role)
      : podRelabeling(monitor, endpoint)
  const metricRules = ownRules(endpoint, 'metricRelabelings')
  const attachNode = at(childOf(spec, 'attachMetadata'), 'node') === true
  return {
    job_name: jobName(kind, monitor, index),
    ...plainOptions(endpoint),
    ...limits(spec),
    ...(await clientOptions(endpoint, {
      namespace: meta.namespace,
      secrets,
      allowFiles: config.allowArbitraryFiles,
    })),
    kubernetes_sd_configs: [
      {
        role: kind === 'serviceMonitor' ? config.role : 'pod',
        namespaces: { names: selectedNamespaces(monitor) },
        ...(attachNode && { attach_metadata: { node: true } }),
      },
    ],
    relabel_configs: [copy('job', '__tmp_prometheus_job_name'), ...relabelings],
    ...(metricRules.length > 0 && { metric_relabel_configs: metricRules }),
  }
}

/** Empty = all. */
function selectedNamespaces({ meta, spec }: Monitor): readonly string[] {
  const selector = childOf(spec, 'namespaceSelector')
  if (at(selector, 'any') === true) return []
  const names = textsAt(selector, 'matchNames')
  return names.length > 0 ? names : [meta.namespace]
}

function serviceRelabeling(spec: unknown, endpoint: unknown, role: 'endpoints' | 'endpointslice'): Rule[] {
  const prefix = role === 'endpoints' ? `${M}endpoint_` : `${M}endpointslice_`
  const target = [`${prefix}address_target_kind`, `${prefix}address_target_name`]
  const port = portOf(endpoint)
  const jobLabel = textAt(spec, 'jobLabel')
  const ofTarget = (kind: string, label: string): Rule => ({
    source_labels: target,
    separator: ';',
    regex: `${kind};(.*)`,
    replacement: '${1}',
    target_label: label,
  })
  return [
    ...selectorRules(selectorAt(spec, 'selector'), 'service'),
    ...port.rules(`${prefix}port_name`),
    ofTarget('Node', 'node'),
    ofTarget('Pod', 'pod'),
    copy(`${M}namespace`, 'namespace'),
    copy(`${M}service_name`, 'service'),
    copy(`${M}pod_name`, 'pod'),
    copy(`${M}pod_container_name`, 'container'),
    ...runningRules(endpoint),
    ...transferRules(spec, 'targetLabels', 'service'),
    ...transferRules(spec, 'podTargetLabels', 'pod'),
    copy(`${M}service_name`, 'job'),
    ...(jobLabel === '' ? [] : [copyNonEmpty(`${M}service_label_${sanitizeLabelName(jobLabel)}`, 'job')]),
    ...port.label,
    ...ownRules(endpoint, 'relabelings'),
  ]
}

function podRelabeling({ meta, spec }: Monitor, endpoint: unknown): Rule[] {
  const port = portOf(endpoint)
  const jobLabel = textAt(spec, 'jobLabel')
  return [
    ...runningRules(endpoint),
    ...selectorRules(selectorAt(spec, 'selector'), 'pod'),
    ...port.rules(`${M}pod_container_port_name`),
    copy(`${M}namespace`, 'namespace'),
    copy(`${M}pod_container_name`, 'container'),
    copy(`${M}pod_name`, 'pod'),
    ...transferRules(spec, 'podTargetLabels', 'pod'),
    { target_label: 'job', replacement: `${meta.namespace}/${meta.name}` },
    ...(jobLabel === '' ? [] : [copyNonEmpty(`${M}pod_label_${sanitizeLabelName(jobLabel)}`, 'job')]),
    ...port.label,
    ...ownRules(endpoint, 'relabelings'),
  ]
}

/** Which port an endpoint means, and the label `endpoint` that shows it. */
function portOf(endpoint: unknown): { rules: (nameLabel: string) => Rule[]; label: Rule[] } {
  const named = (value: string, rules: (nameLabel: string) => Rule[]) => ({
    rules,
    label: [{ target_label: 'endpoint', replacement: value }],
  })
  const port = textAt(endpoint, 'port')
  if (port !== '') return named(port, (nameLabel) => [keep(nameLabel, port)])
  const number = optionalIntAt(endpoint, 'portNumber') ?? optionalIntAt(endpoint, 'targetPort')
  if (number !== undefined && number !== 0)
    return named(String(number), () => [keep(`${M}pod_container_port_number`, String(number))])
  const target = textAt(endpoint, 'targetPort')
  if (target !== '') return named(target, () => [keep(`${M}pod_container_port_name`, target)])
  return { rules: () => [], label: [] }
}

/** Fields that only change their spelling. */
const ENDPOINT_FIELDS: readonly (readonly [string, string])[] = [
  ['honorLabels', 'honor_labels'],
  ['honorTimestamps', 'honor_timestamps'],
  ['trackTimestampsStaleness', 'track_timestamps_staleness'],
  ['interval', 'scrape_interval'],
  ['scrapeTimeout', 'scrape_timeout'],
  ['path', 'metrics_path'],
]

function plainOptions(endpoint: unknown): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [from, to] of ENDPOINT_FIELDS) {
    const value = at(endpoint, from)
    if (typeof value === 'boolean' || (typeof value === 'string' && value !== '')) out[to] = value
  }
  const scheme = textAt(endpoint, 'scheme').toLowerCase()
  if (scheme !== '' && scheme !== 'http' && scheme !== 'https')
    throw new Error(`scheme ${JSON.stringify(scheme)} is neither http nor https`)
  if (scheme !== '') out.scheme = scheme
  const params = Object.fromEntries(
    Object.keys(objectOf(at(endpoint, 'params'))).map((name) => [
      name,
      textsAt(at(endpoint, 'params'), name),
    ]),
  )
  if (Object.keys(params).length > 0) out.params = params
  return out
}

const SPEC_NUMBERS: readonly (readonly [string, string])[] = [
  ['sampleLimit', 'sample_limit'],
  ['targetLimit', 'target_limit'],
  ['labelLimit', 'label_limit'],
  ['labelNameLengthLimit', 'label_name_length_limit'],
  ['labelValueLengthLimit', 'label_value_length_limit'],
  ['keepDroppedTargets', 'keep_dropped_targets'],
  ['nativeHistogramBucketLimit', 'native_histogram_bucket_limit'],
]
const SPEC_BOOLEANS: readonly (readonly [string, string])[] = [
  ['scrapeClassicHistograms', 'always_scrape_classic_histograms'],
  ['scrapeNativeHistograms', 'scrape_native_histograms'],
  ['convertClassicHistogramsToNHCB', 'convert_classic_histograms_to_nhcb'],
]
const SPEC_TEXTS: readonly (readonly [string, string])[] = [
  ['bodySizeLimit', 'body_size_limit'],
  ['fallbackScrapeProtocol', 'fallback_scrape_protocol'],
]

function limits(spec: unknown): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  const take = (fields: readonly (readonly [string, string])[], type: string) => {
    for (const [from, to] of fields) {
      const value = at(spec, from)
      if (typeof value === type && value !== '') out[to] = value
    }
  }
  take(SPEC_NUMBERS, 'number')
  take(SPEC_BOOLEANS, 'boolean')
  take(SPEC_TEXTS, 'string')
  const protocols = textsAt(spec, 'scrapeProtocols')
  if (protocols.length > 0) out.scrape_protocols = protocols
  // A quantity of Kubernetes: text or number.
  const factor = at(spec, 'nativeHistogramMinBucketFactor')
  if (factor !== undefined && Number.isFinite(Number(factor)))
    out.native_histogram_min_bucket_factor = Number(factor)
  return out
}
