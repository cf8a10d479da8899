// The one error of this folder, with the position in Prometheus's form.

/** A text that is not PromQL. `message` is `line:col: parse error: text`. */
export class ParseError extends Error {
  override name = 'ParseError'
  /** The message without the position. */
  readonly text: string
  /** Offsets into the input (UTF-16 units). */
  readonly start: number
  readonly end: number

  constructor(input: string, text: string, start: number, end: number = start) {
    super(`${input === '' ? 'unknown position' : positionText(input, start)}: parse error: ${text}`)
    this.text = text
    this.start = start
    this.end = end
  }
}

/** `line:col` of an offset, both from 1; columns count UTF-8 bytes as Prometheus's do. */
export function positionText(input: string, offset: number): string {
  let line = 1
  let lineStart = 0
  for (let i = input.indexOf('\n'); i >= 0 && i < offset; i = input.indexOf('\n', i + 1)) {
    line++
    lineStart = i + 1
  }
  return `${line}:${utf8Length(input.slice(lineStart, offset)) + 1}`
}

/** Bytes of a string in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0
  for (const char of text) {
    const code = char.codePointAt(0)!
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}
