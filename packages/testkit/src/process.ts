// Whole processes under test: started on free ports, waited for, and ended whatever happens.
import { spawn, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'

export interface ProcessOptions {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Most characters of output that are kept. */
const OUTPUT_CHARS_MAX = 200_000

/** A running program with its output. */
export class TestProcess {
  readonly #child: ChildProcess
  output = ''
  /** Resolves when it has ended: code and signal as Node gives them. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  #over = false

  private constructor(child: ChildProcess) {
    this.#child = child
    const keep = (data: Buffer): void => {
      this.output = (this.output + data.toString()).slice(-OUTPUT_CHARS_MAX)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    this.ended = new Promise((done) =>
      child.on('exit', (code, signal) => {
        this.#over = true
        done({ code, signal })
      }),
    )
  }

  static start(options: ProcessOptions): TestProcess {
    return new TestProcess(
      spawn(options.program, options.args, {
        env: { ...process.env, ...options.env },
        ...(options.cwd !== undefined && { cwd: options.cwd }),
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
  }

  get over(): boolean {
    return this.#over
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Sends a signal and waits for the end; SIGKILL after `graceMs`. */
  async stop(
    name: NodeJS.Signals = 'SIGTERM',
    graceMs: number = 20_000,
  ): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    if (!this.#over) this.#child.kill(name)
    const insist = setTimeout(() => this.#child.kill('SIGKILL'), graceMs)
    const end = await this.ended
    clearTimeout(insist)
    return end
  }
}

/** A port that is free now. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.on('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => done(port))
    })
  })
}

/** Asks again and again until the answer is truthy; the last answer after `timeoutMs`. Errors count as "not yet". */
export async function until<T>(
  timeoutMs: number,
  ask: () => Promise<T>,
  pauseMs: number = 100,
): Promise<T | undefined> {
  const end = Date.now() + timeoutMs
  let last: T | undefined
  for (;;) {
    try {
      last = await ask()
      if (last) return last
    } catch {
      // not yet
    }
    if (Date.now() >= end) return last
    await new Promise((done) => setTimeout(done, pauseMs))
  }
}
