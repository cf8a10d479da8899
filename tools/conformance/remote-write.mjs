// Makes remote write requests of protocol 1 for the runners: no more than they need.

/** A WriteRequest from `[{ labels: {…}, samples: [[ms, 'value'], …] }]`; labels in the order given. */
export function encodeWriteRequest(series) {
  return Buffer.concat(
    series.map(({ labels, samples }) =>
      field(
        1,
        Buffer.concat([
          ...Object.entries(labels).map(([name, value]) =>
            field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))])),
          ),
          ...samples.map(([timeMs, value]) => field(2, sample(timeMs, number(value)))),
        ]),
      ),
    ),
  )
}

/** Bytes in the snappy block format, as literals. */
export function snappyLiteral(bytes) {
  const parts = [varint(bytes.length)]
  for (let at = 0; at < bytes.length; at += 65_536) {
    const part = bytes.subarray(at, at + 65_536)
    parts.push(Buffer.from([61 << 2, (part.length - 1) & 255, (part.length - 1) >> 8]), part)
  }
  return Buffer.concat(parts)
}

function sample(timeMs, value) {
  const bits = Buffer.alloc(9)
  bits[0] = 0x09
  bits.writeDoubleLE(value, 1)
  return Buffer.concat([bits, Buffer.from([0x10]), varint(timeMs)])
}

function field(number, bytes) {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

function varint(value) {
  const out = []
  let rest = value
  while (rest > 127) {
    out.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  out.push(rest)
  return Buffer.from(out)
}

function number(text) {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text)
}
