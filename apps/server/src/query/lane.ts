// A lane: a queue in front of a few workers that are started when needed and end when idle. The HTTP API and the
// rules have a lane each, so that heavy dashboards cannot delay an alert.
import type { TaskControl } from './active-queries.ts'
import type { QueryTask, TaskAnswer, TaskCost, TaskFailure } from './messages.ts'
import { QueryWorker, type QueryWorkerOptions } from './query-worker.ts'

export interface LaneOptions {
  readonly worker: () => Omit<QueryWorkerOptions, 'onExit'>
  /** Most tasks running at the same time. */
  readonly threadsMax: number
  /** Idle workers end after this. */
  readonly idleMs: number
  /** Time a cancelled task has to notice before its worker is ended. */
  readonly graceMs: number
  readonly onFinished?: (cost: TaskCost | undefined, queueSeconds: number) => void
  readonly onWorkerDied?: (reason: string) => void
}

interface Waiting {
  readonly start: (worker: QueryWorker) => void
}

/** A task while it holds a worker. */
export interface RunningTask {
  readonly worker: QueryWorker
  /** `performance.now()` at its start. */
  readonly startedAt: number
}

export class Lane {
  readonly #options: LaneOptions
  readonly #workers = new Set<QueryWorker>()
  readonly #idle: { worker: QueryWorker; timer: NodeJS.Timeout }[] = []
  readonly #waiting: Waiting[] = []
  readonly #running = new Set<RunningTask>()
  #stopped = false

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** Tasks that hold a worker now. */
  get running(): ReadonlySet<RunningTask> {
    return this.#running
  }

  get queued(): number {
    return this.#waiting.length
  }

  /** Runs a task within `timeoutMs`, the wait for a worker included. Never rejects. */
  run(task: QueryTask, timeoutMs: number, signal?: AbortSignal, control?: TaskControl): Promise<TaskAnswer> {
    const queuedAt = performance.now()
    const deadlineMs = Date.now() + timeoutMs
    return new Promise((resolve) => {
      let phase: 'queued' | 'running' | 'done' = 'queued'
      let current: QueryWorker | undefined
      let graceTimer: NodeJS.Timeout | undefined
      const finish = (answer: TaskAnswer) => {
        if (phase === 'done') return
        phase = 'done'
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        resolve(answer)
      }
      const giveUp = (failure: TaskFailure) => {
        if (phase === 'done') return
        if (phase === 'queued') this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        const worker = current
        if (phase === 'running' && worker) {
          worker.cancel()
          graceTimer = setTimeout(() => void worker.terminate(failure.message), this.#options.graceMs)
          graceTimer.unref()
        }
        finish(failure)
      }
      const where = () => (phase === 'queued' ? 'query queue' : 'expression evaluation')
      const onAbort = () =>
        giveUp({ ok: false, kind: 'canceled', message: `query was canceled in ${where()}` })
      const timer = setTimeout(
        () => giveUp({ ok: false, kind: 'timeout', message: `query timed out in ${where()}` }),
        timeoutMs,
      )
      const waiting: Waiting = {
        start: (worker) => {
          const queueSeconds = (performance.now() - queuedAt) / 1000
          phase = 'running'
          current = worker
          if (control) control.queueSeconds = queueSeconds
          const entry: RunningTask = { worker, startedAt: performance.now() }
          this.#running.add(entry)
          void worker.run(task, deadlineMs, queueSeconds).then((outcome) => {
            this.#running.delete(entry)
            clearTimeout(graceTimer)
            if (outcome.type === 'answer') {
              this.#options.onFinished?.(outcome.cost, queueSeconds)
              finish(outcome.answer)
              this.#release(worker)
            } else {
              if (!this.#stopped) this.#options.onWorkerDied?.(outcome.reason)
              finish(deathAnswer(outcome.reason, outcome.outOfMemory, this.#stopped))
            }
            this.#pump()
          })
        },
      }
      if (control) control.cancel = onAbort
      if (this.#stopped) return finish(deathAnswer('', false, true))
      if (signal?.aborted) return onAbort()
      signal?.addEventListener('abort', onAbort)
      this.#waiting.push(waiting)
      this.#pump()
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const { timer } of this.#idle.splice(0)) clearTimeout(timer)
    await Promise.all([...this.#workers].map((worker) => worker.terminate('the server is stopping')))
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#running.size < this.#options.threadsMax && !this.#stopped) {
      const worker = this.#take()
      this.#waiting.shift()!.start(worker)
    }
  }

  #take(): QueryWorker {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      clearTimeout(idle.timer)
      if (!idle.worker.gone) return idle.worker
    }
    const worker = new QueryWorker({
      ...this.#options.worker(),
      onExit: (gone) => this.#workers.delete(gone),
    })
    this.#workers.add(worker)
    return worker
  }

  #release(worker: QueryWorker): void {
    if (worker.gone || this.#stopped) return
    const timer = setTimeout(() => {
      const i = this.#idle.findIndex((entry) => entry.worker === worker)
      if (i >= 0) this.#idle.splice(i, 1)
      void worker.terminate('idle')
    }, this.#options.idleMs)
    timer.unref()
    this.#idle.push({ worker, timer })
  }
}

function deathAnswer(reason: string, outOfMemory: boolean, stopping: boolean): TaskFailure {
  if (stopping) return { ok: false, kind: 'canceled', message: 'query was canceled: the server is stopping' }
  return outOfMemory
    ? { ok: false, kind: 'execution', message: `query used too much memory and was ended: ${reason}` }
    : { ok: false, kind: 'internal', message: `the worker of the query failed: ${reason}` }
}
