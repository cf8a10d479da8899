// Keeps silences and the notification log in the data folder, in Alertmanager's file format, so that a restart
// neither forgets a silence nor notifies twice. Written soon after a change through a temporary file; a damaged
// file is put aside and said so, it never stops the start.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Clock, TimerHandle } from '@watchfire/datamodel'
import type { Logger } from '../logger.ts'
import type { LogEntry } from '../nflog/index.ts'
import type { Silence } from '../silence/index.ts'
import { decodeLogEntry, decodeSilence, encodeLogEntry, encodeSilence } from './codec.ts'
import { ProtoWriter, delimitedMessages } from './protobuf.ts'

type Kind = 'silences' | 'nflog'

/** Changes are gathered this long before a file is written, ms. */
const DELAY_MS: Readonly<Record<Kind, number>> = { silences: 0, nflog: 1000 }
const RETENTION_MS = 120 * 3_600_000

export class Snapshots {
  readonly #dir: string
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #timers = new Map<Kind, TimerHandle>()
  #sources: { silences: () => readonly Silence[]; log: () => readonly LogEntry[] } | undefined

  /** Creates the folder; throws when that fails. */
  constructor(dir: string, clock: Clock, logger: Logger) {
    mkdirSync(dir, { recursive: true })
    this.#dir = dir
    this.#clock = clock
    this.#logger = logger
  }

  readSilences(): Silence[] {
    return this.#read('silences', decodeSilence)
  }

  readLog(): LogEntry[] {
    return this.#read('nflog', decodeLogEntry)
  }

  /** Says where the data to write comes from. */
  connect(sources: { silences: () => readonly Silence[]; log: () => readonly LogEntry[] }): void {
    this.#sources = sources
  }

  changed(kind: Kind): void {
    if (this.#timers.has(kind)) return
    this.#timers.set(
      kind,
      this.#clock.setTimeout(() => this.#write(kind), DELAY_MS[kind]),
    )
  }

  /** Writes what is outstanding. */
  stop(): void {
    for (const kind of [...this.#timers.keys()]) this.#write(kind)
  }

  #read<T>(kind: Kind, decode: (bytes: Uint8Array) => T): T[] {
    const file = join(this.#dir, kind)
    if (!existsSync(file)) return []
    try {
      return [...delimitedMessages(readFileSync(file))].map(decode)
    } catch (error) {
      renameSync(file, `${file}.damaged`)
      this.#logger.error(`Snapshot is damaged, put aside as ${kind}.damaged`, {
        file,
        err: (error as Error).message,
      })
      return []
    }
  }

  #write(kind: Kind): void {
    this.#timers.get(kind)?.cancel()
    this.#timers.delete(kind)
    if (!this.#sources) return
    const records =
      kind === 'silences'
        ? this.#sources.silences().map((silence) => encodeSilence(silence, RETENTION_MS))
        : this.#sources.log().map(encodeLogEntry)
    const parts = records.flatMap((record) => [new ProtoWriter().varint(record.length).finish(), record])
    const file = join(this.#dir, kind)
    try {
      const descriptor = openSync(`${file}.tmp`, 'w', 0o600)
      try {
        const bytes = Buffer.concat(parts)
        for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
        fsyncSync(descriptor)
      } finally {
        closeSync(descriptor)
      }
      renameSync(`${file}.tmp`, file)
    } catch (error) {
      this.#logger.error('Snapshot could not be written', { file, err: (error as Error).message })
    }
  }
}
