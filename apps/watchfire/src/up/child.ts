// A process that `up` starts and looks after: started again when it dies, ended with us.
import { fork, type ChildProcess } from 'node:child_process'

export interface ChildOptions {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  readonly log: (message: string) => void
  /** Waits between a death and the next start, ms: first and longest. */
  readonly restartMinMs?: number
  readonly restartMaxMs?: number
}

/** How long a child lived, ms, after which its next death counts as the first again. */
const STEADY_MS = 60_000

/** Not detached, and with a channel: when this process dies, however it does, the channel closes and the child ends. */
export class Child {
  readonly #options: ChildOptions
  #process: ChildProcess | undefined
  #timer: NodeJS.Timeout | undefined
  #stopping = false
  #waitMs: number

  constructor(options: ChildOptions) {
    this.#options = options
    this.#waitMs = options.restartMinMs ?? 500
  }

  start(): void {
    const { name, program, args, log } = this.#options
    const began = Date.now()
    const child = fork(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#process = child
    child.on('error', (error) => log(`${name} cannot be started: ${error.message}`))
    child.on('exit', (code, signal) => {
      this.#process = undefined
      if (this.#stopping) return
      if (Date.now() - began > STEADY_MS) this.#waitMs = this.#options.restartMinMs ?? 500
      // The wait also lets our own signal handler run first when a terminal's Ctrl-C reached both of us.
      this.#timer = setTimeout(() => {
        if (this.#stopping) return
        log(`${name} ended with ${signal ?? `code ${code}`}: starting it again`)
        this.start()
      }, this.#waitMs)
      this.#waitMs = Math.min(this.#options.restartMaxMs ?? 30_000, this.#waitMs * 2)
    })
  }

  /** Asks it to end, insists after `graceMs`. */
  async stop(graceMs: number = 5000): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#timer)
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>((done) => child.once('exit', () => done()))
    child.kill('SIGTERM')
    const insist = setTimeout(() => child.kill('SIGKILL'), graceMs)
    await ended
    clearTimeout(insist)
  }
}
