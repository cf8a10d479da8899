// AWS Signature Version 4 of a form POST.
import { createHash, createHmac } from 'node:crypto'

export interface AwsCredentials {
  readonly accessKey: string
  readonly secretKey: string
  readonly sessionToken: string
}

export interface FormRequest {
  readonly url: string
  readonly service: string
  readonly region: string
  /** Milliseconds. */
  readonly timeMs: number
  readonly body: string
}

const CONTENT_TYPE = 'application/x-www-form-urlencoded'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** The headers to send with the request; `Host` is the connection's. */
export function signForm(request: FormRequest, credentials: AwsCredentials): Record<string, string> {
  const { host, pathname, search } = new URL(request.url)
  const time = new Date(request.timeMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = `${time.slice(0, 8)}/${request.region}/${request.service}/aws4_request`
  const signed: Record<string, string> = {
    'content-type': CONTENT_TYPE,
    host,
    'x-amz-date': time,
    ...(credentials.sessionToken !== '' && { 'x-amz-security-token': credentials.sessionToken }),
  }
  const names = Object.keys(signed).sort()
  const canonical = [
    'POST',
    pathname,
    search.slice(1),
    ...names.map((name) => `${name}:${signed[name]}`),
    '',
    names.join(';'),
    sha256(request.body),
  ].join('\n')
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const parts = scope.split('/')
  const key = parts.reduce<string | Buffer>(
    (parent, part) => hmac(parent, part),
    `AWS4${credentials.secretKey}`,
  )
  const signature = hmac(key, text).toString('hex')
  return {
    'Content-Type': CONTENT_TYPE,
    'X-Amz-Date': time,
    ...(credentials.sessionToken !== '' && { 'X-Amz-Security-Token': credentials.sessionToken }),
    Authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKey}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  }
}

/** A form as AWS's own clients write it: sorted, spaces as `+`. */
export function encodeForm(fields: Readonly<Record<string, string>>): string {
  const form = new URLSearchParams(fields)
  form.sort()
  return form.toString().replaceAll('*', '%2A').replaceAll('%7E', '~')
}
