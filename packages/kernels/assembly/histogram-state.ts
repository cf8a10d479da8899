// State of histogram chunks while they are read or written, and what both ways share. Data plane.
import { NO_WINDOW, LENGTH_MAX } from './stream'

export const INTEGERS: u32 = 2
export const FLOATS: u32 = 3
/**
 * The same with start timestamps; the third byte is their header, the hint shares the first two with the
 * count. Only read.
 */
export const INTEGERS_STARTS: u32 = 5
export const FLOATS_STARTS: u32 = 6
export const HEADER_BYTES: u32 = 3
/** Integers up to here are exact as f64. */
export const EXACT: f64 = 9007199254740992
/** Most bits of one number. */
export const NUMBER_BITS: u32 = 77

// The state, see HISTOGRAM_STATE_BYTES of src/contract.ts.
export const CHUNK: usize = 0
export const CAPACITY: usize = 4
export const BITS: usize = 8
export const COUNT: usize = 12
export const ENCODING: usize = 16
export const STATE_POSITIVE: usize = 20
export const STATE_NEGATIVE: usize = 24
export const FIRST_TIME: usize = 32
export const TIME_SLOT: usize = 48
export const COUNT_SLOT: usize = 64
export const ZERO_SLOT: usize = 80
export const SUM_SLOT: usize = 96
export const STATE_BYTES: usize = 128
export const SLOT_BYTES: usize = 16

export function initState(
  state: usize, encoding: u32, chunk: usize, capacity: u32, positive: u32, negative: u32,
): void {
  memory.fill(state, 0, STATE_BYTES + <usize>(positive + negative) * SLOT_BYTES)
  store<u32>(state, <u32>chunk, CHUNK)
  store<u32>(state, min<u32>(capacity, LENGTH_MAX), CAPACITY)
  store<u32>(state, HEADER_BYTES * 8, BITS)
  store<u32>(state, encoding, ENCODING)
  store<u32>(state, positive, STATE_POSITIVE)
  store<u32>(state, negative, STATE_NEGATIVE)
  store<u32>(state + SUM_SLOT, NO_WINDOW, 8)
  if (!isFloats(encoding)) return
  store<u32>(state + COUNT_SLOT, NO_WINDOW, 8)
  store<u32>(state + ZERO_SLOT, NO_WINDOW, 8)
  let slot = state + STATE_BYTES
  for (let i: u32 = 0; i < positive + negative; i++, slot += SLOT_BYTES) store<u32>(slot, NO_WINDOW, 8)
}

@inline
export function hasStarts(encoding: u32): bool {
  return encoding == INTEGERS_STARTS || encoding == FLOATS_STARTS
}

@inline
export function isFloats(encoding: u32): bool {
  return encoding == FLOATS || encoding == FLOATS_STARTS
}
