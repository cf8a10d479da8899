// Hands a mail to a server. Nodemailer speaks SMTP; here are the settings and bounds.
import { createTransport } from 'nodemailer'
import type { TlsConfig } from '../../../config/http-config.ts'
import { tlsOptions } from '../../http/index.ts'

export interface OutgoingMail {
  readonly host: string
  readonly port: number
  /** The name we greet with. */
  readonly hello: string
  /** TLS from the first byte. */
  readonly implicitTls: boolean
  /** Otherwise: refuse to go on without STARTTLS, or do not try it. */
  readonly requireTls: boolean
  readonly tls: TlsConfig | undefined
  /** `secret` is for CRAM-MD5, `password` for the others. */
  readonly auth: { readonly user: string; readonly password: string; readonly secret: string } | undefined
  readonly from: string
  readonly to: readonly string[]
  /** The whole mail. */
  readonly raw: string
  readonly signal: AbortSignal
}

/** Rejects when the server does not take the mail. */
export type SendMail = (mail: OutgoingMail) => Promise<void>

const TIMEOUTS = {
  connectionTimeout: 30_000,
  greetingTimeout: 30_000,
  socketTimeout: 60_000,
  dnsTimeout: 10_000,
}

export const sendMailOverNetwork: SendMail = async (mail) => {
  const { auth, signal } = mail
  signal.throwIfAborted()
  const usesSecret = auth !== undefined && auth.secret !== ''
  const transport = createTransport({
    host: mail.host,
    port: mail.port,
    name: mail.hello,
    secure: mail.implicitTls,
    requireTLS: mail.requireTls,
    ignoreTLS: !mail.requireTls,
    tls: { servername: mail.host, ...tlsOptions(mail.tls) },
    ...(auth && { auth: { user: auth.user, pass: usesSecret ? auth.secret : auth.password } }),
    ...(usesSecret && { authMethod: 'CRAM-MD5' }),
    disableFileAccess: true,
    disableUrlAccess: true,
    ...TIMEOUTS,
  })
  let onAbort = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('context canceled'))
    signal.addEventListener('abort', onAbort)
  })
  try {
    const envelope = { from: mail.from, to: [...mail.to] }
    await Promise.race([transport.sendMail({ envelope, raw: mail.raw }), aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
    transport.close()
  }
}
