// The thread that helps query workers with large queries while there is a processor to spare. It starts with the
// first query worker; when it ends, its offers fail and workers that start later get a new one.
import { MessageChannel, Worker } from 'node:worker_threads'
import { failFoldHelper } from '@watchfire/promql'
import type { HelperLink } from './messages.ts'

const LINKS_MAX = 1024

export class HelperThread {
  readonly #url: URL
  readonly #processors: number
  readonly #load = new SharedArrayBuffer(4)
  /** A word for each of the newest links: more than there can be query workers. */
  readonly #states = new Int32Array(new SharedArrayBuffer(LINKS_MAX * 4))
  #worker: Worker | undefined
  #links = 0
  #stopped = false

  /** With one processor there is nothing to help with. */
  constructor(url: URL, processors: number) {
    this.#url = url
    this.#processors = processors
  }

  /** Element 0 counts the queries that run. */
  get load(): Int32Array {
    return new Int32Array(this.#load)
  }

  /** What a new query worker needs to reach the helper. */
  link(): { helper?: HelperLink } {
    if (this.#processors < 2 || this.#stopped) return {}
    const worker = (this.#worker ??= this.#start())
    const { port1, port2 } = new MessageChannel()
    const at = this.#links++ % LINKS_MAX
    const state = this.#states.subarray(at, at + 1)
    Atomics.store(state, 0, 0)
    worker.postMessage({ port: port2, state }, [port2])
    return { helper: { port: port1, state, load: this.#load, threads: this.#processors } }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(this.#url, { execArgv: [], name: 'query helper' })
    worker.unref()
    // Whoever waits for it is told by `exit`.
    worker.on('error', () => undefined)
    worker.on('exit', () => {
      for (let i = 0; i < LINKS_MAX; i++) failFoldHelper(this.#states.subarray(i, i + 1))
      if (this.#worker === worker) this.#worker = undefined
    })
    return worker
  }
}
