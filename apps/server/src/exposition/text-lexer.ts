// Lexer of the Prometheus text format 0.0.4 / 1.0.0.
import { CHAR, Lexer, STATE, TOKEN, type Token } from './lexer.ts'

export class TextLexer extends Lexer {
  /** `body` with the newline that a last line may lack. */
  constructor(body: Uint8Array) {
    const bytes = Buffer.allocUnsafe(body.length + 1)
    bytes.set(body)
    bytes[body.length] = CHAR.newline
    super(bytes)
  }

  lex(): Token {
    if (this.i >= this.bytes.length) return TOKEN.eof
    this.start = this.i
    const c = this.bytes[this.i]!
    if ((c === CHAR.space || c === CHAR.tab) && !this.textFollows()) {
      this.blanks()
      return TOKEN.whitespace
    }
    switch (this.state) {
      case STATE.init:
        return this.lineStart(c)
      case STATE.metaName:
        if (this.quoted(true) || this.name(true)) {
          this.state = STATE.metaText
          return TOKEN.metricName
        }
        return TOKEN.invalid
      case STATE.metaText: {
        let b = c
        while (b !== 0 && b !== CHAR.newline) b = this.next()
        this.state = STATE.init
        return TOKEN.text
      }
      case STATE.labels:
        return this.inLabels(c)
      case STATE.labelValue:
        if (!this.quoted(true)) return TOKEN.invalid
        this.state = STATE.labels
        return TOKEN.labelValue
      case STATE.value:
        return this.afterName(c)
      case STATE.timestamp: {
        if (c === CHAR.newline) {
          this.next()
          this.state = STATE.init
          return TOKEN.linebreak
        }
        let b = c
        while (b >= 48 && b <= 57) b = this.next()
        return this.i > this.start ? TOKEN.timestamp : TOKEN.invalid
      }
      default:
        return TOKEN.invalid
    }
  }

  /** Blanks before a help or type text belong to it unless nothing else follows. */
  private textFollows(): boolean {
    if (this.state !== STATE.metaText) return false
    let k = this.i
    while (this.bytes[k] === CHAR.space || this.bytes[k] === CHAR.tab || this.bytes[k] === 0) k++
    return k < this.bytes.length && this.bytes[k] !== CHAR.newline
  }

  private blanks(): void {
    let c = this.bytes[this.i]!
    while (c === CHAR.space || c === CHAR.tab) c = this.next()
  }

  private lineStart(c: number): Token {
    if (c === 0) return TOKEN.eof
    if (c === CHAR.newline) {
      this.next()
      return TOKEN.linebreak
    }
    if (c === CHAR.hash) {
      const after = this.next()
      if (after !== CHAR.space && after !== CHAR.tab) return this.comment()
      this.blanks()
      this.state = STATE.comment
      return this.meta()
    }
    if (c === CHAR.braceOpen) {
      this.next()
      this.state = STATE.labels
      return TOKEN.braceOpen
    }
    if (!this.name(true)) return TOKEN.invalid
    this.state = STATE.value
    return TOKEN.metricName
  }

  /** After `# `: HELP or TYPE with a blank behind it, else a plain comment. */
  private meta(): Token {
    const first = this.bytes[this.i]
    const help = first === 72 /* H */
    if (!this.word(help ? 'HELP' : 'TYPE')) return this.comment()
    const c = this.bytes[this.i]
    if (c !== CHAR.space && c !== CHAR.tab) return this.comment()
    this.blanks()
    this.state = STATE.metaName
    return help ? TOKEN.help : TOKEN.type
  }

  private comment(): Token {
    let c = this.i < this.bytes.length ? this.bytes[this.i]! : 0
    for (;;) {
      if (c === 0) return TOKEN.eof
      if (c === CHAR.newline) {
        this.state = STATE.init
        return TOKEN.comment
      }
      c = this.next()
    }
  }

  private inLabels(c: number): Token {
    if (c === CHAR.quote) return this.quoted(true) ? TOKEN.quotedString : TOKEN.invalid
    if (c === CHAR.braceClose) {
      this.next()
      this.state = STATE.value
      return TOKEN.braceClose
    }
    if (c === CHAR.equal) {
      this.next()
      this.state = STATE.labelValue
      return TOKEN.equal
    }
    if (c === CHAR.comma) {
      this.next()
      return TOKEN.comma
    }
    return this.name(false) ? TOKEN.labelName : TOKEN.invalid
  }

  private afterName(c: number): Token {
    if (c === CHAR.braceOpen) {
      this.next()
      this.state = STATE.labels
      return TOKEN.braceOpen
    }
    let b = c
    while (b !== 0 && b !== CHAR.braceOpen && b !== CHAR.space && b !== CHAR.tab && b !== CHAR.newline)
      b = this.next()
    if (this.i === this.start) return TOKEN.invalid
    this.state = STATE.timestamp
    return TOKEN.value
  }
}
