// The `alerting` section: Alertmanagers and what is relabelled on the way to them.
import type { AlertmanagerConfig } from '../types.ts'
import {
  duration,
  field,
  list,
  optional,
  parsed,
  secret,
  struct,
  text,
  bool,
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
import { checkHttpClient, httpClientConfig, httpClientFields, resolveHttpClient } from './http-client.ts'
import { checkRelabel, relabel, relabelConfig, type ValidationScheme } from './relabel.ts'

const apiVersion: Schema<string> = parsed(
  'string',
  '',
  (value) => {
    if (value !== 'v2')
      throw new Error(`expected Alertmanager api version to be one of [v2] but got ${value}`)
    return value
  },
  (value) => value,
)

/** Signing for AWS endpoints. */
export const sigv4 = struct('sigv4.plain', {
  region: field(text()),
  access_key: field(text()),
  secret_key: field(secret),
  profile: field(text()),
  role_arn: field(text()),
  external_id: field(text()),
  use_fips_sts_endpoint: field(bool),
})

const alertmanager = struct(
  'config.AlertmanagerConfig',
  {
    ...httpClientFields(),
    sigv4: field(optional(sigv4), { unsupported: true }),
    scheme: field(text(), { default: 'http' }),
    path_prefix: field(text()),
    timeout: field(duration, { default: 10_000 }),
    api_version: field(apiVersion, { default: 'v2', always: true }),
    relabel_configs: field(list(relabel, { nullItem: 'empty or null Alertmanager target relabeling rule' })),
    alert_relabel_configs: field(
      list(relabel, { nullItem: 'empty or null Alertmanager alert relabeling rule' }),
    ),
    ...discoveryFields,
  },
  {
    refused: isOtherDiscovery,
    check(value, places) {
      checkHttpClient(value, places)
      if ((value.basic_auth || value.authorization || value.oauth2) && value.sigv4)
        places.fail('sigv4', 'at most one of basic_auth, authorization, oauth2, & sigv4 must be configured')
      if (value.relabel_configs.length > 0) return
      const fault = staticTargetFault(value)
      if (fault) places.fail('static_configs', fault)
    },
  },
)

export const alertingSection = struct('config.plain', {
  alert_relabel_configs: field(list(relabel, { nullItem: 'empty or null alert relabeling rule' })),
  alertmanagers: field(list(alertmanager)),
})

export type AlertingRaw = ValueOf<typeof alertingSection>

/** Checks that depend on the global section. Throws `ValueError`. */
export function checkAlerting(raw: AlertingRaw, scheme: ValidationScheme): void {
  const rules = [
    ...raw.alert_relabel_configs,
    ...raw.alertmanagers.flatMap((am) => [...am.alert_relabel_configs, ...am.relabel_configs]),
  ]
  for (const rule of rules) checkRelabel(rule, scheme)
}

export function resolveAlerting(raw: AlertingRaw, dir: string): AlertingRaw {
  return {
    ...raw,
    alertmanagers: raw.alertmanagers.map((am) => resolveDiscovery(resolveHttpClient(am, dir), dir)),
  }
}

export function alertmanagerConfigs(raw: AlertingRaw): AlertmanagerConfig[] {
  return raw.alertmanagers.map((am) => ({
    scheme: am.scheme as AlertmanagerConfig['scheme'],
    pathPrefix: am.path_prefix,
    timeoutMs: am.timeout,
    apiVersion: 'v2',
    http: httpClientConfig(am),
    discovery: discoveryConfig(am),
    relabelConfigs: am.relabel_configs.map(relabelConfig),
    alertRelabelConfigs: am.alert_relabel_configs.map(relabelConfig),
  }))
}
