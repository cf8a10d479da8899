// A real `bin/watchfire` process with a configuration of its own, for tests of the whole server.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { TestProcess, freePort, until } from '@watchfire/testkit'

const LAUNCHER = resolve(import.meta.dirname, '../bin/watchfire')

export interface ApiAnswer {
  readonly status: number
  readonly body: {
    status: string
    data: never
    errorType?: string
    error?: string
  }
}

export class ServerProcess {
  readonly dir: string
  readonly port: number
  readonly configFile: string
  process: TestProcess

  private constructor(dir: string, port: number) {
    this.dir = dir
    this.port = port
    this.configFile = join(dir, 'prometheus.yml')
    this.process = this.#spawn()
  }

  #spawn(): TestProcess {
    return TestProcess.start({
      program: process.execPath,
      args: [
        LAUNCHER,
        `--config.file=${this.configFile}`,
        `--storage.tsdb.path=${join(this.dir, 'data')}`,
        `--web.listen-address=127.0.0.1:${this.port}`,
        '--web.enable-lifecycle',
        '--log.level=warn',
      ],
    })
  }

  /** Starts it and waits for `/-/ready`, unless it is expected to end; `files` lie beside the configuration. */
  static async start(
    config: string,
    options: { wait?: boolean; files?: Readonly<Record<string, string>> } = {},
  ): Promise<ServerProcess> {
    const dir = mkdtempSync(join(tmpdir(), 'watchfire-e2e-'))
    mkdirSync(join(dir, 'data'))
    writeFileSync(join(dir, 'prometheus.yml'), config)
    for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(dir, name), text)
    const server = new ServerProcess(dir, await freePort())
    if (options.wait !== false) await server.waitReady()
    return server
  }

  async waitReady(): Promise<void> {
    const ready = await until(
      30_000,
      async () => this.process.over || (await fetch(`${this.url}/-/ready`)).status === 200,
    )
    if (!ready || this.process.over) throw new Error(`server is not ready:\n${this.process.output}`)
  }

  /** The same server again, on the same data and port. */
  async startAgain(): Promise<void> {
    this.process = this.#spawn()
    await this.waitReady()
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async api<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}`)
    const body = (await response.json()) as { status: string; data: T; error?: string }
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`)
    return body.data
  }

  async vector(expr: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    const data = await this.api<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
      `query?query=${encodeURIComponent(expr)}`,
    )
    return data.result
  }

  writeConfig(config: string): void {
    writeFileSync(this.configFile, config)
  }

  async dispose(): Promise<void> {
    await this.process.stop('SIGTERM', 10_000)
    rmSync(this.dir, { recursive: true, force: true })
  }
}
