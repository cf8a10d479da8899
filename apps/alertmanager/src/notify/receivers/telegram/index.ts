// Telegram: sendMessage of the bot API. The bot's token is part of the address.
import { readFile } from 'node:fs/promises'
import { httpConfig } from '../../../config/http-config.ts'
import {
  atMostOne,
  count,
  flag,
  optional,
  secret,
  section,
  shown,
  text,
  url,
  type Field,
  type ValueOf,
} from '../../../config/schema.ts'
import { parseJson, readSecret, reasonOf, type IncomingAnswer } from '../../http/index.ts'
import { NotifyError } from '../../integration.ts'
import { compact, inherit, postJson, receiverKind, truncate, type Notification } from '../kit.ts'

const MESSAGE_MAX = 4096
const TOO_LONG =
  'Alertmanager notification could not be sent: message length exceeds Telegram limits.\n' +
  '\t\t\tPlease check the template used for producing the message content.'
const PARSE_MODES = ['', 'Markdown', 'MarkdownV2', 'HTML']

/** A chat's number, negative for groups, up to 64 bits; '' when absent. */
const chatId: Field<string> = {
  read(cursor) {
    const id = cursor.string()
    if (id !== '' && !/^-?\d{1,19}$/.test(id))
      cursor.fail(`chat_id must be a number, not ${JSON.stringify(id)}`)
    return id === '0' ? '' : id
  },
  print: (value) => (value === '' ? undefined : Number(value)),
}

const telegramConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(true), false),
    http_config: optional(httpConfig),
    api_url: url(),
    bot_token: secret(),
    bot_token_file: text(),
    chat_id: chatId,
    chat_id_file: text(),
    message_thread_id: count(),
    message: text('{{ template "telegram.default.message" . }}'),
    disable_notifications: flag(),
    parse_mode: text('HTML'),
  },
  (config, at) => {
    atMostOne(at, config, 'bot_token', 'bot_token_file')
    if (config.chat_id === '' && config.chat_id_file === '')
      at.fail('missing chat_id or chat_id_file on telegram_config')
    atMostOne(at, config, 'chat_id', 'chat_id_file')
    if (!PARSE_MODES.includes(config.parse_mode))
      at.fail('unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string')
  },
)
type TelegramConfig = ValueOf<typeof telegramConfig>

export const telegram = receiverKind<TelegramConfig>({
  kind: 'telegram',
  section: telegramConfig,
  complete(config, global, at) {
    const token = inherit(config, 'bot_token', global.telegram_bot_token, global.telegram_bot_token_file)
    if (token.bot_token + token.bot_token_file === '')
      at.fail('missing bot_token or bot_token_file on telegram_config')
    return { ...config, ...token, api_url: config.api_url || global.telegram_api_url }
  },
  create:
    (config, { http }) =>
    async (notification) => {
      const message = await messageOf(config, notification)
      const token = await readSecret(config.bot_token, config.bot_token_file)
      const chat = config.chat_id || (await readFile(config.chat_id_file, 'utf8')).trim()
      const payload = compact({
        chat_id: chat,
        disable_notification: config.disable_notifications ? 'true' : '',
        disable_web_page_preview: 'true',
        message_thread_id: config.message_thread_id === 0 ? '' : String(config.message_thread_id),
        parse_mode: config.parse_mode,
        text: message,
      })
      const address = `${config.api_url.replace(/\/$/, '')}/bot${token}/sendMessage`
      checkAnswer(await postJson(http, address, payload, notification.signal))
    },
})

async function messageOf(config: TelegramConfig, { render }: Notification): Promise<string> {
  if (config.parse_mode !== 'HTML') return truncate(await render.text(config.message), MESSAGE_MAX)
  // Cutting HTML would leave tags open.
  const message = await render.html(config.message)
  return [...message].length > MESSAGE_MAX ? TOO_LONG : message
}

function checkAnswer({ status, body }: IncomingAnswer): void {
  const answer = parseJson(body) as Record<string, unknown> | null | undefined
  if (typeof answer === 'object' && answer?.ok === true) return
  const code = typeof answer?.error_code === 'number' ? answer.error_code : status
  const description = typeof answer?.description === 'string' ? answer.description : 'unexpected answer'
  throw new NotifyError(`telegram: ${description.slice(0, 200)} (${code})`, true, reasonOf(code))
}
