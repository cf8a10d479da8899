// Runs jobs one at a time, each in a thread of its own that ends with it: merging needs memory only while it runs.
import { Worker } from 'node:worker_threads'
import type { BlockMeta } from '../block/meta.ts'
import { runJob, type Job } from './jobs.ts'

const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/compact/maintenance.worker.js' : './maintenance.worker.js',
  import.meta.url,
)

export type RunJob = (job: Job) => Promise<BlockMeta | undefined>

export class Maintenance {
  readonly #inline: boolean
  readonly #threadEnded: (threadId: number) => void
  #worker: Worker | undefined

  /** `inline` runs jobs on the calling thread. `threadEnded` frees what a thread may have held. */
  constructor(inline: boolean, threadEnded: (threadId: number) => void) {
    this.#inline = inline
    this.#threadEnded = threadEnded
  }

  /** Rejects when the job fails or the thread is stopped. */
  run(job: Job): Promise<BlockMeta | undefined> {
    if (this.#inline) return new Promise((resolve) => resolve(runJob(job)))
    return new Promise((resolve, reject) => {
      const worker = new Worker(WORKER, { workerData: job, name: 'maintenance', execArgv: [] })
      const { threadId } = worker
      this.#worker = worker
      worker.once('message', (answer: { meta?: BlockMeta; error?: string }) => {
        if (answer.error === undefined) resolve(answer.meta)
        else reject(new Error(answer.error))
      })
      worker.once('error', reject)
      worker.once('exit', (code) => {
        this.#worker = undefined
        this.#threadEnded(threadId)
        reject(new Error(`the maintenance thread ended with code ${code}`))
      })
    })
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate()
  }
}
