// Splits a Go template into tokens: text outside `{{ }}`, and the words inside. Spaces are tokens, because they
// separate arguments. Trim markers (`{{-`, `-}}`) cut the text around the action; comments vanish.

export type TokenKind =
  | 'text'
  | 'leftDelim'
  | 'rightDelim'
  | 'error'
  | 'bool'
  | 'char'
  | 'charConstant'
  | 'assign'
  | 'declare'
  | 'dot'
  | 'field'
  | 'identifier'
  | 'keyword'
  | 'nil'
  | 'leftParen'
  | 'rightParen'
  | 'number'
  | 'pipe'
  | 'rawString'
  | 'string'
  | 'space'
  | 'variable'
  | 'eof'

export interface Token {
  readonly kind: TokenKind
  /** The text of the token, or the message of an error. */
  readonly value: string
  /** Offset in the source, UTF-16 units. */
  readonly position: number
}

const KEYWORDS = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'template',
  'with',
])
const SPACE = /[ \t\r\n]/
const WORD = /[\p{L}\p{Nd}_]/u

/** All tokens; the last one is `eof` or `error`. */
export function lexTemplate(source: string): Token[] {
  return new Lexer(source).run()
}

class Lexer {
  readonly #source: string
  readonly #tokens: Token[] = []
  #at = 0
  #parens = 0

  constructor(source: string) {
    this.#source = source
  }

  run(): Token[] {
    while (this.#text() && this.#action());
    return this.#tokens
  }

  #emit(kind: TokenKind, start: number): true {
    this.#tokens.push({ kind, value: this.#source.slice(start, this.#at), position: start })
    return true
  }

  #fail(message: string, position = this.#at): false {
    this.#tokens.push({ kind: 'error', value: message, position })
    return false
  }

  /** Text up to the next action; false at the end. */
  #text(): boolean {
    const source = this.#source
    const start = this.#at
    const open = source.indexOf('{{', start)
    let end = open < 0 ? source.length : open
    const trims = open >= 0 && source[open + 2] === '-' && SPACE.test(source[open + 3] ?? '')
    if (trims) while (end > start && SPACE.test(source[end - 1]!)) end--
    if (end > start) this.#tokens.push({ kind: 'text', value: source.slice(start, end), position: start })
    this.#at = open < 0 ? source.length : open
    if (open < 0) {
      this.#emit('eof', this.#at)
      return false
    }
    const body = open + 2 + (trims ? 2 : 0)
    if (source.startsWith('/*', body)) return this.#comment(body)
    this.#at = open + 2
    this.#emit('leftDelim', open)
    this.#at = trims ? open + 3 : open + 2
    this.#parens = 0
    return true
  }

  #comment(start: number): boolean {
    const source = this.#source
    const close = source.indexOf('*/', start + 2)
    if (close < 0) return this.#fail('unclosed comment', start)
    this.#at = close + 2
    const end = this.#rightDelim()
    if (!end) return this.#fail('comment ends before closing delimiter', this.#at)
    this.#at = end.after
    if (end.trims) this.#skipSpace()
    return this.#text()
  }

  /** The end of the action at this place, if there is one. */
  #rightDelim(): { trims: boolean; after: number } | undefined {
    const { '0': a, '1': b } = this.#source.slice(this.#at, this.#at + 2)
    if (a === '}' && b === '}') return { trims: false, after: this.#at + 2 }
    if (SPACE.test(a ?? '') && this.#source.startsWith('-}}', this.#at + 1))
      return { trims: true, after: this.#at + 4 }
    return undefined
  }

  #skipSpace(): void {
    while (SPACE.test(this.#source[this.#at] ?? '')) this.#at++
  }

  /** Tokens up to the end of the action; false on error. */
  #action(): boolean {
    for (;;) {
      const end = this.#rightDelim()
      if (end) {
        if (this.#parens > 0) return this.#fail('unclosed left paren')
        const start = this.#at
        this.#at = end.after
        this.#tokens.push({ kind: 'rightDelim', value: '}}', position: start })
        if (end.trims) this.#skipSpace()
        return true
      }
      if (!this.#inside()) return false
    }
  }

  #inside(): boolean {
    const source = this.#source
    const start = this.#at
    if (start >= source.length) return this.#fail('unclosed action')
    const char = String.fromCodePoint(source.codePointAt(start)!)
    this.#at += char.length
    if (SPACE.test(char)) {
      // A space before a trim marker belongs to the marker.
      while (SPACE.test(source[this.#at] ?? '') && !this.#rightDelim()) this.#at++
      return this.#emit('space', start)
    }
    switch (char) {
      case '=':
        return this.#emit('assign', start)
      case ':':
        if (source[this.#at] !== '=') return this.#fail('expected :=', start)
        this.#at++
        return this.#emit('declare', start)
      case '|':
        return this.#emit('pipe', start)
      case '"':
        return this.#quoted(start, '"', 'string', 'unterminated quoted string')
      case "'":
        return this.#quoted(start, "'", 'charConstant', 'unterminated character constant')
      case '`': {
        const close = source.indexOf('`', this.#at)
        if (close < 0) return this.#fail('unterminated raw quoted string', start)
        this.#at = close + 1
        return this.#emit('rawString', start)
      }
      case '(':
        this.#parens++
        return this.#emit('leftParen', start)
      case ')':
        if (--this.#parens < 0) return this.#fail('unexpected right paren', start)
        return this.#emit('rightParen', start)
      case '$':
        return this.#name(start, 'variable')
      case '.':
        if (!/[0-9]/.test(source[this.#at] ?? '')) return this.#name(start, 'field')
        return this.#number(start)
    }
    if (/[+\-0-9]/.test(char)) return this.#number(start)
    if (WORD.test(char)) return this.#word(start)
    if (/[\x20-\x7e]/.test(char)) return this.#emit('char', start)
    return this.#fail(`unrecognized character in action: ${unicodeName(char)}`, start)
  }

  #quoted(start: number, quote: string, kind: TokenKind, unterminated: string): boolean {
    for (;;) {
      const char = this.#source[this.#at++]
      if (char === undefined || char === '\n') return this.#fail(unterminated, start)
      if (char === '\\') {
        const escaped = this.#source[this.#at++]
        if (escaped === undefined || escaped === '\n') return this.#fail(unterminated, start)
      } else if (char === quote) return this.#emit(kind, start)
    }
  }

  #letters(): void {
    for (;;) {
      const code = this.#source.codePointAt(this.#at)
      if (code === undefined || !WORD.test(String.fromCodePoint(code))) return
      this.#at += code > 0xffff ? 2 : 1
    }
  }

  /** What may follow a name. */
  #atTerminator(): boolean {
    const char = this.#source[this.#at]
    return char === undefined || /[ \t\r\n.,|:)(]/.test(char) || this.#rightDelim() !== undefined
  }

  #badCharacter(): false {
    return this.#fail(
      `bad character ${unicodeName(String.fromCodePoint(this.#source.codePointAt(this.#at)!))}`,
    )
  }

  #name(start: number, kind: 'variable' | 'field'): boolean {
    if (this.#atTerminator()) return this.#emit(kind === 'field' ? 'dot' : 'variable', start)
    this.#letters()
    return this.#atTerminator() ? this.#emit(kind, start) : this.#badCharacter()
  }

  #word(start: number): boolean {
    this.#letters()
    if (!this.#atTerminator()) return this.#badCharacter()
    const word = this.#source.slice(start, this.#at)
    if (KEYWORDS.has(word)) return this.#emit('keyword', start)
    if (word === 'nil') return this.#emit('nil', start)
    return this.#emit(word === 'true' || word === 'false' ? 'bool' : 'identifier', start)
  }

  #number(start: number): boolean {
    const rest = this.#source.slice(start)
    const match =
      /^[+-]?(0[xX][0-9a-fA-F_]*(\.[0-9a-fA-F_]*)?([pP][+-]?[0-9_]+)?|0[bB][01_]+|0[oO][0-7_]+|[0-9_]*(\.[0-9_]*)?([eE][+-]?[0-9_]+)?)/.exec(
        rest,
      )
    this.#at = start + match![0].length
    const next = this.#source[this.#at] ?? ''
    if (WORD.test(next))
      return this.#fail(`bad number syntax: "${this.#source.slice(start, this.#at + 1)}"`, start)
    return this.#emit('number', start)
  }
}

/** A character as Go's %#U shows it. */
function unicodeName(char: string): string {
  const code = char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
  return /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char) ? `U+${code} '${char}'` : `U+${code}`
}
