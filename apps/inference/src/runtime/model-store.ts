// The models being served. Loading happens beside serving: a new session replaces the old one in a single assignment, the
// old one is freed when its last prediction ends, and a load that fails changes nothing.
import type { MlMetrics } from '@watchfire/instrument/ml'
import {
  RegistryError,
  UnknownModelError,
  compareVersions,
  defaultVersion,
  pickVersion,
  quote,
} from '../registry/index.ts'
import type { ModelRegistry, ModelVersion } from '../registry/index.ts'
import { ModelLoadError, ModelSession } from './session.ts'
import type { SessionOptions } from './session.ts'

export interface ModelStoreOptions extends SessionOptions {
  /** A version that failed to load is not tried again by a prediction for so long. Default 10,000. */
  retryAfterMs?: number
  /** Milliseconds, monotonic. Default: `performance.now`. */
  now?: () => number
  /** Told of every load that fails. */
  onFault?: (message: string) => void
}

export interface StoredVersion {
  readonly model: ModelVersion
  /** The version a request without version gets. */
  readonly isDefault: boolean
  readonly session: ModelSession | undefined
}

/** Too many refreshes at once. */
export class StoreBusyError extends Error {
  readonly code = 'busy'
}

const REFRESH_QUEUE_MAX = 16

interface Entry {
  model: ModelVersion
  session: ModelSession | undefined
  loading: Promise<ModelSession> | undefined
  failedAt: number
  failure: ModelLoadError | undefined
}

export class ModelStore {
  readonly #registry: ModelRegistry
  readonly #metrics: MlMetrics
  readonly #options: ModelStoreOptions
  readonly #now: () => number
  #models: ReadonlyMap<string, readonly Entry[]> = new Map()
  #closed = false
  /** Refreshes run one after the other, so that an older listing never overwrites a newer one. */
  #lastRefresh: Promise<void> = Promise.resolve()
  #refreshCount = 0

  constructor(registry: ModelRegistry, metrics: MlMetrics, options: ModelStoreOptions = {}) {
    this.#registry = registry
    this.#metrics = metrics
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /** Reads the registry and loads the default version of each model; other versions load when first asked for. */
  async open(): Promise<void> {
    await this.#readRegistry()
    for (const entries of this.#models.values()) {
      const entry = this.#find(entries, undefined)
      await this.#load(entry).catch(() => {})
    }
  }

  /** True once every model can answer by default. */
  get ready(): boolean {
    return (
      !this.#closed &&
      this.#models.size > 0 &&
      this.list().every((v) => !v.isDefault || v.session !== undefined)
    )
  }

  /** All versions known, by name, newest version first. */
  list(): StoredVersion[] {
    const all: StoredVersion[] = []
    for (const entries of this.#models.values()) {
      const preferred = this.#find(entries, undefined)
      for (const entry of [...entries].sort((a, b) => compareVersions(b.model.version, a.model.version)))
        all.push({ model: entry.model, isDefault: entry === preferred, session: entry.session })
    }
    return all
  }

  /** The description of a version. Throws UnknownModelError. */
  describe(name: string, reference?: string): ModelVersion {
    const { session, model } = this.#lookup(name, reference)
    return session?.model ?? model
  }

  /** Whether a version could answer now: known, and its last load did not fail. */
  isAvailable(name: string, reference?: string): boolean {
    try {
      const { session, failure } = this.#lookup(name, reference)
      return session !== undefined || failure === undefined
    } catch {
      return false
    }
  }

  /**
   * Starts `work` with the session that serves a version, loaded if need be. `work` must begin its predictions before its
   * first await: from then on the session is kept until they end. Throws UnknownModelError, ModelLoadError.
   */
  async use<T>(
    name: string,
    reference: string | undefined,
    work: (session: ModelSession) => Promise<T>,
  ): Promise<T> {
    const entry = this.#lookup(name, reference)
    if (entry.session !== undefined) return work(entry.session)
    const retryAfterMs = this.#options.retryAfterMs ?? 10_000
    if (entry.failure !== undefined && this.#now() - entry.failedAt < retryAfterMs) throw entry.failure
    const loaded = await this.#load(entry)
    // A refresh may have replaced it while this request waited for its turn.
    return work(loaded.retired && entry.session ? entry.session : loaded)
  }

  /**
   * Reads the registry again and loads anew: one version, the default version of one model together with the versions in
   * use, or all. Returns what is served now. Throws UnknownModelError, RegistryError, ModelLoadError, StoreBusyError; what was served
   * before a failed load is served on.
   */
  refresh(name?: string, reference?: string): Promise<ModelVersion[]> {
    if (this.#refreshCount >= REFRESH_QUEUE_MAX)
      return Promise.reject(new StoreBusyError(`${REFRESH_QUEUE_MAX} refreshes are waiting already`))
    this.#refreshCount++
    const run = this.#lastRefresh.then(() => this.#refreshNow(name, reference))
    this.#lastRefresh = run.then(
      () => void this.#refreshCount--,
      () => void this.#refreshCount--,
    )
    return run
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const { session } of this.list()) await session?.retire()
    this.#models = new Map()
  }

  async #refreshNow(name: string | undefined, reference: string | undefined): Promise<ModelVersion[]> {
    const began = this.#now()
    try {
      await this.#readRegistry()
      const served = await this.#reload(name, reference)
      this.#metrics.observeRefresh(name, 'success', (this.#now() - began) / 1000)
      return served
    } catch (error) {
      if (!(error instanceof ModelLoadError)) this.#metrics.loadError(name ?? '', reference ?? '')
      this.#metrics.observeRefresh(name, 'error', (this.#now() - began) / 1000)
      throw error
    }
  }

  async #reload(name: string | undefined, reference: string | undefined): Promise<ModelVersion[]> {
    const names = name === undefined ? [...this.#models.keys()] : [name]
    const wanted: Entry[] = []
    for (const n of names) {
      // The registry has the last word on what a reference means: an alias may have moved to another version.
      const { version } = await this.#registry.resolve(n, reference)
      const entries = this.#models.get(n) ?? []
      wanted.push(
        ...entries.filter((e) => e.model.version === version || (reference === undefined && e.session)),
      )
    }
    const failures: unknown[] = []
    for (const entry of wanted) await this.#load(entry).catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
    return wanted.map((entry) => entry.model)
  }

  #lookup(name: string, reference: string | undefined): Entry {
    const entries = this.#models.get(name)
    if (entries === undefined) throw new UnknownModelError(`model ${quote(name)} is not in the registry`)
    return this.#find(entries, reference)
  }

  #find(entries: readonly Entry[], reference: string | undefined): Entry {
    const versions = entries.map((e) => e.model)
    const model =
      reference === undefined ? defaultVersion(versions) : pickVersion(versions[0]!.name, versions, reference)
    return entries.find((e) => e.model === model)!
  }

  /** Loads beside what is served and swaps; callers that come meanwhile share the load. */
  #load(entry: Entry): Promise<ModelSession> {
    return (entry.loading ??= this.#loadNow(entry).finally(() => (entry.loading = undefined)))
  }

  async #loadNow(entry: Entry): Promise<ModelSession> {
    const { model } = entry
    try {
      const session = await ModelSession.load(model, await this.#registry.fetch(model), this.#options)
      const old = entry.session
      if (this.#closed || !this.#isCurrent(entry)) {
        await session.retire()
        throw new ModelLoadError(`model ${model.name} version ${model.version} was withdrawn while it loaded`)
      }
      entry.session = session
      entry.failure = undefined
      this.#metrics.setActive(model.name, model.version, true)
      await old?.retire()
      return session
    } catch (error) {
      const failure =
        error instanceof ModelLoadError
          ? error
          : new ModelLoadError((error as Error).message, { cause: error })
      entry.failure = failure
      entry.failedAt = this.#now()
      this.#metrics.loadError(model.name, model.version)
      this.#options.onFault?.(failure.message)
      throw failure
    }
  }

  #isCurrent(entry: Entry): boolean {
    return this.#models.get(entry.model.name)?.includes(entry) ?? false
  }

  /** Takes over what the registry lists; what is gone from it is served no longer. */
  async #readRegistry(): Promise<void> {
    const { versions, faults } = await this.#registry.list()
    const before = new Map<string, Entry>()
    for (const entries of this.#models.values()) for (const e of entries) before.set(keyOf(e.model), e)
    const models = new Map<string, Entry[]>()
    for (const model of versions) {
      if (!this.#metrics.registerModel(model.name, model.version))
        this.#options.onFault?.(`too many models: ${model.name} version ${model.version} has no series`)
      const known = before.get(keyOf(model))
      before.delete(keyOf(model))
      const entry = known ?? {
        model,
        session: undefined,
        loading: undefined,
        failedAt: 0,
        failure: undefined,
      }
      entry.model = model
      const siblings = models.get(model.name)
      if (siblings) siblings.push(entry)
      else models.set(model.name, [entry])
    }
    for (const { name, version, reason } of faults) {
      // A version whose description was damaged after it was loaded is served on.
      const known = before.get(keyOf({ name, version }))
      before.delete(keyOf({ name, version }))
      if (known) models.set(name, [...(models.get(name) ?? []), known])
      this.#metrics.registerModel(name, version)
      this.#metrics.loadError(name, version)
      this.#options.onFault?.(`model ${name} version ${version} cannot be used: ${reason}`)
    }
    this.#models = models
    for (const gone of before.values()) {
      this.#metrics.setActive(gone.model.name, gone.model.version, false)
      await gone.session?.retire()
    }
    if (models.size === 0 && faults.length === 0) throw new RegistryError('the model registry is empty')
  }
}

function keyOf({ name, version }: Pick<ModelVersion, 'name' | 'version'>): string {
  return `${name}/${version}`
}
