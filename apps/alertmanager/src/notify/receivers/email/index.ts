// Email: a mail with text and HTML.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import addressparser from 'nodemailer/lib/addressparser'
import { tlsConfig } from '../../../config/http-config.ts'
import {
  atMostOne,
  flag,
  optional,
  optionalFlag,
  secret,
  section,
  shown,
  text,
  texts,
  type ValueOf,
} from '../../../config/schema.ts'
import { readSecret } from '../../http/index.ts'
import { NotifyError } from '../../integration.ts'
import { inherit, receiverKind, type Notification } from '../kit.ts'
import { encodeHeader, writeMail, type MailPart } from './mime.ts'

const emailConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(), false),
    to: text(),
    from: text(),
    hello: text(),
    smarthost: text(),
    auth_username: text(),
    auth_password: secret(),
    auth_password_file: text(),
    auth_secret: secret(),
    auth_secret_file: text(),
    auth_identity: text(),
    headers: texts(),
    html: text('{{ template "email.default.html" . }}'),
    text: text(),
    require_tls: optionalFlag(),
    tls_config: optional(tlsConfig),
    force_implicit_tls: optionalFlag(),
    threading: optional(section('config.ThreadingConfig', { enabled: flag(), thread_by_date: text() })),
  },
  (config, at) => {
    if (config.to === '') at.fail('missing to address in email config')
    const names = Object.keys(config.headers).map(canonicalName)
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined) at.fail(`duplicate header ${JSON.stringify(twice)} in email config`)
    const bad = names.find((name) => !/^[!-9;-~]+$/.test(name))
    if (bad !== undefined) at.fail(`invalid header name ${JSON.stringify(bad)} in email config`)
    atMostOne(at, config, 'auth_password', 'auth_password_file')
    atMostOne(at, config, 'auth_secret', 'auth_secret_file')
    if (!config.threading?.enabled) return
    for (const name of ['References', 'In-Reply-To'])
      if (names.includes(name))
        at.fail(`conflicting configuration: threading.enabled conflicts with custom ${name} header`)
    if (!['none', 'daily'].includes(config.threading.thread_by_date))
      at.fail("threading.thread_by_date must be either 'none' or 'daily'")
  },
)
type EmailConfig = ValueOf<typeof emailConfig>

export const email = receiverKind<EmailConfig>({
  kind: 'email',
  section: emailConfig,
  complete(config, global, at) {
    const completed = {
      ...config,
      ...inherit(config, 'auth_password', global.smtp_auth_password, global.smtp_auth_password_file),
      ...inherit(config, 'auth_secret', global.smtp_auth_secret, global.smtp_auth_secret_file),
      tls_config: config.tls_config ?? global.smtp_tls_config,
      smarthost: config.smarthost || global.smtp_smarthost,
      from: config.from || global.smtp_from,
      hello: config.hello || global.smtp_hello,
      auth_username: config.auth_username || global.smtp_auth_username,
      auth_identity: config.auth_identity || global.smtp_auth_identity,
      require_tls: config.require_tls ?? global.smtp_require_tls,
      force_implicit_tls: config.force_implicit_tls ?? global.smtp_force_implicit_tls,
    }
    if (completed.smarthost === '') at.fail('no global SMTP smarthost set')
    if (!splitAddress(completed.smarthost))
      at.fail(`address ${JSON.stringify(completed.smarthost)}: must be host:port`)
    if (completed.from === '') at.fail('no global SMTP from set')
    return completed
  },
  create:
    (config, { sendMail, clock }) =>
    async (notification) => {
      const { render, signal } = notification
      const { host, port } = splitAddress(config.smarthost)!
      const [from, ...others] = addressesOf(await render.text(config.from))
      if (from === undefined || others.length > 0)
        throw new NotifyError("must be exactly one 'from' address", false, 'other')
      const to = addressesOf(await render.text(config.to))
      if (to.length === 0) throw new NotifyError("parse 'to' addresses: no address", false, 'other')
      const implicitTls = config.force_implicit_tls ?? port === 465
      await sendMail({
        host,
        port,
        hello: config.hello,
        implicitTls,
        requireTls: (config.require_tls ?? true) && !implicitTls,
        tls: config.tls_config,
        auth: await authOf(config),
        from,
        to,
        raw: await mailOf(config, notification, clock.now()),
        signal,
      })
    },
})

async function authOf(config: EmailConfig) {
  if (config.auth_username === '') return undefined
  const password = await readSecret(config.auth_password, config.auth_password_file)
  const secretText = await readSecret(config.auth_secret, config.auth_secret_file)
  if (password === '' && secretText === '')
    throw new NotifyError('find auth mechanism: missing password or secret', true, 'other')
  return { user: config.auth_username, password, secret: password === '' ? secretText : '' }
}

async function mailOf(
  config: EmailConfig,
  { render, groupHash }: Notification,
  nowMs: number,
): Promise<string> {
  const own = Object.fromEntries(
    Object.entries(config.headers).map(([name, value]) => [canonicalName(name), value]),
  )
  const templates = {
    Subject: '{{ template "email.default.subject" . }}',
    To: config.to,
    From: config.from,
    ...own,
  }
  const headers: [string, string][] = []
  for (const [name, template] of Object.entries(templates))
    headers.push([name, encodeHeader(await render.text(template))])
  if (!('Message-Id' in own)) {
    const id = `${nowMs}000000.${BigInt(`0x${randomBytes(8).toString('hex')}`)}`
    headers.push(['Message-Id', `<${id}@${hostname()}>`])
  }
  if (config.threading?.enabled) {
    const day = config.threading.thread_by_date === 'none' ? '' : new Date(nowMs).toISOString().slice(0, 10)
    const root = `<alert-${groupHash.slice(0, 16)}-${day}@alertmanager>`
    headers.push(['References', root], ['In-Reply-To', root])
  }
  headers.push(['Date', mailDate(nowMs)])
  const parts: MailPart[] = []
  if (config.text !== '')
    parts.push({ contentType: 'text/plain; charset=UTF-8', text: await render.text(config.text) })
  // Programs show the last part they understand.
  if (config.html !== '')
    parts.push({ contentType: 'text/html; charset=UTF-8', text: await render.html(config.html) })
  return writeMail(headers, parts, randomBytes(30).toString('hex'))
}

function mailDate(timeMs: number): string {
  return new Date(timeMs).toUTCString().replace('GMT', '+0000')
}

/** `message-id` → `Message-Id`. */
function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())
}

function splitAddress(address: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(address)
  return match ? { host: match[1] ?? (match[2] || 'localhost'), port: Number(match[3]) } : undefined
}

function addressesOf(list: string): string[] {
  const found = addressparser(list, { flatten: true })
  const addresses = found.map(({ address }) => address)
  const bad = addresses.find((address) => !/^[^\s<>@]+@[^\s<>@]+$/.test(address))
  if (bad !== undefined)
    throw new NotifyError(`parse addresses: ${JSON.stringify(bad)} is no mail address`, false, 'other')
  return addresses
}
