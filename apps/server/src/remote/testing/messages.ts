// Protocol buffers and snappy by hand, for tests.

function uint(value: number): number[] {
  const out: number[] = []
  let rest = value
  while (rest > 127) {
    out.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return [...out, rest]
}

export function varint(field: number, value: number): number[] {
  return [...uint(field * 8), ...uint(value)]
}

export function sint(field: number, value: number): number[] {
  return varint(field, value < 0 ? -2 * value - 1 : 2 * value)
}

export function double(field: number, value: number): number[] {
  return [...uint(field * 8 + 1), ...new Uint8Array(new Float64Array([value]).buffer)]
}

export function bytes(field: number, content: readonly number[]): number[] {
  return [...uint(field * 8 + 2), ...uint(content.length), ...content]
}

export function text(field: number, value: string): number[] {
  return bytes(field, [...Buffer.from(value)])
}

/** A packed list of zigzag numbers that are not negative. */
export function packed(field: number, values: readonly number[]): number[] {
  return bytes(
    field,
    values.flatMap((value) => uint(2 * value)),
  )
}

/** A Label message of protocol 1. */
export function label(name: string, value: string): number[] {
  return bytes(1, [...text(1, name), ...text(2, value)])
}

/** The snappy block format, as one literal. */
export function snappy(content: readonly number[]): Uint8Array {
  const { length } = content
  const head = length === 0 ? [] : [61 << 2, (length - 1) & 255, (length - 1) >> 8]
  return Uint8Array.from([...uint(length), ...head, ...content])
}
