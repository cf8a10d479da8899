import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { authorizationHeader } from '../../outgoing/index.ts'
import { ownNamespace, resolveAccess } from './access.ts'

let dir = ''

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'watchfire-kube-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const http = { followRedirects: true }

describe('in a cluster', () => {
  const around = () => ({
    environment: { KUBERNETES_SERVICE_HOST: '10.1.0.1', KUBERNETES_SERVICE_PORT: '443' },
    serviceAccountDir: dir,
  })

  it('uses the service account, and its token as it stands at each request', () => {
    writeFileSync(join(dir, 'token'), 'one\n')
    writeFileSync(join(dir, 'namespace'), 'prometheus')
    const server = resolveAccess({ http }, around())
    expect(server.url).toBe('https://10.1.0.1:443')
    expect(server.http.tls).toEqual({ caFile: join(dir, 'ca.crt'), insecureSkipVerify: false })
    expect(authorizationHeader(server.http)).toBe('Bearer one')
    writeFileSync(join(dir, 'token'), 'two')
    expect(authorizationHeader(server.http)).toBe('Bearer two')
    expect(ownNamespace(around())).toBe('prometheus')
  })

  it('says what is missing', () => {
    expect(() => resolveAccess({ http }, { environment: {}, serviceAccountDir: dir })).toThrow(
      'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined',
    )
    expect(() => resolveAccess({ http }, around())).toThrow('token')
    expect(() => ownNamespace(around())).toThrow("could not determine the pod's namespace")
  })
})

describe('a kubeconfig', () => {
  const config = (user: string, cluster = '{server: "https://k:6443/"}') => {
    mkdirSync(join(dir, 'kube'), { recursive: true })
    const path = join(dir, 'kube', 'config')
    writeFileSync(
      path,
      `current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n` +
        `clusters: [{name: k, cluster: ${cluster}}]\nusers: [{name: u, user: ${user}}]\n`,
    )
    return path
  }
  const resolve = (user: string, cluster?: string) =>
    resolveAccess({ http, kubeconfigFile: config(user, cluster) })

  it('gives certificates, inline or from files beside it', () => {
    const pem = Buffer.from('PEM').toString('base64')
    expect(
      resolve(
        '{client-certificate: c.pem, client-key: /k.pem}',
        `{server: "https://k/", certificate-authority-data: ${pem}}`,
      ),
    ).toEqual({
      url: 'https://k',
      http: {
        followRedirects: true,
        tls: {
          ca: 'PEM',
          certFile: join(dir, 'kube', 'c.pem'),
          keyFile: '/k.pem',
          insecureSkipVerify: false,
        },
      },
    })
  })

  it('gives tokens and passwords', () => {
    expect(authorizationHeader(resolve('{token: t}').http)).toBe('Bearer t')
    expect(resolve('{username: u, password: p}').http.basicAuth).toEqual({ username: 'u', password: 'p' })
  })

  it.each([
    ['{exec: {command: aws}}', undefined, 'users with "exec" are not supported'],
    ['{auth-provider: {name: gcp}}', undefined, '"auth-provider" are not supported'],
    ['{as: root}', undefined, 'impersonation'],
    ['{}', '{server: "https://k", proxy-url: "http://p"}', '"proxy-url" is not supported'],
    ['{}', '{server: k}', 'is no URL'],
  ])('refuses %s %s', (user, cluster, message) => {
    expect(() => resolve(user, cluster)).toThrow(message)
  })

  it('says which part does not exist', () => {
    const path = join(dir, 'c')
    expect(() => resolveAccess({ http, kubeconfigFile: path })).toThrow(`kubeconfig ${path}: ENOENT`)
    writeFileSync(path, 'current-context: x')
    expect(() => resolveAccess({ http, kubeconfigFile: path })).toThrow('context "x" does not exist')
    writeFileSync(path, '[]')
    expect(() => resolveAccess({ http, kubeconfigFile: path })).toThrow('current-context is not set')
  })
})
