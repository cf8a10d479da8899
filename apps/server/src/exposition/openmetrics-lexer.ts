// Lexer of OpenMetrics text. Stricter than the Prometheus format: single spaces, no blank lines.
import { CHAR, Lexer, STATE, TOKEN, type State, type Token } from './lexer.ts'

export class OpenMetricsLexer extends Lexer {
  /** A second lexer at the same place, for looking ahead. */
  fork(): OpenMetricsLexer {
    const copy = new OpenMetricsLexer(this.bytes)
    copy.i = this.i
    copy.start = this.start
    copy.state = this.state
    return copy
  }

  lex(): Token {
    if (this.i >= this.bytes.length) return TOKEN.eof
    this.start = this.i
    const c = this.bytes[this.i]!
    switch (this.state) {
      case STATE.init:
        return this.lineStart(c)
      case STATE.metaName:
        if (!this.quoted(true) && !this.name(true)) return TOKEN.invalid
        this.state = STATE.metaText
        return TOKEN.metricName
      case STATE.metaText: {
        if (c !== CHAR.space) return TOKEN.invalid
        let b = this.next()
        while (b !== 0 && b !== CHAR.newline) b = this.next()
        if (b !== CHAR.newline) return TOKEN.invalid
        return this.one(TOKEN.text, STATE.init)
      }
      case STATE.labels:
        return this.inLabels(c, STATE.value, STATE.labelValue, true)
      case STATE.labelValue:
        return this.labelValue(STATE.labels)
      case STATE.exemplar:
        return this.inLabels(c, STATE.exemplarValue, STATE.exemplarValue, false)
      case STATE.value:
        if (c === CHAR.braceOpen) return this.one(TOKEN.braceOpen, STATE.labels)
        return this.wordAfterSpace(TOKEN.value, STATE.timestamp)
      case STATE.exemplarValue:
        if (c === CHAR.quote) return this.labelValue(STATE.exemplar)
        return this.wordAfterSpace(TOKEN.value, STATE.exemplarTimestamp)
      case STATE.timestamp:
        if (c === CHAR.newline) return this.one(TOKEN.linebreak, STATE.init)
        return this.timestampOrExemplar()
      case STATE.exemplarTimestamp:
        if (c === CHAR.newline) return this.one(TOKEN.linebreak, STATE.init)
        return this.wordAfterSpace(TOKEN.timestamp, STATE.exemplarTimestamp)
      default:
        return TOKEN.invalid
    }
  }

  private one(token: Token, state: State): Token {
    this.next()
    this.state = state
    return token
  }

  private lineStart(c: number): Token {
    if (c === CHAR.hash) {
      if (this.next() !== CHAR.space) return TOKEN.invalid
      this.next()
      this.state = STATE.comment
      return this.meta()
    }
    if (c === CHAR.braceOpen) return this.one(TOKEN.braceOpen, STATE.labels)
    if (!this.name(true)) return TOKEN.invalid
    this.state = STATE.value
    return TOKEN.metricName
  }

  private meta(): Token {
    switch (this.bytes[this.i]) {
      case 69: // E
        if (!this.word('EOF')) return TOKEN.invalid
        if (this.bytes[this.i] === CHAR.newline) this.next()
        this.state = STATE.init
        return TOKEN.eofWord
      case 72: // H
        return this.metaWord('HELP ', TOKEN.help)
      case 84: // T
        return this.metaWord('TYPE ', TOKEN.type)
      case 85: // U
        return this.metaWord('UNIT ', TOKEN.unit)
      default:
        return TOKEN.invalid
    }
  }

  private metaWord(word: string, token: Token): Token {
    if (!this.word(word)) return TOKEN.invalid
    this.state = STATE.metaName
    return token
  }

  private inLabels(c: number, afterBrace: State, afterEqual: State, newlines: boolean): Token {
    if (c === CHAR.quote) return this.quoted(newlines) ? TOKEN.quotedString : TOKEN.invalid
    if (c === CHAR.braceClose) return this.one(TOKEN.braceClose, afterBrace)
    if (c === CHAR.equal) return this.one(TOKEN.equal, afterEqual)
    if (c === CHAR.comma) return this.one(TOKEN.comma, this.state)
    return this.name(false) ? TOKEN.labelName : TOKEN.invalid
  }

  private labelValue(after: State): Token {
    if (!this.quoted(false)) return TOKEN.invalid
    this.state = after
    return TOKEN.labelValue
  }

  /** A space and then bytes up to the next space or newline. */
  private wordAfterSpace(token: Token, after: State): Token {
    if (this.bytes[this.i] !== CHAR.space) return TOKEN.invalid
    let c = this.next()
    if (c === 0 || c === CHAR.space || c === CHAR.newline) return TOKEN.invalid
    while (c !== 0 && c !== CHAR.space && c !== CHAR.newline) c = this.next()
    this.state = after
    return token
  }

  private timestampOrExemplar(): Token {
    const token = this.wordAfterSpace(TOKEN.timestamp, STATE.timestamp)
    if (token === TOKEN.invalid) return token
    const loneHash = this.i === this.start + 2 && this.bytes[this.start + 1] === CHAR.hash
    if (!loneHash || this.bytes[this.i] !== CHAR.space) return token
    if (this.next() !== CHAR.braceOpen) return TOKEN.invalid
    return this.one(TOKEN.comment, STATE.exemplar)
  }
}
