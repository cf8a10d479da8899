// The built-in inbox: keeps what was notified, newest first, so that a fresh installation has somewhere to look
// without any service outside. On disk it is a log of JSON lines, appended and synced; a torn last line (power cut in
// the middle of a write) is dropped on start; the log is rewritten through a temporary file when it has grown.
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
import { dirname } from 'node:path'
import type { NotificationMessage, NotifiedAlert } from './message.ts'

/** As `/api/v1/inbox` shows it. */
export interface InboxNotification {
  readonly id: string
  readonly receiver: string
  readonly status: 'firing' | 'resolved'
  readonly reason: string
  readonly groupKey: string
  readonly groupLabels: Readonly<Record<string, string>>
  readonly commonLabels: Readonly<Record<string, string>>
  readonly commonAnnotations: Readonly<Record<string, string>>
  readonly alerts: readonly NotifiedAlert[]
  readonly truncatedAlerts: number
  /** RFC 3339. */
  readonly receivedAt: string
}

export interface InboxOptions {
  /** Undefined = in memory only. */
  readonly file?: string
  readonly now: () => number
  /** Most notifications kept. Default 1,000. */
  readonly notificationsMax?: number
}

/** Most alerts kept of one notification. */
const ALERTS_MAX = 200

export class Inbox {
  readonly #options: InboxOptions
  readonly #max: number
  /** Oldest first. */
  #notifications: InboxNotification[] = []
  #lines = 0
  #lastId = 0

  constructor(options: InboxOptions) {
    this.#options = options
    this.#max = options.notificationsMax ?? 1000
    if (options.file !== undefined) this.#load(options.file)
  }

  /** Newest first. */
  list(): InboxNotification[] {
    return this.#notifications.toReversed()
  }

  /** Keeps a message; durable when it returns. Throws when the file cannot be written. */
  add(message: NotificationMessage): void {
    const alerts = message.alerts.slice(0, ALERTS_MAX)
    const notification: InboxNotification = {
      id: String(this.#lastId + 1),
      receiver: message.receiver,
      status: message.status,
      reason: message.notification_reason,
      groupKey: message.groupKey,
      groupLabels: message.groupLabels,
      commonLabels: message.commonLabels,
      commonAnnotations: message.commonAnnotations,
      alerts,
      truncatedAlerts: message.truncatedAlerts + message.alerts.length - alerts.length,
      receivedAt: new Date(this.#options.now()).toISOString(),
    }
    const kept = [...this.#notifications, notification].slice(-this.#max)
    if (this.#options.file !== undefined) {
      if (this.#lines >= 2 * this.#max) this.#rewrite(this.#options.file, kept)
      else this.#append(this.#options.file, notification)
    }
    this.#lastId++
    this.#notifications = kept
  }

  #load(file: string): void {
    mkdirSync(dirname(file), { recursive: true })
    if (!existsSync(file)) return
    const lines = readFileSync(file, 'utf8').split('\n')
    const torn = lines.at(-1) !== ''
    for (const line of lines) {
      if (line === '') continue
      this.#lines++
      const notification = parseLine(line)
      if (notification) this.#notifications.push(notification)
    }
    this.#notifications = this.#notifications.slice(-this.#max)
    this.#lastId = this.#notifications.reduce((last, { id }) => Math.max(last, Number(id) || 0), 0)
    // What follows must not be glued to half a line.
    if (torn) this.#rewrite(file, this.#notifications)
  }

  #append(file: string, notification: InboxNotification): void {
    writeDurably(file, 'a', JSON.stringify(notification) + '\n')
    this.#lines++
  }

  #rewrite(file: string, notifications: readonly InboxNotification[]): void {
    writeDurably(`${file}.tmp`, 'w', notifications.map((n) => JSON.stringify(n) + '\n').join(''))
    renameSync(`${file}.tmp`, file)
    this.#lines = notifications.length
  }
}

function parseLine(line: string): InboxNotification | undefined {
  try {
    const value = JSON.parse(line) as Partial<InboxNotification> | null
    const complete =
      typeof value?.id === 'string' && typeof value.receivedAt === 'string' && Array.isArray(value.alerts)
    return complete ? (value as InboxNotification) : undefined
  } catch {
    return undefined
  }
}

function writeDurably(file: string, flags: 'a' | 'w', text: string): void {
  const descriptor = openSync(file, flags, 0o600)
  try {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
