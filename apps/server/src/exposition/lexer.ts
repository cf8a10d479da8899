// What the lexers of the two text formats share. They take the longest match of the current state and, where nothing matches,
// stop at the byte that did not fit: error texts quote exactly those bytes, so the positions are part of the format.
import { ExpositionError } from './types.ts'
import { quoteBytes } from './go-text.ts'

/** Tokens; the names show in error texts. */
export const TOKEN = {
  invalid: 'INVALID',
  eof: 'EOF',
  linebreak: 'LINEBREAK',
  whitespace: 'WHITESPACE',
  help: 'HELP',
  type: 'TYPE',
  unit: 'UNIT',
  eofWord: 'EOFWORD',
  text: 'TEXT',
  comment: 'COMMENT',
  metricName: 'MNAME',
  quotedString: 'QSTRING',
  braceOpen: 'BOPEN',
  braceClose: 'BCLOSE',
  labelName: 'LNAME',
  labelValue: 'LVALUE',
  comma: 'COMMA',
  equal: 'EQUAL',
  timestamp: 'TIMESTAMP',
  value: 'VALUE',
} as const
export type Token = (typeof TOKEN)[keyof typeof TOKEN]

/** Lexer states. */
export const STATE = {
  init: 0,
  comment: 1,
  metaName: 2,
  metaText: 3,
  labels: 4,
  labelValue: 5,
  value: 6,
  timestamp: 7,
  exemplar: 8,
  exemplarValue: 9,
  exemplarTimestamp: 10,
} as const
export type State = (typeof STATE)[keyof typeof STATE]

export const CHAR = {
  tab: 9,
  newline: 10,
  space: 32,
  quote: 34,
  hash: 35,
  comma: 44,
  equal: 61,
  backslash: 92,
  braceOpen: 123,
  braceClose: 125,
} as const

const NAME_START = 1
const NAME_COLON = 2
const NAME_DIGIT = 4
const CLASS = new Uint8Array(256)
for (let c = 0; c < 256; c++) {
  if ((c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95) CLASS[c] = NAME_START
  if (c === 58) CLASS[c] = NAME_COLON
  if (c >= 48 && c <= 57) CLASS[c] = NAME_DIGIT
}

/** Position in a body. `start`…`i` are the bytes of the last token. NUL stands for the end where no byte is left. */
export abstract class Lexer {
  readonly bytes: Buffer
  i = 0
  start = 0
  state: State = STATE.init

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** The next token. */
  abstract lex(): Token

  /** Goes on by one byte and returns it. In values, texts and comments NUL bytes are passed over. */
  protected next(): number {
    this.i++
    if (this.state === STATE.labelValue || this.state === STATE.metaText || this.state === STATE.comment)
      while (this.i < this.bytes.length && this.bytes[this.i] === 0) this.i++
    return this.i < this.bytes.length ? this.bytes[this.i]! : 0
  }

  /** Matches a literal from the current byte on. */
  protected word(text: string): boolean {
    let c = this.bytes[this.i] ?? 0
    for (let k = 0; k < text.length; k++) {
      if (c !== text.charCodeAt(k)) return false
      c = this.next()
    }
    return true
  }

  /** A metric name (with colons) or label name at the current byte; false without moving when there is none. */
  protected name(colons: boolean): boolean {
    const first = CLASS[this.bytes[this.i] ?? 0]!
    if (first !== NAME_START && !(colons && first === NAME_COLON)) return false
    let c: number
    do c = CLASS[this.next()]!
    while (c === NAME_START || c === NAME_DIGIT || (colons && c === NAME_COLON))
    return true
  }

  /** A quoted string at the current byte. False, standing on the offending byte, when it does not end. */
  protected quoted(newlines: boolean): boolean {
    if (this.bytes[this.i] !== CHAR.quote) return false
    const plain = this.plainQuoteEnd()
    if (plain > 0) {
      this.i = plain
      return true
    }
    let c = this.next()
    for (;;) {
      if (c === CHAR.quote) {
        this.next()
        return true
      }
      if (c === CHAR.backslash) {
        c = this.next()
        if (c === 0 || c === CHAR.newline) return false
      } else if (c === 0 || (c === CHAR.newline && !newlines)) return false
      c = this.next()
    }
  }

  /** Position after a quoted string without escapes, control characters and newlines; 0 when there is something special. */
  private plainQuoteEnd(): number {
    const { bytes } = this
    for (let k = this.i + 1; k < bytes.length; k++) {
      const c = bytes[k]!
      if (c === CHAR.quote) return k + 1
      if (c === CHAR.backslash || c < 32) return 0
    }
    return 0
  }

  /** Error that shows the token and the line up to it. */
  error(expected: string, got: Token, lineStart: number): ExpositionError {
    const end = Math.min(this.bytes.length, this.i + 1)
    const token = quoteBytes(this.bytes.subarray(this.start, end))
    const line = quoteBytes(this.bytes.subarray(lineStart, end))
    return new ExpositionError(`${expected}, got ${token} ("${got}") while parsing: ${line}`)
  }
}
