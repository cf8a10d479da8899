// Checks of service discoveries that this server does not have: what they require, so that a check of a file finds
// what the server it is meant for would refuse. Fields that are not named here are taken as they are.
import { parse, stringify } from 'yaml'
import { quoteString } from '@watchfire/datamodel'
import { ValueError } from '../../config/errors.ts'
import { struct } from '../../config/schema.ts'
import { checkHttpClient, httpClientFields } from '../../config/sections/http-client.ts'
import { YamlDocument } from '../../config/yaml-document.ts'

type Entry = Readonly<Record<string, unknown>>
/** What is wrong with an entry, undefined when nothing is. */
type Check = (entry: Entry) => string | undefined

const httpSchema = struct('config.HTTPClientConfig', httpClientFields(), { check: checkHttpClient })
const HTTP_FIELDS = Object.keys(httpClientFields())

/** Throws an Error for the first entry of a configuration that cannot be used. Text that is no YAML passes. */
export function checkOtherDiscoveries(source: string, path: string): void {
  let root: Entry | null
  try {
    root = parse(source, {
      version: '1.1',
      logLevel: 'silent',
      uniqueKeys: false,
      merge: true,
    }) as Entry | null
  } catch {
    return
  }
  const alerting = root?.alerting as Entry | null | undefined
  for (const holder of [...entries(root?.scrape_configs), ...entries(alerting?.alertmanagers)])
    for (const [name, check] of Object.entries(CHECKS))
      for (const entry of entries(holder[`${name}_sd_configs`])) {
        const fault = check(entry) ?? (WITHOUT_HTTP.has(name) ? undefined : httpFault(entry))
        if (fault !== undefined) throw new Error(`parsing YAML file ${path}: ${fault}`)
      }
}

function entries(value: unknown): Entry[] {
  return Array.isArray(value)
    ? value.filter((item): item is Entry => typeof item === 'object' && item !== null)
    : []
}

/** The first fault of the block of the HTTP client. */
function httpFault(entry: Entry): string | undefined {
  const own = Object.fromEntries(Object.entries(entry).filter(([name]) => HTTP_FIELDS.includes(name)))
  try {
    const document = new YamlDocument(stringify(own))
    const node = document.resolve(document.root)
    if (node !== null) httpSchema.decode(node, document)
    return document.problems[0]?.text
  } catch (error) {
    if (error instanceof ValueError) return error.message
    throw error
  }
}

/** The text of a field, '' when it is not there. */
function text(entry: Entry, name: string): string {
  const value = entry[name]
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : ''
}

function first(...checks: readonly Check[]): Check {
  return (entry) => {
    for (const check of checks) {
      const fault = check(entry)
      if (fault !== undefined) return fault
    }
    return undefined
  }
}

/** A field must not be empty. */
function required(name: string, message: string): Check {
  return (entry) => (text(entry, name) === '' ? message : undefined)
}

/** A field must be one of some words. */
function oneOf(
  name: string,
  words: readonly string[],
  message: (value: string) => string,
  fallback = '',
): Check {
  return (entry) => {
    const value = text(entry, name) || fallback
    return words.includes(value) ? undefined : message(value)
  }
}

/** A role that is given must be known, and one must be given. */
function role(words: string, unknown: (value: string) => string, missing: string): Check {
  const known = words.split(' ')
  return (entry) => {
    const value = text(entry, 'role')
    if (value === '') return missing
    return known.includes(value) ? undefined : unknown(value)
  }
}

/** Exactly one of `secret_key` and `secret_key_file`. */
const oneSecretKey: Check = (entry) => {
  const given = [text(entry, 'secret_key'), text(entry, 'secret_key_file')].filter((value) => value !== '')
  if (given.length === 0) return 'one of secret_key & secret_key_file must be configured'
  return given.length > 1 ? 'at most one of secret_key & secret_key_file must be configured' : undefined
}

function hasSchemeAndHost(value: string): boolean {
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?#]+/.test(value)
}

const marathonAuth: Check = (entry) => {
  const [token, file] = [text(entry, 'auth_token'), text(entry, 'auth_token_file')]
  const atMostOne = (what: string) => `marathon_sd: at most one of ${what} must be configured`
  if (token !== '' && file !== '') return atMostOne('auth_token & auth_token_file')
  if (token === '' && file === '') return undefined
  if (entry.basic_auth) return atMostOne('basic_auth, auth_token & auth_token_file')
  if (text(entry, 'bearer_token') || text(entry, 'bearer_token_file'))
    return atMostOne('bearer_token, bearer_token_file, auth_token & auth_token_file')
  return entry.authorization ? atMostOne('auth_token, auth_token_file & authorization') : undefined
}

/** Servers and absolute paths of a Zookeeper tree. */
function zookeeper(kind: string): Check {
  return (entry) => {
    const list = (name: string) => (Array.isArray(entry[name]) ? (entry[name] as unknown[]).map(String) : [])
    if (list('servers').length === 0) return `${kind} SD config must contain at least one Zookeeper server`
    if (list('paths').length === 0) return `${kind} SD config must contain at least one path`
    const relative = list('paths').find((path) => !path.startsWith('/'))
    return relative === undefined ? undefined : `${kind} SD config paths must begin with '/': ${relative}`
  }
}

const AZURE_METHODS = ['OAuth', 'ManagedIdentity', 'SDK', 'WorkloadIdentity']

const azure: Check = (entry) => {
  const method = text(entry, 'authentication_method') || 'OAuth'
  const names = [
    'subscription_id',
    ...(method === 'OAuth' ? ['tenant_id', 'client_id', 'client_secret'] : []),
  ]
  const missing = names.find((name) => text(entry, name) === '')
  if (missing !== undefined) return `azure SD configuration requires a ${missing}`
  if (AZURE_METHODS.includes(method)) return undefined
  const [oauth, managed, sdk, workload] = AZURE_METHODS.map(quoteString)
  return `unknown authentication_type ${quoteString(method)}. Supported types are ${oauth}, ${managed}, ${sdk} or ${workload}`
}

const ec2Filters: Check = (entry) =>
  entries(entry.filters).some(({ values }) => !Array.isArray(values) || values.length === 0)
    ? 'EC2 SD configuration filter values cannot be empty'
    : undefined

const none: Check = () => undefined

/** Discoveries whose block of the HTTP client is not checked, or that have none. */
const WITHOUT_HTTP = new Set(['gce', 'openstack', 'ovhcloud', 'serverset', 'nerve', 'triton', 'oci', 'aws'])

const CHECKS: Readonly<Record<string, Check>> = {
  aws: oneOf(
    'role',
    ['ec2', 'ecs', 'elasticache', 'lightsail', 'msk', 'rds'],
    (value) => `unknown AWS SD role ${quoteString(value)}`,
  ),
  azure,
  digitalocean: oneOf(
    'role',
    ['droplets', 'databases'],
    (value) => `unknown DigitalOcean SD role ${quoteString(value)}`,
    'droplets',
  ),
  dockerswarm: first(
    required('host', 'host missing'),
    role(
      'services nodes tasks',
      (value) => `invalid role ${value}, expected tasks, services, or nodes`,
      'role missing (one of: tasks, services, nodes)',
    ),
  ),
  ec2: ec2Filters,
  ecs: none,
  elasticache: none,
  eureka: first(required('server', 'eureka_sd: empty or null eureka server'), (entry) =>
    hasSchemeAndHost(text(entry, 'server')) ? undefined : 'eureka_sd: invalid eureka server URL',
  ),
  gce: first(
    required('project', 'GCE SD configuration requires a project'),
    required('zone', 'GCE SD configuration requires a zone'),
  ),
  hetzner: role(
    'robot hcloud',
    (value) => `unknown role ${quoteString(value)}`,
    'role missing (one of: robot, hcloud)',
  ),
  ionos: required('datacenter_id', "datacenter id can't be empty"),
  kuma: (entry) => {
    const server = text(entry, 'server')
    if (server === '') return 'kuma SD server must not be empty: '
    return hasSchemeAndHost(server)
      ? undefined
      : `kuma SD server must not be empty and have a scheme: ${server}`
  },
  lightsail: none,
  linode: none,
  marathon: first(
    (entry) =>
      Array.isArray(entry.servers) && entry.servers.length > 0
        ? undefined
        : 'marathon_sd: must contain at least one Marathon server',
    marathonAuth,
  ),
  msk: none,
  nerve: zookeeper('nerve'),
  nomad: (entry) =>
    'server' in entry && text(entry, 'server').trim() === ''
      ? 'nomad SD configuration requires a server address'
      : undefined,
  openstack: first(
    (entry) =>
      ['', 'hypervisor', 'instance', 'loadbalancer'].includes(text(entry, 'role'))
        ? undefined
        : `unknown OpenStack SD role ${quoteString(text(entry, 'role'))}`,
    oneOf(
      'availability',
      ['public', 'internal', 'admin'],
      (value) => `unknown availability ${value}, must be one of admin, internal or public`,
      'public',
    ),
    required('role', 'role missing (one of: instance, hypervisor, loadbalancer)'),
    required('region', 'openstack SD configuration requires a region'),
  ),
  outscale: first(
    required('region', 'outscale SD configuration requires a region'),
    required('access_key', 'outscale SD configuration requires access_key'),
    oneSecretKey,
  ),
  ovhcloud: first(
    (entry) =>
      'endpoint' in entry && text(entry, 'endpoint') === '' ? 'endpoint can not be empty' : undefined,
    required('application_key', 'application key can not be empty'),
    required('application_secret', 'application secret can not be empty'),
    required('consumer_key', 'consumer key can not be empty'),
    oneOf('service', ['dedicated_server', 'vps'], (value) => `unknown service: ${value}`),
  ),
  puppetdb: first(
    required('url', 'URL is missing'),
    (entry) => {
      const url = text(entry, 'url')
      if (!/^https?:/.test(url)) return "URL scheme must be 'http' or 'https'"
      return hasSchemeAndHost(url) ? undefined : 'host is missing in URL'
    },
    required('query', 'query missing'),
  ),
  rds: none,
  scaleway: first(
    role(
      'instance baremetal',
      (value) => `unknown role ${quoteString(value)}`,
      'role missing (one of: instance, baremetal)',
    ),
    required('project_id', 'project_id is mandatory'),
    oneSecretKey,
    required('access_key', 'access_key is mandatory'),
  ),
  serverset: zookeeper('serverset'),
  stackit: (entry) => {
    const endpoint = text(entry, 'endpoint')
    if ('region' in entry && endpoint === '' && text(entry, 'region') === '')
      return 'stackit_sd: endpoint and region missing'
    return /^[^a-zA-Z/?#.]*:/.test(endpoint)
      ? `stackit_sd: invalid endpoint ${quoteString(endpoint)}: parse ${quoteString(endpoint)}: missing protocol scheme`
      : undefined
  },
  triton: first(
    oneOf(
      'role',
      ['container', 'cn'],
      () => "triton SD configuration requires role to be 'container' or 'cn'",
      'container',
    ),
    required('account', 'triton SD configuration requires an account'),
    required('dns_suffix', 'triton SD configuration requires a dns_suffix'),
    required('endpoint', 'triton SD configuration requires an endpoint'),
  ),
  uyuni: first(
    required('server', 'Uyuni SD configuration requires server host'),
    required('username', 'Uyuni SD configuration requires a username'),
    required('password', 'Uyuni SD configuration requires a password'),
  ),
  vultr: none,
}
