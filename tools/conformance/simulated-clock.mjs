// A clock whose time passes only when it is told to; timers run in order.

export class SimulatedClock {
  #timers = []

  constructor(start) {
    this.time = start
    this.now = () => this.time
    this.monotonic = () => this.time
  }

  setTimeout(run, delayMs) {
    const timer = { at: this.time + delayMs, run }
    this.#timers.push(timer)
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) }
  }

  /** Lets `ms` pass; promises settle after each timer. */
  async advance(ms) {
    const end = this.time + ms
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#timers = this.#timers.filter((timer) => timer !== due)
      this.time = Math.max(this.time, due.at)
      due.run()
    }
    this.time = end
  }
}
