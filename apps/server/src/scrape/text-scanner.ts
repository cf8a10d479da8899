// The scan kernel with its scratch memory: one for a thread, used synchronously by all targets.
import { SCAN, createArena, type Arena } from '@watchfire/kernels'
import type { LinePlan } from './line-plan.ts'

/** Most scratch, in address space; touched only as bodies need it. */
const SCRATCH_BYTES_MAX = 1024 * 1024 * 1024
/** Readable bytes that the kernel wants behind the text. */
const GUARD_BYTES = 64
const OPEN_METRICS = 'application/openmetrics-text'

/** Columns of one scan, valid until the next one. */
export interface Scan {
  /** Line numbers of the plan from 1; 0 = the caller parses the line. */
  readonly ids: Uint32Array
  readonly offsets: Uint32Array
  readonly values: Float64Array
  /** ms; the staleness marker's bits where the line has no time. */
  readonly times: Float64Array
  readonly commentHash: number
}

export class TextScanner {
  readonly #arena: Arena
  readonly #base: number

  constructor() {
    this.#arena = createArena(SCRATCH_BYTES_MAX)
    this.#base = this.#arena.mark()
  }

  /** Address at which a plan's texts lie during its scan. */
  get textBase(): number {
    return this.#base
  }

  /** Scans a body by a plan; undefined when it has another number of sample lines. Throws when the scratch is too small. */
  scan(body: Uint8Array, plan: LinePlan): Scan | undefined {
    const arena = this.#arena
    const { lineCount } = plan
    try {
      const texts = arena.alloc(plan.texts.length)
      const rows = arena.alloc(plan.rows.length * 4)
      const text = arena.alloc(body.length + GUARD_BYTES)
      const ids = arena.alloc(lineCount * 4)
      const offsets = arena.alloc(lineCount * 4)
      const values = arena.alloc(lineCount * 8)
      const times = arena.alloc(lineCount * 8)
      const hash = arena.alloc(4)
      const bytes = arena.bytes()
      const { buffer } = arena.memory
      bytes.set(plan.texts, texts)
      new Uint32Array(buffer, rows, plan.rows.length).set(plan.rows)
      bytes.set(body, text)
      const flags = plan.mediaType === OPEN_METRICS ? SCAN.openMetrics : 0
      const found = arena.kernels.scanText(
        text,
        body.length,
        rows,
        lineCount,
        ids,
        offsets,
        values,
        times,
        lineCount,
        flags,
        hash,
      )
      if (found !== lineCount) return undefined
      return {
        ids: new Uint32Array(buffer, ids, lineCount),
        offsets: new Uint32Array(buffer, offsets, lineCount),
        values: new Float64Array(buffer, values, lineCount),
        times: new Float64Array(buffer, times, lineCount),
        commentHash: new Uint32Array(buffer, hash, 1)[0] ?? 0,
      }
    } finally {
      arena.release(this.#base)
    }
  }
}
