// `promtool check web-config`: the file of `--web.config.file`, which sets TLS, users, headers and limits of a server.
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createSecureContext } from 'node:tls'
import { quoteString } from '@watchfire/datamodel'
import { ValueError } from '../../config/errors.ts'
import { readText } from '../../config/index.ts'
import {
  bool,
  field,
  int,
  list,
  mapOf,
  parsed,
  secret,
  struct,
  text,
  type Schema,
} from '../../config/schema.ts'
import { joinDir } from '../../config/sections/http-client.ts'
import { YamlDocument, isNull } from '../../config/yaml-document.ts'
import { goDuration } from './command-line.ts'
import { EXIT, fileErrorText, type Io } from './io.ts'

const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA',
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA',
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
]
const CURVES = ['CurveP256', 'CurveP384', 'CurveP521', 'X25519']
const VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13']
const CLIENT_AUTH = [
  '',
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'RequireClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
]
/** Headers that may be set; a list = the values allowed. */
const HEADERS: Readonly<Record<string, readonly string[] | undefined>> = {
  'Strict-Transport-Security': undefined,
  'X-Content-Type-Options': ['nosniff'],
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-XSS-Protection': undefined,
  'Content-Security-Policy': undefined,
}

function word(what: string, known: readonly string[]): Schema<string> {
  const parse = (value: string) => {
    if (!known.includes(value)) throw new Error(`unknown ${what}: ${value}`)
    return value
  }
  return parsed('string', '', parse, (value) => value)
}

const tlsSchema = struct('web.TLSConfig', {
  cert: field(text()),
  key: field(secret),
  client_ca: field(text()),
  cert_file: field(text()),
  key_file: field(text()),
  client_auth_type: field(text()),
  client_ca_file: field(text()),
  cipher_suites: field(list(word('cipher', CIPHERS))),
  curve_preferences: field(list(word('curve', CURVES))),
  min_version: field(word('TLS version', VERSIONS), { default: 'TLS12' }),
  max_version: field(word('TLS version', VERSIONS), { default: 'TLS13' }),
  prefer_server_cipher_suites: field(bool, { default: true }),
  client_allowed_sans: field(list(text())),
})
const httpSchema = struct('web.HTTPConfig', {
  http2: field(bool, { default: true }),
  headers: field(mapOf(text())),
})
const interval = parsed<number>('time.Duration', 0, goDuration, (value) => value)
const limitSchema = struct('web.RateLimiterConfig', { burst: field(int), interval: field(interval) })
const rootSchema = struct('web.Config', {
  tls_server_config: field(tlsSchema, { default: tlsSchema.defaults }),
  http_server_config: field(httpSchema, { default: httpSchema.defaults }),
  rate_limit: field(limitSchema),
  basic_auth_users: field(mapOf(secret)),
})

type Tls = ReturnType<typeof tlsSchema.decode>

/** The command: says of each file whether a server could use it. */
export function checkWebConfigs(files: readonly string[], io: Io): number {
  let failed = false
  for (const path of files) {
    try {
      checkWebConfig(path)
      io.err(`${path} SUCCESS\n`)
    } catch (error) {
      io.err(`${path} FAILED: ${(error as Error).message}\n`)
      failed = true
    }
  }
  return failed ? EXIT.failure : EXIT.success
}

/** Throws an Error for the first thing that is wrong. */
export function checkWebConfig(path: string): void {
  const document = new YamlDocument(readText(path))
  const root = document.resolve(document.root)
  const config = isNull(root) ? rootSchema.defaults : rootSchema.decode(root, document)
  if (document.problems.length > 0) {
    const lines = document.problems.map(({ line, text: problem }) => `\n  line ${line}: ${problem}`)
    throw new ValueError(`yaml: unmarshal errors:${lines.join('')}`, undefined)
  }
  checkHeaders(config.http_server_config.headers)
  for (const hash of Object.values(config.basic_auth_users)) checkHash(hash)
  checkTls(config.tls_server_config, dirname(path))
}

function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!Object.hasOwn(HEADERS, name))
      throw new Error(`HTTP header ${quoteString(name)} can not be configured`)
    const allowed = HEADERS[name]
    if (!allowed || allowed.includes(value)) continue
    const words = allowed.map(quoteString).join(' ')
    throw new Error(`invalid value for ${name}. Expected one of: [${words}], but got: ${quoteString(value)}`)
  }
}

/** A bcrypt hash, judged by its form. */
function checkHash(hash: string): void {
  const fail = (message: string): never => {
    throw new Error(`crypto/bcrypt: ${message}`)
  }
  if (Buffer.byteLength(hash) < 59) fail('hashedSecret too short to be a bcrypted password')
  if (!hash.startsWith('$'))
    fail(`bcrypt hashes must start with '$', but hashedSecret started with '${hash[0]}'`)
  if (hash[1]! > '2')
    fail(`bcrypt algorithm version '${hash[1]}' requested is newer than current version '2'`)
  const cost = /^\$2[a-z]?\$(\d\d)\$/.exec(hash)?.[1]
  if (cost === undefined) throw new Error('strconv.Atoi: parsing the cost of a bcrypt hash: invalid syntax')
  if (Number(cost) < 4 || Number(cost) > 31)
    fail(`cost ${Number(cost)} is outside allowed inclusive range 4..31`)
}

function checkTls(tls: Tls, dir: string): void {
  const { cert, key, cert_file, key_file, client_ca, client_ca_file, client_auth_type } = tls
  if ([cert, key, cert_file, key_file, client_ca, client_ca_file, client_auth_type].every((v) => v === ''))
    return
  if (cert_file === '' && cert === '') throw new Error('missing one of cert or cert_file')
  if (key_file === '' && key === '') throw new Error('missing one of key or key_file')
  const certData = cert_file === '' ? cert : readPart('cert_file', joinDir(dir, cert_file))
  const keyData = key_file === '' ? key : readPart('key_file', joinDir(dir, key_file))
  try {
    createSecureContext({ cert: certData, key: keyData })
  } catch (error) {
    throw new Error(`failed to load X509KeyPair: ${(error as Error).message}`, { cause: error })
  }
  if (client_ca_file !== '') readFile(joinDir(dir, client_ca_file))
  if (!CLIENT_AUTH.includes(client_auth_type)) throw new Error(`invalid ClientAuth: ${client_auth_type}`)
  if ((client_ca_file !== '' || client_ca !== '') && ['', 'NoClientCert'].includes(client_auth_type))
    throw new Error("client CA's have been configured without a Client Auth Policy")
}

function readPart(name: string, path: string): string {
  try {
    return readFile(path)
  } catch (error) {
    throw new Error(`failed to read ${name} (${path}): ${(error as Error).message}`, { cause: error })
  }
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(fileErrorText('open', path, error), { cause: error })
  }
}
