// File discovery: finds the files of its patterns, reads them again when they change (told by the file system, and
// by the refresh interval in case it was not), and keeps the groups of a file that turned bad.
import { watch, type FSWatcher } from 'node:fs'
import { dirname } from 'node:path'
import { glob, type FileSdConfig } from '../config/index.ts'
import type { TargetGroup } from './contract.ts'
import { readTargetFile } from './target-file.ts'

/** Changes within this time are read together. */
const SETTLE_MS = 100

export interface FileDiscoveryEvents {
  /** All groups, whenever they changed. */
  readonly onGroups: (groups: readonly TargetGroup[]) => void
  readonly onReadError: (path: string, error: Error) => void
  readonly onWatchError: (dir: string, error: Error) => void
}

export class FileDiscovery {
  readonly #config: FileSdConfig
  readonly #events: FileDiscoveryEvents
  readonly #groups = new Map<string, readonly TargetGroup[]>()
  readonly #watchers = new Map<string, FSWatcher>()
  #timer: NodeJS.Timeout | undefined
  #settle: NodeJS.Timeout | undefined
  #reading: Promise<void> | undefined
  #again = false
  #stopped = false
  #last = ''

  constructor(config: FileSdConfig, events: FileDiscoveryEvents) {
    this.#config = config
    this.#events = events
  }

  /** Reads once, then watches. */
  async start(): Promise<void> {
    this.#watch()
    await this.refresh()
    if (this.#stopped || this.#config.refreshIntervalMs <= 0) return
    this.#timer = setInterval(() => {
      this.#watch()
      void this.refresh()
    }, this.#config.refreshIntervalMs)
    this.#timer.unref()
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
    clearTimeout(this.#settle)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  /** Reads all files now; overlapping calls share one more run. */
  refresh(): Promise<void> {
    if (this.#reading) {
      this.#again = true
      return this.#reading
    }
    const run = async () => {
      do {
        this.#again = false
        await this.#read()
      } while (this.#again && !this.#stopped)
      this.#reading = undefined
    }
    this.#reading = run()
    return this.#reading
  }

  async #read(): Promise<void> {
    const found = new Set(this.#config.files.flatMap(glob))
    for (const path of [...this.#groups.keys()]) if (!found.has(path)) this.#groups.delete(path)
    for (const path of found) {
      try {
        this.#groups.set(path, await readTargetFile(path))
      } catch (error) {
        this.#events.onReadError(path, error as Error)
      }
    }
    if (this.#stopped) return
    const groups = [...this.#groups.keys()].sort().flatMap((path) => this.#groups.get(path)!)
    const key = JSON.stringify(groups)
    if (key === this.#last) return
    this.#last = key
    this.#events.onGroups(groups)
  }

  /** Watches the folders of the patterns; a folder that is not there yet is tried again at the next refresh. */
  #watch(): void {
    for (const dir of new Set(this.#config.files.map((pattern) => dirname(pattern)))) {
      if (this.#watchers.has(dir) || this.#stopped) continue
      try {
        const watcher = watch(dir, { persistent: false }, () => this.#changed())
        watcher.on('error', (error) => {
          this.#watchers.delete(dir)
          watcher.close()
          this.#events.onWatchError(dir, error)
        })
        this.#watchers.set(dir, watcher)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#events.onWatchError(dir, error as Error)
      }
    }
  }

  #changed(): void {
    clearTimeout(this.#settle)
    this.#settle = setTimeout(() => void this.refresh(), SETTLE_MS)
    this.#settle.unref()
  }
}
