// Mattermost: an incoming webhook with attachments like Slack's.
import { httpConfig } from '../../../config/http-config.ts'
import {
  atMostOne,
  flag,
  list,
  optional,
  optionalFlag,
  section,
  shown,
  text,
  url,
  type ValueOf,
} from '../../../config/schema.ts'
import { checkStatus } from '../../http/index.ts'
import { NotifyError } from '../../integration.ts'
import type { Renderer } from '../../templates/index.ts'
import { compact, inherit, postJson, receiverKind, truncate } from '../kit.ts'
import { readWebhookUrl } from '../webhook-url.ts'

const TEXT_MAX = 16_383
const PRIORITIES = ['urgent', 'important', 'standard']
const standard = (name: string) => text(`{{ template "mattermost.default.${name}" . }}`)

const field = section(
  'config.plain',
  { title: text(), value: text(), short: optionalFlag() },
  (value, at) => {
    if (value.title === '') at.fail('missing title in Mattermost field configuration')
    if (value.value === '') at.fail('missing value in Mattermost field configuration')
  },
)

/** Fields of an attachment, with their defaults in the message itself. */
const attachmentFields = {
  fallback: text(),
  color: text(),
  pretext: text(),
  text: text(),
  author_name: text(),
  author_link: text(),
  author_icon: text(),
  title: text(),
  title_link: text(),
  fields: list(field),
  thumb_url: text(),
  footer: text(),
  footer_icon: text(),
  image_url: text(),
}
const attachment = section('config.plain', attachmentFields)
type Attachment = ValueOf<typeof attachment>

const mattermostConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(true), false),
    http_config: optional(httpConfig),
    webhook_url: url('secret'),
    webhook_url_file: text(),
    channel: text(),
    username: standard('username'),
    ...attachmentFields,
    text: standard('text'),
    fallback: standard('fallback'),
    color: standard('color'),
    title: standard('title'),
    title_link: standard('titlelink'),
    icon_url: text(),
    icon_emoji: text(),
    attachments: list(attachment),
    type: text(),
    props: optional(section('config.MattermostProps', { card: text() })),
    priority: optional(
      section('config.MattermostPriority', {
        priority: text(),
        requested_ack: flag(),
        persistent_notifications: flag(),
      }),
    ),
  },
  (config, at) => atMostOne(at, config, 'webhook_url', 'webhook_url_file'),
)
type MattermostConfig = ValueOf<typeof mattermostConfig>

export const mattermost = receiverKind<MattermostConfig>({
  kind: 'mattermost',
  section: mattermostConfig,
  complete(config, global, at) {
    const { mattermost_webhook_url: all, mattermost_webhook_url_file: file } = global
    const address = inherit(config, 'webhook_url', all, file)
    if (address.webhook_url + address.webhook_url_file === '')
      at.fail('missing webhook_url or webhook_url_file on mattermost_config')
    return { ...config, ...address }
  },
  create:
    (config, { http }) =>
    async ({ render, signal }) => {
      const show = render.text
      const hasOwn = config.attachments.length > 0
      const attachments: object[] = []
      for (const one of hasOwn ? config.attachments : [config])
        attachments.push(await renderAttachment(one, render))
      const channel = await show(config.channel)
      const card = config.props ? await show(config.props.card) : ''
      const payload = compact({
        // Attachments of one's own leave the text to the message.
        text: hasOwn ? truncate(await show(config.text), TEXT_MAX) : '',
        channel,
        username: await show(config.username),
        icon_url: await show(config.icon_url),
        icon_emoji: await show(config.icon_emoji),
        attachments,
        type: await show(config.type),
        props: config.props && config.props.card !== '' ? compact({ card }) : undefined,
        priority: await priorityOf(config, render),
      })
      const answer = await postJson(http, await readWebhookUrl(config), payload, signal)
      try {
        checkStatus(answer)
      } catch (error) {
        if (!(error instanceof NotifyError)) throw error
        const place = `channel ${JSON.stringify(channel)}`
        throw new NotifyError(`${place}: ${error.message}`, error.retry, error.reason)
      }
    },
})

async function renderAttachment(one: Attachment, { text: show }: Renderer): Promise<object> {
  const fields: object[] = []
  for (const { title, value, short } of one.fields)
    fields.push({
      ...compact({ title: await show(title), value: await show(value) }),
      ...(short !== undefined && { short }),
    })
  return compact({
    fallback: await show(one.fallback),
    color: await show(one.color),
    pretext: await show(one.pretext),
    text: await show(one.text),
    author_name: await show(one.author_name),
    author_link: await show(one.author_link),
    author_icon: await show(one.author_icon),
    title: await show(one.title),
    title_link: await show(one.title_link),
    fields,
    thumb_url: await show(one.thumb_url),
    footer: await show(one.footer),
    footer_icon: await show(one.footer_icon),
    image_url: await show(one.image_url),
  })
}

/** Only urgent and important messages may ask for more than being shown. */
async function priorityOf(config: MattermostConfig, { text: show }: Renderer): Promise<object | undefined> {
  const { priority } = config
  if (!priority || priority.priority === '') return undefined
  const wanted = (await show(priority.priority)).toLowerCase()
  const name = PRIORITIES.includes(wanted) ? wanted : 'standard'
  return compact({
    priority: name,
    requested_ack: priority.requested_ack && name !== 'standard',
    persistent_notifications: priority.persistent_notifications && name === 'urgent',
  })
}
