// The commands of `bin/watchfire`. Without a command it is the server alone, with Prometheus's flags.
import { parseArgs } from 'node:util'
import { startAlertmanager } from '@watchfire/alertmanager'
import { createLogger, helpText, parseFlags, startServer, type LogLevel } from '@watchfire/server'
import { runUntilStopped } from './lifecycle.ts'
import { RUNBOOKS_DIR, UI_DIR, VERSION } from './paths.ts'
import { UsageError } from './up/options.ts'

/** `bin/watchfire [flags]`. */
export async function server(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h') || argv.includes('--help-long')) {
    process.stdout.write(helpText('watchfire'))
    return 0
  }
  if (argv.includes('--version')) {
    process.stdout.write(`watchfire, version ${VERSION}\n`)
    return 0
  }
  const flags = parseFlags(argv)
  const logger = createLogger({ level: flags.logLevel, format: flags.logFormat })
  const running = await startServer({ flags, uiDir: UI_DIR, runbooksDir: RUNBOOKS_DIR, logger })
  return runUntilStopped(running, running.quit)
}

const ALERTMANAGER_HELP = `usage: watchfire alertmanager [flags]

  --config.file=alertmanager.yml     configuration
  --storage.path=data/               silences, notification log and inbox
  --web.listen-address=:9093         address to listen on
  --web.external-url=                how people reach this Alertmanager
  --log.level=info                   debug, info, warn, error
  --help
`

/** `bin/watchfire alertmanager [flags]`: stand-alone. */
export async function alertmanager(argv: readonly string[]): Promise<number> {
  const string = { type: 'string' } as const
  let flags
  try {
    flags = parseArgs({
      args: [...argv],
      strict: true,
      options: {
        'config.file': { ...string, default: 'alertmanager.yml' },
        'storage.path': { ...string, default: 'data/' },
        'web.listen-address': { ...string, default: ':9093' },
        'web.external-url': string,
        'log.level': { ...string, default: 'info' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
  if (flags.help) {
    process.stdout.write(ALERTMANAGER_HELP)
    return 0
  }
  const address = /^(.*):(\d+)$/.exec(flags['web.listen-address'])
  if (!address) throw new UsageError(`web.listen-address: "${flags['web.listen-address']}" is not host:port`)
  const logger = createLogger({ level: flags['log.level'] as LogLevel })
  const running = await startAlertmanager({
    configFile: flags['config.file'],
    host: address[1] === '' ? '0.0.0.0' : address[1]!.replace(/^\[|\]$/g, ''),
    port: Number(address[2]),
    dataDir: flags['storage.path'],
    uiDir: UI_DIR,
    ...(flags['web.external-url'] !== undefined && { externalUrl: flags['web.external-url'] }),
    logger: logger,
  })
  logger.info('Listening', { address: running.url })
  return runUntilStopped(running)
}
