// The queries that wait or run now, so that they can be listed and ended, and a word about slow ones.
import type { QueryTask } from './messages.ts'

export interface ActiveQuery {
  readonly id: number
  /** The expression, or what of the metadata is asked for. */
  readonly query: string
  /** Who asks: the HTTP API or the rules. */
  readonly origin: 'api' | 'rules'
  /** ms since the epoch. */
  readonly startMs: number
  readonly state: 'queued' | 'running'
}

export interface SlowQuery {
  readonly query: string
  readonly origin: 'api' | 'rules'
  /** Seconds from its arrival to its answer, and those of them it waited for a worker. */
  readonly seconds: number
  readonly queueSeconds: number
}

/** What the lane tells about a task while it is under way. */
export interface TaskControl {
  cancel: () => void
  /** Set when it gets a worker. */
  queueSeconds: number | undefined
}

interface Entry {
  readonly query: string
  readonly origin: 'api' | 'rules'
  readonly startMs: number
  readonly control: TaskControl
}

export class ActiveQueries {
  readonly #entries = new Map<number, Entry>()
  #nextId = 1

  /** Oldest first. */
  list(): ActiveQuery[] {
    return [...this.#entries].map(([id, { query, origin, startMs, control }]) => ({
      id,
      query,
      origin,
      startMs,
      state: control.queueSeconds === undefined ? 'queued' : 'running',
    }))
  }

  /** Cancels a query; false when there is none with this id. */
  cancel(id: number): boolean {
    const entry = this.#entries.get(id)
    entry?.control.cancel()
    return entry !== undefined
  }

  add(task: QueryTask, origin: 'api' | 'rules'): { control: TaskControl; end: () => SlowQuery } {
    const id = this.#nextId++
    const control: TaskControl = { cancel: () => undefined, queueSeconds: undefined }
    const query = describe(task)
    const began = performance.now()
    this.#entries.set(id, { query, origin, startMs: Date.now(), control })
    return {
      control,
      end: () => {
        this.#entries.delete(id)
        const seconds = (performance.now() - began) / 1000
        return { query, origin, seconds, queueSeconds: control.queueSeconds ?? seconds }
      },
    }
  }
}

/** Longest text of a query that is kept. */
const TEXT_MAX = 10_000

function describe(task: QueryTask): string {
  if (task.what === 'json' || task.what === 'vector') return task.request.expr.slice(0, TEXT_MAX)
  return `${task.what} ${task.request.matches.join(' ')}`.slice(0, TEXT_MAX)
}
