// Float chunks the slow and obvious way.
import { BitWriter, inRange, writeUvarint, writeVarint, writeXor } from './bits.ts'

/** Payload of encoding 1. `values` are the bits of the floats. */
export function encodeXorChunk(times: readonly number[], values: readonly bigint[]): Uint8Array {
  const out = new BitWriter()
  out.write(BigInt(times.length), 16)
  const window = { leading: 255, trailing: 0 }
  let delta = 0n
  times.forEach((timeMs, i) => {
    const time = BigInt(timeMs)
    if (i === 0) {
      writeVarint(out, time)
      out.write(values[0]!, 64)
      return
    }
    const nextDelta = time - BigInt(times[i - 1]!)
    if (i === 1) writeUvarint(out, nextDelta)
    else writeDod(out, nextDelta - delta)
    writeXor(out, values[i]!, values[i - 1]!, window)
    delta = nextDelta
  })
  return out.bytes()
}

function writeDod(out: BitWriter, dod: bigint): void {
  if (dod === 0n) return out.write(0n, 1)
  if (inRange(dod, 14)) {
    out.write(0b10n, 2)
    return out.write(dod, 14)
  }
  if (inRange(dod, 17)) {
    out.write(0b110n, 3)
    return out.write(dod, 17)
  }
  if (inRange(dod, 20)) {
    out.write(0b1110n, 4)
    return out.write(dod, 20)
  }
  out.write(0b1111n, 4)
  out.write(dod, 64)
}
