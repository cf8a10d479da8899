// Reads characters for the lexer: where the current token began, where reading stands, and the shapes of numbers and
// durations. Characters are code points; '' is the end of the input.
import { ParseError } from './error.ts'
import type { Token } from './tokens.ts'

const DIGITS = '0123456789'
const HEX_DIGITS = '0123456789abcdefABCDEF'

export class Scanner {
  readonly input: string
  /** In a series description `x` repeats values, so there are no hexadecimal numbers. */
  readonly series: boolean
  position = 0
  /** Where the token being read begins. */
  start = 0
  #width = 0
  protected emitted: Token | undefined

  constructor(input: string, series: boolean) {
    this.input = input
    this.series = series
  }

  next(): string {
    const code = this.input.codePointAt(this.position)
    if (code === undefined) {
      this.#width = 0
      return ''
    }
    this.#width = code > 0xffff ? 2 : 1
    this.position += this.#width
    return String.fromCodePoint(code)
  }

  /** Takes back the character that `next` gave last; once. */
  backup(): void {
    this.position -= this.#width
  }

  peek(): string {
    const char = this.next()
    this.backup()
    return char
  }

  /** Reads one character of a set, if there is one. */
  accept(set: string): boolean {
    const char = this.next()
    if (char !== '' && set.includes(char)) return true
    this.backup()
    return false
  }

  private acceptRun(set: string): void {
    while (this.accept(set));
  }

  private is(set: string): boolean {
    const char = this.peek()
    return char !== '' && set.includes(char)
  }

  /** Forgets what was read since the last token. */
  ignore(): void {
    this.start = this.position
  }

  skipSpaces(): void {
    while (isSpace(this.peek())) this.next()
    this.ignore()
  }

  /** The text read since the last token. */
  text(): string {
    return this.input.slice(this.start, this.position)
  }

  emit(type: string): void {
    this.emitted = { type, text: this.text(), start: this.start, end: this.position }
    this.start = this.position
  }

  fail(message: string): never {
    throw new ParseError(this.input, message, this.start, this.input.length)
  }

  /**
   * Reads a number as far as it looks like one; false when what stands there is none. The parser converts it and may
   * still refuse it.
   */
  scanNumber(): boolean {
    const begin = this.position
    let digits = DIGITS
    if (!this.series && this.accept('0') && this.accept('xX')) {
      this.accept('_')
      digits = HEX_DIGITS
    }
    this.accept('.')
    this.accept(digits)
    let dot = false
    let exponent = false
    while (this.is(`${digits}._eE`)) {
      if (dot && this.accept('.')) return false
      if (exponent && this.accept('eE')) return false
      if (this.accept('.')) {
        dot = true
        if (this.accept('_.') || digits === HEX_DIGITS) return false
      } else if (this.accept('eE')) {
        exponent = true
        this.accept('+-')
        if (this.accept('._eE') || this.peek() === '') return false
      } else if (this.accept('_')) {
        if (this.accept('._eE') || this.peek() === '') return false
      } else {
        this.acceptRun(digits)
      }
    }
    if (this.position === begin) return false
    const following = this.peek()
    return (this.series && following === 'x') || !isAlphaNumeric(following)
  }

  /** Reads the rest of a duration whose first digits have been read. Bad orders of units are the parser's to find. */
  scanDurationRest(): boolean {
    if (!this.accept('smhdwy')) return false
    this.accept('s')
    while (this.accept(DIGITS)) {
      this.acceptRun(DIGITS)
      if (!this.accept('smhdw')) return false
      this.accept('s')
    }
    // The character after it is read and handed back by the caller, so that a message shows it.
    return !isAlphaNumeric(this.next())
  }
}

export function isSpace(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r'
}

export function isDigit(char: string): boolean {
  return char >= '0' && char <= '9' && char.length === 1
}

export function isAlpha(char: string): boolean {
  return char === '_' || (char >= 'a' && char <= 'z') || (char >= 'A' && char <= 'Z')
}

export function isAlphaNumeric(char: string): boolean {
  return isAlpha(char) || isDigit(char)
}
