// Webhook: the notification as JSON, or whatever `payload` makes of it. The address may be a template.
import { httpConfig } from '../../../config/http-config.ts'
import {
  SECRET,
  anything,
  count,
  duration,
  flag,
  optional,
  section,
  shown,
  text,
} from '../../../config/schema.ts'
import { checkStatus, readSecret } from '../../http/index.ts'
import { NotifyError } from '../../integration.ts'
import { checkTemplate } from '../../templates/index.ts'
import { postJson, receiverKind } from '../kit.ts'

const webhookConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(true), false),
    http_config: optional(httpConfig),
    url: { ...text(), print: (value: string) => (value === '' ? undefined : SECRET) },
    url_file: shown(text(), ''),
    max_alerts: shown(count(), 0),
    timeout: shown(duration(), '0s'),
    payload: anything(),
  },
  (config, at) => {
    const { url } = config
    if (url === '' && config.url_file === '') at.fail('one of url or url_file must be configured')
    if (url !== '' && config.url_file !== '') at.fail('at most one of url & url_file must be configured')
    if (url.includes('{{')) {
      const mistake = checkTemplate(url)
      if (mistake !== undefined) at.fail(`invalid template: ${mistake}`)
    } else if (url !== '' && url !== SECRET) {
      if (!/^https?:\/\//i.test(url)) at.fail('unsupported scheme in URL for webhook')
      if (!URL.canParse(url)) at.fail('the webhook URL cannot be parsed')
    }
  },
)

export const webhook = receiverKind({
  kind: 'webhook',
  section: webhookConfig,
  maxAlerts: (config) => config.max_alerts,
  timeoutMs: (config) => config.timeout,
  create:
    (config, { http }) =>
    async ({ message, render, signal }) => {
      const payload = config.payload === undefined ? message : await render.deep(config.payload)
      const url = await render.text(await readSecret(config.url, config.url_file))
      if (url === '') throw new NotifyError('webhook URL is empty after templating', false, 'other')
      if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
        throw new NotifyError('webhook URL is not valid after templating', false, 'other')
      checkStatus(await postJson(http, url, payload, signal))
    },
})
