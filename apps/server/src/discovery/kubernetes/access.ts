// Where the API server is and how we show who we are: given by the configuration, by a kubeconfig file, or by the
// service account that Kubernetes lays into the pod.
import { readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { parse } from 'yaml'
import type { HttpClientConfig, KubernetesAccess } from '../../config/index.ts'
import { listAt, objectOf, childOf, optionalTextAt, at, type JsonObject } from '../untrusted.ts'

export const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount'
/** Largest kubeconfig, in bytes. */
const KUBECONFIG_BYTES_MAX = 4 * 1024 * 1024

export interface KubeServer {
  /** Without a slash at the end. */
  readonly url: string
  readonly http: HttpClientConfig
}

export interface ClusterSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly serviceAccountDir: string
}

export const OWN_SURROUNDINGS: ClusterSurroundings = {
  environment: process.env,
  serviceAccountDir: SERVICE_ACCOUNT_DIR,
}

/** Throws when the way to the server is not complete. */
export function resolveAccess(access: KubernetesAccess, around = OWN_SURROUNDINGS): KubeServer {
  if (access.kubeconfigFile !== undefined) return kubeconfigServer(access.kubeconfigFile)
  if (access.apiServer !== undefined) return { url: trimSlash(access.apiServer), http: access.http }
  return inClusterServer(around)
}

/** The namespace of the pod we run in. Throws outside of a cluster. */
export function ownNamespace({ serviceAccountDir }: ClusterSurroundings = OWN_SURROUNDINGS): string {
  let name: string
  try {
    name = readFileSync(join(serviceAccountDir, 'namespace'), 'utf8').trim()
  } catch (cause) {
    throw new Error(`could not determine the pod's namespace: ${(cause as Error).message}`, { cause })
  }
  if (name === '') throw new Error('could not read own namespace name (empty file)')
  return name
}

function inClusterServer({ environment, serviceAccountDir }: ClusterSurroundings): KubeServer {
  const host = environment.KUBERNETES_SERVICE_HOST
  const port = environment.KUBERNETES_SERVICE_PORT
  if (!host || !port)
    throw new Error(
      'unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined',
    )
  const token = join(serviceAccountDir, 'token')
  // The file itself is read for every request: Kubernetes replaces the token every hour.
  statSync(token)
  return {
    url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    http: {
      authorization: { type: 'Bearer', credentialsFile: token },
      tls: { caFile: join(serviceAccountDir, 'ca.crt'), insecureSkipVerify: false },
      followRedirects: true,
    },
  }
}

function kubeconfigServer(path: string): KubeServer {
  const fail = (what: string): never => {
    throw new Error(`kubeconfig ${path}: ${what}`)
  }
  const root = readKubeconfig(path, fail)
  const named = (list: string, name: string, field: string): JsonObject =>
    childOf(
      listAt(root, list).find((item) => at(item, 'name') === name),
      field,
    ) ?? fail(`${field} ${JSON.stringify(name)} does not exist`)
  const current = optionalTextAt(root, 'current-context') || fail('current-context is not set')
  const context = named('contexts', current, 'context')
  const cluster = named('clusters', optionalTextAt(context, 'cluster') ?? '', 'cluster')
  const userName = optionalTextAt(context, 'user') ?? ''
  const user = userName === '' ? objectOf(undefined) : named('users', userName, 'user')
  refuse(cluster, user, fail)
  const server = optionalTextAt(cluster, 'server') ?? ''
  if (!/^https?:\/\//.test(server) || !URL.canParse(server))
    fail(`server ${JSON.stringify(server)} is no URL`)
  return { url: trimSlash(server), http: kubeconfigHttp(cluster, user, dirname(path)) }
}

function readKubeconfig(path: string, fail: (what: string) => never): unknown {
  try {
    if (statSync(path).size > KUBECONFIG_BYTES_MAX) fail(`larger than ${KUBECONFIG_BYTES_MAX} bytes`)
    return parse(readFileSync(path, 'utf8'), { maxAliasCount: 0, logLevel: 'silent' })
  } catch (error) {
    return fail((error as Error).message)
  }
}

function refuse(cluster: JsonObject, user: JsonObject, fail: (what: string) => never): void {
  const given = (object: JsonObject, field: string) =>
    at(object, field) !== undefined && at(object, field) !== null
  if (given(user, 'exec'))
    fail(
      'users with "exec" are not supported: programs are not run to get credentials; use a token or certificates',
    )
  if (given(user, 'auth-provider')) fail('users with "auth-provider" are not supported')
  if (given(user, 'as') || given(user, 'as-uid') || given(user, 'as-groups'))
    fail('impersonation ("as") is not supported')
  if (given(cluster, 'proxy-url')) fail('"proxy-url" is not supported')
}

function kubeconfigHttp(cluster: JsonObject, user: JsonObject, dir: string): HttpClientConfig {
  /** The field ending in -data wins over the file, as kubectl does it. */
  const pem = (object: JsonObject, name: string, text: string, file: string) => {
    const data = optionalTextAt(object, `${name}-data`)
    if (data) return { [text]: Buffer.from(data, 'base64').toString('utf8') }
    const path = optionalTextAt(object, name)
    return path ? { [file]: isAbsolute(path) ? path : join(dir, path) } : {}
  }
  const serverName = optionalTextAt(cluster, 'tls-server-name')
  const token = optionalTextAt(user, 'token')
  const tokenFile = optionalTextAt(user, 'tokenFile')
  const username = optionalTextAt(user, 'username')
  return {
    followRedirects: true,
    tls: {
      insecureSkipVerify: at(cluster, 'insecure-skip-tls-verify') === true,
      ...(serverName && { serverName }),
      ...pem(cluster, 'certificate-authority', 'ca', 'caFile'),
      ...pem(user, 'client-certificate', 'cert', 'certFile'),
      ...pem(user, 'client-key', 'key', 'keyFile'),
    },
    ...(username
      ? { basicAuth: { username, password: optionalTextAt(user, 'password') ?? '' } }
      : (token || tokenFile) && {
          authorization: {
            type: 'Bearer',
            ...(tokenFile
              ? { credentialsFile: isAbsolute(tokenFile) ? tokenFile : join(dir, tokenFile) }
              : { credentials: token! }),
          },
        }),
  }
}

function trimSlash(url: string): string {
  return url.replace(/\/+$/, '')
}
