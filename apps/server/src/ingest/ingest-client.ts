// `Ingest` on the main thread: every call is a message to the ingest worker.
import { Worker } from 'node:worker_threads'
import type { AppendResult } from '@watchfire/datamodel'
import type { DbHandle, DbOptions, DbStats } from '@watchfire/tsdb'
import type { GlobalConfig, ScrapeConfig } from '../config/types.ts'
import type { TargetGroup } from '../discovery/contract.ts'
import type { WriteProtocol, WriteResult } from '../remote/index.ts'
import type { Log } from '../scrape/index.ts'
import type {
  ExemplarSeries,
  ExemplarsRequest,
  Ingest,
  RuleSample,
  TargetMetadata,
  TargetsSnapshot,
} from './contract.ts'
import type { CallArguments, CallName, CallResult, FromWorker, ToWorker } from './messages.ts'
import type { IngestOptions } from './options.ts'

export interface IngestClientHooks {
  readonly log?: Log
  readonly onReplay?: DbOptions['onReplay']
  /** The worker ended without being asked to: nothing is collected any more. */
  readonly onDeath?: (reason: Error) => void
  /** For tests. */
  readonly workerUrl?: URL
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/ingest/ingest.worker.js' : './ingest.worker.js',
  import.meta.url,
)

export class IngestClient implements Ingest {
  readonly ready: Promise<void>
  readonly #worker: Worker
  readonly #hooks: IngestClientHooks
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1
  #handle: DbHandle | undefined
  #gone: Error | undefined
  #stopping = false
  #settleReady: Waiting | undefined

  /** Starts the worker. */
  constructor(options: IngestOptions, hooks: IngestClientHooks = {}) {
    this.#hooks = hooks
    this.ready = new Promise<void>((resolve, reject) => {
      this.#settleReady = { resolve: () => resolve(), reject }
    })
    this.ready.catch(() => undefined)
    this.#worker = new Worker(hooks.workerUrl ?? WORKER, {
      workerData: options,
      name: 'ingest',
      execArgv: [], // a test runner's flags would make the built worker look for sources
    })
    this.#worker.on('message', (message: FromWorker) => this.receive(message))
    this.#worker.on('error', (error) =>
      this.die(new Error(`the ingest worker failed: ${error.message}`, { cause: error })),
    )
    this.#worker.on('exit', (code) => this.die(new Error(`the ingest worker ended with code ${code}`)))
  }

  handle(): DbHandle {
    if (this.#handle === undefined) throw this.#gone ?? new Error('the database is not open')
    return this.#handle
  }

  applyConfig(
    global: GlobalConfig,
    scrapeConfigs: readonly ScrapeConfig[],
    externalLabels: Readonly<Record<string, string>>,
  ): Promise<void> {
    return this.call('applyConfig', [global, scrapeConfigs, externalLabels])
  }

  setTargetGroups(scrapePool: string, groups: readonly TargetGroup[]): void {
    if (this.#gone === undefined) this.post({ kind: 'targetGroups', args: [scrapePool, groups] })
  }

  append(samples: readonly RuleSample[]): Promise<readonly AppendResult[]> {
    return this.call('append', [samples])
  }

  write(body: Uint8Array, protocol: WriteProtocol): Promise<WriteResult> {
    const own = body.byteLength === body.buffer.byteLength && body.buffer instanceof ArrayBuffer
    const bytes = own ? new Uint8Array(body.buffer) : Uint8Array.from(body)
    return this.call('write', [bytes, protocol], [bytes.buffer as ArrayBuffer])
  }

  targets(): Promise<TargetsSnapshot> {
    return this.call('targets', [])
  }

  exemplars(request: ExemplarsRequest): Promise<readonly ExemplarSeries[]> {
    return this.call('exemplars', [request])
  }

  metadata(): Promise<readonly TargetMetadata[]> {
    return this.call('metadata', [])
  }

  stats(): Promise<DbStats> {
    return this.call('stats', [])
  }

  metricsText(): Promise<string> {
    return this.call('metricsText', [])
  }

  /** Resolves when the database is closed and the worker is gone. */
  async stop(): Promise<void> {
    if (this.#gone !== undefined) return
    this.#stopping = true
    try {
      await this.call('stop', [])
    } finally {
      await this.#worker.terminate()
    }
  }

  private call<N extends CallName>(
    name: N,
    args: CallArguments<N>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<CallResult<N>> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) {
        reject(this.#gone)
        return
      }
      const id = this.#nextId++
      this.#waiting.set(id, { resolve: (value) => resolve(value as CallResult<N>), reject })
      this.post({ kind: 'call', id, name, args }, transfer)
    })
  }

  private post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }

  private receive(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        this.#handle = message.handle
        this.#settleReady?.resolve(undefined)
        break
      case 'failed':
        this.#settleReady?.reject(new Error(message.message))
        break
      case 'result':
        this.take(message.id)?.resolve(message.value)
        break
      case 'error':
        this.take(message.id)?.reject(new Error(message.message))
        break
      case 'log':
        this.#hooks.log?.(message.level, message.message, message.fields)
        break
      case 'replay':
        this.#hooks.onReplay?.(message.progress)
        break
    }
  }

  private take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting
  }

  private die(reason: Error): void {
    if (this.#gone !== undefined) return
    this.#gone = reason
    this.#settleReady?.reject(reason)
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
    if (!this.#stopping) this.#hooks.onDeath?.(reason)
  }
}
