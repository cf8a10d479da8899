// Silences: created, replaced and expired by people; an alert is silenced while an active one matches all its labels.
import type { Matcher } from '@watchfire/datamodel'
import { matchesAll, type Labels } from '@watchfire/datamodel'

/** Times in ms. */
export interface Silence {
  readonly id: string
  readonly matchers: readonly Matcher[]
  readonly startsAt: number
  readonly endsAt: number
  readonly updatedAt: number
  readonly createdBy: string
  readonly comment: string
  readonly annotations: Readonly<Record<string, string>>
}

export type SilenceState = 'active' | 'pending' | 'expired'
export type SilenceDraft = Omit<Silence, 'updatedAt'>

/** A silence that cannot be taken; the message is Alertmanager's. */
export class SilenceError extends Error {
  override name = 'SilenceError'
  readonly kind: 'invalid' | 'notFound'
  constructor(kind: 'invalid' | 'notFound', message: string) {
    super(message)
    this.kind = kind
  }
}

export interface SilenceStoreOptions {
  /** How long expired silences are shown, ms. Default 120 h. */
  readonly retentionMs?: number
  /** Most silences kept, expired ones too. Default 10,000. */
  readonly silencesMax?: number
  readonly randomId: () => string
  /** Called after every change, for saving. */
  readonly onChange?: () => void
}

export function silenceState(silence: Silence, now: number): SilenceState {
  if (silence.endsAt <= now) return 'expired'
  return silence.startsAt <= now ? 'active' : 'pending'
}

export class SilenceStore {
  readonly #silences = new Map<string, Silence>()
  readonly #options: SilenceStoreOptions

  constructor(options: SilenceStoreOptions, restored: Iterable<Silence> = []) {
    this.#options = options
    for (const silence of restored) this.#silences.set(silence.id, silence)
  }

  get(id: string): Silence | undefined {
    return this.#silences.get(id)
  }

  all(): Silence[] {
    return [...this.#silences.values()]
  }

  /**
   * Creates a silence (id '') or changes one. Returns the id, a new one when the change needs a new silence: other
   * matchers, or another start of one that is active. Throws `SilenceError`.
   */
  set(draft: SilenceDraft, now: number): string {
    validate(draft)
    const known = this.#silences.get(draft.id)
    if (draft.id !== '' && !known) throw new SilenceError('notFound', 'silence not found')
    if (known && canChangeInPlace(known, draft, now)) {
      this.#put({ ...draft, updatedAt: now })
      return draft.id
    }
    if (!known && this.#silences.size >= (this.#options.silencesMax ?? 10_000))
      throw new SilenceError('invalid', `exceeded maximum number of silences: ${this.#silences.size}`)
    if (known && silenceState(known, now) !== 'expired') this.expire(known.id, now)
    const id = this.#options.randomId()
    this.#put({ ...draft, id, startsAt: Math.max(draft.startsAt, now), updatedAt: now })
    return id
  }

  /** Ends a silence now; one that has ended stays as it is. Throws `SilenceError` for an unknown id. */
  expire(id: string, now: number): void {
    const silence = this.#silences.get(id)
    if (!silence) throw new SilenceError('notFound', 'silence not found')
    if (silence.endsAt <= now) return
    this.#put({ ...silence, startsAt: Math.min(silence.startsAt, now), endsAt: now, updatedAt: now })
  }

  /** Ids of the active silences that match, oldest first. */
  silencedBy(labels: Labels, now: number): string[] {
    const ids: string[] = []
    for (const silence of this.#silences.values())
      if (silenceState(silence, now) === 'active' && matchesAll(silence.matchers, labels))
        ids.push(silence.id)
    return ids
  }

  /** Forgets what expired longer ago than the retention. */
  sweep(now: number): void {
    const limit = now - (this.#options.retentionMs ?? 120 * 3_600_000)
    let changed = false
    for (const [id, silence] of this.#silences)
      if (silence.endsAt <= limit) changed = this.#silences.delete(id) || changed
    if (changed) this.#options.onChange?.()
  }

  #put(silence: Silence): void {
    this.#silences.set(silence.id, silence)
    this.#options.onChange?.()
  }
}

function validate(draft: SilenceDraft): void {
  const invalid = (text: string): never => {
    throw new SilenceError('invalid', `invalid silence: ${text}`)
  }
  if (draft.matchers.length === 0) invalid('at least one matcher set required')
  draft.matchers.forEach((matcher, i) => {
    if (matcher.name === '') invalid(`invalid label matcher ${i} in set 0: invalid label name ""`)
  })
  // Negative matchers count as selective, whatever they match.
  if (draft.matchers.every((matcher) => !matcher.type.startsWith('!') && matcher.matchesEmpty()))
    invalid('matcher set 0: at least one matcher must not match the empty string')
  if (draft.endsAt < draft.startsAt) invalid('end time must not be before start time')
}

function canChangeInPlace(known: Silence, draft: SilenceDraft, now: number): boolean {
  const texts = (matchers: readonly Matcher[]) => matchers.map(String).join('\n')
  if (texts(known.matchers) !== texts(draft.matchers)) return false
  switch (silenceState(known, now)) {
    case 'active':
      return draft.startsAt === known.startsAt && draft.endsAt >= now
    case 'pending':
      return draft.startsAt >= now
    case 'expired':
      return false
  }
}
