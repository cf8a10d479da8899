// Puts the server together: listens, opens the database, runs discovery, queries, rules and notifications, and
// replaces the configuration as a whole.
import { hostname } from 'node:os'
import { Registry, collectDefaultMetrics } from '@watchfire/instrument'
import { alertmanagerName, checkRuleFiles, createAlerting, type Alerting } from './alerting.ts'
import { ConfigError, loadConfig, type Config } from './config/index.ts'
import { DiscoveryManager, OperatorRunner, createDiscoveryMetrics } from './discovery/index.ts'
import { engineFeatures } from './features.ts'
import type { ServerFlags } from './flags.ts'
import { IngestClient, type Ingest } from './ingest/index.ts'
import { listen, type Listening } from './listen.ts'
import { createLogger, type Logger } from './logger.ts'
import { WorkerQueryPool } from './query/index.ts'
import { ServerError, causeText } from './server-error.ts'
import { ServerStatus, configHash } from './server-status.ts'
import {
  createEngineMetrics,
  createLifeMetrics,
  createWebApp,
  type BuildInfo,
  type LifeMetrics,
} from './web/index.ts'

export interface ServerOptions {
  readonly flags: ServerFlags
  /** Folder of the built pages. */
  readonly uiDir?: string
  /** Folder of runbooks, served under `/runbooks/<alert>`. */
  readonly runbooksDir?: string
  readonly logger?: Logger
  readonly build?: Partial<BuildInfo>
}

export interface RunningServer {
  /** Where it listens, e.g. `http://127.0.0.1:9090`; a wildcard address is given as 127.0.0.1. */
  readonly url: string
  readonly port: number
  /** Resolves when queries are answered; rejects when the start failed. */
  readonly ready: Promise<void>
  /** Resolves when `/-/quit` asks for the end; rejects when the server cannot go on. */
  readonly quit: Promise<void>
  /** Loads the configuration again. All or nothing: on an error the old one stays and the promise rejects. */
  reload(): Promise<void>
  /** Ends everything, within about 5 s. */
  stop(): Promise<void>
}

/** Failures of opening the database show within this time; a replay may take longer and goes on behind. */
const OPEN_WAIT_MS = 3000
/** Longest that one part may take to stop. */
const STOP_PART_MS = 4000

/**
 * Starts a server. Rejects with `ServerError` (bad configuration, database that cannot be opened) or `ListenError`
 * (address in use). Resolves as soon as it listens and the database is being opened.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = new Server(options)
  try {
    await server.start()
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}

class Server implements RunningServer {
  readonly ready: Promise<void>
  readonly quit: Promise<void>
  readonly #flags: ServerFlags
  readonly #options: ServerOptions
  readonly #logger: Logger
  readonly #registry = new Registry()
  readonly #life: LifeMetrics
  readonly #build: BuildInfo
  #settleReady!: { resolve: () => void; reject: (error: Error) => void }
  #settleQuit!: { resolve: () => void; reject: (error: Error) => void }
  #status!: ServerStatus
  #listening: Listening | undefined
  #ingest: Ingest | undefined
  #pool: WorkerQueryPool | undefined
  #alerting: Alerting | undefined
  #scrapeDiscovery: DiscoveryManager | undefined
  #notifyDiscovery: DiscoveryManager | undefined
  #operator: OperatorRunner | undefined
  /** Puts the rules and Alertmanagers of the running configuration in force (again). */
  #commitAlerting: () => Promise<void> = async () => {}
  #stopMetrics: (() => void) | undefined
  #autoReload: NodeJS.Timeout | undefined
  #configHash = ''
  #stopping: Promise<void> | undefined
  #reloading: Promise<void> = Promise.resolve()

  constructor(options: ServerOptions) {
    this.#options = options
    this.#flags = options.flags
    this.#logger =
      options.logger ?? createLogger({ level: options.flags.logLevel, format: options.flags.logFormat })
    this.#build = {
      version: '3.14.0',
      revision: '',
      branch: '',
      buildUser: '',
      buildDate: '',
      goVersion: `node ${process.version}`,
      ...options.build,
    }
    this.#life = createLifeMetrics(this.#registry, this.#build)
    this.ready = new Promise((resolve, reject) => (this.#settleReady = { resolve, reject }))
    this.quit = new Promise((resolve, reject) => (this.#settleQuit = { resolve, reject }))
    // Whoever does not look at them learns from the log.
    this.ready.catch(() => {})
    this.quit.catch(() => {})
  }

  get url(): string {
    const host = this.#listening?.host ?? '127.0.0.1'
    const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
    return `http://${name}:${this.port}`
  }

  get port(): number {
    return this.#listening?.port ?? 0
  }

  /** The URL that users reach the server at, without a slash at the end. */
  get #externalUrl(): string {
    const given = this.#flags.externalUrl
    const full = given.startsWith('/')
      ? `http://${hostname()}:${this.port}${given}`
      : given || `http://${hostname()}:${this.port}/`
    return full.replace(/\/+$/, '')
  }

  async start(): Promise<void> {
    const { warnings } = this.#flags
    for (const warning of warnings) this.#logger.warn(warning)
    const config = this.#load()
    checkRuleFiles(config, this.#flags)
    this.#configHash = configHash(config)
    this.#status = new ServerStatus(config, {
      reload: () => this.reload(),
      quit: () => {
        this.#logger.warn('Received termination request via web service, exiting gracefully...')
        this.#settleQuit.resolve()
      },
    })
    this.#listening = await this.#listen()
    this.#logger.info('Listening on', { component: 'web', address: this.url })
    this.#createParts()
    const begun = this.#begin()
    await Promise.race([begun, wait(OPEN_WAIT_MS)])
    begun.catch(() => {})
  }

  reload(): Promise<void> {
    // One at a time, in order.
    const run = this.#reloading.then(() => this.#reload())
    this.#reloading = run.catch(() => {})
    return run
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop())
  }

  #load(): Config {
    const { configFile } = this.#flags
    try {
      return loadConfig(configFile, {
        ...((this.#flags.retentionMs > 0 || this.#flags.retentionBytes > 0) && {
          retentionMs: this.#flags.retentionMs,
          retentionBytes: this.#flags.retentionBytes,
        }),
      })
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const message = `couldn't load configuration (--config.file=${JSON.stringify(configFile)}): ${error.message}`
      throw new ServerError('config_invalid', message, error, 2)
    }
  }

  async #listen(): Promise<Listening> {
    const flags = this.#flags
    const ingest = (): Ingest => {
      if (!this.#ingest) throw new Error('TSDB not ready')
      return this.#ingest
    }
    const pool = (): WorkerQueryPool => {
      if (!this.#pool) throw new Error('TSDB not ready')
      return this.#pool
    }
    const app = await createWebApp({
      server: this.#status,
      pool: {
        json: (request, signal) => pool().json(request, signal),
        vector: (request) => pool().vector(request),
        latest: (request, signal) => pool().latest(request, signal),
        metadata: (request, signal) => pool().metadata(request, signal),
        activeQueries: () => this.#pool?.activeQueries() ?? [],
        cancelQuery: (id) => this.#pool?.cancelQuery(id) ?? false,
        stop: () => pool().stop(),
      },
      ingest: {
        targets: () => ingest().targets(),
        metadata: () => ingest().metadata(),
        exemplars: (request) => ingest().exemplars(request),
        stats: () => ingest().stats(),
        metricsText: () => ingest().metricsText(),
      },
      ...(flags.enableRemoteWriteReceiver && {
        remoteWrite: {
          accepted: flags.remoteWriteMessages,
          write: (body, protocol) => ingest().write(body, protocol),
        },
      }),
      rules: {
        groups: () => this.#alerting?.rules.groups() ?? [],
        alerts: () => this.#alerting?.rules.alerts() ?? [],
      },
      alertmanagers: {
        active: () => this.#alerting?.alertmanagers.active() ?? [],
        dropped: () => this.#alerting?.alertmanagers.dropped() ?? [],
      },
      registry: this.#registry,
      logger: this.#logger,
      build: this.#build,
      features: engineFeatures(flags.features),
      flags: flags.all,
      routePrefix: flags.routePrefix,
      externalPath: externalPath(flags.externalUrl),
      corsOrigin: flags.corsOrigin,
      enableLifecycle: flags.enableLifecycle,
      ...(this.#options.uiDir !== undefined && { uiDir: this.#options.uiDir }),
      ...(this.#options.runbooksDir !== undefined && { runbooksDir: this.#options.runbooksDir }),
    })
    return listen(app, {
      addresses: flags.listenAddresses,
      maxConnections: flags.maxConnections,
      readTimeoutMs: flags.readTimeoutMs,
    })
  }

  #createParts(): void {
    const flags = this.#flags
    const logger = this.#logger
    const { storage, global } = this.#status.config
    this.#stopMetrics = collectDefaultMetrics({ registry: this.#registry })
    this.#ingest = new IngestClient(
      {
        db: {
          dir: flags.storagePath,
          walCompression: flags.walCompression,
          ...(flags.walSegmentBytes > 0 && { walSegmentBytes: flags.walSegmentBytes }),
          ...(storage.retentionMs > 0 && { retentionMs: storage.retentionMs }),
          ...(storage.retentionBytes > 0 && { retentionBytes: storage.retentionBytes }),
          ...(storage.retentionPercentage > 0 && { retentionPercentage: storage.retentionPercentage }),
          ...(flags.blockRangeMs > 0 && { blockRangeMs: flags.blockRangeMs }),
          ...(flags.blockRangeMsMax > 0 && { blockRangeMsMax: flags.blockRangeMsMax }),
          ...(flags.blockSegmentBytes > 0 && { blockSegmentBytes: flags.blockSegmentBytes }),
          outOfOrderWindowMs: storage.outOfOrderWindowMs,
          ...(flags.features.has('exemplar-storage') && { exemplarsMax: storage.exemplarsMax }),
        },
        ...(storage.retentionMs > 0 && { retentionMs: storage.retentionMs }),
        scrape: {
          startTimestampZero: flags.features.has('created-timestamp-zero-ingestion'),
          typeAndUnitLabels: flags.features.has('type-and-unit-labels'),
          extraScrapeMetrics: flags.features.has('extra-scrape-metrics'),
          userAgent: `Prometheus/${this.#build.version}`,
        },
        own: { externalUrl: this.#externalUrl, listenPort: String(this.port) },
      },
      {
        log: (level, message, fields) => logger.log(level, message, fields),
        onReplay: ({ segment, first, last }) => {
          this.#status.replay = { min: first, max: last, current: segment }
        },
        onDeath: (reason) => this.#fail(new ServerError('storage_failed', reason.message, reason)),
      },
    )
    const ingest = this.#ingest
    this.#pool = new WorkerQueryPool({
      handle: () => ingest.handle(),
      engine: {
        lookbackMs: flags.lookbackMs,
        samplesMax: flags.queryMaxSamples,
        subqueryStepMs: global.evaluationIntervalMs,
        features: engineFeatures(flags.features),
      },
      concurrencyMax: flags.queryMaxConcurrency,
      timeoutMs: flags.queryTimeoutMs,
      events: {
        ...createEngineMetrics(
          this.#registry,
          flags.queryMaxConcurrency,
          () => (this.#pool?.running().length ?? 0) + (this.#pool?.queued ?? 0),
        ),
        onSlow: ({ query, origin, seconds, queueSeconds }) =>
          logger.warn('slow query', { query, origin, seconds, queueSeconds }),
      },
    })
    const discoveryMetrics = createDiscoveryMetrics(this.#registry)
    this.#scrapeDiscovery = new DiscoveryManager({
      logger: logger.child({ component: 'discovery manager scrape' }),
      onGroups: (scrapePool, groups) => ingest.setTargetGroups(scrapePool, groups),
      events: discoveryMetrics('scrape'),
      userAgent: `Prometheus/${this.#build.version}`,
    })
    const onKubernetesFailure = discoveryMetrics('scrape').onKubernetesFailure
    this.#operator = new OperatorRunner({
      logger: logger.child({ component: 'kubernetes operator' }),
      userAgent: `Prometheus/${this.#build.version}`,
      onChange: () => this.#monitorsChanged(),
      ...(onKubernetesFailure && { onFailure: onKubernetesFailure }),
    })
    this.#alerting = createAlerting({
      flags,
      logger,
      registry: this.#registry,
      ingest,
      pool: this.#pool,
      externalUrl: this.#externalUrl,
      userAgent: `Prometheus/${this.#build.version}`,
    })
    const alerting = this.#alerting
    this.#notifyDiscovery = new DiscoveryManager({
      logger: logger.child({ component: 'discovery manager notify' }),
      onGroups: (config, groups) => alerting.setAlertmanagerGroups(config, groups),
      events: discoveryMetrics('notify'),
      userAgent: `Prometheus/${this.#build.version}`,
    })
  }

  /** From the open database to a server that answers. */
  async #begin(): Promise<void> {
    try {
      try {
        await this.#ingest!.ready
      } catch (error) {
        const message = `Failed to open the database in ${this.#flags.storagePath}: ${(error as Error).message}`
        throw new ServerError('storage_failed', message, error)
      }
      for (const warning of this.#status.config.warnings) this.#logger.warn(warning)
      await this.#apply(this.#status.config, await this.#alerting!.prepare(this.#status.config))
      this.#reloaded(true)
      this.#status.ready = true
      this.#life.ready(true)
      this.#logger.info('Server is ready to receive web requests.')
      this.#settleReady.resolve()
      if (this.#flags.autoReload) this.#watchConfig()
    } catch (error) {
      this.#fail(error as Error)
      throw error
    }
  }

  async #reload(): Promise<void> {
    const began = performance.now()
    const { configFile } = this.#flags
    if (!this.#status.ready) throw new Error('the server is not ready')
    this.#logger.info('Loading configuration file', { filename: configFile })
    try {
      const next = this.#load()
      await this.#replace(next)
      for (const warning of next.warnings) this.#logger.warn(warning)
      this.#configHash = configHash(next)
      this.#reloaded(true)
      this.#logger.info('Completed loading of configuration file', {
        filename: configFile,
        totalDuration: `${Math.round(performance.now() - began)}ms`,
      })
    } catch (error) {
      this.#reloaded(false)
      this.#logger.error('Error reloading config', { err: causeText(error) })
      throw error
    }
  }

  async #replace(next: Config): Promise<void> {
    const old = { config: this.#status.config, commit: this.#commitAlerting }
    const fail = (error: unknown): never => {
      this.#logger.error('Failed to apply configuration', { err: error })
      const file = JSON.stringify(this.#flags.configFile)
      const message = `one or more errors occurred while applying the new configuration (--config.file=${file})`
      throw new ServerError('apply_failed', message, error)
    }
    // Rules are read first: they fail most, and then nothing has changed.
    const commit = await this.#alerting!.prepare(next).catch(fail)
    try {
      await this.#apply(next, commit)
    } catch (error) {
      // What was replaced already goes back; the old configuration was valid.
      await this.#apply(old.config, old.commit).catch((again: unknown) =>
        this.#logger.error('Failed to restore the old configuration', { err: again }),
      )
      fail(error)
    }
    this.#status.config = next
  }

  /** Hands a configuration to all parts. */
  async #apply(config: Config, commitAlerting: () => Promise<void>): Promise<void> {
    await this.#applyScrapes(config)
    await commitAlerting()
    this.#commitAlerting = commitAlerting
    await this.#notifyDiscovery!.apply(
      new Map(config.alertmanagers.map((am, i) => [alertmanagerName(i), am.discovery])),
    )
    // An entry that changed begins without targets even where its discovery stayed the same.
    this.#notifyDiscovery!.resend()
    this.#operator!.apply(config)
  }

  /** The scrape configs of the file and of the cluster's monitors. */
  async #applyScrapes(config: Config): Promise<void> {
    const scrapes = this.#operator!.merge(config)
    await this.#ingest!.applyConfig(config.global, scrapes, config.global.externalLabels)
    await this.#scrapeDiscovery!.apply(new Map(scrapes.map((scrape) => [scrape.jobName, scrape.discovery])))
    this.#status.scrapePools = scrapes.map((scrape) => scrape.jobName)
  }

  /** Monitors of the cluster came, changed or went: in turn with reloads. */
  #monitorsChanged(): void {
    this.#reloading = this.#reloading
      .then(() => (this.#stopping ? undefined : this.#applyScrapes(this.#status.config)))
      .catch((error: unknown) => this.#logger.error('Failed to apply the monitors', { err: error }))
  }

  #reloaded(succeeded: boolean): void {
    this.#status.reloaded(succeeded)
    this.#life.reloaded(succeeded, this.#status.lastReloadMs)
  }

  #watchConfig(): void {
    this.#autoReload = setInterval(() => {
      const hash = configHash(this.#status.config)
      if (hash === this.#configHash) return
      this.#configHash = hash
      this.#logger.info('Configuration file change detected, reloading the configuration.')
      this.reload().catch(() => {})
    }, this.#flags.autoReloadIntervalMs)
    this.#autoReload.unref()
  }

  #fail(error: Error): void {
    if (this.#stopping) return
    this.#logger.error('The server cannot go on', { err: causeText(error) })
    this.#settleReady.reject(error)
    this.#settleQuit.reject(error)
  }

  async #stop(): Promise<void> {
    if (this.#status) {
      this.#status.ready = false
      this.#status.stopping = true
    }
    this.#life.ready(false)
    clearInterval(this.#autoReload)
    this.#operator?.stop()
    this.#scrapeDiscovery?.stop()
    this.#notifyDiscovery?.stop()
    const part = async (name: string, stopping: Promise<void> | undefined) => {
      const stopped = stopping?.then(
        () => true,
        (error: unknown) => {
          this.#logger.warn('Stopping a part failed', { part: name, err: error })
          return true
        },
      )
      if (stopped && (await Promise.race([stopped, wait(STOP_PART_MS)])) !== true)
        this.#logger.warn('A part did not stop in time', { part: name })
    }
    await part('web', this.#listening?.close())
    // The rules use the queries, the notifier sends what the rules made, the database is last.
    await part('alerting', this.#alerting?.stop())
    await part('queries', this.#pool?.stop())
    await part('database', this.#ingest?.stop())
    this.#stopMetrics?.()
    this.#settleReady.reject(new Error('the server was stopped'))
    if (this.#listening) this.#logger.info('See you next time!')
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}

function externalPath(externalUrl: string): string {
  if (externalUrl === '') return ''
  const path = URL.canParse(externalUrl) ? new URL(externalUrl).pathname : externalUrl
  return path.replace(/\/+$/, '')
}
