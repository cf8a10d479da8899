// Columns of a query: chunks to samples, instant selection, and rows into accumulators. Data plane.
import { CORRUPT, NO_ROOM, STALE, UNSUPPORTED } from './common'
import { staleSeen, xorDecode } from './xor'
import { xor2Decode } from './xor2'

// A row of a chunk table, see CHUNK_ROW_BYTES of the datamodel.
const ROW_BYTES: usize = 48
const ADDRESS: usize = 0
const LENGTH: usize = 4
const ENCODING: usize = 8
const SAMPLES: usize = 12
const MIN_TIME: usize = 16
const MAX_TIME: usize = 24

const DROP_STALE: u32 = 1

export function decodeFloats(
  row: usize, rowCount: u32, minTime: f64, maxTime: f64, flags: u32,
  times: usize, values: usize, capacity: u32,
): i32 {
  let count: u32 = 0
  for (let i: u32 = 0; i < rowCount; i++, row += ROW_BYTES) {
    const encoding = load<u32>(row, ENCODING)
    if (encoding == 2 || encoding == 3 || encoding == 5 || encoding == 6 || encoding == 254) continue
    if (encoding != 1 && encoding != 4 && encoding != 255) return UNSUPPORTED
    if (load<f64>(row, MAX_TIME) < minTime || load<f64>(row, MIN_TIME) > maxTime) continue
    const chunk = <usize>load<u32>(row, ADDRESS)
    const length = load<u32>(row, LENGTH)
    const outTimes = times + (<usize>count << 3)
    const outValues = values + (<usize>count << 3)
    let n: i32
    let drops = flags & DROP_STALE
    if (encoding == 1) {
      n = xorDecode(chunk, length, outTimes, outValues, capacity - count)
      if (!staleSeen) drops = 0
    } else if (encoding == 4) {
      n = xor2Decode(chunk, length, outTimes, outValues, 0, capacity - count)
    } else {
      const samples = load<u32>(row, SAMPLES)
      if (samples > length >> 4) return CORRUPT
      if (samples > capacity - count) return NO_ROOM
      memory.copy(outTimes, chunk, <usize>samples << 3)
      memory.copy(outValues, chunk + (<usize>samples << 3), <usize>samples << 3)
      n = <i32>samples
    }
    if (n < 0) return n
    if (n == 0) continue
    const last = outTimes + (<usize>(n - 1) << 3)
    if (drops || load<f64>(outTimes) < minTime || load<f64>(last) > maxTime)
      n = sieve(outTimes, outValues, n, minTime, maxTime, drops)
    count += n
  }
  return <i32>count
}

/** Keeps in place what lies in the range of time and, where asked, is no stale marker. */
function sieve(times: usize, values: usize, count: u32, minTime: f64, maxTime: f64, dropStale: u32): u32 {
  const drops = dropStale != 0
  let kept: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const time = load<f64>(times + (<usize>i << 3))
    const bits = load<u64>(values + (<usize>i << 3))
    // Written always, counted when wanted: no branch to miss.
    store<f64>(times + (<usize>kept << 3), time)
    store<u64>(values + (<usize>kept << 3), bits)
    kept += u32(time >= minTime) & u32(time <= maxTime) & u32(!(drops && bits == STALE))
  }
  return kept
}

export function instantFloats(
  times: usize, values: usize, count: u32, start: f64, step: f64, steps: u32, lookback: f64,
  out: usize, present: usize, sampleTimes: usize,
): void {
  let next: u32 = 0
  for (let k: u32 = 0; k < steps; k++) {
    const t = start + step * <f64>k
    while (next < count && load<f64>(times + (<usize>next << 3)) <= t) next++
    let bits: u64 = 0
    let found: u8 = 0
    let time: f64 = 0
    if (next > 0) {
      time = load<f64>(times + (<usize>(next - 1) << 3))
      bits = load<u64>(values + (<usize>(next - 1) << 3))
      found = u8(time > t - lookback && bits != STALE)
    }
    store<u64>(out + (<usize>k << 3), found ? bits : 0)
    store<u8>(present + k, found)
    if (sampleTimes) store<f64>(sampleTimes + (<usize>k << 3), found ? time : 0)
  }
}

export function addRow(
  sums: usize, compensations: usize, counts: usize, row: usize, present: usize, steps: u32,
): void {
  for (let k: u32 = 0; k < steps; k++) {
    if (!load<u8>(present + k)) continue
    const at = <usize>k << 3
    const value = load<f64>(row + at)
    const seen = load<u32>(counts + (<usize>k << 2))
    store<u32>(counts + (<usize>k << 2), seen + 1)
    if (seen == 0) {
      store<f64>(sums + at, value)
      store<f64>(compensations + at, 0)
      continue
    }
    const sum = load<f64>(sums + at)
    const t = sum + value
    let c = load<f64>(compensations + at)
    if (abs(t) == Infinity) c = 0
    else if (abs(sum) >= abs(value)) c += sum - t + value
    else c += value - t + sum
    store<f64>(sums + at, t)
    store<f64>(compensations + at, c)
  }
}

/** Raises the counts where present. */
export function countRow(counts: usize, present: usize, steps: u32): void {
  for (let k: u32 = 0; k < steps; k++) {
    const at = counts + (<usize>k << 2)
    store<u32>(at, load<u32>(at) + <u32>load<u8>(present + k))
  }
}

export function extremeRow(
  extremes: usize, counts: usize, row: usize, present: usize, steps: u32, largest: u32,
): void {
  for (let k: u32 = 0; k < steps; k++) {
    if (!load<u8>(present + k)) continue
    const at = <usize>k << 3
    const value = load<f64>(row + at)
    const seen = load<u32>(counts + (<usize>k << 2))
    store<u32>(counts + (<usize>k << 2), seen + 1)
    const old = load<f64>(extremes + at)
    if (seen == 0 || old != old || (largest ? value > old : value < old)) store<f64>(extremes + at, value)
  }
}
