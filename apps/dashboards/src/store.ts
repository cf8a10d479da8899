// Holds what is provisioned and looks for changed files from time to time.
import type { Clock, TimerHandle } from '@watchfire/datamodel'
import { loadDataSources, type DataSource } from './provisioning/datasources.ts'
import {
  loadDashboards,
  loadProviders,
  type Dashboard,
  type DashboardProvider,
} from './provisioning/dashboards.ts'

export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
}

export interface StoreOptions {
  readonly provisioningDir: string
  /** Replaces the address of the default data source: the all-in-one process knows where its server listens. */
  readonly dataSourceUrl?: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly log: Log
}

/** Data sources and dashboards as provisioned. */
export class Store {
  readonly #options: StoreOptions
  #sources: readonly DataSource[] = []
  #dashboards: readonly Dashboard[] = []
  #faults: readonly string[] = []
  #timer: TimerHandle | undefined
  #stopped = false

  private constructor(options: StoreOptions) {
    this.#options = options
  }

  /** Loads everything; a broken provisioning file is an error, a broken dashboard only a warning. */
  static async open(options: StoreOptions): Promise<Store> {
    const store = new Store(options)
    const providers = await store.reload()
    store.#watch(Math.min(60_000, ...providers.map((provider) => provider.updateIntervalMs)))
    return store
  }

  async reload(): Promise<readonly DashboardProvider[]> {
    const { provisioningDir, env, dataSourceUrl, log } = this.#options
    const sources = await loadDataSources(provisioningDir, env)
    this.#sources =
      dataSourceUrl === undefined
        ? sources
        : sources.map((source) => (source.isDefault ? { ...source, url: dataSourceUrl } : source))
    const providers = await loadProviders(provisioningDir, env)
    const loaded = await Promise.all(providers.map(loadDashboards))
    const byUid = new Map<string, Dashboard>()
    const faults = loaded.flatMap((part) => part.faults)
    for (const dashboard of loaded.flatMap((part) => part.dashboards)) {
      const twin = byUid.get(dashboard.uid)
      if (twin) faults.push(`${dashboard.file}: uid "${dashboard.uid}" is taken by ${twin.file}`)
      else byUid.set(dashboard.uid, { ...dashboard, id: byUid.size + 1 })
    }
    for (const fault of faults) if (!this.#faults.includes(fault)) log.warn(`dashboard not loaded: ${fault}`)
    this.#faults = faults
    this.#dashboards = [...byUid.values()]
    return providers
  }

  #watch(intervalMs: number): void {
    if (this.#stopped) return
    this.#timer = this.#options.clock.setTimeout(() => {
      this.reload()
        .catch((error: unknown) => this.#options.log.warn(`provisioning not reloaded: ${String(error)}`))
        .finally(() => this.#watch(intervalMs))
    }, intervalMs)
  }

  dashboards(): readonly Dashboard[] {
    return this.#dashboards
  }

  dashboard(uid: string): Dashboard | undefined {
    return this.#dashboards.find((dashboard) => dashboard.uid === uid)
  }

  dataSources(): readonly DataSource[] {
    return this.#sources
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }
}
