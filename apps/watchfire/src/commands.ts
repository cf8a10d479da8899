// The commands of `bin/watchfire`. Without a command it is the server alone, with Prometheus's flags.
import { hostname } from 'node:os'
import { parseAlertmanagerFlags, startAlertmanager } from '@watchfire/alertmanager'
import { createLogger, helpText, parseFlags, startServer } from '@watchfire/server'
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

/** `bin/watchfire alertmanager [flags]`: stand-alone. */
export async function alertmanager(argv: readonly string[]): Promise<number> {
  let flags
  try {
    flags = parseAlertmanagerFlags(argv, VERSION)
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
  if (typeof flags === 'string') {
    process.stdout.write(flags)
    return 0
  }
  const logger = createLogger({ level: flags.logLevel, format: flags.logFormat })
  for (const warning of flags.warnings) logger.warn(warning)
  const running = await startAlertmanager({
    ...flags,
    // 0 means no limit to the user.
    silencesMax: flags.silencesMax || Number.MAX_SAFE_INTEGER,
    externalUrl: flags.externalUrl || `http://${hostname()}:${flags.port}`,
    uiDir: UI_DIR,
    logger,
  })
  return runUntilStopped(running)
}
