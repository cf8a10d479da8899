// Chunks of many series straight into the accumulators of an aggregation: decode, window function (or instant
// selection) and addition of a series after the other, with no column of one series left behind. Data plane.
// Layouts: FOLD_JOB and FOLD_BUFFERS of src/contract.ts.
import { addRow, countRow, decodeFloats, extremeRow, instantFloats } from './columns'
import { windowFloats } from './window'

// The job.
const FUNC: usize = 0
const OP: usize = 4
const CHUNK_TABLE: usize = 8
const CHUNK_START: usize = 12
const GROUP_OF: usize = 16
const CAPACITY: usize = 20
const STEPS: usize = 24
const ABORT: usize = 28
const START: usize = 32
const STEP: usize = 40
const RANGE: usize = 48
const MIN_TIME: usize = 56
const MAX_TIME: usize = 64
// The accumulators of a unit of work, and what it counted.
const SUMS: usize = 0
const COMPENSATIONS: usize = 4
const COUNTS: usize = 8
const FAULT: usize = 12
const QUERYABLE: usize = 16
const READ: usize = 24
const LIVE: usize = 32
const PEAK: usize = 40
// Buffers of a thread.
const TIMES: usize = 0
const VALUES: usize = 4
const SCRATCH: usize = 8
const OUT: usize = 12
const PRESENT: usize = 16
const WINDOW_COUNTS: usize = 24

const ROW_BYTES: usize = 48
const INSTANT: u32 = 255
const OP_AVG: u32 = 1
const OP_MAX: u32 = 3

export function foldSeries(job: usize, unit: usize, buffers: usize, first: u32, end: u32): i32 {
  const func = load<u32>(job, FUNC)
  const steps = load<u32>(job, STEPS)
  const chunkStart = <usize>load<u32>(job, CHUNK_START)
  const table = <usize>load<u32>(job, CHUNK_TABLE)
  const groupOf = <usize>load<u32>(job, GROUP_OF)
  const capacity = load<u32>(job, CAPACITY)
  const start = load<f64>(job, START)
  const step = load<f64>(job, STEP)
  const range = load<f64>(job, RANGE)
  const minTime = load<f64>(job, MIN_TIME)
  const maxTime = load<f64>(job, MAX_TIME)
  const times = <usize>load<u32>(buffers, TIMES)
  const values = <usize>load<u32>(buffers, VALUES)
  const scratch = <usize>load<u32>(buffers, SCRATCH)
  const out = <usize>load<u32>(buffers, OUT)
  const present = <usize>load<u32>(buffers, PRESENT)
  for (let i = first; i < end; i++) {
    if (atomic.load<u32>(job, ABORT)) return 0
    const row = load<u32>(chunkStart + (<usize>i << 2))
    const rows = load<u32>(chunkStart + (<usize>i << 2), 4) - row
    const at = table + <usize>row * ROW_BYTES
    const count = decodeFloats(at, rows, minTime, maxTime, u32(func != INSTANT), times, values, capacity)
    if (count < 0) {
      store<u32>(unit, i, FAULT)
      return count
    }
    if (count == 0) continue
    if (func == INSTANT) {
      instantFloats(times, values, count, start, step, steps, range, out, present, 0)
      countInstants(unit, present, steps)
    } else {
      const counts = buffers + WINDOW_COUNTS
      windowFloats(func, times, values, count, start, step, steps, range, out, present, scratch, counts)
      countWindows(unit, counts)
    }
    fold(load<u32>(job, OP), unit, load<u32>(groupOf + (<usize>i << 2)) * steps, out, present, steps)
  }
  return 0
}

@inline
function fold(op: u32, unit: usize, at: u32, row: usize, present: usize, steps: u32): void {
  const counts = <usize>load<u32>(unit, COUNTS) + (<usize>at << 2)
  const sums = <usize>load<u32>(unit, SUMS) + (<usize>at << 3)
  if (op <= OP_AVG) {
    addRow(sums, <usize>load<u32>(unit, COMPENSATIONS) + (<usize>at << 3), counts, row, present, steps)
  } else if (op <= OP_MAX) {
    extremeRow(sums, counts, row, present, steps, u32(op == OP_MAX))
  } else {
    countRow(counts, present, steps)
  }
}

function countInstants(unit: usize, present: usize, steps: u32): void {
  let found: u32 = 0
  for (let k: u32 = 0; k < steps; k++) found += load<u8>(present + k)
  store<f64>(unit, load<f64>(unit, QUERYABLE) + <f64>found, QUERYABLE)
  store<f64>(unit, load<f64>(unit, READ) + <f64>found, READ)
  const live = load<f64>(unit, LIVE) + <f64>found
  store<f64>(unit, live, LIVE)
  store<f64>(unit, max(load<f64>(unit, PEAK), live), PEAK)
}

/** Results come alive while the last window still is. */
function countWindows(unit: usize, counts: usize): void {
  store<f64>(unit, load<f64>(unit, QUERYABLE) + load<f64>(counts), QUERYABLE)
  store<f64>(unit, load<f64>(unit, READ) + load<f64>(counts, 8), READ)
  const live = load<f64>(unit, LIVE)
  const results = load<f64>(counts, 32)
  const peak = live + max(load<f64>(counts, 16), load<f64>(counts, 24) + results)
  store<f64>(unit, live + results, LIVE)
  store<f64>(unit, max(load<f64>(unit, PEAK), peak), PEAK)
}

/** Adds the `size` accumulators of a later unit to those of an earlier one. */
export function foldMerge(op: u32, unit: usize, later: usize, size: u32): void {
  const counts = <usize>load<u32>(unit, COUNTS)
  const sums = <usize>load<u32>(unit, SUMS)
  const compensations = <usize>load<u32>(unit, COMPENSATIONS)
  const laterCounts = <usize>load<u32>(later, COUNTS)
  const laterSums = <usize>load<u32>(later, SUMS)
  const laterCompensations = <usize>load<u32>(later, COMPENSATIONS)
  for (let k: u32 = 0; k < size; k++) {
    const at = <usize>k << 3
    const own = load<u32>(counts + (<usize>k << 2))
    const more = load<u32>(laterCounts + (<usize>k << 2))
    if (more == 0) continue
    store<u32>(counts + (<usize>k << 2), own + more)
    if (op > OP_MAX) continue
    const value = load<f64>(laterSums + at)
    if (op > OP_AVG) {
      const old = load<f64>(sums + at)
      const better = op == OP_MAX ? value > old : value < old
      if (own == 0 || old != old || better) store<f64>(sums + at, value)
      continue
    }
    let c = load<f64>(laterCompensations + at)
    if (own == 0) {
      store<f64>(sums + at, value)
      store<f64>(compensations + at, c)
      continue
    }
    const sum = load<f64>(sums + at)
    const t = sum + value
    c += load<f64>(compensations + at)
    if (abs(t) == Infinity) c = 0
    else c += abs(sum) >= abs(value) ? sum - t + value : value - t + sum
    store<f64>(sums + at, t)
    store<f64>(compensations + at, c)
  }
}
