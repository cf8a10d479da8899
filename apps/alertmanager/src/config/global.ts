// The `global` section: defaults that receivers take where they say nothing.
import { httpConfig, tlsConfig } from './http-config.ts'
import {
  atMostOne,
  duration,
  flag,
  optional,
  optionalFlag,
  secret,
  section,
  shown,
  text,
  url,
  type ValueOf,
} from './schema.ts'

const WITH_FILES = [
  'opsgenie_api_key',
  'victorops_api_key',
  'telegram_bot_token',
  'smtp_auth_password',
  'smtp_auth_secret',
  'rocketchat_token',
  'rocketchat_token_id',
  'wechat_api_secret',
  'mattermost_webhook_url',
  'slack_app_token',
  'slack_api_url',
]

export const globalConfig = section(
  'config.plain',
  {
    resolve_timeout: duration(300_000),
    http_config: optional(httpConfig),
    jira_api_url: url(),
    smtp_from: text(),
    smtp_hello: text('localhost'),
    smtp_smarthost: text(),
    smtp_auth_username: text(),
    smtp_auth_password: secret(),
    smtp_auth_password_file: text(),
    smtp_auth_secret: secret(),
    smtp_auth_secret_file: text(),
    smtp_auth_identity: text(),
    smtp_require_tls: shown(flag(true), false),
    smtp_tls_config: optional(tlsConfig),
    smtp_force_implicit_tls: optionalFlag(),
    slack_api_url: url('secret'),
    slack_api_url_file: text(),
    slack_app_token: secret(),
    slack_app_token_file: text(),
    slack_app_url: url('plain', 'https://slack.com/api/chat.postMessage'),
    pagerduty_url: url('plain', 'https://events.pagerduty.com/v2/enqueue'),
    opsgenie_api_url: url('plain', 'https://api.opsgenie.com/'),
    opsgenie_api_key: secret(),
    opsgenie_api_key_file: text(),
    wechat_api_url: url('plain', 'https://qyapi.weixin.qq.com/cgi-bin/'),
    wechat_api_secret: secret(),
    wechat_api_secret_file: text(),
    wechat_api_corp_id: text(),
    victorops_api_url: url('plain', 'https://alert.victorops.com/integrations/generic/20131114/alert/'),
    victorops_api_key: secret(),
    victorops_api_key_file: text(),
    telegram_api_url: url('plain', 'https://api.telegram.org'),
    telegram_bot_token: secret(),
    telegram_bot_token_file: text(),
    webex_api_url: url('plain', 'https://webexapis.com/v1/messages'),
    rocketchat_api_url: url('plain', 'https://open.rocket.chat/'),
    rocketchat_token: secret(),
    rocketchat_token_file: text(),
    rocketchat_token_id: secret(),
    rocketchat_token_id_file: text(),
    mattermost_webhook_url: url('secret'),
    mattermost_webhook_url_file: text(),
  },
  (global, at) => {
    for (const name of WITH_FILES) atMostOne(at, global, name, `${name}_file`)
    const app = global.slack_app_token !== '' || global.slack_app_token_file !== ''
    const hook = global.slack_api_url !== '' || global.slack_api_url_file !== ''
    if (app && hook && global.slack_api_url !== global.slack_app_url)
      at.fail(
        'at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured',
      )
  },
)
export type GlobalConfig = ValueOf<typeof globalConfig>
