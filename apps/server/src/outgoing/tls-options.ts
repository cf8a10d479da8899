// What a TLS connection of a client needs from its configuration.
import { readFileSync } from 'node:fs'
import type { SecureVersion } from 'node:tls'
import type { HttpClientConfig } from '../config/types.ts'

export interface TlsConnectOptions {
  readonly rejectUnauthorized: boolean
  readonly servername?: string
  readonly ca?: Buffer | string
  readonly cert?: Buffer | string
  readonly key?: Buffer | string
  readonly minVersion?: SecureVersion
  readonly maxVersion?: SecureVersion
}

/** Options of `tls.connect`; files are read now, so call it for every new connection. Throws for unreadable ones. */
export function tlsConnectOptions(tls: HttpClientConfig['tls']): TlsConnectOptions | undefined {
  if (tls === undefined) return undefined
  const of = (text: string | undefined, file: string | undefined) =>
    text ? text : file ? readFileSync(file) : undefined
  const ca = of(tls.ca, tls.caFile)
  const cert = of(tls.cert, tls.certFile)
  const key = of(tls.key, tls.keyFile)
  return {
    rejectUnauthorized: !tls.insecureSkipVerify,
    ...(tls.serverName !== undefined && tls.serverName !== '' && { servername: tls.serverName }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(tls.minVersion !== undefined && { minVersion: tls.minVersion }),
    ...(tls.maxVersion !== undefined && { maxVersion: tls.maxVersion }),
  }
}
