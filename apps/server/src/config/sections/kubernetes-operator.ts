// kubernetes_operator: which ServiceMonitor and PodMonitor objects of a cluster become scrape configs. Not a section
// of Prometheus's; it takes the place of the operator that writes the configuration of a Prometheus.
import type { KubernetesOperatorConfig, LabelSelector } from '../types.ts'
import {
  bool,
  field,
  list,
  mapOf,
  optional,
  parsed,
  struct,
  text,
  type Schema,
  type ValueOf,
} from '../schema.ts'
import { accessConfig, accessFields, checkAccess } from './sd-kubernetes.ts'

const OPERATORS: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist']

const operator: Schema<string> = parsed(
  'string',
  '',
  (value) => {
    if (!OPERATORS.includes(value))
      throw new Error(`unknown operator ${JSON.stringify(value)}, expected one of ${OPERATORS.join(', ')}`)
    return value
  },
  (value) => (value === '' ? undefined : value),
)

const requirement = struct(
  'kubernetes_operator.LabelSelectorRequirement',
  {
    key: field(text(), { always: true }),
    operator: field(operator, { always: true }),
    values: field(list(text())),
  },
  {
    check(value, places) {
      if (value.key === '') places.fail('key', 'a requirement of a selector needs a key')
      if (value.operator === '') places.fail('operator', 'a requirement of a selector needs an operator')
      const needsValues = value.operator === 'In' || value.operator === 'NotIn'
      if (needsValues !== value.values.length > 0)
        places.fail(
          'values',
          needsValues
            ? `operator ${value.operator} needs values`
            : `operator ${value.operator} must not have values`,
        )
    },
  },
)

const selector = struct('kubernetes_operator.LabelSelector', {
  match_labels: field(mapOf(text())),
  match_expressions: field(list(requirement, { nullItem: 'empty or null requirement in a selector' })),
})

const role: Schema<string> = parsed(
  'string',
  '',
  (value) => {
    if (value !== 'endpoints' && value !== 'endpointslice')
      throw new Error(`unknown role ${JSON.stringify(value)}, expected endpoints or endpointslice`)
    return value
  },
  (value) => (value === '' ? undefined : value),
)

export const operatorSection = struct(
  'kubernetes_operator.plain',
  {
    ...accessFields,
    namespace: field(text()),
    service_monitor_selector: field(optional(selector)),
    service_monitor_namespace_selector: field(optional(selector)),
    pod_monitor_selector: field(optional(selector)),
    pod_monitor_namespace_selector: field(optional(selector)),
    service_discovery_role: field(role, { default: 'endpoints' }),
    allow_arbitrary_files: field(bool),
  },
  {
    check(value, places) {
      checkAccess(value, false, places)
      if (!value.service_monitor_selector && !value.pod_monitor_selector)
        places.fail(
          'service_monitor_selector',
          'at least one of service_monitor_selector & pod_monitor_selector must be configured ({} selects all)',
        )
    },
  },
)

export type OperatorRaw = ValueOf<typeof operatorSection>

function selectorConfig(raw: ValueOf<typeof selector> | undefined): LabelSelector | undefined {
  return (
    raw && {
      matchLabels: raw.match_labels,
      matchExpressions: raw.match_expressions.map((item) => ({
        key: item.key,
        operator: item.operator as LabelSelector['matchExpressions'][number]['operator'],
        values: item.values,
      })),
    }
  )
}

/** Call it on a resolved section. */
export function operatorConfig(raw: OperatorRaw): KubernetesOperatorConfig {
  return {
    access: accessConfig(raw),
    namespace: raw.namespace,
    serviceMonitors: selectorConfig(raw.service_monitor_selector),
    serviceMonitorNamespaces: selectorConfig(raw.service_monitor_namespace_selector),
    podMonitors: selectorConfig(raw.pod_monitor_selector),
    podMonitorNamespaces: selectorConfig(raw.pod_monitor_namespace_selector),
    role: raw.service_discovery_role === 'endpointslice' ? 'endpointslice' : 'endpoints',
    allowArbitraryFiles: raw.allow_arbitrary_files,
  }
}
