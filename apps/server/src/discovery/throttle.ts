// Brings many changes together: the first is passed on at once, the next ones after a pause that grows while changes
// keep coming, and is short again after a quiet time.

export interface ThrottleOptions {
  readonly minMs: number
  readonly maxMs: number
  readonly run: () => void
  /** A change had to wait. */
  readonly onDelayed?: () => void
}

export class Throttle {
  readonly #options: ThrottleOptions
  #timer: NodeJS.Timeout | undefined
  #pauseMs: number
  #lastRun = -Infinity

  constructor(options: ThrottleOptions) {
    this.#options = options
    this.#pauseMs = options.minMs
  }

  /** Runs now or soon. */
  touch(): void {
    const { minMs, maxMs, onDelayed } = this.#options
    if (this.#timer) {
      onDelayed?.()
      return
    }
    const quiet = performance.now() - this.#lastRun
    if (quiet > maxMs) this.#pauseMs = minMs
    if (quiet >= this.#pauseMs) {
      this.#go()
      return
    }
    onDelayed?.()
    const wait = this.#pauseMs - quiet
    this.#pauseMs = Math.min(this.#pauseMs * 2, maxMs)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#go()
    }, wait)
    this.#timer.unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #go(): void {
    this.#lastRun = performance.now()
    this.#options.run()
  }
}
