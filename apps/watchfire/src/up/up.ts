// `watchfire up`: the monitor in this process, the sample service and its traffic beside it.
import { join } from 'node:path'
import { startAlertmanager } from '@watchfire/alertmanager'
import { startDashboards } from '@watchfire/dashboards'
import { createLogger, parseFlags, startServer, type Logger, type LogLevel } from '@watchfire/server'
import { makeFolder } from '@watchfire/tsdb'
import { runUntilStopped } from '../lifecycle.ts'
import { DEPLOY_DIR, LAUNCHER, RUNBOOKS_DIR, UI_DIR, VERSION } from '../paths.ts'
import { Child } from './child.ts'
import { writeServerConfig } from './config.ts'
import { parseUpOptions, UP_HELP, type UpOptions } from './options.ts'

interface Part {
  reload?(): Promise<void>
  stop(): Promise<void>
}

/** Runs until stopped; resolves with the exit code. */
export async function up(argv: readonly string[]): Promise<number> {
  const options = parseUpOptions(argv, process.env)
  if (options === 'help') {
    process.stdout.write(UP_HELP)
    return 0
  }
  const log = createLogger({ level: options.logLevel as LogLevel })
  makeFolder(options.dataDir)
  const parts: Part[] = []
  const stop = async (): Promise<void> => {
    // Children first: what they did is still scraped, notified and stored.
    for (const part of parts.reverse()) await part.stop()
  }
  try {
    parts.push(await startParts(options, log))
  } catch (error) {
    await stop()
    throw error
  }
  parts.push(...startChildren(options, (message) => log.warn(message, { component: 'up' })))
  announce(options)
  return runUntilStopped({
    async reload() {
      for (const part of parts) await part.reload?.()
    },
    stop,
  })
}

async function startParts(options: UpOptions, log: Logger): Promise<Part> {
  const { host, port, dataDir } = options
  const reach = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  const configFile =
    options.configFile ??
    writeServerConfig({
      source: join(DEPLOY_DIR, 'prometheus.yml'),
      target: join(dataDir, 'config', 'prometheus.yml'),
      addresses: {
        'localhost:8000': `${reach}:${options.inferencePort}`,
        'localhost:9090': `${reach}:${port}`,
        'localhost:9093': `${reach}:${options.alertmanagerPort}`,
      },
    })
  const started: Part[] = []
  const keep = async <T extends Part>(starting: Promise<T>): Promise<T> => {
    const part = await starting
    started.push(part)
    return part
  }
  const results = await Promise.allSettled([
    keep(
      startAlertmanager({
        configFile: options.alertmanagerConfigFile ?? join(DEPLOY_DIR, 'alertmanager.yml'),
        host,
        port: options.alertmanagerPort,
        dataDir: join(dataDir, 'alertmanager'),
        uiDir: UI_DIR,
        externalUrl: `http://${reach}:${options.alertmanagerPort}`,
        logger: log.child({ component: 'alertmanager' }),
      }),
    ),
    keep(
      startDashboards({
        host,
        port: options.dashboardsPort,
        provisioningDir: join(DEPLOY_DIR, 'grafana', 'provisioning'),
        dataSourceUrl: `http://${reach}:${port}`,
        uiDir: UI_DIR,
        version: VERSION,
        log: log.child({ component: 'dashboards' }),
      }),
    ),
    keep(
      startServer({
        flags: parseFlags([
          `--config.file=${configFile}`,
          `--storage.tsdb.path=${join(dataDir, 'tsdb')}`,
          `--storage.tsdb.retention.time=${options.retention}`,
          `--web.listen-address=${host.includes(':') ? `[${host}]` : host}:${port}`,
          `--web.external-url=http://${reach}:${port}/`,
          '--web.enable-lifecycle',
          `--log.level=${options.logLevel}`,
        ]),
        uiDir: UI_DIR,
        runbooksDir: RUNBOOKS_DIR,
        logger: log,
      }),
    ),
  ])
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((part) => part.stop()))
  }
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) {
    await stop()
    throw failed.reason
  }
  return {
    async reload() {
      for (const part of started) await part.reload?.()
    },
    stop,
  }
}

/** Traffic first in the list of what is stopped, then the service. */
function startChildren(options: UpOptions, log: (message: string) => void): Part[] {
  const { host, inferencePort } = options
  const service = new Child({
    name: 'inference service',
    program: LAUNCHER,
    args: ['inference', `--host=${host}`, `--port=${inferencePort}`],
    log,
  })
  service.start()
  if (!options.traffic) return [service]
  const traffic = new Child({
    name: 'sample traffic',
    program: LAUNCHER,
    args: ['traffic', `--url=http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${inferencePort}`],
    log,
  })
  traffic.start()
  return [service, traffic]
}

function announce(options: UpOptions): void {
  const reach = options.host === '0.0.0.0' || options.host === '::' ? 'localhost' : options.host
  const at = (port: number): string => `http://${reach}:${port}`
  process.stdout.write(
    [
      '',
      `Watchfire ${VERSION} is up.`,
      '',
      `  dashboards         ${at(options.dashboardsPort)}`,
      `  query and alerts   ${at(options.port)}`,
      `  alertmanager       ${at(options.alertmanagerPort)}   (inbox: /inbox)`,
      `  inference service  ${at(options.inferencePort)}/docs`,
      '',
      `  data ${options.dataDir}   sample traffic ${options.traffic ? 'on' : 'off'}   Ctrl-C stops`,
      '',
      '',
    ].join('\n'),
  )
}
