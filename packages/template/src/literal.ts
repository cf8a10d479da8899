// Go literals inside actions: strings, characters, numbers.

const SIMPLE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  '"': 34,
  "'": 39,
}
const encoder = new TextEncoder()

/** The value of a string in double quotes or backquotes; undefined when it is not valid. */
export function unquote(text: string): string | undefined {
  if (text.startsWith('`')) return text.slice(1, -1).replaceAll('\r', '')
  const bytes: number[] = []
  const body = text.slice(1, -1)
  for (let i = 0; i < body.length;) {
    if (body[i] !== '\\') {
      const char = String.fromCodePoint(body.codePointAt(i)!)
      bytes.push(...encoder.encode(char))
      i += char.length
      continue
    }
    const escape = readEscape(body, i + 1)
    if (!escape || (escape.code === 39 && body[i + 1] === "'")) return undefined
    if (escape.isByte) bytes.push(escape.code)
    else bytes.push(...encoder.encode(String.fromCodePoint(escape.code)))
    i = escape.end
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))
}

/** The code of a character constant such as `'a'`. */
export function unquoteChar(text: string): number | undefined {
  const body = text.slice(1, -1)
  if (body.startsWith('\\')) {
    const escape = readEscape(body, 1)
    return escape?.end === body.length && body[1] !== '"' ? escape.code : undefined
  }
  return [...body].length === 1 ? body.codePointAt(0) : undefined
}

function readEscape(body: string, at: number): { code: number; isByte: boolean; end: number } | undefined {
  const kind = body[at] ?? ''
  const simple = SIMPLE[kind]
  if (simple !== undefined) return { code: simple, isByte: true, end: at + 1 }
  const size = { x: 2, u: 4, U: 8 }[kind]
  const digits = size ? body.slice(at + 1, at + 1 + size) : body.slice(at, at + 3)
  const valid = size ? /^[0-9a-fA-F]+$/.test(digits) && digits.length === size : /^[0-7]{3}$/.test(digits)
  if (!valid) return undefined
  const code = Number.parseInt(digits, size ? 16 : 8)
  const isByte = kind === 'x' || !size
  if (isByte ? code > 255 : code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined
  return { code, isByte, end: at + (size ? 1 + size : 3) }
}

/** A number constant: an integer, a float, or both (`1e3`). Undefined when it is none. */
export function parseNumber(
  text: string,
): { asInt: bigint | undefined; asFloat: number; isFloat: boolean } | undefined {
  if (!/^[+-]?[0-9.]/.test(text) || /__|_$|^[+-]?_|_\.|\._/.test(text)) return undefined
  const negative = text.startsWith('-')
  const plain = text.replace(/^[+-]/, '').replaceAll('_', '')
  const sign = (value: bigint) => (negative ? -value : value)
  const integer = /^0[xX][0-9a-fA-F]+$|^0[bB][01]+$|^0[oO][0-7]+$/.test(plain)
    ? BigInt(plain)
    : /^0[0-7]+$/.test(plain)
      ? BigInt(`0o${plain.slice(1)}`)
      : /^(0|[1-9][0-9]*)$/.test(plain)
        ? BigInt(plain)
        : undefined
  if (integer !== undefined) {
    const value = sign(integer)
    if (value > 0xffff_ffff_ffff_ffffn || value < -0x8000_0000_0000_0000n) return undefined
    return { asInt: value, asFloat: Number(value), isFloat: false }
  }
  const hex = /^0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?[0-9]+)$/.exec(plain)
  const float = hex
    ? Number.parseInt(`0${hex[1]}${hex[2]}`, 16) * 2 ** (Number(hex[3]) - 4 * hex[2]!.length)
    : /^([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(plain)
      ? Number(plain)
      : NaN
  if (!Number.isFinite(float)) return undefined
  const signed = negative ? -float : float
  return { asInt: Number.isSafeInteger(signed) ? BigInt(signed) : undefined, asFloat: signed, isFloat: true }
}
