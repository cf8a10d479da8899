// Points of series on a regular grid as JSON, written by a kernel in a small memory of its own. Data plane.
import { POINT_TEXT_BYTES, createArena, type Arena } from '@watchfire/kernels'
import type { JsonWriter } from './json-writer.ts'

/** Steps a call of the kernel handles. */
const BATCH_STEPS = 4096

export interface PointGrid {
  readonly startMs: number
  readonly stepMs: number
  readonly steps: number
}

interface Workspace {
  readonly arena: Arena
  readonly valuesAddress: number
  readonly presentAddress: number
  readonly textAddress: number
  readonly values: Float64Array
  readonly present: Uint8Array
  readonly text: Uint8Array
}

let workspace: Workspace | undefined

function createWorkspace(): Workspace {
  const arena = createArena(BATCH_STEPS * (POINT_TEXT_BYTES + 16))
  const valuesAddress = arena.alloc(BATCH_STEPS * 8)
  const presentAddress = arena.alloc(BATCH_STEPS)
  const textAddress = arena.alloc(BATCH_STEPS * POINT_TEXT_BYTES)
  const { buffer } = arena.memory
  return {
    arena,
    valuesAddress,
    presentAddress,
    textAddress,
    values: new Float64Array(buffer, valuesAddress, BATCH_STEPS),
    present: new Uint8Array(buffer, presentAddress, BATCH_STEPS),
    text: new Uint8Array(buffer, textAddress, BATCH_STEPS * POINT_TEXT_BYTES),
  }
}

/** The grid of a list of times; undefined when they are not evenly spaced. */
export function gridOf(times: Float64Array): PointGrid | undefined {
  const steps = times.length
  if (steps === 0) return undefined
  const startMs = times[0]!
  const stepMs = steps === 1 ? 1 : times[1]! - startMs
  for (let i = 1; i < steps; i++) if (times[i] !== startMs + i * stepMs) return undefined
  return { startMs, stepMs, steps }
}

/** Writes `[time,"value"],…` for samples on the grid. False (nothing written) when a sample is beside it. */
export function writePoints(
  writer: JsonWriter,
  grid: PointGrid,
  times: Float64Array,
  values: Float64Array,
): boolean {
  if (!onGrid(grid, times)) return false
  const { valuesAddress, presentAddress, textAddress, text, arena, ...columns } = (workspace ??=
    createWorkspace())
  let at = 0
  for (let step = 0; step < grid.steps && at < times.length; step += BATCH_STEPS) {
    const steps = Math.min(BATCH_STEPS, grid.steps - step)
    const from = at
    const start = grid.startMs + step * grid.stepMs
    columns.present.fill(0, 0, steps)
    for (; at < times.length; at++) {
      const index = (times[at]! - start) / grid.stepMs
      if (index >= steps) break
      columns.values[index] = values[at]!
      columns.present[index] = 1
    }
    if (at === from) continue
    const length = arena.kernels.formatPoints(
      valuesAddress,
      presentAddress,
      start,
      grid.stepMs,
      steps,
      textAddress,
    )
    if (from > 0) writer.ascii(',')
    writer.block(text.subarray(0, length))
  }
  return true
}

function onGrid({ startMs, stepMs, steps }: PointGrid, times: Float64Array): boolean {
  for (let i = 0; i < times.length; i++) {
    const index = (times[i]! - startMs) / stepMs
    if (!(index >= 0 && index < steps) || index !== Math.floor(index)) return false
  }
  return true
}
