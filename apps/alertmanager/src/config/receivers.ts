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

/** Reads `receivers`; names are unique and not empty. */
export function readReceivers(cursor: YamlCursor): ReceiverConfig[] {
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
      webhooks: at.webhook_configs.items().map(readWebhook),
      inboxes: at.inbox_configs.items().map(readInbox),
    }
  })
}

function readInbox(cursor: YamlCursor): InboxConfig {
  const at = cursor.mapping('config.InboxConfig', ['send_resolved'])
  return { sendResolved: at.send_resolved.boolean(true) }
}

function readWebhook(cursor: YamlCursor): WebhookConfig {
  const at = cursor.mapping('config.plain', [
    'url',
    'url_file',
    'send_resolved',
    'max_alerts',
    'timeout',
    'http_config',
  ])
  if (at.url_file.present) at.url_file.fail('url_file is not supported yet')
  if (!at.url.present) cursor.fail('one of url or url_file must be configured')
  const url = at.url.string()
  if (!/^https?:\/\//.test(url)) at.url.fail(`unsupported scheme in URL for webhook`)
  if (!URL.canParse(url)) at.url.fail('the webhook URL cannot be parsed')
  return {
    url,
    sendResolved: at.send_resolved.boolean(true),
    maxAlerts: at.max_alerts.count(0),
    timeoutMs: at.timeout.duration() ?? 0,
    http: readHttp(at.http_config),
  }
}

function readHttp(cursor: YamlCursor): OutgoingHttpConfig {
  const at = cursor.mapping('config.HTTPClientConfig', [
    'basic_auth',
    'authorization',
    'follow_redirects',
    'enable_http2',
    'http_headers',
  ])
  if (at.basic_auth.present && at.authorization.present)
    cursor.fail('at most one of basic_auth, oauth2 & authorization must be configured')
  const basic = at.basic_auth.mapping('config.BasicAuth', ['username', 'password', 'password_file'])
  const auth = at.authorization.mapping('config.Authorization', ['type', 'credentials', 'credentials_file'])
  const headers: Record<string, string[]> = {}
  for (const [name, value] of at.http_headers.entries()) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) value.fail(`invalid header name "${name}"`)
    headers[name] = value.mapping('config.Header', ['values']).values.strings()
  }
  return {
    ...(at.basic_auth.present && {
      basicAuth: {
        username: basic.username.string(),
        password: basic.password.string(),
        passwordFile: basic.password_file.string(),
      },
    }),
    ...(at.authorization.present && {
      authorization: {
        type: auth.type.string('Bearer'),
        credentials: auth.credentials.string(),
        credentialsFile: auth.credentials_file.string(),
      },
    }),
    followRedirects: at.follow_redirects.boolean(true),
    headers,
  }
}
