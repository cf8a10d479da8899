// Amazon SNS: Publish to a topic, a phone or an endpoint, signed with Signature Version 4.
import { httpConfig } from '../../../config/http-config.ts'
import { flag, optional, section, shown, text, texts, type ValueOf } from '../../../config/schema.ts'
import { checkStatus } from '../../http/index.ts'
import { NotifyError } from '../../integration.ts'
import { receiverKind, type Notification } from '../kit.ts'
import { createCredentials, regionOf, sigv4Config, xmlText } from './credentials.ts'
import { encodeForm, signForm } from './sigv4.ts'

const MESSAGE_BYTES_MAX = 256 * 1024
const SMS_BYTES_MAX = 1600

const snsConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(true), false),
    http_config: optional(httpConfig),
    api_url: text(),
    sigv4: sigv4Config,
    topic_arn: text(),
    phone_number: text(),
    target_arn: text(),
    subject: text('{{ template "sns.default.subject" . }}'),
    message: text('{{ template "sns.default.message" . }}'),
    attributes: texts(),
    use_aws_http_client: flag(),
  },
  (config, at) => {
    const targets = [config.topic_arn, config.phone_number, config.target_arn]
    if (targets.filter((target) => target !== '').length !== 1)
      at.fail('must provide either a Target ARN, Topic ARN, or Phone Number for SNS config')
  },
)
type SnsConfig = ValueOf<typeof snsConfig>

export const sns = receiverKind<SnsConfig>({
  kind: 'sns',
  section: snsConfig,
  create(config, { http, clock }) {
    const environment = process.env
    const now = () => clock.now()
    const credentials = createCredentials(config.sigv4, { http, now, environment })
    return async (notification) => {
      const { render, signal } = notification
      const region = regionOf(config.sigv4, environment)
      const address = (await render.text(config.api_url)) || `https://sns.${region}.amazonaws.com/`
      if (!/^https?:\/\//.test(address) || !URL.canParse(address))
        throw new NotifyError('api_url is no address after templating', false, 'clientError')
      const body = encodeForm(await publication(config, notification))
      const request = { url: address, region, service: 'sns', timeMs: now(), body }
      const headers = signForm(request, await credentials(signal))
      const answer = await http.request({ method: 'POST', url: address, body, headers }, signal)
      checkStatus(answer, { detail: (said) => xmlText(said.body, 'Message') })
    }
  },
})

async function publication(
  config: SnsConfig,
  { render, groupHash }: Notification,
): Promise<Record<string, string>> {
  const topic = await render.text(config.topic_arn)
  const phone = await render.text(config.phone_number)
  const target = await render.text(config.target_arn)
  const subject = await render.text(config.subject)
  const attributes: [string, string][] = []
  for (const [name, value] of Object.entries(config.attributes))
    attributes.push([await render.text(name), await render.text(value)])
  const whole = await render.text(config.message)
  const message = cutBytes(whole, config.phone_number === '' ? MESSAGE_BYTES_MAX : SMS_BYTES_MAX)
  if (message !== whole) attributes.push(['truncated', 'true'])
  const form: Record<string, string> = { Action: 'Publish', Version: '2010-03-31', Message: message }
  if (topic !== '') form.TopicArn = topic
  if (phone !== '') form.PhoneNumber = phone
  if (target !== '') form.TargetArn = target
  if (config.subject !== '') form.Subject = subject
  // Topics that keep an order want to know what belongs together.
  if (topic.endsWith('.fifo')) form.MessageGroupId = form.MessageDeduplicationId = groupHash
  attributes.forEach(([name, value], i) => {
    const entry = `MessageAttributes.entry.${i + 1}`
    form[`${entry}.Name`] = name
    form[`${entry}.Value.DataType`] = 'String'
    form[`${entry}.Value.StringValue`] = value
  })
  return form
}

/** The first bytes; a character that does not fit whole is left out. */
function cutBytes(whole: string, max: number): string {
  const bytes = Buffer.from(whole)
  if (bytes.length <= max) return whole
  let end = max
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--
  return bytes.subarray(0, end).toString('utf8')
}
