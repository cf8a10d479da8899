// Float chunks of encoding 4 the slow and obvious way.
import { BitWriter, writeUvarint, writeVarint } from './bits.ts'
import { StartWriter } from './starts.ts'

const STALE = 0x7ff0000000000002n

/** Payload of encoding 4. `values` are the bits of the floats; `starts` are ms, 0 = none. */
export function encodeXor2Chunk(
  times: readonly number[],
  values: readonly bigint[],
  starts: readonly number[],
): Uint8Array {
  const out = new BitWriter()
  out.write(BigInt(times.length), 16)
  out.write(0n, 8)
  const startWriter = new StartWriter(out)
  const window = { leading: 255, trailing: 0 }
  let baseline = 0n
  let delta = 0n
  times.forEach((timeMs, i) => {
    const value = values[i]!
    const time = BigInt(timeMs)
    if (i === 0) {
      writeVarint(out, time)
      out.write(value, 64)
    } else {
      const next = time - BigInt(times[i - 1]!)
      if (i === 1) {
        writeUvarint(out, next)
        writeValue(value, ['0', '10', '110', '111'])
      } else {
        writeJoint(next - delta, value)
      }
      delta = next
    }
    if (value !== STALE) baseline = value
    startWriter.write(i, starts[i]!, timeMs, times[i - 1] ?? 0)
  })
  return out.bytes()

  function put(digits: string): void {
    out.write(BigInt(`0b${digits}`), digits.length)
  }

  function writeJoint(dod: bigint, value: bigint): void {
    if (dod === 0n) return writeValue(value, ['0', '100', '101', '11111'])
    if (dod >= -4096n && dod <= 4095n) {
      put('110')
      out.write(dod, 13)
    } else if (dod >= -524288n && dod <= 524287n) {
      put('1110')
      out.write(dod, 20)
    } else {
      put('11110')
      out.write(dod, 64)
    }
    writeValue(value, ['0', '10', '110', '111'])
  }

  /** Prefixes: as before, window of before, new window, stale. */
  function writeValue(value: bigint, prefixes: readonly [string, string, string, string]): void {
    if (value === STALE) return put(prefixes[3])
    const change = value ^ baseline
    if (change === 0n) return put(prefixes[0])
    const text = change.toString(2).padStart(64, '0')
    const leading = Math.min(31, text.indexOf('1'))
    const trailing = 63 - text.lastIndexOf('1')
    if (window.leading !== 255 && leading >= window.leading && trailing >= window.trailing) {
      put(prefixes[1])
    } else {
      window.leading = leading
      window.trailing = trailing
      put(prefixes[2])
      out.write(BigInt(leading), 5)
      out.write(BigInt(64 - leading - trailing), 6)
    }
    out.write(change >> BigInt(window.trailing), 64 - window.leading - window.trailing)
  }
}
