import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runPromtool } from './index.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'promtool-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function file(name: string, content: string): string {
  const path = join(dir, name)
  writeFileSync(path, content)
  return path
}

async function tool(args: string[], stdin = '') {
  let out = ''
  let err = ''
  const code = await runPromtool(args, {
    out: (text) => void (out += text.replaceAll(dir, '.')),
    err: (text) => void (err += text.replaceAll(dir, '.')),
    stdin: async () => stdin,
    now: () => 1_700_000_000_000,
  })
  return { code, out, err }
}

describe('the command line', () => {
  it.each([
    [['foo'], 'expected command but got "foo"'],
    [['check'], "must select a subcommand of 'check'"],
    [['check', 'config'], "required argument 'config-files' not provided"],
    [['check', 'config', '/nope.yml'], "path '/nope.yml' does not exist"],
    [['check', 'rules', '--nope'], "unknown long flag '--nope'"],
    [['-x'], "unknown short flag '-x'"],
    [['query', 'series', 'http://x'], 'required flag --match not provided'],
    [['query', '-o', 'x', 'instant', 'http://x', 'up'], "enum value must be one of promql,json, got 'x'"],
    [['query', 'range', 'http://x', 'up', '--step=abc'], 'time: invalid duration "abc"'],
    [['query', 'series', '--match=up', 'http://x', 'a'], 'unexpected a'],
    [['check', 'config', '--lint'], "expected argument for flag '--lint'"],
  ])('refuses %j', async (args, message) => {
    expect(await tool(args)).toEqual({
      code: 1,
      out: '',
      err: `promtool: error: ${message}, try --help\n`,
    })
  })

  it('shows help of the command it is asked at', async () => {
    const { code, out } = await tool(['check', 'config', '--help'])
    expect(code).toBe(0)
    expect(out).toContain('usage: promtool check config [<flags>] <config-files>...')
    expect(out).toContain('--lint="duplicate-rules"')
  })
})

const RULES = `groups:
- name: g
  rules:
  - {record: 'job:up:sum', expr: sum by (job) (up)}
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: page}
    annotations: {summary: '{{ $labels.job }} is down at {{ $value }} in {{ $externalLabels.region }}'}
`

function testFile(tests: string): string {
  file('rules.yml', RULES)
  return file('test.yml', `rule_files: ['*ules.yml']\nevaluation_interval: 1m\ntests:\n${tests}`)
}

const SERIES = `- interval: 1m
  name: one
  external_labels: {region: eu}
  input_series: [{series: 'up{job="a"}', values: '1 0x9'}, {series: 'h', values: '{{count:1 sum:2 buckets:[1]}}x9'}]
`

describe('rule unit tests', () => {
  it('succeed on what the rules do', async () => {
    const path = testFile(`${SERIES}
  alert_rule_test:
  - {eval_time: 2m, alertname: Down}
  - eval_time: 3m
    alertname: Down
    exp_alerts: [{exp_labels: {job: a, severity: page}, exp_annotations: {summary: a is down at 0 in eu}}]
  promql_expr_test:
  - {expr: 'job:up:sum', eval_time: 0m, exp_samples: [{labels: 'job:up:sum{job="a"}', value: 1}]}
  - {expr: 'h + h', eval_time: 5m, exp_samples: [{labels: '{}', histogram: '{{count:2 sum:4 counter_reset_hint:not_reset buckets:[2]}}'}]}
  - {expr: 'ALERTS{alertstate="pending"}', eval_time: 5m}
`)
    expect(await tool(['test', 'rules', path])).toEqual({ code: 0, out: '  SUCCESS\n\n', err: '' })
  })

  it('show what was expected and what came', async () => {
    const path = testFile(`${SERIES}
  alert_rule_test:
  - {eval_time: 3m, alertname: Down}
  promql_expr_test:
  - {expr: up, eval_time: 1m, exp_samples: [{labels: 'up{job="a"}', value: 7}]}
  - {expr: 'sum(', eval_time: 1m}
`)
    const { code, err } = await tool(['test', 'rules', path])
    expect(code).toBe(1)
    expect(err).toBe(`  FAILED:
    name: one,
    alertname: Down, time: 3m, 
        exp:[], 
        got:[
            0:
              Labels:{alertname="Down", job="a", severity="page"}
              Annotations:{summary="a is down at 0 in eu"}
            ]
    expr: "up", time: 1m,
        exp: {__name__="up", job="a"} 7E+00
        got: {__name__="up", job="a"} 0E+00
    expr: "sum(", time: 1m, err: 1:5: parse error: unclosed left parenthesis
`)
    const diff = await tool(['test', 'rules', '--diff', path])
    expect(diff.err).toContain('\u001b[0;32m"severity": "page"\u001b[0m')
  })

  it('run only the groups that are asked for, and leave a JUnit file', async () => {
    const failing = (name: string) =>
      `- name: ${name}\n  input_series: []\n  promql_expr_test: [{expr: vector(1), eval_time: 0s}]\n`
    const path = testFile(failing('first') + failing('second <&>'))
    const junit = join(dir, 'junit.xml')
    const { err } = await tool(['test', '--junit', junit, 'rules', '--run', 'sec.*d', path])
    expect(err.match(/expr:/g)).toHaveLength(1)
    const xml = readFileSync(junit, 'utf8')
    expect(xml).toContain('tests="1" failures="1" errors="0" skipped="0" timestamp="2023-11-14T22:13:20"')
    expect(xml).toContain('<testcase name="second &lt;&amp;&gt;"><failure>')
  })

  it('start at the time they are told to, and compare floats fuzzily on demand', async () => {
    const path = file(
      'time.yml',
      `fuzzy_compare: true
tests:
- start_timestamp: '2021-01-01T00:00:00Z'
  input_series: [{series: a, values: '0.1'}]
  promql_expr_test:
  - {expr: time(), eval_time: 1m, exp_samples: [{labels: '{}', value: 1609459260}]}
  - {expr: 'a + 0.2', eval_time: 0s, exp_samples: [{labels: '{}', value: 0.3}]}
`,
    )
    expect((await tool(['test', 'rules', path])).code).toBe(0)
  })

  it('stop at rules that cannot be evaluated and at files that cannot be read', async () => {
    file('rules.yml', 'groups: [{name: g, rules: [{record: a, expr: b / on (x) c}]}]')
    const duplicate =
      "[{series: 'b{x=\"1\"}', values: '1'}, {series: 'c{x=\"1\",y=\"1\"}', values: '1'}, {series: 'c{x=\"1\",y=\"2\"}', values: '1'}]"
    const path = file('test.yml', `rule_files: [rules.yml]\ntests: [{input_series: ${duplicate}}]`)
    const { code, err } = await tool(['test', 'rules', path])
    expect(code).toBe(1)
    expect(err).toMatch(
      /^ {2}FAILED:\n {4}rule: a, time: 0s, err: found duplicate series for the match group/,
    )
    const unknown = file('unknown.yml', 'tests: []\nfoo: 1\n')
    expect((await tool(['test', 'rules', unknown])).err).toBe(
      '  FAILED:\nyaml: unmarshal errors:\n  line 2: field foo not found in type main.unitTestFile\n',
    )
    const series = file('series.yml', "tests: [{input_series: [{series: 'a{1}', values: '1'}]}]")
    expect((await tool(['test', 'rules', series])).err).toContain('2:3: parse error: unexpected character')
  })
})

describe('checks', () => {
  it('read rule files to their end', async () => {
    const good = file('good.yml', RULES)
    expect(await tool(['check', 'rules', good])).toEqual({
      code: 0,
      out: 'Checking ./good.yml\n  SUCCESS: 2 rules found\n\n',
      err: '',
    })
    const bad = file(
      'bad.yml',
      'groups:\n- name: g\n  rules:\n  - {record: a, expr: "a("}\n  - {record: b}\n',
    )
    const { code, err } = await tool(['check', 'rules', bad])
    expect(code).toBe(1)
    expect(err.match(/group "g", rule [12]/g)).toEqual(['group "g", rule 1', 'group "g", rule 2'])
  })

  it('warn of rules that are not read', async () => {
    const { code, err } = await tool(['check', 'rules'], '# two\n---\ngroups: []\n---\ngroups: []\n')
    expect(code).toBe(0)
    expect(err).toMatch(/level=warn msg="Multiple document yaml rules files are not supported/)
    expect((await tool(['check', 'rules'], '# one\n---\ngroups: []\n')).err).toBe('')
  })

  it('tell of rules given twice, with a code of its own when that is fatal', async () => {
    const twice = 'groups: [{name: g, rules: [{record: a, expr: b}, {record: a, expr: c}]}]'
    const { code, err } = await tool(['check', 'rules'], twice)
    expect({ code, err }).toEqual({
      code: 0,
      err: '  FAILED:\nlint error 1 duplicate rule(s) found.\nMetric: a\nLabel(s):\nMight cause inconsistency while recording expressions\n',
    })
    expect((await tool(['check', 'rules', '--lint-fatal'], twice)).code).toBe(3)
    expect((await tool(['check', 'rules', '--lint=none', '--lint-fatal'], twice)).code).toBe(0)
    expect((await tool(['check', 'rules', '--ignore-unknown-fields'], 'groups: []\nx: 1')).code).toBe(0)
  })

  it('accept a configuration for a bigger server, and find what even that refuses', async () => {
    const config = (sd: string) =>
      file('c.yml', `scrape_configs: [{job_name: a, ${sd}}]\nremote_write: [{url: http://x}]`)
    const good = await tool(['check', 'config', config('gce_sd_configs: [{project: p, zone: z}]')])
    expect(good).toEqual({
      code: 0,
      out: 'Checking ./c.yml\n SUCCESS: ./c.yml is valid prometheus config file syntax\n\n',
      err: '',
    })
    const bad = await tool(['check', 'config', config('gce_sd_configs: [{project: p}]')])
    expect(bad.code).toBe(1)
    expect(bad.err).toBe('  FAILED: parsing YAML file ./c.yml: GCE SD configuration requires a zone\n')
  })

  it('look at the files a configuration names, unless only the syntax counts', async () => {
    const path = file('c.yml', 'rule_files: [nope.yml]\n')
    expect((await tool(['check', 'config', path])).err).toBe(
      '  FAILED: "./nope.yml" does not point to an existing file\n',
    )
    expect((await tool(['check', 'config', '--syntax-only', path])).code).toBe(0)
    expect((await tool(['check', 'config', '--agent', path])).err).toBe(
      '  FAILED: field rule_files is not allowed in agent mode\n',
    )
  })

  it('find scrape intervals that are too long', async () => {
    const path = file('c.yml', 'scrape_configs: [{job_name: a, scrape_interval: 5m}]\n')
    expect((await tool(['check', 'config', path])).code).toBe(0)
    const { code, err } = await tool(['check', 'config', '--lint=all', '--lint-fatal', path])
    expect(code).toBe(3)
    expect(err).toContain('data point will be marked as stale - job: a, interval: 5m')
  })

  it.each([
    ['basic_auth_users: {a: plain}', 'crypto/bcrypt: hashedSecret too short to be a bcrypted password'],
    ['tls_server_config: {cert_file: x}', 'missing one of key or key_file'],
    ['tls_server_config: {min_version: TLS9}', 'unknown TLS version: TLS9'],
    ['http_server_config: {headers: {X-Foo: a}}', 'HTTP header "X-Foo" can not be configured'],
    ['foo: 1', 'yaml: unmarshal errors:\n  line 1: field foo not found in type web.Config'],
  ])('refuse the web configuration %s', async (content, message) => {
    const path = file('web.yml', content)
    expect(await tool(['check', 'web-config', path])).toEqual({
      code: 1,
      out: '',
      err: `./web.yml FAILED: ${message}\n`,
    })
  })

  it('lint metrics and count their series', async () => {
    const metrics =
      '# HELP a_minutes x\n# TYPE a_minutes counter\na_minutes 1\n# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n'
    expect(await tool(['check', 'metrics', '--extended'], metrics)).toEqual({
      code: 3,
      err: 'a_minutes counter metrics should have "_total" suffix\na_minutes use base unit "seconds" instead of "a_minutes"\nh no help text\n'.replace(
        '"a_minutes"',
        '"minutes"',
      ),
      out: 'Metric       Cardinality    Percentage    \nh            3              75.00%        \na_minutes    1              25.00%        \nTotal        4              100%          \n',
    })
    expect((await tool(['check', 'metrics', '--lint=none'], metrics)).code).toBe(1)
  })

  it('show targets before and after relabelling', async () => {
    const path = file(
      'c.yml',
      'scrape_configs: [{job_name: a, static_configs: [{targets: [x:1], labels: {__meta_z: q}}], relabel_configs: [{source_labels: [__meta_z], target_label: z}]}]',
    )
    const { out } = await tool(['check', 'service-discovery', path, 'a'])
    const [{ discoveredLabels, labels }] = JSON.parse(out) as [
      { discoveredLabels: Record<string, string>; labels: Record<string, string> },
    ]
    expect(discoveredLabels).toMatchObject({ __address__: 'x:1', __meta_z: 'q', job: 'a' })
    expect(labels).toMatchObject({ instance: 'x:1', job: 'a', z: 'q' })
    expect(labels).not.toHaveProperty('__meta_z')
    expect((await tool(['check', 'service-discovery', path, 'b'])).err).toBe(
      'Job b not found. Select one of:\n\ta\n',
    )
  })

  it('wait for discoveries over the network', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end('[{"targets":["y:2"],"labels":{"__meta_zone":"1","team":"ml"}}]')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const job = `{job_name: a, http_sd_configs: [{url: 'http://127.0.0.1:${port}/'}]}`
    const path = file('http.yml', `scrape_configs: [${job}]`)
    try {
      const { out } = await tool(['check', 'service-discovery', '--timeout=500ms', path, 'a'])
      expect(JSON.parse(out)).toMatchObject([
        {
          discoveredLabels: { __address__: 'y:2', __meta_zone: '1' },
          labels: { instance: 'y:2', team: 'ml' },
        },
      ])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})

describe('promql', () => {
  it.each([
    [['format', 'sum(rate(x[5m]))by(a)'], 'sum by (a) (rate(x[5m]))'],
    [['label-matchers', 'set', 'a{x="1"} / b[5m:]', 'x', '2', '-t', '=~'], 'a{x=~"2"} / b{x=~"2"}[5m:]'],
    [['label-matchers', 'delete', 'rate(a{x="1",y="2"}[5m])', 'x'], 'rate(a{y="2"}[5m])'],
  ])('edits %j', async (args, want) => {
    const query = args.at(-1)!.includes('[5m:]') ? args : args.map((arg) => arg.replace(' / b[5m:]', ''))
    const wanted = want.replace(' / b{x=~"2"}[5m:]', '')
    expect(await tool(['--experimental', 'promql', ...query])).toEqual({
      code: 0,
      out: `${wanted}\n`,
      err: '',
    })
  })

  it('wants to be asked for what is experimental', async () => {
    expect((await tool(['promql', 'format', 'x'])).code).toBe(1)
  })
})
