// The receivers section. Integrations that are not built yet are refused by name instead of being dropped silently:
// a message that never arrives is the worst failure of an Alertmanager.
import type { InboxConfig, OutgoingHttpConfig, ReceiverConfig, WebhookConfig } from './types.ts'
import type { YamlCursor } from './yaml-cursor.ts'

const UNSUPPORTED = [
  'discord_configs',
  'email_configs',
  'incidentio_configs',
  'jira_configs',
  'mattermost_configs',
  'msteams_configs',
  'msteamsv2_configs',
  'opsgenie_configs',
  'pagerduty_configs',
  'pushover_configs',
  'rocketchat_configs',
  'slack_configs',
  'sns_configs',
  'telegram_configs',
  'victorops_configs',
  'webex_configs',
  'wechat_configs',
] as const

/** Reads `receivers`; names are unique and not empty. `globalHttp` holds where a webhook has no http_config. */
export function readReceivers(cursor: YamlCursor, globalHttp: OutgoingHttpConfig): ReceiverConfig[] {
  const seen = new Set<string>()
  return cursor.items().map((item) => {
    const at = item.mapping('config.Receiver', [
      'name',
      'labels',
      'webhook_configs',
      'inbox_configs',
      ...UNSUPPORTED,
    ])
    const name = at.name.string()
    if (name === '') item.fail('missing name in receiver')
    if (seen.has(name)) at.name.fail(`notification config name "${name}" is not unique`)
    seen.add(name)
    for (const kind of UNSUPPORTED)
      if (at[kind].items().length > 0) at[kind].fail(`${kind} are not supported yet (receiver "${name}")`)
    return {
      name,
      labels: Object.fromEntries(at.labels.entries().map(([label, value]) => [label, value.string()])),
      webhooks: at.webhook_configs.items().map((webhook) => readWebhook(webhook, globalHttp)),
      inboxes: at.inbox_configs.items().map(readInbox),
    }
  })
}

function readInbox(cursor: YamlCursor): InboxConfig {
  const at = cursor.mapping('config.InboxConfig', ['send_resolved'])
  return { sendResolved: at.send_resolved.boolean(true) }
}

function readWebhook(cursor: YamlCursor, globalHttp: OutgoingHttpConfig): WebhookConfig {
  const at = cursor.mapping('config.plain', [
    'url',
    'url_file',
    'send_resolved',
    'max_alerts',
    'timeout',
    'http_config',
  ])
  const [url, urlFile] = [at.url.string(), at.url_file.string()]
  if (url === '' && urlFile === '') cursor.fail('one of url or url_file must be configured')
  if (url !== '' && urlFile !== '') cursor.fail('at most one of url & url_file must be configured')
  if (url !== '' && !/^https?:\/\//.test(url)) at.url.fail('unsupported scheme in URL for webhook')
  if (url !== '' && !URL.canParse(url)) at.url.fail('the webhook URL cannot be parsed')
  if (url.includes('{{')) at.url.fail('templates in webhook URLs are not supported yet')
  return {
    url,
    urlFile,
    sendResolved: at.send_resolved.boolean(true),
    maxAlerts: at.max_alerts.count(0),
    timeoutMs: at.timeout.duration() ?? 0,
    http: at.http_config.present ? readHttpConfig(at.http_config) : globalHttp,
  }
}

/** Reads an `http_config`; absent = the defaults. */
export function readHttpConfig(cursor: YamlCursor): OutgoingHttpConfig {
  const at = cursor.mapping('config.HTTPClientConfig', [
    'basic_auth',
    'authorization',
    'bearer_token',
    'bearer_token_file',
    'tls_config',
    'follow_redirects',
    'enable_http2',
    'http_headers',
  ])
  const bearer = at.bearer_token.present || at.bearer_token_file.present
  if ([at.basic_auth.present, at.authorization.present, bearer].filter(Boolean).length > 1)
    cursor.fail(
      'at most one of basic_auth, oauth2, authorization, bearer_token & bearer_token_file must be configured',
    )
  return {
    ...readAuthentication(at, bearer),
    ...(at.tls_config.present && { tls: readTls(at.tls_config) }),
    followRedirects: at.follow_redirects.boolean(true),
    headers: readHeaders(at.http_headers),
  }
}

type AuthCursors = Readonly<
  Record<'basic_auth' | 'authorization' | 'bearer_token' | 'bearer_token_file', YamlCursor>
>

function readAuthentication(at: AuthCursors, bearer: boolean): Partial<OutgoingHttpConfig> {
  if (at.basic_auth.present) {
    const basic = at.basic_auth.mapping('config.BasicAuth', ['username', 'password', 'password_file'])
    const basicAuth = {
      username: basic.username.string(),
      password: basic.password.string(),
      passwordFile: basic.password_file.string(),
    }
    return { basicAuth }
  }
  if (bearer) {
    const credentials = at.bearer_token.string()
    return {
      authorization: { type: 'Bearer', credentials, credentialsFile: at.bearer_token_file.string() },
    }
  }
  if (!at.authorization.present) return {}
  const given = at.authorization.mapping('config.Authorization', ['type', 'credentials', 'credentials_file'])
  return {
    authorization: {
      type: given.type.string('Bearer'),
      credentials: given.credentials.string(),
      credentialsFile: given.credentials_file.string(),
    },
  }
}

function readTls(cursor: YamlCursor): NonNullable<OutgoingHttpConfig['tls']> {
  const at = cursor.mapping('config.TLSConfig', [
    'ca_file',
    'cert_file',
    'key_file',
    'server_name',
    'insecure_skip_verify',
  ])
  if (at.cert_file.present !== at.key_file.present)
    cursor.fail('exactly one of cert_file and key_file is configured: both are needed')
  return {
    caFile: at.ca_file.string(),
    certFile: at.cert_file.string(),
    keyFile: at.key_file.string(),
    serverName: at.server_name.string(),
    insecureSkipVerify: at.insecure_skip_verify.boolean(false),
  }
}

function readHeaders(cursor: YamlCursor): Record<string, string[]> {
  const headers: Record<string, string[]> = {}
  for (const [name, value] of cursor.entries()) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) value.fail(`invalid header name "${name}"`)
    headers[name] = value.mapping('config.Header', ['values']).values.strings()
  }
  return headers
}
