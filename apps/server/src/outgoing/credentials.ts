// The Authorization and custom headers of a client's configuration. Files are read for every request, so that
// rotated secrets are taken up.
import { closeSync, openSync, readSync } from 'node:fs'
import type { HttpClientConfig } from '../config/types.ts'

/** Largest secret file, in bytes. */
const SECRET_BYTES_MAX = 1024 * 1024

/** Value of the Authorization header; undefined without credentials. Throws when a file cannot be read. */
export function authorizationHeader(http: HttpClientConfig): string | undefined {
  const { basicAuth, authorization } = http
  if (basicAuth !== undefined) {
    const user =
      basicAuth.usernameFile === undefined ? basicAuth.username : readSecretFile(basicAuth.usernameFile)
    const password =
      basicAuth.passwordFile === undefined
        ? (basicAuth.password ?? '')
        : readSecretFile(basicAuth.passwordFile)
    return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  }
  if (authorization === undefined) return undefined
  const credentials =
    authorization.credentialsFile === undefined
      ? (authorization.credentials ?? '')
      : readSecretFile(authorization.credentialsFile)
  return `${authorization.type} ${credentials}`
}

/** Names and values of `http_headers`; of several values the last one is sent, as Prometheus does. */
export function customHeaders(http: HttpClientConfig): [name: string, value: string][] {
  const out = new Map<string, string>()
  for (const [name, values] of Object.entries(http.httpHeaders ?? {})) {
    const value = values.at(-1)
    if (value !== undefined) out.set(name, value)
  }
  for (const [name, files] of Object.entries(http.httpHeaderFiles ?? {})) {
    const file = files.at(-1)
    if (file !== undefined) out.set(name, readSecretFile(file))
  }
  return [...out]
}

/** A secret without the white space around it. Throws `unable to read file …`. */
export function readSecretFile(file: string): string {
  try {
    const handle = openSync(file, 'r')
    try {
      const bytes = Buffer.alloc(SECRET_BYTES_MAX + 1)
      let length = 0
      for (let read = -1; read !== 0 && length < bytes.length; length += read)
        read = readSync(handle, bytes, length, bytes.length - length, null)
      if (length > SECRET_BYTES_MAX) throw new Error(`larger than ${SECRET_BYTES_MAX} bytes`)
      return bytes.subarray(0, length).toString('utf8').trim()
    } finally {
      closeSync(handle)
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`unable to read file ${file}: ${reason}`, { cause })
  }
}
