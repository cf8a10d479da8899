// WeChat Work: a token by company and secret, then the message. The token lives two hours.
import { httpConfig } from '../../../config/http-config.ts'
import { atMostOne, flag, optional, secret, section, shown, text, url } from '../../../config/schema.ts'
import { parseJson, readSecret, reasonOf } from '../../http/index.ts'
import { NotifyError } from '../../integration.ts'
import { compact, inherit, joinPath, postJson, receiverKind, type Notification } from '../kit.ts'

const TOKEN_LIFE_MS = 2 * 3_600_000
const TOKEN_EXPIRED = 42_001
const standard = (name: string) => text(`{{ template "wechat.default.${name}" . }}`)

const wechatConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(), false),
    http_config: optional(httpConfig),
    api_secret: secret(),
    api_secret_file: text(),
    corp_id: text(),
    message: standard('message'),
    api_url: url(),
    to_user: standard('to_user'),
    to_party: standard('to_party'),
    to_tag: standard('to_tag'),
    agent_id: standard('agent_id'),
    message_type: text('text'),
  },
  (config, at) => {
    const options = '^(text|markdown)$'
    if (!new RegExp(options).test(config.message_type))
      at.fail(
        `weChat message type ${JSON.stringify(config.message_type)} does not match valid options ${options}`,
      )
    atMostOne(at, config, 'api_secret', 'api_secret_file')
  },
)

export const wechat = receiverKind({
  kind: 'wechat',
  section: wechatConfig,
  complete(config, global, at) {
    const own = inherit(config, 'api_secret', global.wechat_api_secret, global.wechat_api_secret_file)
    if (own.api_secret + own.api_secret_file === '')
      at.fail('no global Wechat Api Secret set either inline or in a file')
    const company = config.corp_id || global.wechat_api_corp_id
    if (company === '') at.fail('no global Wechat CorpID set')
    return { ...config, ...own, corp_id: company, api_url: config.api_url || global.wechat_api_url }
  },
  create(config, { http, clock }) {
    let token = { text: '', since: 0 }
    const fetchToken = async ({ render, signal }: Notification): Promise<string> => {
      if (token.text !== '' && clock.now() - token.since <= TOKEN_LIFE_MS) return token.text
      const apiSecret = await readSecret(config.api_secret, config.api_secret_file)
      const parameters = new URLSearchParams({
        corpid: await render.text(config.corp_id),
        corpsecret: await render.text(apiSecret),
      })
      const address = `${joinPath(config.api_url, 'gettoken')}?${parameters}`
      const { body } = await http.request({ method: 'GET', url: address }, signal)
      const answer = parseJson(body) as { access_token?: unknown } | null | undefined
      if (typeof answer?.access_token !== 'string' || answer.access_token === '')
        throw new NotifyError(`invalid APISecret for CorpID: ${config.corp_id}`, false, 'other')
      token = { text: answer.access_token, since: clock.now() }
      return token.text
    }
    return async (notification) => {
      const { render, signal } = notification
      const accessToken = await fetchToken(notification)
      const content = { content: await render.text(config.message) }
      const isMarkdown = config.message_type === 'markdown'
      const payload = {
        text: isMarkdown ? { content: '' } : content,
        ...compact({
          touser: await render.text(config.to_user),
          toparty: await render.text(config.to_party),
          totag: await render.text(config.to_tag),
          agentid: await render.text(config.agent_id),
        }),
        safe: '0',
        msgtype: config.message_type,
        markdown: isMarkdown ? content : { content: '' },
      }
      const parameters = new URLSearchParams({ access_token: accessToken })
      const address = `${joinPath(config.api_url, 'message/send')}?${parameters}`
      const { status, body } = await postJson(http, address, payload, signal)
      if (status !== 200) throw new NotifyError(`unexpected status code ${status}`, true, reasonOf(status))
      const answer = parseJson(body) as { errcode?: unknown; errmsg?: unknown } | null | undefined
      if (typeof answer !== 'object' || answer === null)
        throw new NotifyError('the answer is not JSON', true, 'other')
      const code = Number(answer.errcode ?? 0)
      if (code === 0) return
      const isExpired = code === TOKEN_EXPIRED
      if (isExpired) token = { text: '', since: 0 }
      throw new NotifyError(String(answer.errmsg ?? code).slice(0, 200), isExpired, 'other')
    }
  },
})
