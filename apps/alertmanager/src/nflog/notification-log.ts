// The notification log: what each integration was last told about a group. It decides whether there is anything new
// to say, and keeps a restart from saying it twice.

/** Times in ms. */
export interface LogEntry {
  readonly groupKey: string
  readonly receiver: string
  /** Kind of integration and its position, e.g. `webhook` 0. */
  readonly integration: string
  readonly index: number
  readonly timestamp: number
  readonly expiresAt: number
  /** Fingerprints. */
  readonly firing: readonly string[]
  readonly resolved: readonly string[]
}

/** Why a notification is sent (shown to receivers), or `none`. */
export type NotificationReason =
  | 'first notification'
  | 'new alerts added'
  | 'some alerts resolved'
  | 'all alerts resolved'
  | 'repeat interval elapsed'
  | 'none'

export interface NotificationLogOptions {
  /** Entries are kept at most this long, ms. Default 120 h. */
  readonly retentionMs?: number
  /** Most entries; the oldest go first. Default 100,000. */
  readonly entriesMax?: number
  readonly onChange?: () => void
}

type LogKey = Pick<LogEntry, 'groupKey' | 'receiver' | 'integration' | 'index'>

export class NotificationLog {
  readonly #entries = new Map<string, LogEntry>()
  readonly #options: NotificationLogOptions

  constructor(options: NotificationLogOptions = {}, restored: Iterable<LogEntry> = []) {
    this.#options = options
    for (const entry of restored) this.#entries.set(keyText(entry), entry)
  }

  get(key: LogKey): LogEntry | undefined {
    return this.#entries.get(keyText(key))
  }

  all(): LogEntry[] {
    return [...this.#entries.values()]
  }

  /** Remembers a notification for twice the repeat interval, bounded by the retention. */
  record(entry: Omit<LogEntry, 'expiresAt'>, repeatIntervalMs: number): void {
    const keepMs = Math.min(2 * repeatIntervalMs, this.#options.retentionMs ?? 120 * 3_600_000)
    const key = keyText(entry)
    this.#entries.delete(key)
    this.#entries.set(key, { ...entry, expiresAt: entry.timestamp + keepMs })
    if (this.#entries.size > (this.#options.entriesMax ?? 100_000))
      this.#entries.delete(this.#entries.keys().next().value!)
    this.#options.onChange?.()
  }

  sweep(now: number): void {
    let changed = false
    for (const [key, entry] of this.#entries)
      if (entry.expiresAt <= now) changed = this.#entries.delete(key) || changed
    if (changed) this.#options.onChange?.()
  }
}

function keyText(key: LogKey): string {
  return `${key.groupKey}\u0000${key.receiver}\u0000${key.integration}\u0000${key.index}`
}

/** Compares a group with what its receiver knows. `none` = nothing to send. */
export function notificationReason(
  entry: LogEntry | undefined,
  now: {
    readonly timeMs: number
    readonly firing: readonly string[]
    readonly resolved: readonly string[]
    readonly sendResolved: boolean
    readonly repeatIntervalMs: number
  },
): NotificationReason {
  // A receiver that was told of the end of everything starts anew.
  if (!entry || entry.firing.length === 0) return now.firing.length > 0 ? 'first notification' : 'none'
  const known = new Set(entry.firing)
  if (now.firing.some((id) => !known.has(id))) return 'new alerts added'
  // Told even when resolved messages are off, so that the log forgets the firing alerts.
  if (now.firing.length === 0) return 'all alerts resolved'
  const ended = new Set(entry.resolved)
  if (now.sendResolved && now.resolved.some((id) => !ended.has(id))) return 'some alerts resolved'
  return entry.timestamp + now.repeatIntervalMs <= now.timeMs ? 'repeat interval elapsed' : 'none'
}
