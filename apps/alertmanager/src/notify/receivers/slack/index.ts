// Slack: a message with one attachment, by an incoming webhook or an app token. With `update_message` later
// notifications of a group change its message instead of adding one.
import { httpConfig } from '../../../config/http-config.ts'
import {
  atMostOne,
  duration,
  flag,
  list,
  optional,
  optionalFlag,
  secret,
  section,
  shown,
  strings,
  text,
  url,
  type ValueOf,
} from '../../../config/schema.ts'
import { checkStatus, parseJson, readSecret, type IncomingAnswer } from '../../http/index.ts'
import { NotifyError } from '../../integration.ts'
import type { Renderer } from '../../templates/index.ts'
import { compact, inherit, postJson, receiverKind, truncate } from '../kit.ts'

const TITLE_MAX = 1024
const POST_MESSAGE = 'https://slack.com/api/chat.postMessage'
const UPDATE = 'https://slack.com/api/chat.update'
/** Most groups whose message is remembered for updates. */
const MESSAGES_MAX = 10_000

const standard = (name: string) => text(`{{ template "slack.default.${name}" . }}`)

const field = section(
  'config.plain',
  { title: text(), value: text(), short: optionalFlag() },
  (value, at) => {
    if (value.title === '') at.fail('missing title in Slack field configuration')
    if (value.value === '') at.fail('missing value in Slack field configuration')
  },
)

const confirmation = section(
  'config.plain',
  { text: text(), title: text(), ok_text: text(), dismiss_text: text() },
  (value, at) => {
    if (value.text === '') at.fail('missing text in Slack confirmation configuration')
  },
)

const action = section(
  'config.plain',
  {
    type: text(),
    text: text(),
    url: text(),
    style: text(),
    name: text(),
    value: text(),
    confirm: optional(confirmation),
  },
  (value, at) => {
    if (value.type === '') at.fail('missing type in Slack action configuration')
    if (value.text === '') at.fail('missing text in Slack action configuration')
    if (value.url === '' && value.name === '') at.fail('missing name or url in Slack action configuration')
  },
)

const slackConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(), false),
    http_config: optional(httpConfig),
    api_url: url('secret'),
    api_url_file: text(),
    app_token: secret(),
    app_token_file: text(),
    app_url: url(),
    channel: text(),
    username: standard('username'),
    color: standard('color'),
    title: standard('title'),
    title_link: standard('titlelink'),
    pretext: standard('pretext'),
    text: standard('text'),
    message_text: text(),
    fields: list(field),
    short_fields: shown(flag(), false),
    footer: standard('footer'),
    fallback: standard('fallback'),
    callback_id: standard('callbackid'),
    icon_emoji: standard('iconemoji'),
    icon_url: standard('iconurl'),
    image_url: text(),
    thumb_url: text(),
    link_names: shown(flag(), false),
    mrkdwn_in: strings(),
    actions: list(action),
    update_message: shown(flag(), false),
    timeout: shown(duration(), '0s'),
  },
  (config, at) => {
    atMostOne(at, config, 'api_url', 'api_url_file')
    atMostOne(at, config, 'app_token', 'app_token_file')
    if (config.api_url + config.api_url_file !== '' && config.app_token + config.app_token_file !== '')
      at.fail('at most one of api_url/api_url_file & app_token/app_token_file must be configured')
    if (config.update_message && config.api_url !== POST_MESSAGE)
      at.fail(`update_message can only be used with bot tokens. api_url must be set to ${POST_MESSAGE}`)
  },
)
type SlackConfig = ValueOf<typeof slackConfig>

export const slack = receiverKind<SlackConfig>({
  kind: 'slack',
  section: slackConfig,
  timeoutMs: (config) => config.timeout,
  complete(config, global, at) {
    const appUrl = config.app_url || global.slack_app_url
    const ownAuthorization = config.http_config !== global.http_config && config.http_config?.authorization
    const takesToken = !ownAuthorization && config.api_url === ''
    const token = takesToken
      ? inherit(config, 'app_token', global.slack_app_token, global.slack_app_token_file)
      : { app_token: config.app_token, app_token_file: config.app_token_file }
    const address = inherit(config, 'api_url', global.slack_api_url, global.slack_api_url_file)
    const hasToken = token.app_token + token.app_token_file !== ''
    if (!hasToken && address.api_url + address.api_url_file === '')
      at.fail('no Slack API URL nor App token set either inline or in a file')
    if (hasToken && config.http_config?.authorization)
      at.fail("http authorization can't be set when using Slack App tokens")
    return {
      ...config,
      ...token,
      ...(hasToken ? { api_url: appUrl, api_url_file: '' } : address),
      app_url: appUrl,
    }
  },
  create(config, { http }) {
    const posted = new Map<string, { readonly ts: string; readonly channel: string }>()
    return async ({ message, render, signal }) => {
      const known = config.update_message ? posted.get(message.groupKey) : undefined
      const channel = known?.channel ?? (await render.text(config.channel))
      const payload = compact({
        channel,
        ts: known?.ts ?? '',
        username: await render.text(config.username),
        icon_emoji: await render.text(config.icon_emoji),
        icon_url: await render.text(config.icon_url),
        link_names: config.link_names,
        text: await render.text(config.message_text),
        attachments: [await attachment(config, render)],
      })
      const target = known ? UPDATE : await readSecret(config.api_url, config.api_url_file)
      const token = await readSecret(config.app_token, config.app_token_file)
      const headers = token === '' ? undefined : { Authorization: `Bearer ${token}` }
      const answer = await postJson(http, target, payload, signal, headers)
      try {
        checkStatus(answer)
        const sent = readAnswer(answer)
        if (!config.update_message || sent === undefined) return
        posted.set(message.groupKey, sent)
        const oldest = posted.keys().next()
        if (posted.size > MESSAGES_MAX && !oldest.done) posted.delete(oldest.value)
      } catch (error) {
        if (!(error instanceof NotifyError)) throw error
        throw new NotifyError(
          `channel ${JSON.stringify(channel)}: ${error.message}`,
          error.retry,
          error.reason,
        )
      }
    }
  },
})

async function attachment(config: SlackConfig, render: Renderer): Promise<object> {
  const { text: show } = render
  const fields: object[] = []
  for (const { title, value, short } of config.fields)
    fields.push({ title: await show(title), value: await show(value), short: short ?? config.short_fields })
  const actions: object[] = []
  for (const one of config.actions) actions.push(await renderAction(one, render))
  return {
    ...compact({
      title: truncate(await show(config.title), TITLE_MAX),
      title_link: await show(config.title_link),
      pretext: await show(config.pretext),
    }),
    text: await show(config.text),
    fallback: await show(config.fallback),
    callback_id: await show(config.callback_id),
    ...compact({
      fields,
      actions,
      image_url: await show(config.image_url),
      thumb_url: await show(config.thumb_url),
    }),
    footer: await show(config.footer),
    ...compact({ color: await show(config.color) }),
    mrkdwn_in: config.mrkdwn_in.length > 0 ? config.mrkdwn_in : ['fallback', 'pretext', 'text'],
  }
}

async function renderAction(one: SlackConfig['actions'][number], { text: show }: Renderer): Promise<object> {
  // A link has no name, value or question.
  const isLink = one.url !== ''
  const question = isLink ? undefined : one.confirm
  return compact({
    type: await show(one.type),
    text: await show(one.text),
    url: await show(one.url),
    style: await show(one.style),
    name: isLink ? '' : await show(one.name),
    value: isLink ? '' : await show(one.value),
    confirm: question && {
      ...compact({ text: await show(question.text), title: await show(question.title) }),
      ...compact({ ok_text: await show(question.ok_text), dismiss_text: await show(question.dismiss_text) }),
    },
  })
}

/** Slack says no with status 200 too. Gives where the message is, when the answer tells. */
function readAnswer({ body, contentType = '' }: IncomingAnswer): { ts: string; channel: string } | undefined {
  if (!contentType.startsWith('application/json')) {
    if (body === 'ok') return undefined
    throw new NotifyError(
      `received an error response from Slack: ${body.slice(0, 200)}`,
      false,
      'clientError',
    )
  }
  const answer = parseJson(body) as Record<string, unknown> | null | undefined
  if (typeof answer !== 'object' || answer === null)
    throw new NotifyError(
      `could not unmarshal JSON response ${JSON.stringify(body.slice(0, 200))}`,
      true,
      'clientError',
    )
  if (answer.ok !== true)
    throw new NotifyError(
      `error response from Slack: ${String(answer.error ?? '').slice(0, 200)}`,
      false,
      'clientError',
    )
  const { ts, channel } = answer
  return typeof ts === 'string' && typeof channel === 'string' && ts && channel ? { ts, channel } : undefined
}
