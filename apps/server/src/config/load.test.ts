import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError, effectiveConfigYaml, formatSize, loadConfig, parseConfig, parseSize } from './index.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'watchfire-config-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function fault(text: string): ConfigError {
  try {
    parseConfig(text, 'prometheus.yml')
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

describe('defaults', () => {
  it('fills in what an empty file leaves open', () => {
    const config = parseConfig('', 'prometheus.yml')
    expect(config.global).toMatchObject({
      scrapeIntervalMs: 60_000,
      scrapeTimeoutMs: 10_000,
      evaluationIntervalMs: 60_000,
    })
    expect(config.storage).toEqual({
      retentionMs: 1_296_000_000,
      retentionBytes: 0,
      retentionPercentage: 0,
      outOfOrderWindowMs: 0,
      exemplarsMax: 100_000,
    })
  })

  it('lets jobs inherit from the global section and lowers the timeout to the interval', () => {
    const [job] = parseConfig(
      'global: {scrape_interval: 5s, sample_limit: 7, scrape_native_histograms: true}\nscrape_configs: [{job_name: a}]',
      'p.yml',
    ).scrapeConfigs
    expect(job).toMatchObject({
      scrapeIntervalMs: 5000,
      scrapeTimeoutMs: 5000,
      sampleLimit: 7,
      scrapeNativeHistograms: true,
      metricsPath: '/metrics',
      scheme: 'http',
      honorTimestamps: true,
    })
    expect(job!.scrapeProtocols[0]).toBe('PrometheusProto')
  })

  it('prefers the retention of the file to that of the flags', () => {
    const text = 'storage: {tsdb: {retention: {time: 2d, size: 1GB, percentage: 7.5}}}'
    expect(parseConfig(text, 'p.yml', { retentionMs: 5 }).storage).toMatchObject({
      retentionMs: 172_800_000,
      retentionBytes: 2 ** 30,
      retentionPercentage: 7.5,
    })
    expect(parseConfig('', 'p.yml', { retentionMs: 5 }).storage.retentionMs).toBe(5)
  })
})

describe('errors', () => {
  it('names file, line and column of every unknown field at once', () => {
    const error = fault('global:\n  scrape_intervall: 1m\n  foo: 1\nbar: 2\n')
    expect(error.message).toBe(
      'parsing YAML file prometheus.yml: yaml: unmarshal errors:\n' +
        '  line 2: field scrape_intervall not found in type config.plain (line 2, column 3)\n' +
        '  line 3: field foo not found in type config.plain (line 3, column 3)\n' +
        '  line 4: field bar not found in type config.plain (line 4, column 1)',
    )
    expect([error.line, error.column, error.path]).toEqual([2, 3, 'prometheus.yml'])
  })

  const cases: [string, string, number][] = [
    ['scrape_configs:\n- job_name: a\n  foo: 1', 'field foo not found in type config.ScrapeConfig', 3],
    ['global: {}\nglobal: {}', 'field global already set in type config.plain', 2],
    ['global:\n  scrape_interval: bad', 'not a valid duration string: "bad"', 2],
    ['global: {body_size_limit: x}', 'units: invalid x', 1],
    ['global: {sample_limit: x}', 'cannot unmarshal !!str `x` into uint', 1],
    ['scrape_configs: [{job_name: a, honor_labels: "true"}]', 'cannot unmarshal !!str `true` into bool', 1],
    ['scrape_configs:\n- job_name: ""', 'job_name is empty', 2],
    ['scrape_configs:\n- job_name: a\n- job_name: a', 'found multiple scrape configs with job name "a"', 3],
    ['scrape_configs: [{job_name: a, scrape_interval: 5s, scrape_timeout: 6s}]', 'scrape timeout greater', 1],
    ['scrape_configs: [{job_name: a, static_configs: [{targets: ["http://x"]}]}]', 'not a valid hostname', 1],
    ['rule_files: ["a/*/b.yml"]', 'invalid rule file path "a/*/b.yml"', 1],
    [
      'scrape_configs: [{job_name: a, relabel_configs: [{action: nope}]}]',
      'unknown relabel action "nope"',
      1,
    ],
    ['scrape_configs: [{job_name: a, relabel_configs: [{regex: "(", target_label: b}]}]', 'error parsing', 1],
    ['scrape_configs: [{job_name: a, scrape_protocols: [x]}]', 'unknown scrape protocol x, supported: [', 1],
    ['alerting: {alertmanagers: [{api_version: v1}]}', 'expected Alertmanager api version', 1],
    ['rule_files: [*b]', 'unknown anchor', 1],
    ['global:\n\tscrape_interval: 1s', 'yaml: line 2:', 2],
    ['abc', 'cannot unmarshal !!str `abc` into config.plain', 1],
    ['scrape_configs: [null]', 'empty or null scrape config section', 1],
  ]
  it.each(cases)('refuses %j', (text, message, line) => {
    const error = fault(text)
    expect(error.message).toContain(message)
    expect(error.message).toMatch(/line \d+, column \d+/)
    expect(error.line).toBe(line)
  })

  it('refuses what is known but not built, naming the place', () => {
    const error = fault('scrape_configs:\n- job_name: a\n  azure_sd_configs: [{port: 1}]\n')
    expect(error.code).toBe('config_unsupported')
    expect(error.message).toContain(
      'scrape_configs[0].azure_sd_configs is not supported yet (line 3, column 3)',
    )
    for (const text of [
      'remote_write: [{url: "http://x/w"}]',
      'remote_read: [{url: "http://x/r"}]',
      'scrape_configs: [{job_name: a, oauth2: {client_id: a, client_secret: b, token_url: "http://t"}}]',
      'scrape_configs: [{job_name: a, proxy_url: "http://p:1"}]',
      'tracing: {endpoint: "x:1"}',
    ])
      expect(fault(text).code, text).toBe('config_unsupported')
  })

  it('survives aliases that would expand without end', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(20)}]`)
    const text = `a0: &a0 [x]\n${levels.join('\n')}\nrule_files: *a12`
    expect(fault(text).message).toContain('parsing YAML file')
  })

  it('says which file cannot be read', () => {
    expect(() => loadConfig(join(dir, 'none.yml'))).toThrow(/open .*none\.yml: no such file or directory/)
  })

  it('never throws anything but a ConfigError for any text', () => {
    const word = fc.constantFrom(
      ...'global scrape_configs job_name static_configs targets : - [ ] { } & * ! " \n \n  a 1 5s null'.split(
        ' ',
      ),
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 5 })), { maxLength: 30 }), (words) => {
        try {
          parseConfig(words.join(' '), 'p.yml')
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('files', () => {
  it('resolves paths against the file and finds rule and scrape files by pattern', () => {
    mkdirSync(join(dir, 'rules'))
    writeFileSync(join(dir, 'rules/b.yml'), '')
    writeFileSync(join(dir, 'rules/a.yml'), '')
    writeFileSync(join(dir, 'extra.yml'), 'scrape_configs: [{job_name: b}]')
    writeFileSync(
      join(dir, 'prometheus.yml'),
      'rule_files: ["rules/*.yml", missing.yml]\nscrape_config_files: [ex*.yml]\n' +
        'scrape_configs: [{job_name: a, file_sd_configs: [{files: [t.json]}], bearer_token_file: tok}]',
    )
    const config = loadConfig(join(dir, 'prometheus.yml'))
    expect(config.ruleFiles).toEqual([join(dir, 'rules/a.yml'), join(dir, 'rules/b.yml')])
    expect(config.scrapeConfigs.map((job) => job.jobName)).toEqual(['a', 'b'])
    expect(config.scrapeConfigs[0]!.discovery.fileSdConfigs[0]!.files).toEqual([join(dir, 't.json')])
    expect(config.scrapeConfigs[0]!.http.authorization).toEqual({
      type: 'Bearer',
      credentialsFile: join(dir, 'tok'),
    })
  })

  it('refuses a job that two files define', () => {
    writeFileSync(join(dir, 'extra.yml'), 'scrape_configs:\n- job_name: a')
    writeFileSync(join(dir, 'p.yml'), 'scrape_configs: [{job_name: a}]\nscrape_config_files: [extra.yml]')
    expect(() => loadConfig(join(dir, 'p.yml'))).toThrow(
      /extra\.yml": found multiple scrape configs with job name "a", first found in main config file/,
    )
  })
})

describe('external labels', () => {
  it('expands the environment and warns of names it does not have', () => {
    const config = parseConfig(
      "global: {external_labels: {a: '$X-${X}', b: 'p$$q', c: '${NONE}'}}",
      'p.yml',
      { environment: { X: 'v' } },
    )
    expect(config.global.externalLabels).toEqual({ a: 'v-v', b: 'p$q', c: '' })
    expect(config.warnings).toHaveLength(1)
  })
})

describe('the effective configuration', () => {
  it('shows defaults and hides secrets', () => {
    const yaml = effectiveConfigYaml(
      parseConfig(
        'scrape_configs: [{job_name: a, basic_auth: {username: u, password: hunter2}, authorization: }]',
        'p.yml',
      ),
    )
    expect(yaml).toContain('    password: <secret>\n')
    expect(yaml).not.toContain('hunter2')
    expect(yaml).toContain('- job_name: a\n  honor_timestamps: true\n')
    expect(yaml).toContain(
      'storage:\n  tsdb:\n    outofordertimewindow: 0\n    retention:\n      time: 15d\n',
    )
  })

  it('is a configuration that loads to the same', () => {
    const text =
      'global: {scrape_interval: 7s, external_labels: {r: "0", y: "yes"}}\n' +
      'scrape_configs: [{job_name: a, params: {m: [x]}, relabel_configs: [{source_labels: [a, b], target_label: c}]}]'
    const once = effectiveConfigYaml(parseConfig(text, 'p.yml')).replace(/^ +outofordertimewindow: 0\n/m, '')
    expect(effectiveConfigYaml(parseConfig(once, 'p.yml'))).toBe(
      effectiveConfigYaml(parseConfig(text, 'p.yml')),
    )
    expect(once).toContain('source_labels: [a, b]')
  })
})

describe('sizes', () => {
  it('prints what it reads', () => {
    expect(parseSize('10MB')).toBe(10 * 2 ** 20)
    expect(parseSize('1GiB512MiB')).toBe(1.5 * 2 ** 30)
    expect(formatSize(1.5 * 2 ** 30)).toBe('1GiB512MiB')
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 52 }), (n) => {
        expect(parseSize(formatSize(n))).toBe(n)
      }),
    )
  })
})
