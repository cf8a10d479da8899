import { describe, expect, it } from 'vitest'
import { ConfigError, parseConfig } from './index.ts'

const job = (lines: string) => `scrape_configs:\n- job_name: a\n${lines.replace(/^/gm, '  ')}\n`

function fault(lines: string): ConfigError {
  try {
    parseConfig(job(lines), '/etc/p/prometheus.yml')
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

const discovery = (lines: string) =>
  parseConfig(job(lines), '/etc/p/prometheus.yml').scrapeConfigs[0]!.discovery

describe('service discovery blocks', () => {
  it('fill in their defaults', () => {
    const config = discovery(
      'http_sd_configs: [{url: "http://x/sd"}]\ndns_sd_configs: [{names: [a.b]}]\n' +
        'kubernetes_sd_configs: [{role: pod}]\nconsul_sd_configs: [{}]\n' +
        'docker_sd_configs: [{host: "unix:///var/run/docker.sock"}]',
    )
    expect(config.httpSdConfigs).toEqual([
      { url: 'http://x/sd', refreshIntervalMs: 60_000, http: { followRedirects: true } },
    ])
    expect(config.dnsSdConfigs).toEqual([{ names: ['a.b'], refreshIntervalMs: 30_000, type: 'SRV', port: 0 }])
    expect(config.kubernetesSdConfigs).toMatchObject([{ role: 'pod', namespaces: [], ownNamespace: false }])
    expect(config.consulSdConfigs).toMatchObject([{ server: 'localhost:8500', tagSeparator: ',' }])
    expect(config.dockerSdConfigs).toMatchObject([{ port: 80, matchFirstNetwork: true }])
  })

  it('find their files beside the configuration', () => {
    const config = discovery(
      'kubernetes_sd_configs:\n- {role: pod, kubeconfig_file: kube.yml}\n' +
        '- {role: node, api_server: "https://k", tls_config: {ca_file: ca.pem}, bearer_token_file: token}',
    )
    expect(config.kubernetesSdConfigs![0]!.kubeconfigFile).toBe('/etc/p/kube.yml')
    expect(config.kubernetesSdConfigs![1]!.http).toMatchObject({
      tls: { caFile: '/etc/p/ca.pem' },
      authorization: { credentialsFile: '/etc/p/token' },
    })
  })

  it('hide their secrets in the effective configuration', () => {
    const { effectiveYaml } = parseConfig(
      job(
        'consul_sd_configs: [{token: hush1, server: c}]\n' +
          'http_sd_configs: [{url: "http://x/", basic_auth: {username: u, password: hush2}}]\n' +
          'tls_config: {cert: C, key: hush3}',
      ),
      'p.yml',
    )
    expect(effectiveYaml).not.toContain('hush')
    expect(effectiveYaml.match(/<secret>/g)).toHaveLength(3)
  })

  const wrong: [string, string][] = [
    ['http_sd_configs: [{}]', 'URL is missing'],
    ['http_sd_configs: [{url: "ftp://x"}]', "URL scheme must be 'http' or 'https'"],
    ['http_sd_configs: [{url: "http:///x"}]', 'host is missing in URL'],
    ['dns_sd_configs: [{}]', 'DNS-SD config must contain at least one SRV record name'],
    ['dns_sd_configs: [{names: [x], type: A}]', 'a port is required in DNS-SD configs'],
    ['dns_sd_configs: [{names: [x], type: TXT}]', 'invalid DNS-SD records type TXT'],
    ['kubernetes_sd_configs: [{}]', 'role missing'],
    ['kubernetes_sd_configs: [{role: moon}]', 'unknown Kubernetes SD role "moon"'],
    ['kubernetes_sd_configs: [{role: pod, foo: 1}]', 'field foo not found in type kubernetes.plain'],
    [
      'kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, label: "a in (b"}]}]',
      'unable to parse requirement',
    ],
    ['kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, field: x}]}]', 'invalid selector'],
    ['kubernetes_sd_configs: [null]', 'empty or null section in kubernetes_sd_configs'],
    ['consul_sd_configs: [{server: ""}]', 'consul SD configuration requires a server address'],
    ['docker_sd_configs: [{}]', 'host missing'],
    ['docker_sd_configs: [{host: nowhere}]', 'expected unix:///PATH'],
    ['http_sd_configs: [{url: "http://x", proxy_url: "http://p"}]', 'proxy_url is not supported yet'],
    ['tls_config: {min_version: TLS09}', 'unknown TLS version: TLS09'],
    ['tls_config: {cert: a, cert_file: b, key: c}', 'at most one of cert, cert_file & cert_ref'],
  ]
  it.each(wrong)('refuse %s', (lines, message) => {
    const error = fault(lines)
    expect(error.message).toContain(message)
    expect(error.line).toBe(3)
  })

  it.each(['a,!b,c=d,e!=f,g in (h, i),j notin (k),l>1', 'app.kubernetes.io/name=x', ''])(
    'accept the label selector %j',
    (label) => {
      const selectors = JSON.stringify([{ role: 'pod', label }])
      expect(discovery(`kubernetes_sd_configs: [{role: pod, selectors: ${selectors}}]`)).toBeDefined()
    },
  )
})
