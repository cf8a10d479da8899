// kubernetes_sd_configs: targets from the objects of a cluster.
import type { KubernetesAccess, KubernetesRole, KubernetesSdConfig } from '../types.ts'
import {
  bool,
  field,
  list,
  parsed,
  struct,
  text,
  url,
  type Schema,
  type StructOf,
  type StructPlaces,
  type ValueOf,
} from '../schema.ts'
import {
  checkHttpClient,
  httpClientConfig,
  httpClientFields,
  joinDir,
  resolveHttpClient,
} from './http-client.ts'
import { checkFieldSelector, checkLabelSelector } from './selector-syntax.ts'

const ROLES: readonly string[] = ['pod', 'service', 'endpoints', 'endpointslice', 'node', 'ingress']

const role: Schema<string> = parsed(
  'kubernetes.Role',
  '',
  (value) => {
    if (!ROLES.includes(value)) throw new Error(`unknown Kubernetes SD role ${JSON.stringify(value)}`)
    return value
  },
  (value) => (value === '' ? undefined : value),
)

/** A struct that is left out when all its fields are empty. */
function omitEmpty<T>(schema: Schema<T>): Schema<T> {
  const empty = JSON.stringify(schema.zero)
  return {
    ...schema,
    encode: (value) => (JSON.stringify(value) === empty ? undefined : schema.encode(value)),
  }
}

export const namespaces = omitEmpty(
  struct('kubernetes.plain', {
    own_namespace: field(bool, { always: true }),
    names: field(list(text()), { always: true }),
  }),
)

const selector = struct('kubernetes.SelectorConfig', {
  role: field(role),
  label: field(text()),
  field: field(text()),
})

const attachMetadata = omitEmpty(
  struct('kubernetes.AttachMetadataConfig', {
    node: field(bool, { always: true }),
    namespace: field(bool, { always: true }),
    deployment: field(bool, { always: true }),
    job: field(bool, { always: true }),
    cronjob: field(bool, { always: true }),
  }),
)

/** How the API server is reached; laid into the struct that uses it. */
export const accessFields = {
  api_server: field(url),
  kubeconfig_file: field(text(), { always: true }),
  ...httpClientFields(),
}
const accessShape = struct('kubernetes.plain', accessFields)
type AccessRaw = StructOf<typeof accessFields>

const HTTP_NAMES = Object.keys(httpClientFields()) as (keyof ReturnType<typeof httpClientFields>)[]

function hasHttpOptions(raw: AccessRaw): boolean {
  const of = (value: AccessRaw) => JSON.stringify(HTTP_NAMES.map((name) => value[name] ?? null))
  return of(raw) !== of(accessShape.defaults)
}

/** Conflicts between the ways to the API server. */
export function checkAccess(raw: AccessRaw, ownNamespace: boolean, places: StructPlaces): void {
  checkHttpClient(raw, places)
  const { api_server: server, kubeconfig_file: kubeconfig } = raw
  if (server !== '' && kubeconfig !== '')
    places.fail('kubeconfig_file', "cannot use 'kubeconfig_file' and 'api_server' simultaneously")
  const options = hasHttpOptions(raw)
  if (kubeconfig !== '' && options)
    places.fail(
      'kubeconfig_file',
      "cannot use a custom HTTP client configuration together with 'kubeconfig_file'",
    )
  if (server === '' && options)
    places.fail(
      'api_server',
      "to use custom HTTP client configuration please provide the 'api_server' URL explicitly",
    )
  if (server !== '' && !/^https?:\/\//i.test(server))
    places.fail(
      'api_server',
      `the 'api_server' URL must begin with http:// or https://, got ${JSON.stringify(server)}`,
    )
  if (server !== '' && ownNamespace)
    places.fail('namespaces', "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously")
  if (kubeconfig !== '' && ownNamespace)
    places.fail('namespaces', "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously")
}

const ALLOWED_SELECTORS: Readonly<Record<string, readonly string[]>> = {
  pod: ['pod', 'node'],
  service: ['service'],
  endpointslice: ['pod', 'service', 'endpointslice'],
  endpoints: ['pod', 'service', 'endpoints'],
  node: ['node'],
  ingress: ['ingress'],
}

export const kubernetesSd = struct(
  'kubernetes.plain',
  {
    api_server: accessFields.api_server,
    role: field(role, { always: true }),
    kubeconfig_file: accessFields.kubeconfig_file,
    ...httpClientFields(),
    namespaces: field(namespaces),
    selectors: field(list(selector)),
    attach_metadata: field(attachMetadata),
  },
  {
    check(value, places) {
      if (value.role === '')
        places.fail('role', 'role missing (one of: pod, service, endpoints, endpointslice, node, ingress)')
      checkAccess(value, value.namespaces.own_namespace, places)
      const allowed = ALLOWED_SELECTORS[value.role]!
      const found = new Set<string>()
      for (const item of value.selectors) {
        if (found.has(item.role)) places.fail('selectors', `duplicated selector role: ${item.role}`)
        found.add(item.role)
        if (!allowed.includes(item.role))
          places.fail('selectors', `${value.role} role supports only ${allowed.join(', ')} selectors`)
        try {
          checkFieldSelector(item.field)
          checkLabelSelector(item.label)
        } catch (error) {
          places.fail('selectors', (error as Error).message)
        }
      }
    },
  },
)

export type KubernetesSdRaw = ValueOf<typeof kubernetesSd>

export function resolveAccess<T extends AccessRaw>(raw: T, dir: string): T {
  return { ...resolveHttpClient(raw, dir), kubeconfig_file: joinDir(dir, raw.kubeconfig_file) }
}

export function accessConfig(raw: AccessRaw): KubernetesAccess {
  return {
    ...(raw.api_server !== '' && { apiServer: raw.api_server }),
    ...(raw.kubeconfig_file !== '' && { kubeconfigFile: raw.kubeconfig_file }),
    http: httpClientConfig(raw),
  }
}

export function kubernetesSdConfig(raw: KubernetesSdRaw): KubernetesSdConfig {
  return {
    ...accessConfig(raw),
    role: raw.role as KubernetesRole,
    namespaces: raw.namespaces.names,
    ownNamespace: raw.namespaces.own_namespace,
    selectors: raw.selectors.map((item) => ({ ...item, role: item.role as KubernetesRole })),
    attach: {
      node: raw.attach_metadata.node,
      namespace: raw.attach_metadata.namespace,
      deployment: raw.attach_metadata.deployment,
      job: raw.attach_metadata.job,
      cronJob: raw.attach_metadata.cronjob,
    },
  }
}
