// Starts an Alertmanager: reads its configuration, opens its data folder, listens.
import { readFile } from 'node:fs/promises'
import { systemClock, type Clock } from '@watchfire/datamodel'
import { Alertmanager } from './alertmanager.ts'
import { createApp } from './api/index.ts'
import { ConfigError, DEFAULT_CONFIG_TEXT, loadConfig, type AlertmanagerConfig } from './config/index.ts'
import type { Logger } from './logger.ts'
import type { SendMail, SendRequest } from './notify/index.ts'

/** The version of Alertmanager whose API and formats this follows. */
const VERSION = '0.34.0'

export interface StartOptions {
  /** Path of alertmanager.yml, read again on reload. */
  readonly configFile?: string
  /** The configuration as text, where there is no file. Without either a built-in one sends all to the inbox. */
  readonly configText?: string
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 9093; 0 = any free one. */
  readonly port?: number
  /** Silences, notification log and inbox; without it nothing outlives the process. */
  readonly dataDir?: string
  /** Folder with `alertmanager.html` and `assets/`. */
  readonly uiDir?: string
  /** How people reach this Alertmanager; default the address it listens on. */
  readonly externalUrl?: string
  /** Paths are served below this one, e.g. `/am`. Default: none. */
  readonly routePrefix?: string
  /** How long expired silences and notifications are remembered, ms. Default 120 h. */
  readonly retentionMs?: number
  /** How often what is over is forgotten, ms. Default 15 min. */
  readonly maintenanceMs?: number
  /** Most silences kept, expired ones too. */
  readonly silencesMax?: number
  readonly logger: Logger
  readonly clock?: Clock
  readonly random?: () => number
  /** How receivers are reached; the network by default. */
  readonly send?: SendRequest
  readonly sendMail?: SendMail
}

export interface RunningAlertmanager {
  /** Where it listens, e.g. `http://127.0.0.1:9093`. */
  readonly url: string
  /** The parts, for those who look inside. */
  readonly alertmanager: Alertmanager
  /** Loads the configuration again; on error the old one stays and the error is thrown. */
  reload(): Promise<void>
  stop(): Promise<void>
}

/** Throws `ConfigError` for a bad configuration and the system's error for a port in use. */
export async function startAlertmanager(options: StartOptions): Promise<RunningAlertmanager> {
  const { logger, clock = systemClock, host = '127.0.0.1', port = 9093 } = options
  const config = await readConfig(options)
  const manager = new Alertmanager({
    config,
    clock,
    logger,
    version: VERSION,
    externalUrl: (options.externalUrl ?? `http://${host}:${port}`).replace(/\/$/, ''),
    ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
    ...(options.random && { random: options.random }),
    ...(options.retentionMs !== undefined && { retentionMs: options.retentionMs }),
    ...(options.maintenanceMs !== undefined && { maintenanceMs: options.maintenanceMs }),
    ...(options.silencesMax !== undefined && { silencesMax: options.silencesMax }),
    ...(options.send && { send: options.send }),
    ...(options.sendMail && { sendMail: options.sendMail }),
  })
  const reload = async () => {
    try {
      manager.reload(await readConfig(options))
      logger.info('Completed loading of configuration file', { file: options.configFile })
    } catch (error) {
      manager.metrics.reloadOk.set(0)
      logger.error('Loading configuration file failed', {
        file: options.configFile,
        err: (error as Error).message,
      })
      throw error
    }
  }
  try {
    const app = await createApp(manager, {
      version: VERSION,
      ...(options.routePrefix !== undefined && { routePrefix: options.routePrefix }),
      ...(options.uiDir !== undefined && { uiDir: options.uiDir }),
      // The API shows the bare reason, as Alertmanager does; the log names the place.
      reload: () =>
        reload().catch((error: unknown) => {
          throw error instanceof ConfigError ? new Error(error.text) : error
        }),
    })
    const url = await app.listen({ host, port })
    logger.info('Listening', { url })
    return {
      url,
      alertmanager: manager,
      reload,
      async stop() {
        manager.stop()
        await app.close()
      },
    }
  } catch (error) {
    manager.stop()
    throw error
  }
}

async function readConfig(options: StartOptions): Promise<AlertmanagerConfig> {
  if (options.configFile === undefined)
    return loadConfig(
      options.configText ?? DEFAULT_CONFIG_TEXT,
      options.configText ? 'configuration' : 'default',
    )
  let text: string
  try {
    text = await readFile(options.configFile, 'utf8')
  } catch (error) {
    throw new ConfigError((error as Error).message, options.configFile)
  }
  return loadConfig(text, options.configFile)
}
