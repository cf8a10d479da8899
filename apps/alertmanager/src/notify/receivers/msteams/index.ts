// Microsoft Teams by an Office 365 connector: a message card.
import { section, text } from '../../../config/schema.ts'
import { checkStatus } from '../../http/index.ts'
import { postJson, receiverKind } from '../kit.ts'
import { checkWebhookUrl, readWebhookUrl, webhookUrlFields } from '../webhook-url.ts'

const RED = '8C1A1A'
const GREEN = '2DC72D'

export const msteams = receiverKind({
  kind: 'msteams',
  section: section(
    'config.plain',
    {
      ...webhookUrlFields,
      title: text('{{ template "msteams.default.title" . }}'),
      summary: text('{{ template "msteams.default.summary" . }}'),
      text: text('{{ template "msteams.default.text" . }}'),
    },
    checkWebhookUrl,
  ),
  create:
    (config, { http }) =>
    async ({ render, signal, isFiring }) => {
      const card = {
        '@context': 'http://schema.org/extensions',
        type: 'MessageCard',
        title: await render.text(config.title),
        summary: await render.text(config.summary),
        text: await render.text(config.text),
        themeColor: isFiring ? RED : GREEN,
      }
      checkStatus(await postJson(http, await readWebhookUrl(config), card, signal))
    },
})
