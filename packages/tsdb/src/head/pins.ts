// How the writer and readers of a head meet without locks. The writer makes `sequence` odd while it changes what readers see;
// a reader copies, and starts over when the sequence moved. A pin keeps memory that was retired since from being reused.
import { CTL, PIN_BYTES, PIN_SLOTS } from './layout.ts'
import type { HeadMemory } from './head-memory.ts'

/** After this many torn copies a reader asks the writer to wait. */
const TRIES_BEFORE_PAUSE = 4
/** Longest a commit waits for readers that asked for a pause; then it goes on and they start over. */
export const PAUSE_MS_MAX = 250

/** A writer that stands within a commit for so long is gone. */
const WRITER_WAIT_MS_MAX = 30_000

/** A reader's place in the pin table. */
export class Pin {
  readonly #mem: HeadMemory
  /** Index of the place's first word. */
  readonly #word: number

  /** Throws when all places are taken. */
  constructor(mem: HeadMemory, threadId: number) {
    this.#mem = mem
    for (let slot = 0; slot < PIN_SLOTS; slot++) {
      const word = (CTL.pins + slot * PIN_BYTES) >>> 2
      if (Atomics.compareExchange(mem.u32, word, 0, threadId + 1) === 0) {
        this.#word = word
        return
      }
    }
    throw new Error(`too many readers: all ${PIN_SLOTS} places are taken`)
  }

  /** Memory retired from now on stays until `release`. */
  take(): void {
    const { u32 } = this.#mem
    for (;;) {
      const epoch = Atomics.load(u32, CTL.epoch >>> 2)
      Atomics.store(u32, this.#word + 1, epoch)
      if (Atomics.load(u32, CTL.epoch >>> 2) === epoch) return
    }
  }

  release(): void {
    Atomics.store(this.#mem.u32, this.#word + 1, 0)
  }

  /** Runs `copy` until no commit came between. It may see torn data, then whatever it returns or throws is dropped. */
  consistent<T>(copy: () => T): T {
    const { u32 } = this.#mem
    try {
      for (let tries = 0; ; tries++) {
        if (tries === TRIES_BEFORE_PAUSE) this.#pause()
        const before = this.#settled()
        let outcome: { value: T } | { error: unknown }
        try {
          outcome = { value: copy() }
        } catch (error) {
          outcome = { error }
        }
        if (Atomics.load(u32, CTL.sequence >>> 2) !== before) continue
        if ('error' in outcome) throw outcome.error
        return outcome.value
      }
    } finally {
      endPause(this.#mem, this.#word)
    }
  }

  close(): void {
    freePlace(this.#mem, this.#word)
  }

  /** An even sequence number. */
  #settled(): number {
    const { u32, i32 } = this.#mem
    for (let waits = 0; waits < WRITER_WAIT_MS_MAX; waits++) {
      const sequence = Atomics.load(u32, CTL.sequence >>> 2)
      if ((sequence & 1) === 0) return sequence
      Atomics.wait(i32, CTL.sequence >>> 2, sequence | 0, 1)
    }
    throw new Error(`the database's writer has not finished a commit for ${WRITER_WAIT_MS_MAX} ms`)
  }

  #pause(): void {
    Atomics.store(this.#mem.u32, this.#word + 2, 1)
    Atomics.add(this.#mem.u32, CTL.pauseCount >>> 2, 1)
  }
}

function endPause(mem: HeadMemory, word: number): void {
  if (Atomics.exchange(mem.u32, word + 2, 0) === 0) return
  Atomics.sub(mem.u32, CTL.pauseCount >>> 2, 1)
  Atomics.notify(mem.i32, CTL.pauseCount >>> 2)
}

function freePlace(mem: HeadMemory, word: number): void {
  endPause(mem, word)
  Atomics.store(mem.u32, word + 1, 0)
  Atomics.store(mem.u32, word, 0)
}

/** Frees the places of a thread that has ended without closing its readers. */
export function releasePins(mem: HeadMemory, threadId: number): void {
  for (let slot = 0; slot < PIN_SLOTS; slot++) {
    const word = (CTL.pins + slot * PIN_BYTES) >>> 2
    if (Atomics.load(mem.u32, word) === threadId + 1) freePlace(mem, word)
  }
}

/** The writer: waits a bounded time for readers that asked for it. */
export function waitForReaders(mem: HeadMemory): void {
  const word = CTL.pauseCount >>> 2
  if (Atomics.load(mem.u32, word) === 0) return
  const end = performance.now() + PAUSE_MS_MAX
  for (;;) {
    const count = Atomics.load(mem.i32, word)
    const left = end - performance.now()
    if (count === 0 || left <= 0) return
    Atomics.wait(mem.i32, word, count, left)
  }
}

/** The writer: from here on readers' copies are void. */
export function beginChange(mem: HeadMemory): void {
  Atomics.add(mem.u32, CTL.sequence >>> 2, 1)
}

/** The writer: what was changed is now to be seen, and memory retired before is protected only by older pins. */
export function endChange(mem: HeadMemory): void {
  Atomics.add(mem.u32, CTL.sequence >>> 2, 1)
  Atomics.notify(mem.i32, CTL.sequence >>> 2)
  Atomics.add(mem.u32, CTL.epoch >>> 2, 1)
}
