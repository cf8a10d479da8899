// Runs one command of amtool: reads the line and the configuration file, picks the command, turns failures into
// `amtool: error: …` and exit code 1.
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseDuration } from '@watchfire/datamodel'
import { openYaml } from '../config/yaml-cursor.ts'
import {
  addAlert,
  addSilence,
  expireSilences,
  importSilences,
  queryAlerts,
  querySilences,
  updateSilences,
} from './alerts.ts'
import { connect, type ApiClient } from './client.ts'
import { UsageError, parseCommandLine, usageText, type CommandLine } from './command-line.ts'
import { AMTOOL } from './commands.ts'
import { checkConfigs, renderTemplate, routesShow, routesTest, showCluster, showConfig } from './files.ts'
import type { FormatOptions, OutputKind } from './format.ts'

/** What a command works with. */
export interface CommandContext {
  readonly line: CommandLine
  readonly format: FormatOptions
  /** Fails when no Alertmanager was named. */
  readonly api: () => Promise<ApiClient>
  readonly print: (text: string) => void
  readonly warn: (text: string) => void
  readonly now: () => number
}

type Command = (context: CommandContext) => Promise<number | void>

const COMMANDS: Readonly<Record<string, Command>> = {
  'alert query': queryAlerts,
  'alert add': addAlert,
  'silence query': querySilences,
  'silence add': addSilence,
  'silence expire': expireSilences,
  'silence update': updateSilences,
  'silence import': importSilences,
  'check-config': checkConfigs,
  'cluster show': showCluster,
  'config show': showConfig,
  'config routes show': routesShow,
  'config routes test': routesTest,
  'template render': renderTemplate,
}

export interface AmtoolOptions {
  readonly print?: (text: string) => void
  readonly warn?: (text: string) => void
  readonly now?: () => number
  /** Looked for in this order; the first that exists is read. */
  readonly configFiles?: readonly string[]
  readonly version?: string
}

/** `amtool ARGV…`; gives the exit code. */
export async function runAmtool(argv: readonly string[], options: AmtoolOptions = {}): Promise<number> {
  const print = options.print ?? ((text) => void process.stdout.write(text))
  const warn = options.warn ?? ((text) => void process.stderr.write(text))
  const fail = (message: string) => {
    warn(`amtool: error: ${message}\n\n`)
    return 1
  }
  try {
    if (argv.includes('--version')) {
      print(`amtool, version ${options.version ?? '0.34.0'}\n`)
      return 0
    }
    const line = parseCommandLine(AMTOOL, argv, readDefaults(options.configFiles))
    const command = COMMANDS[line.path.join(' ')]
    if (line.wantsHelp || !command) {
      print(usageText('amtool', AMTOOL, line.path))
      return line.wantsHelp ? 0 : 1
    }
    const timeout = parseDuration(line.text('timeout'))
    const signal = AbortSignal.timeout(Math.min(timeout, 2 ** 31 - 1))
    const api = () => {
      const address = line.text('alertmanager.url')
      if (address === '') throw new UsageError('required flag --alertmanager.url not provided')
      return connect(address, line.text('http.config.file'), signal)
    }
    const format = { kind: line.text('output') as OutputKind, dateFormat: line.text('date.format') }
    return (await command({ line, format, api, print, warn, now: options.now ?? Date.now })) ?? 0
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

/** Values of the configuration file: flags by their names. */
function readDefaults(
  files: readonly string[] = [join(homedir(), '.config', 'amtool', 'config.yml'), '/etc/amtool/config.yml'],
): Record<string, string> {
  const file = files.find((path) => existsSync(path))
  if (file === undefined) return {}
  const entries = openYaml(readFileSync(file, 'utf8'), file).entries()
  // The older name of a flag.
  return Object.fromEntries(
    entries.map(([name, value]) => [name === 'comment_required' ? 'require-comment' : name, value.string()]),
  )
}
