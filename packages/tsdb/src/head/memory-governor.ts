// Keeps the process within a budget of memory: near it no new series are made, while those known go on. What the head has freed may
// be used again at any time, as that needs no more memory of the system.
import { totalmem } from 'node:os'

/** Share of the machine's or the cgroup's memory that is the budget unless an option says otherwise. */
export const MEMORY_SHARE = 0.75
/** From this share of the budget on new series are refused. */
const NEAR_SHARE = 0.95
/** How long a measurement holds. */
const MEASURE_MS = 250

/** The default budget in bytes. */
export function memoryBytesDefault(): number {
  const machine = totalmem()
  // Without a cgroup limit this is 0, undefined or beyond the machine.
  const group = process.constrainedMemory() ?? 0
  return Math.floor((group > 0 ? Math.min(group, machine) : machine) * MEMORY_SHARE)
}

export class MemoryGovernor {
  readonly bytesMax: number
  readonly #measure: () => number
  readonly #now: () => number
  #measuredAt = -Infinity
  #near = false

  /** `bytesMax` is the budget of the whole process. `measure` tells what it uses, `now` is in ms. */
  constructor(
    bytesMax: number,
    measure: () => number = () => process.memoryUsage.rss(),
    now: () => number = () => performance.now(),
  ) {
    this.bytesMax = bytesMax
    this.#measure = measure
    this.#now = now
  }

  /** Whether the process is so near its budget that nothing new should be begun. */
  get isNear(): boolean {
    const now = this.#now()
    if (now - this.#measuredAt >= MEASURE_MS) {
      this.#measuredAt = now
      this.#near = this.#measure() >= this.bytesMax * NEAR_SHARE
    }
    return this.#near
  }
}
