// For tests, a process of its own: commits a step after the other and compacts meanwhile, and writes each step to descriptor 3 once it is
// committed. It goes on until it is killed. Arguments: data directory, first step.
import { writeSync } from 'node:fs'
import { Labels } from '@watchfire/datamodel'
import { openDbSync } from '../db.ts'

export const LOOP_SERIES = 30
export const LOOP_STEP_MS = 15_000
export const LOOP_OPTIONS = {
  headMemoryBytesMax: 64 * 1024 * 1024,
  blockRangeMs: 600_000,
  blockRangeMsMax: 5_400_000,
  walSegmentBytes: 128 * 1024,
} as const

/** Labels and value of series i at a step: some series change their labels now and then. */
export function loopLabels(i: number, step: number): Labels {
  return Labels.from({ __name__: 'm', i: String(i), era: String(i % 3 === 0 ? Math.floor(step / 200) : 0) })
}

export function loopValue(i: number, step: number): number {
  return step * 100 + i
}

function run(dir: string, first: number): void {
  const db = openDbSync({ dir, ...LOOP_OPTIONS })
  let compacting = false
  const step = (n: number): void => {
    const app = db.appender()
    for (let i = 0; i < LOOP_SERIES; i++)
      app.float(app.series(loopLabels(i, n)), n * LOOP_STEP_MS, loopValue(i, n))
    app.commit()
    writeSync(3, `${n}\n`)
    if (!compacting) {
      compacting = true
      void db.compact().finally(() => (compacting = false))
    }
    setImmediate(step, n + 1)
  }
  step(first)
}

const [dir, first] = process.argv.slice(2)
if (process.argv[1]?.endsWith('compact-loop.js') && dir !== undefined) run(dir, Number(first))
