// Pushover: everything goes as parameters of the address, so the address is never shown.
import { httpConfig } from '../../../config/http-config.ts'
import { duration, flag, optional, secret, section, shown, text } from '../../../config/schema.ts'
import { checkStatus, readSecret } from '../../http/index.ts'
import { receiverKind, truncate } from '../kit.ts'

const API_URL = 'https://api.pushover.net/1/messages.json'
const MAX = { title: 250, message: 1024, url: 512 }

const pushoverConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(true), false),
    http_config: optional(httpConfig),
    user_key: secret(),
    user_key_file: text(),
    token: secret(),
    token_file: text(),
    title: text('{{ template "pushover.default.title" . }}'),
    message: text('{{ template "pushover.default.message" . }}'),
    url: text('{{ template "pushover.default.url" . }}'),
    url_title: text(),
    device: text(),
    sound: text(),
    priority: text('{{ if eq .Status "firing" }}2{{ else }}0{{ end }}'),
    retry: duration(60_000),
    expire: duration(3_600_000),
    ttl: duration(),
    html: flag(),
    monospace: flag(),
  },
  (config, at) => {
    for (const name of ['user_key', 'token'] as const) {
      const [given, file] = [config[name] !== '', config[`${name}_file`] !== '']
      if (!given && !file) at.fail(`one of ${name} or ${name}_file must be configured`)
      if (given && file) at.fail(`at most one of ${name} & ${name}_file must be configured`)
    }
    if (config.html && config.monospace) at.fail('at most one of monospace & html must be configured')
  },
)

export const pushover = receiverKind({
  kind: 'pushover',
  section: pushoverConfig,
  create:
    (config, { http }) =>
    async ({ render, signal }) => {
      const show = render.text
      const message = config.html ? await render.html(config.message) : await show(config.message)
      const parameters = new URLSearchParams({
        token: await show(await readSecret(config.token, config.token_file)),
        user: await show(await readSecret(config.user_key, config.user_key_file)),
        title: truncate(await show(config.title), MAX.title),
        ...(config.html && { html: '1' }),
        ...(config.monospace && { monospace: '1' }),
        // An empty message would be refused.
        message: truncate(message, MAX.message).trim() || '(no details)',
        url: truncate(await show(config.url), MAX.url),
        url_title: await show(config.url_title),
        priority: await show(config.priority),
        retry: seconds(config.retry),
        expire: seconds(config.expire),
        device: await show(config.device),
        sound: await show(config.sound),
        ...(config.ttl >= 1000 && { ttl: seconds(config.ttl) }),
      })
      parameters.sort()
      const headers = { 'Content-Type': 'text/plain' }
      checkStatus(await http.request({ method: 'POST', url: `${API_URL}?${parameters}`, headers }, signal))
    },
})

function seconds(ms: number): string {
  return String(Math.trunc(ms / 1000))
}
