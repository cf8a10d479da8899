import { describe, expect, it } from 'vitest'
import { UsageError } from '../amtool/command-line.ts'
import { parseAlertmanagerFlags, type AlertmanagerFlags } from './flags.ts'

const read = (...argv: string[]) => parseAlertmanagerFlags(argv, '1') as AlertmanagerFlags

describe('flags of the Alertmanager', () => {
  it('have the defaults of the peer', () => {
    expect(read()).toMatchObject({
      configFile: 'alertmanager.yml',
      dataDir: 'data/',
      retentionMs: 432_000_000,
      host: '0.0.0.0',
      port: 9093,
      routePrefix: '',
      logLevel: 'info',
      warnings: [],
    })
  })

  it('take what operators and charts pass, with a warning for what has no effect', () => {
    const flags = read(
      '--cluster.listen-address=',
      '--cluster.reconnect-timeout=5m',
      '--data.retention=5d',
      '--web.external-url=http://x/am/',
      '--web.listen-address=[::1]:9',
    )
    expect(flags).toMatchObject({ retentionMs: 432_000_000, host: '::1', port: 9, routePrefix: '/am' })
    expect(flags.warnings).toEqual([
      '--cluster.reconnect-timeout has no effect: this Alertmanager runs alone, without a cluster',
    ])
    expect(read('--web.external-url=http://x/am/', '--web.route-prefix=/').routePrefix).toBe('')
  })

  it('refuse what would silently be unsafe or wrong', () => {
    for (const flag of [
      '--web.config.file=w.yml',
      '--data.retention=x',
      '--web.listen-address=x',
      '--log.level=loud',
      '--nope',
    ])
      expect(() => read(flag)).toThrow(UsageError)
    expect(parseAlertmanagerFlags(['--help'], '1')).toContain('--[no-]log.silences')
    expect(parseAlertmanagerFlags(['--version'], '1')).toBe('alertmanager, version 1\n')
  })
})
