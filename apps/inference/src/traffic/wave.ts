// How much traffic there is when: a sine over a compressed day, never below a floor, each model at its own phase.

export interface Wave {
  /** Length of the compressed day, ms. */
  readonly dayMs: number
  /** Requests a second at the top of the wave. */
  readonly peakRate: number
  /** Requests a second at the bottom. */
  readonly floorRate: number
}

/** A request in less than 5 s for each model, with room for a slow answer: what the panels and alerts rely on. */
export const FLOOR_RATE_MIN = 0.25

/** Requests a second at `elapsedMs`; `phase` in [0, 1) shifts the day. */
export function rateAt(wave: Wave, elapsedMs: number, phase: number): number {
  const height = (1 - Math.cos(2 * Math.PI * (elapsedMs / wave.dayMs + phase))) / 2
  const floor = Math.max(FLOOR_RATE_MIN, wave.floorRate)
  return floor + Math.max(0, wave.peakRate - floor) * height
}

/** Largest pause between two requests of a model, ms. */
export const PAUSE_MAX_MS = 4500

/** Pause until the next request: that of the rate, up to 30 % shorter or longer, so that requests do not march in step. */
export function pauseMs(rate: number, random: number): number {
  return Math.min(PAUSE_MAX_MS, (1000 / rate) * (0.7 + 0.6 * random))
}
