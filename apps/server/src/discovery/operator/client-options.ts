// The HTTP client block of a monitor's endpoint, with secrets read from the cluster.
import { at, childOf, optionalBoolAt, textAt, type JsonObject } from '../untrusted.ts'
import type { SecretReader } from './secret-reader.ts'

export interface ClientOptionsContext {
  readonly namespace: string
  readonly secrets: SecretReader
  readonly allowFiles: boolean
}

type Block = Record<string, unknown>

/** Fields of a scrape config. Throws for what cannot be honoured. */
export async function clientOptions(endpoint: JsonObject, context: ClientOptionsContext): Promise<Block> {
  const block: Block = {}
  const { secrets, namespace } = context
  for (const name of ['oauth2', 'proxyUrl', 'noProxy', 'proxyFromEnvironment', 'proxyConnectHeader']) {
    const value = at(endpoint, name)
    if (value !== undefined && value !== null && value !== '' && value !== false)
      throw new Error(`${name} is not supported yet`)
  }
  const follow = optionalBoolAt(endpoint, 'followRedirects')
  if (follow !== undefined) block.follow_redirects = follow
  const http2 = optionalBoolAt(endpoint, 'enableHttp2') ?? optionalBoolAt(endpoint, 'enableHTTP2')
  if (http2 !== undefined) block.enable_http2 = http2
  const basic = childOf(endpoint, 'basicAuth')
  if (basic)
    block.basic_auth = {
      username: (await secrets.read('secret', namespace, at(basic, 'username'))) ?? '',
      password: (await secrets.read('secret', namespace, at(basic, 'password'))) ?? '',
    }
  const authorization = childOf(endpoint, 'authorization')
  if (authorization)
    block.authorization = {
      type: textAt(authorization, 'type') || 'Bearer',
      credentials: (await secrets.read('secret', namespace, at(authorization, 'credentials'))) ?? '',
    }
  const token = await secrets.read('secret', namespace, at(endpoint, 'bearerTokenSecret'))
  if (token !== undefined) block.bearer_token = token.trim()
  const tokenFile = fileAt(endpoint, 'bearerTokenFile', context)
  if (tokenFile !== undefined) block.bearer_token_file = tokenFile
  const tls = childOf(endpoint, 'tlsConfig')
  if (tls) block.tls_config = await tlsOptions(tls, context)
  return block
}

async function tlsOptions(tls: JsonObject, context: ClientOptionsContext): Promise<Block> {
  const { secrets, namespace } = context
  const either = async (field: string) => {
    const source = childOf(tls, field)
    return (
      (await secrets.read('secret', namespace, at(source, 'secret'))) ??
      (await secrets.read('configMap', namespace, at(source, 'configMap')))
    )
  }
  const serverName = textAt(tls, 'serverName')
  const minVersion = textAt(tls, 'minVersion')
  const maxVersion = textAt(tls, 'maxVersion')
  return withoutEmpty({
    ca: await either('ca'),
    cert: await either('cert'),
    key: await secrets.read('secret', namespace, at(tls, 'keySecret')),
    ca_file: fileAt(tls, 'caFile', context),
    cert_file: fileAt(tls, 'certFile', context),
    key_file: fileAt(tls, 'keyFile', context),
    server_name: serverName || undefined,
    insecure_skip_verify: optionalBoolAt(tls, 'insecureSkipVerify'),
    min_version: minVersion || undefined,
    max_version: maxVersion || undefined,
  })
}

/** A monitor's author must not make the server send its files, e.g. its own token, to a target of his. */
function fileAt(raw: unknown, field: string, { allowFiles }: ClientOptionsContext): string | undefined {
  const path = textAt(raw, field)
  if (path === '') return undefined
  if (!allowFiles)
    throw new Error(`${field} is not allowed (kubernetes_operator.allow_arbitrary_files is false)`)
  if (!path.startsWith('/')) throw new Error(`${field} must be an absolute path`)
  return path
}

function withoutEmpty(block: Block): Block {
  return Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined))
}
