// Options of `watchfire up`: flags first, then environment, then defaults.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface UpOptions {
  readonly host: string
  readonly port: number
  readonly inferencePort: number
  readonly dashboardsPort: number
  readonly alertmanagerPort: number
  readonly dataDir: string
  readonly traffic: boolean
  /** A prometheus.yml of the user's own instead of the shipped one. */
  readonly configFile: string | undefined
  readonly alertmanagerConfigFile: string | undefined
  readonly retention: string
  readonly logLevel: string
}

/** Bad usage; the message is for the terminal. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export const UP_HELP = `usage: watchfire up [flags]

Starts the whole monitor in one process (server, Alertmanager, dashboards), the sample inference service and its
sample traffic as processes of their own, and prints their addresses. Ctrl-C stops everything.

flag                      environment                  default
--host                    WATCHFIRE_HOST               127.0.0.1     address to listen on
--port                    WATCHFIRE_PORT               9090          server: API, queries, targets, alerts
--inference-port          WATCHFIRE_INFERENCE_PORT     8000          sample inference service
--dashboards-port         WATCHFIRE_DASHBOARDS_PORT    3000          dashboards
--alertmanager-port       WATCHFIRE_ALERTMANAGER_PORT  9093          Alertmanager
--data                    WATCHFIRE_DATA               ./data        folder for samples, alerts and notifications
--traffic on|off          WATCHFIRE_TRAFFIC            on            sample traffic to the inference service
--config.file             WATCHFIRE_CONFIG             shipped       prometheus.yml
--alertmanager.config     WATCHFIRE_ALERTMANAGER_CONFIG  shipped     alertmanager.yml
--retention               WATCHFIRE_RETENTION          15d           how long samples are kept
--log.level               WATCHFIRE_LOG_LEVEL          warn          debug, info, warn, error
--help
`

/** Reads flags and environment; throws `UsageError`. */
export function parseUpOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): UpOptions | 'help' {
  const string = { type: 'string' } as const
  let flags
  try {
    flags = parseArgs({
      args: [...argv],
      strict: true,
      allowPositionals: false,
      options: {
        host: string,
        port: string,
        'inference-port': string,
        'dashboards-port': string,
        'alertmanager-port': string,
        data: string,
        traffic: string,
        'config.file': string,
        'alertmanager.config': string,
        retention: string,
        'log.level': string,
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
  if (flags.help) return 'help'
  const port = (flag: string | undefined, name: string, fallback: number): number => {
    const text = flag ?? env[name]
    if (text === undefined || text === '') return fallback
    const value = Number(text)
    if (!Number.isInteger(value) || value < 1 || value > 65535)
      throw new UsageError(`${flag === undefined ? name : 'port'}: "${text}" is not a port number`)
    return value
  }
  const traffic = flags.traffic ?? env['WATCHFIRE_TRAFFIC'] ?? 'on'
  if (traffic !== 'on' && traffic !== 'off')
    throw new UsageError(`traffic: expected on or off, got "${traffic}"`)
  const logLevel = flags['log.level'] ?? env['WATCHFIRE_LOG_LEVEL'] ?? 'warn'
  if (!['debug', 'info', 'warn', 'error'].includes(logLevel))
    throw new UsageError(`log.level: expected debug, info, warn or error, got "${logLevel}"`)
  const options: UpOptions = {
    host: flags.host ?? env['WATCHFIRE_HOST'] ?? '127.0.0.1',
    port: port(flags.port, 'WATCHFIRE_PORT', 9090),
    inferencePort: port(flags['inference-port'], 'WATCHFIRE_INFERENCE_PORT', 8000),
    dashboardsPort: port(flags['dashboards-port'], 'WATCHFIRE_DASHBOARDS_PORT', 3000),
    alertmanagerPort: port(flags['alertmanager-port'], 'WATCHFIRE_ALERTMANAGER_PORT', 9093),
    dataDir: resolve(flags.data ?? (env['WATCHFIRE_DATA'] || 'data')),
    traffic: traffic === 'on',
    configFile: flags['config.file'] ?? (env['WATCHFIRE_CONFIG'] || undefined),
    alertmanagerConfigFile:
      flags['alertmanager.config'] ?? (env['WATCHFIRE_ALERTMANAGER_CONFIG'] || undefined),
    retention: flags.retention ?? (env['WATCHFIRE_RETENTION'] || '15d'),
    logLevel,
  }
  const ports = [options.port, options.inferencePort, options.dashboardsPort, options.alertmanagerPort]
  const twice = ports.find((value, i) => ports.indexOf(value) !== i)
  if (twice !== undefined) throw new UsageError(`port ${twice} is given to two services`)
  return options
}
