// Start timestamps inside chunks of encodings 4, 5 and 6. Data plane. A header byte: bit 7 = the first sample
// has one, bits 0-6 = index of the first sample whose start differs (0 = none). The first is a varint of time
// - start, stored behind the sample. From the index on every sample is followed by a varbit of (time before -
// start), later of its change.
import { readVarbitInt, readVarint } from './stream'

let known: bool = false
let changeOn: u32 = 0
let start: i64 = 0
let difference: i64 = 0

export function openStarts(header: u8): void {
  known = (header & 0x80) != 0
  changeOn = header & 0x7f
  start = 0
  difference = 0
}

/** Reads what follows sample `i`; returns its start, 0 = none. */
@inline
export function readStart(i: u32, time: i64, timeBefore: i64): i64 {
  if (i == 0) {
    if (known) start = time - readVarint()
  } else if (changeOn > 0 && i >= changeOn) {
    const number = readVarbitInt()
    difference = i == changeOn ? number : difference + number
    start = timeBefore - difference
  }
  return start
}
