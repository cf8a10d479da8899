// Snappy block format, decoded byte by byte. Throws on damage.
export function decodeSnappy(bytes: Uint8Array): Uint8Array {
  let at = 0
  const next = (count: number): number => {
    let value = 0
    for (let i = 0; i < count; i++) {
      if (at >= bytes.length) throw new Error('cut short')
      value += bytes[at++]! * 256 ** i
    }
    return value
  }
  let length = 0
  for (let i = 0; ; i++) {
    const byte = next(1)
    length += (byte & 127) * 128 ** i
    if (byte < 128) break
    if (i === 4) throw new Error('long header')
  }
  if (length >= 2 ** 31) throw new Error('too long')
  const out: number[] = []
  while (at < bytes.length) {
    const tag = next(1)
    if ((tag & 3) === 0) {
      const short = tag >> 2
      const count = (short < 60 ? short : next(short - 59)) + 1
      if (count > bytes.length - at || out.length + count > length) throw new Error('long literal')
      for (let i = 0; i < count; i++) out.push(next(1))
      continue
    }
    const count = (tag & 3) === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const offset = (tag & 3) === 1 ? (tag >> 5) * 256 + next(1) : next((tag & 3) === 2 ? 2 : 4)
    if (offset === 0 || offset > out.length || out.length + count > length) throw new Error('bad copy')
    for (let i = 0; i < count; i++) out.push(out[out.length - offset]!)
  }
  if (out.length !== length) throw new Error('wrong length')
  return Uint8Array.from(out)
}
