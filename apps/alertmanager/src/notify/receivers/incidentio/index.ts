// incident.io: the notification as JSON with a bearer token.
import { httpConfig } from '../../../config/http-config.ts'
import { count, duration, flag, optional, secret, section, shown, text, url } from '../../../config/schema.ts'
import { checkStatus, parseJson, readSecret, type IncomingAnswer } from '../../http/index.ts'
import { goJson } from '../../message.ts'
import { receiverKind } from '../kit.ts'

/** Largest request, bytes. */
const PAYLOAD_MAX = 512 * 1024

const incidentioConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(true), false),
    http_config: optional(httpConfig),
    url: url(),
    url_file: shown(text(), ''),
    alert_source_token: secret(),
    alert_source_token_file: text(),
    max_alerts: shown(count(), 0),
    timeout: shown(duration(), '0s'),
  },
  (config, at) => {
    const hasToken = config.alert_source_token !== '' || config.alert_source_token_file !== ''
    const { http_config: http } = config
    if (config.url === '' && config.url_file === '') at.fail('one of url or url_file must be configured')
    if (config.url !== '' && config.url_file !== '')
      at.fail('at most one of url & url_file must be configured')
    if (config.alert_source_token !== '' && config.alert_source_token_file !== '')
      at.fail('at most one of alert_source_token & alert_source_token_file must be configured')
    if (http?.authorization && hasToken)
      at.fail(
        'cannot specify alert_source_token or alert_source_token_file when using http_config.authorization',
      )
    if (http && !http.authorization && !hasToken)
      at.fail(
        'at least one of alert_source_token, alert_source_token_file or http_config.authorization must be configured',
      )
  },
)

export const incidentio = receiverKind({
  kind: 'incidentio',
  section: incidentioConfig,
  maxAlerts: (config) => config.max_alerts,
  timeoutMs: (config) => config.timeout,
  create:
    (config, { http, logger }) =>
    async ({ message, signal }) => {
      let body = goJson({ ...message, version: '1' })
      if (Buffer.byteLength(body) > PAYLOAD_MAX) {
        // One alert makes the incident; the others are extras.
        logger.warn('Truncated alert content due to incident.io payload size limit', {
          bytes: Buffer.byteLength(body),
        })
        body = goJson({ ...message, alerts: message.alerts.slice(0, 1), version: '1' })
      }
      const token = await readSecret(config.alert_source_token, config.alert_source_token_file)
      const headers = {
        'Content-Type': 'application/json',
        ...(token !== '' && { Authorization: `Bearer ${token}` }),
      }
      const address = await readSecret(config.url, config.url_file)
      const answer = await http.request({ method: 'POST', url: address, body, headers }, signal)
      checkStatus(answer, { retryCodes: [429], detail: detailOf })
    },
})

function detailOf({ body }: IncomingAnswer): string {
  const answer = parseJson(body) as Record<string, unknown> | null | undefined
  if (typeof answer !== 'object' || answer === null) return ''
  const errors = Array.isArray(answer.errors) ? answer.errors.join(', ') : ''
  return [answer.message, answer.error, errors]
    .filter((part) => typeof part === 'string' && part !== '')
    .join(': ')
}
