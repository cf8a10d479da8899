// Chat services that are reached by an address with a secret in it share these fields.
import { httpConfig } from '../../config/http-config.ts'
import { optional, shown, flag, text, url } from '../../config/schema.ts'
import type { YamlCursor } from '../../config/yaml-cursor.ts'
import { readSecret } from '../http/index.ts'

/** `send_resolved`, `http_config`, `webhook_url` and its file. */
export const webhookUrlFields = {
  send_resolved: shown(flag(true), false),
  http_config: optional(httpConfig),
  webhook_url: url('secret'),
  webhook_url_file: text(),
}

interface WebhookUrl {
  readonly webhook_url: string
  readonly webhook_url_file: string
}

export function checkWebhookUrl(config: WebhookUrl, at: YamlCursor): void {
  const [given, file] = [config.webhook_url !== '', config.webhook_url_file !== '']
  if (!given && !file) at.fail('one of webhook_url or webhook_url_file must be configured')
  if (given && file) at.fail('at most one of webhook_url & webhook_url_file must be configured')
}

export function readWebhookUrl(config: WebhookUrl): Promise<string> {
  return readSecret(config.webhook_url, config.webhook_url_file)
}
