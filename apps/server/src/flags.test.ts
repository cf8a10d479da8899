import { describe, expect, it } from 'vitest'
import { FlagError, helpText, parseFlags } from './flags.ts'

describe('parseFlags', () => {
  it('has the defaults of Prometheus', () => {
    const flags = parseFlags([])
    expect(flags).toMatchObject({
      configFile: 'prometheus.yml',
      listenAddresses: ['0.0.0.0:9090'],
      storagePath: 'data/',
      lookbackMs: 300_000,
      queryTimeoutMs: 120_000,
      queryMaxConcurrency: 20,
      enableLifecycle: false,
      drainOnShutdown: true,
      routePrefix: '/',
    })
    expect(flags.all['storage.tsdb.retention.time']).toBe('15d')
    expect(flags.all['storage.tsdb.max-block-duration']).toBe('1d12h')
    expect(flags.warnings).toEqual([])
  })

  it('takes values after = or as the next argument, and switches booleans off with no-', () => {
    const flags = parseFlags([
      '--config.file=a.yml',
      '--query.timeout',
      '30s',
      '--web.enable-lifecycle',
      '--no-alertmanager.drain-notification-queue-on-shutdown',
      '--web.listen-address=127.0.0.1:1',
      '--web.listen-address=[::1]:2',
      '--enable-feature=promql-experimental-functions,nonsense,search-api',
    ])
    expect(flags).toMatchObject({
      configFile: 'a.yml',
      queryTimeoutMs: 30_000,
      enableLifecycle: true,
      drainOnShutdown: false,
      listenAddresses: ['127.0.0.1:1', '[::1]:2'],
    })
    expect(flags.features.has('promql-experimental-functions')).toBe(true)
    expect(flags.warnings).toEqual([
      'Unknown option for --enable-feature: nonsense',
      '--enable-feature: search-api has no effect yet',
    ])
  })

  it('takes the route prefix from the external URL unless it is given', () => {
    expect(parseFlags(['--web.external-url=http://x/p/']).routePrefix).toBe('/p')
    expect(parseFlags(['--web.external-url=http://x/p/', '--web.route-prefix=/']).routePrefix).toBe('/')
  })

  it('accepts harmless flags with a warning', () => {
    const flags = parseFlags(['--web.console.templates=/etc/consoles'])
    expect(flags.warnings).toEqual(['flag --web.console.templates has no effect'])
  })

  const wrong: [string[], string, number][] = [
    [['--nope'], "unknown long flag '--nope'", 1],
    [['-x'], "unknown short flag '-x'", 1],
    [['file'], 'unexpected file', 1],
    [['--config.file'], "expected argument for flag '--config.file'", 1],
    [['--config.file=a', '--config.file=b'], "flag 'config.file' cannot be repeated", 1],
    [['--query.timeout=soon'], 'not a valid duration string: "soon"', 1],
    [['--query.max-concurrency=0'], '--query.max-concurrency must be greater than 0', 1],
    [['--log.level=loud'], 'enum value must be one of debug,info,warn,error, got "loud"', 1],
    [['--web.listen-address=9090'], '--web.listen-address: "9090" is not host:port', 1],
    [
      ['--web.enable-otlp-receiver'],
      "flag '--web.enable-otlp-receiver' is not supported yet",
      1,
    ],
    [
      ['--storage.agent.path=x'],
      'The following flag(s) can only be used in agent mode: ["--storage.agent.path"]',
      3,
    ],
    [["--web.external-url='http://x'"], 'URL must not begin or end with quotes', 2],
  ]
  it.each(wrong)('refuses %j', (args, message, exitCode) => {
    const run = () => parseFlags(args)
    expect(run).toThrow(FlagError)
    expect(run).toThrow(message)
    try {
      run()
    } catch (error) {
      expect((error as FlagError).exitCode).toBe(exitCode)
    }
  })
})

describe('helpText', () => {
  it('shows every visible flag and no hidden one', () => {
    expect(helpText()).toContain('--config.file="prometheus.yml"')
    expect(helpText()).toContain('--[no-]web.enable-lifecycle')
    expect(helpText()).not.toContain('samples-per-chunk')
  })
})
