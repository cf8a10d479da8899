// Time is handed in, so that a whole server runs in a simulation.

/** Source of time and timers. Timers of a simulated clock run when it is advanced. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Monotonic milliseconds, for durations. */
  monotonic(): number
  setTimeout(callback: () => void, delayMs: number): TimerHandle
}

export interface TimerHandle {
  cancel(): void
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(callback, delayMs) {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}
