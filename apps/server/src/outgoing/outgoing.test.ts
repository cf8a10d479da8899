import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  authorizationHeader,
  customHeaders,
  HttpFetcher,
  HttpStatusError,
  tlsConnectOptions,
} from './index.ts'

let dir = ''
let server: Server
let url = ''
let handler: (path: string, response: ServerResponse) => void

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'watchfire-outgoing-'))
  server = createServer((request, response) => handler(request.url!, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
  rmSync(dir, { recursive: true, force: true })
})

const file = (name: string, content: string) => {
  writeFileSync(join(dir, name), content)
  return join(dir, name)
}
const plain = { followRedirects: true }

describe('credentials', () => {
  it('come from the configuration or from files as they are now', () => {
    expect(authorizationHeader(plain)).toBeUndefined()
    const path = file('token', ' one \n')
    const http = { ...plain, authorization: { type: 'Token', credentialsFile: path } }
    expect(authorizationHeader(http)).toBe('Token one')
    file('token', 'two')
    expect(authorizationHeader(http)).toBe('Token two')
    const basicAuth = { username: '', usernameFile: file('user', 'u'), passwordFile: file('password', 'p') }
    expect(authorizationHeader({ ...plain, basicAuth })).toBe(`Basic ${btoa('u:p')}`)
  })

  it('that cannot be read are errors that name the file', () => {
    const http = { ...plain, authorization: { type: 'Bearer', credentialsFile: join(dir, 'none') } }
    expect(() => authorizationHeader(http)).toThrow(`unable to read file ${join(dir, 'none')}: ENOENT`)
    const big = file('big', 'x'.repeat(2 * 1024 * 1024))
    const tooBig = { ...plain, authorization: { type: 'Bearer', credentialsFile: big } }
    expect(() => authorizationHeader(tooBig)).toThrow('larger than 1048576 bytes')
  })

  it('headers send the last of their values, files last', () => {
    expect(
      customHeaders({
        ...plain,
        httpHeaders: { 'X-A': ['1', '2'], 'X-B': ['1'] },
        httpHeaderFiles: { 'X-B': [file('b', 'from a file\n')] },
      }),
    ).toEqual([
      ['X-A', '2'],
      ['X-B', 'from a file'],
    ])
  })
})

describe('TLS', () => {
  it('takes certificates inline or from files, and versions', () => {
    expect(tlsConnectOptions(undefined)).toBeUndefined()
    expect(
      tlsConnectOptions({
        insecureSkipVerify: false,
        ca: 'CA',
        certFile: file('c.pem', 'CERT'),
        key: 'KEY',
        serverName: 's',
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.3',
      }),
    ).toEqual({
      rejectUnauthorized: true,
      servername: 's',
      ca: 'CA',
      cert: Buffer.from('CERT'),
      key: 'KEY',
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
    })
    expect(() => tlsConnectOptions({ insecureSkipVerify: true, caFile: join(dir, 'none') })).toThrow('ENOENT')
  })
})

describe('HttpFetcher', () => {
  const fetcher = (http = plain) => new HttpFetcher({ http, userAgent: 'test' })
  const request = (more: object = {}) => ({ url, timeoutMs: 1000, bytesMax: 1000, ...more })

  it('gives bodies up to their limit', async () => {
    handler = (_, response) => response.end('x'.repeat(1000))
    const client = fetcher()
    expect((await client.get(request())).body).toHaveLength(1000)
    await expect(client.get(request({ bytesMax: 999 }))).rejects.toThrow('body larger than 999 bytes')
    client.close()
  })

  it('ends endless answers in time, headers or body', async () => {
    handler = (path, response) => {
      if (path === '/body') response.writeHead(200).write('x')
    }
    const client = fetcher()
    await expect(client.get(request({ timeoutMs: 100 }))).rejects.toThrow('context deadline exceeded')
    const body = request({ url: `${url}body`, timeoutMs: 100 })
    await expect(client.get(body)).rejects.toThrow('context deadline exceeded')
    client.close()
  })

  it('tells the status and the beginning of an error', async () => {
    handler = (_, response) => response.writeHead(403).end('no '.repeat(10_000))
    const client = fetcher()
    const error = await client.get(request()).catch((reason: unknown) => reason as HttpStatusError)
    expect(error).toBeInstanceOf(HttpStatusError)
    expect(error).toMatchObject({ status: 403, message: 'server returned HTTP status 403 Forbidden' })
    expect((error as HttpStatusError).detail.length).toBeLessThanOrEqual(1024)
    client.close()
  })

  it('does not follow redirects for ever, or at all when it must not', async () => {
    handler = (_, response) => response.writeHead(302, { Location: '/' }).end()
    const client = fetcher()
    await expect(client.get(request())).rejects.toThrow('stopped after 10 redirects')
    client.close()
    const still = fetcher({ followRedirects: false })
    await expect(still.get(request())).rejects.toThrow('HTTP status 302')
    still.close()
  })
})
