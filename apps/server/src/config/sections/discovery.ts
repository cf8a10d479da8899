// Service discovery blocks: those that this server has; the others are recognised by name and refused.
import type { DiscoveryConfig } from '../types.ts'
import { ValueError } from '../errors.ts'
import { duration, field, list, mapOf, struct, text, type Schema, type StructOf } from '../schema.ts'
import { isValidLabelName } from './relabel.ts'
import { joinDir } from './http-client.ts'
import { consulSd, consulSdConfig, resolveConsulSd } from './sd-consul.ts'
import { dnsSd, dnsSdConfig } from './sd-dns.ts'
import { dockerSd, dockerSdConfig, resolveDockerSd } from './sd-docker.ts'
import { httpSd, httpSdConfig, resolveHttpSd } from './sd-http.ts'
import { kubernetesSd, kubernetesSdConfig, resolveAccess } from './sd-kubernetes.ts'

const labelSet = mapOf(text(), 'map[model.LabelName]model.LabelValue')

/** A label set whose names are checked. */
export const checkedLabels: Schema<Readonly<Record<string, string>>> = {
  ...labelSet,
  decode(node, document) {
    const value = labelSet.decode(node, document)
    for (const name of Object.keys(value))
      if (!isValidLabelName(name, 'utf8'))
        throw new ValueError(`${JSON.stringify(name)} is not a valid label name`, document.place(node))
    return value
  },
}

const staticConfig = struct(
  'struct { Targets []string "yaml:\\"targets\\""; Labels model.LabelSet "yaml:\\"labels\\"" }',
  {
    targets: field(list(text()), { always: true }),
    labels: field(checkedLabels),
  },
)

const FILE_NAME = /^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$/

const fileSd = struct(
  'file.plain',
  {
    files: field(list(text()), { always: true }),
    refresh_interval: field(duration, { default: 300_000 }),
  },
  {
    check(value, places) {
      if (value.files.length === 0)
        places.fail('files', 'file service discovery config must contain at least one path name')
      for (const name of value.files)
        if (!FILE_NAME.test(name))
          places.fail('files', `path name ${JSON.stringify(name)} is not valid for file discovery`)
    },
  },
)

const listOf = <T>(schema: Schema<T>, name: string) =>
  field(list(schema, { nullItem: `empty or null section in ${name}` }))

/** Fields that are laid into the struct that uses them. */
export const discoveryFields = {
  static_configs: listOf(staticConfig, 'static_configs'),
  file_sd_configs: listOf(fileSd, 'file_sd_configs'),
  http_sd_configs: listOf(httpSd, 'http_sd_configs'),
  dns_sd_configs: listOf(dnsSd, 'dns_sd_configs'),
  kubernetes_sd_configs: listOf(kubernetesSd, 'kubernetes_sd_configs'),
  consul_sd_configs: listOf(consulSd, 'consul_sd_configs'),
  docker_sd_configs: listOf(dockerSd, 'docker_sd_configs'),
}

export type DiscoveryRaw = StructOf<typeof discoveryFields>

/** The discoveries of Prometheus that this server does not have. */
export const OTHER_DISCOVERIES: readonly string[] = (
  'aws azure digitalocean dockerswarm ec2 ecs elasticache eureka gce hetzner ionos ' +
  'kuma lightsail linode marathon msk nerve nomad oci openstack outscale ovhcloud puppetdb rds ' +
  'scaleway serverset stackit triton uyuni vultr'
).split(' ')

const OTHER_FIELDS = new Set(OTHER_DISCOVERIES.map((name) => `${name}_sd_configs`))

/** True for a field that belongs to a discovery we recognise but do not have. */
export function isOtherDiscovery(name: string): boolean {
  return OTHER_FIELDS.has(name)
}

/** Refuses targets with a path; relabelling may still repair them, so it is asked only without any. */
export function staticTargetFault(raw: DiscoveryRaw): string | undefined {
  for (const group of raw.static_configs)
    for (const target of group.targets)
      if (target.includes('/')) return `${JSON.stringify(target)} is not a valid hostname`
  return undefined
}

export function resolveDiscovery<T extends DiscoveryRaw>(raw: T, dir: string): T {
  return {
    ...raw,
    file_sd_configs: raw.file_sd_configs.map((config) => ({
      ...config,
      files: config.files.map((file) => joinDir(dir, file)),
    })),
    http_sd_configs: raw.http_sd_configs.map((config) => resolveHttpSd(config, dir)),
    kubernetes_sd_configs: raw.kubernetes_sd_configs.map((config) => resolveAccess(config, dir)),
    consul_sd_configs: raw.consul_sd_configs.map((config) => resolveConsulSd(config, dir)),
    docker_sd_configs: raw.docker_sd_configs.map((config) => resolveDockerSd(config, dir)),
  }
}

export function discoveryConfig(raw: DiscoveryRaw): DiscoveryConfig {
  return {
    staticConfigs: raw.static_configs.map(({ targets, labels }) => ({ targets, labels })),
    fileSdConfigs: raw.file_sd_configs.map(({ files, refresh_interval }) => ({
      files,
      refreshIntervalMs: refresh_interval,
    })),
    httpSdConfigs: raw.http_sd_configs.map(httpSdConfig),
    dnsSdConfigs: raw.dns_sd_configs.map(dnsSdConfig),
    kubernetesSdConfigs: raw.kubernetes_sd_configs.map(kubernetesSdConfig),
    consulSdConfigs: raw.consul_sd_configs.map(consulSdConfig),
    dockerSdConfigs: raw.docker_sd_configs.map(dockerSdConfig),
  }
}
