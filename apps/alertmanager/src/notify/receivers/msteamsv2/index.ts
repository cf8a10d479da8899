// Microsoft Teams by a workflow: an adaptive card.
import { section, text } from '../../../config/schema.ts'
import { checkStatus } from '../../http/index.ts'
import { postJson, receiverKind } from '../kit.ts'
import { checkWebhookUrl, readWebhookUrl, webhookUrlFields } from '../webhook-url.ts'

export const msteamsv2 = receiverKind({
  kind: 'msteamsv2',
  section: section(
    'config.plain',
    {
      ...webhookUrlFields,
      title: text('{{ template "msteamsv2.default.title" . }}'),
      text: text('{{ template "msteamsv2.default.text" . }}'),
    },
    checkWebhookUrl,
  ),
  // A receiver with HTTP settings of its own still takes the proxy of all.
  complete(config, global) {
    const own = config.http_config
    const proxy = global.http_config?.proxy_url ?? ''
    return own && own.proxy_url === '' && proxy !== ''
      ? { ...config, http_config: { ...own, proxy_url: proxy } }
      : config
  },
  create:
    (config, { http }) =>
    async ({ render, signal, isFiring }) => {
      const title = {
        type: 'TextBlock',
        text: await render.text(config.title),
        weight: 'Bolder',
        size: 'Medium',
        wrap: true,
        style: 'heading',
        color: isFiring ? 'Attention' : 'Good',
      }
      const body = { type: 'TextBlock', text: await render.text(config.text), wrap: true }
      const card = {
        $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
        type: 'AdaptiveCard',
        version: '1.2',
        body: [title, body],
        msteams: { width: 'full' },
      }
      const message = {
        type: 'message',
        attachments: [
          { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card },
        ],
      }
      checkStatus(await postJson(http, await readWebhookUrl(config), message, signal))
    },
})
