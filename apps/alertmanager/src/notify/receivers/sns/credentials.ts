// Where the keys for AWS come from: the configuration, the environment, a profile of the shared credentials file; with
// `role_arn` they only serve to assume that role.
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { secret, section, text, flag, type ValueOf } from '../../../config/schema.ts'
import { checkStatus, type HttpClient } from '../../http/index.ts'
import { NotifyError } from '../../integration.ts'
import { encodeForm, signForm, type AwsCredentials } from './sigv4.ts'

export const sigv4Config = section(
  'sigv4.SigV4Config',
  {
    region: text(),
    access_key: text(),
    secret_key: secret(),
    profile: text(),
    role_arn: text(),
    external_id: text(),
    use_fips_sts_endpoint: flag(),
  },
  (config, at) => {
    if ((config.access_key === '') !== (config.secret_key === ''))
      at.fail(
        'must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config',
      )
    if (config.external_id !== '' && config.role_arn === '')
      at.fail('external_id can only be used with role_arn')
  },
)
export type Sigv4Config = ValueOf<typeof sigv4Config>

export interface CredentialsOptions {
  readonly http: HttpClient
  readonly now: () => number
  readonly environment: NodeJS.ProcessEnv
}

/** Where requests go: the configured region or that of the environment. */
export function regionOf(config: Sigv4Config, environment: NodeJS.ProcessEnv): string {
  const region = config.region || environment.AWS_REGION || environment.AWS_DEFAULT_REGION || ''
  if (!/^[a-z0-9-]+$/.test(region))
    throw new NotifyError(
      'region not configured in sns.sigv4.region or in default credentials chain',
      true,
      'other',
    )
  return region
}

/** Gives the keys for a message; those of a role are kept until they end. */
export function createCredentials(config: Sigv4Config, options: CredentialsOptions) {
  let role: { readonly keys: AwsCredentials; readonly validUntil: number } | undefined
  return async (signal: AbortSignal): Promise<AwsCredentials> => {
    if (config.role_arn === '') return ownKeys(config, options.environment)
    if (!role || options.now() > role.validUntil) role = await assumeRole(config, options, signal)
    return role.keys
  }
}

async function ownKeys(config: Sigv4Config, environment: NodeJS.ProcessEnv): Promise<AwsCredentials> {
  if (config.access_key !== '')
    return { accessKey: config.access_key, secretKey: config.secret_key, sessionToken: '' }
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: key, AWS_SESSION_TOKEN: token } = environment
  if (config.profile === '' && id && key) return { accessKey: id, secretKey: key, sessionToken: token ?? '' }
  const profile = config.profile || environment.AWS_PROFILE || 'default'
  const file = environment.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws', 'credentials')
  const values = await readProfile(file, profile)
  const [accessKey, secretKey] = [values.get('aws_access_key_id'), values.get('aws_secret_access_key')]
  if (!accessKey || !secretKey)
    throw new NotifyError(`no AWS credentials for profile ${JSON.stringify(profile)}`, true, 'other')
  return { accessKey, secretKey, sessionToken: values.get('aws_session_token') ?? '' }
}

async function readProfile(file: string, profile: string): Promise<Map<string, string>> {
  const values = new Map<string, string>()
  const content = await readFile(file, 'utf8').catch(() => '')
  let current = ''
  for (const line of content.split('\n')) {
    const heading = /^\s*\[\s*(.*?)\s*\]/.exec(line)
    if (heading) current = heading[1]!
    const pair = /^\s*([A-Za-z_]+)\s*=\s*(.*?)\s*$/.exec(line)
    if (pair && current === profile) values.set(pair[1]!.toLowerCase(), pair[2]!)
  }
  return values
}

/** Time before the keys of a role end in which new ones are asked for, ms. */
const MARGIN_MS = 60_000

async function assumeRole(config: Sigv4Config, options: CredentialsOptions, signal: AbortSignal) {
  const region = regionOf(config, options.environment)
  const url = `https://sts${config.use_fips_sts_endpoint ? '-fips' : ''}.${region}.amazonaws.com/`
  const body = encodeForm({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: config.role_arn,
    RoleSessionName: String(options.now()),
    ...(config.external_id !== '' && { ExternalId: config.external_id }),
  })
  const request = { url, region, service: 'sts', timeMs: options.now(), body }
  const headers = signForm(request, await ownKeys(config, options.environment))
  const answer = await options.http.request({ method: 'POST', url, body, headers }, signal)
  checkStatus(answer, { detail: ({ body: xml }) => xmlText(xml, 'Message') })
  const keys = {
    accessKey: xmlText(answer.body, 'AccessKeyId'),
    secretKey: xmlText(answer.body, 'SecretAccessKey'),
    sessionToken: xmlText(answer.body, 'SessionToken'),
  }
  if (keys.accessKey === '' || keys.secretKey === '')
    throw new NotifyError('the answer to AssumeRole has no credentials', true, 'other')
  const validUntil = Date.parse(xmlText(answer.body, 'Expiration')) - MARGIN_MS
  return { keys, validUntil: Number.isNaN(validUntil) ? options.now() : validUntil }
}

/** The text of the first element of this name. */
export function xmlText(xml: string, name: string): string {
  const start = xml.indexOf(`<${name}>`)
  if (start < 0) return ''
  const end = xml.indexOf(`</${name}>`, start)
  return end < 0 ? '' : xml.slice(start + name.length + 2, end)
}
