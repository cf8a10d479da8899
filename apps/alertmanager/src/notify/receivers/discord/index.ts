// Discord: a message with one embed.
import { section, text } from '../../../config/schema.ts'
import { checkStatus } from '../../http/index.ts'
import { compact, postJson, receiverKind, truncate } from '../kit.ts'
import { checkWebhookUrl, readWebhookUrl, webhookUrlFields } from '../webhook-url.ts'

const MAX = { title: 256, description: 4096, content: 2000 }
const RED = 0x992d22
const GREEN = 0x2ecc71

export const discord = receiverKind({
  kind: 'discord',
  section: section(
    'config.plain',
    {
      ...webhookUrlFields,
      content: text(),
      title: text('{{ template "discord.default.title" . }}'),
      message: text('{{ template "discord.default.message" . }}'),
      username: text(),
      avatar_url: text(),
    },
    checkWebhookUrl,
  ),
  create:
    (config, { http }) =>
    async ({ render, signal, isFiring }) => {
      const embed = {
        title: truncate(await render.text(config.title), MAX.title),
        description: truncate(await render.text(config.message), MAX.description),
        color: isFiring ? RED : GREEN,
      }
      const payload = {
        content: truncate(await render.text(config.content), MAX.content),
        embeds: [embed],
        ...compact({ username: config.username, avatar_url: config.avatar_url }),
      }
      checkStatus(await postJson(http, await readWebhookUrl(config), payload, signal))
    },
})
