// Cuts a query (or a series description, see series-lexer.ts) into tokens. What a character means depends on whether
// it stands in braces, in brackets or outside of both, so the lexer is a machine of states; its errors are thrown when
// the parser asks for the token, which keeps the first error of a query the same as Prometheus's.
import { quoteString } from '@watchfire/datamodel'
import { Scanner, isAlpha, isAlphaNumeric, isDigit, isSpace } from './scanner.ts'
import { lexHistogram, lexValueSequence } from './series-lexer.ts'
import { DURATION_WORDS, KEYWORDS, namedRune, quoteRune, type Token } from './tokens.ts'

/** Reads on and names the state to go on in. */
export type LexState = (lexer: Lexer) => LexState

export class Lexer extends Scanner {
  parenDepth = 0
  braceOpen = false
  bracketOpen = false
  gotColon = false
  gotDuration = false
  /** Set within `{{…}}`, and after it when values are repeated or changed. */
  histogram: 'open' | 'x' | '+' | '-' | undefined
  #state: LexState = lexStatements

  /** The next token; at the end `end of input` again and again. Throws `ParseError`. */
  token(): Token {
    for (this.emitted = undefined; this.emitted === undefined;) this.#state = this.#state(this)
    return this.emitted
  }
}

const SINGLE_MARKS = '+-*/%^,@'

export function lexStatements(l: Lexer): LexState {
  if (l.histogram) return lexHistogram
  if (l.braceOpen) return lexInsideBraces
  const char = l.next()
  if (char === '#') return lexComment
  if (char === '') {
    if (l.parenDepth !== 0) l.fail('unclosed left parenthesis')
    if (l.bracketOpen) l.fail('unclosed left bracket')
    l.emit('end of input')
    return lexStatements
  }
  if (isSpace(char)) {
    l.skipSpaces()
    return lexStatements
  }
  if (SINGLE_MARKS.includes(char)) {
    l.emit(char)
    return lexStatements
  }
  if (isDigit(char) || (char === '.' && isDigit(l.peek()))) {
    l.backup()
    return lexNumberOrDuration
  }
  if (isAlpha(char) || char === ':') return lexWord(l, char)
  return lexMark(l, char)
}

function lexMark(l: Lexer, char: string): LexState {
  switch (char) {
    case '=':
      if (l.peek() === '~') l.fail(`unexpected character after '=': ${quoteRune('~')}`)
      l.emit(l.accept('=') ? '==' : '=')
      return lexStatements
    case '!': {
      const second = l.next()
      if (second !== '=') l.fail(`unexpected character after '!': ${quoteRune(second)}`)
      l.emit('!=')
      return lexStatements
    }
    case '<':
    case '>':
      l.emit(l.accept('=') ? `${char}=` : l.accept('/') ? `${char}/` : char)
      return lexStatements
    case '"':
    case "'":
      return lexString(l, char, lexStatements)
    case '`':
      return lexRawString(l, lexStatements)
    case '(':
      l.emit('(')
      l.parenDepth++
      return lexStatements
    case ')':
      return lexRightParen(l, lexStatements)
    case '{':
      l.emit('{')
      l.braceOpen = true
      return lexInsideBraces
    case '[':
      if (l.bracketOpen) l.fail(`unexpected left bracket ${quoteRune(char)}`)
      l.gotColon = false
      l.emit('[')
      l.skipSpaces()
      l.bracketOpen = true
      return lexDuration
    case ']':
      if (!l.bracketOpen) l.fail(`unexpected right bracket ${quoteRune(char)}`)
      l.emit(']')
      l.bracketOpen = false
      return lexStatements
    default:
      return l.fail(`unexpected character: ${quoteRune(char)}`)
  }
}

function lexRightParen(l: Lexer, then: LexState): LexState {
  l.emit(')')
  l.parenDepth--
  if (l.parenDepth < 0) l.fail(`unexpected right parenthesis ${quoteRune(')')}`)
  return then
}

/** A word or a colon outside of braces. Within brackets (after a first number) only few words are left. */
function lexWord(l: Lexer, char: string): LexState {
  if (!l.bracketOpen) {
    l.backup()
    return lexKeywordOrIdentifier
  }
  if (char === ':') {
    if (l.gotColon) l.fail(`unexpected colon ${quoteRune(char)}`)
    l.emit(':')
    l.gotColon = true
    return lexStatements
  }
  if (startsDurationWord(char) && scanDurationWord(l)) return lexStatements
  return l.fail(`unexpected character: ${quoteRune(char)}, expected ${quoteRune(':')}`)
}

function startsDurationWord(char: string): boolean {
  return char !== '' && 'srmSRM'.includes(char)
}

function scanDurationWord(l: Lexer): boolean {
  while (isAlpha(l.next()));
  l.backup()
  const word = l.text().toLowerCase()
  if (!DURATION_WORDS.has(word)) return false
  l.emit(word)
  return true
}

/** Directly after `[` and until the first number: durations are computed, names have no place here. */
function lexDuration(l: Lexer): LexState {
  const char = l.next()
  if (char === '') l.fail('unexpected end of input in duration expression')
  if (isSpace(char)) {
    l.skipSpaces()
    return lexDuration
  }
  if ('+-*/%^,'.includes(char)) {
    l.emit(char)
    return lexDuration
  }
  if (char === ']') {
    l.emit(']')
    l.bracketOpen = false
    l.gotColon = false
    return lexStatements
  }
  if (char === ':') {
    l.emit(':')
    if (!l.gotDuration) l.fail('unexpected colon before duration in duration expression')
    if (l.gotColon) l.fail('unexpected repeated colon in duration expression')
    l.gotColon = true
    return lexDuration
  }
  if (char === '(') {
    l.emit('(')
    l.parenDepth++
    return lexDuration
  }
  if (char === ')') return lexRightParen(l, lexDuration)
  if (startsDurationWord(char) && scanDurationWord(l)) return lexDuration
  if (isDigit(char) || (char === '.' && isDigit(l.peek()))) {
    l.backup()
    l.gotDuration = true
    return lexNumberOrDuration
  }
  return l.fail(`unexpected character in duration expression: ${quoteRune(char)}`)
}

/** Within `{…}` there are no keywords. */
function lexInsideBraces(l: Lexer): LexState {
  const char = l.next()
  if (char === '#') return lexComment
  if (char === '') l.fail('unexpected end of input inside braces')
  if (isSpace(char)) {
    l.skipSpaces()
    return lexStatements
  }
  if (isAlpha(char)) {
    while (isAlphaNumeric(l.next()));
    l.backup()
    l.emit('identifier')
    return lexStatements
  }
  switch (char) {
    case ',':
      l.emit(',')
      return lexInsideBraces
    case '"':
    case "'":
      return lexString(l, char, lexStatements)
    case '`':
      return lexRawString(l, lexStatements)
    case '=':
      l.emit(l.accept('~') ? '=~' : '=')
      return lexInsideBraces
    case '!': {
      const second = l.next()
      if (second !== '~' && second !== '=')
        l.fail(`unexpected character after '!' inside braces: ${quoteRune(second)}`)
      l.emit(`!${second}`)
      return lexInsideBraces
    }
    case '{':
      return l.fail(`unexpected left brace ${quoteRune(char)}`)
    case '}':
      l.emit('}')
      l.braceOpen = false
      return l.series ? lexValueSequence : lexStatements
    default:
      return l.fail(`unexpected character inside braces: ${quoteRune(char)}`)
  }
}

function lexComment(l: Lexer): LexState {
  let char = l.next()
  while (char !== '' && char !== '\n' && char !== '\r') char = l.next()
  l.backup()
  l.ignore()
  return lexStatements
}

function lexString(l: Lexer, quote: string, then: LexState): LexState {
  for (;;) {
    const char = l.next()
    if (char === quote) break
    if (char === '\\') scanEscape(l, quote)
    else if (char === '' || char === '\n') l.fail('unterminated quoted string')
    else if (isBadRune(char)) l.fail('invalid UTF-8 rune')
  }
  l.emit('string')
  return then
}

/** U+FFFD is what broken UTF-8 turned into when the query was decoded; lone surrogates have no UTF-8 at all. */
function isBadRune(char: string): boolean {
  return char === '\ufffd' || (char.length === 1 && char >= '\ud800' && char <= '\udfff')
}

function lexRawString(l: Lexer, then: LexState): LexState {
  for (let char = l.next(); char !== '`'; char = l.next()) {
    if (char === '') l.fail('unterminated raw string')
    if (isBadRune(char)) l.fail('invalid UTF-8 rune')
  }
  l.emit('string')
  return then
}

/** Checks an escape sequence of a string whose backslash has been read. */
function scanEscape(l: Lexer, quote: string): void {
  let char = l.next()
  if (char === quote || (char !== '' && 'abfnrtv\\'.includes(char))) return
  const octal = char >= '0' && char <= '7'
  const length = octal ? 3 : { x: 2, u: 4, U: 8 }[char]
  if (char === '') l.fail('escape sequence not terminated')
  if (length === undefined) l.fail(`unknown escape sequence ${namedRune(char)}`)
  const base = octal ? 8 : 16
  if (!octal) char = l.next()
  let value = 0
  for (let i = 0; i < length; i++) {
    if (i > 0) char = l.next()
    if (char === '') l.fail('escape sequence not terminated')
    const digit = /^[0-9a-fA-F]$/.test(char) ? parseInt(char, 16) : base
    if (digit >= base) l.fail(`illegal character ${namedRune(char)} in escape sequence`)
    value = value * base + digit
  }
  const most = length > 3 ? 0x10ffff : 255
  if (value > most || (value >= 0xd800 && value < 0xe000))
    l.fail('escape sequence is an invalid Unicode code point')
}

function lexNumberOrDuration(l: Lexer): LexState {
  if (l.scanNumber()) {
    l.emit('number')
    return lexStatements
  }
  if (l.scanDurationRest()) {
    l.backup()
    l.emit('duration')
    return lexStatements
  }
  return l.fail(`bad number or duration syntax: ${quoteString(l.text())}`)
}

export function lexKeywordOrIdentifier(l: Lexer): LexState {
  let char = l.next()
  while (isAlphaNumeric(char) || char === ':') char = l.next()
  l.backup()
  const word = l.text()
  const keyword = word.toLowerCase()
  if (keyword === 'inf' || keyword === 'nan') l.emit('number')
  else if (KEYWORDS.has(keyword)) l.emit(isFillName(l, keyword) ? 'identifier' : keyword)
  else l.emit(word.includes(':') ? 'metric identifier' : 'identifier')
  return l.series && l.peek() !== '{' ? lexValueSequence : lexStatements
}

/** `fill` and its sisters are keywords only before `(`: they are names of metrics elsewhere. */
function isFillName(l: Lexer, keyword: string): boolean {
  if (!keyword.startsWith('fill')) return false
  let i = l.position
  while (isSpace(l.input.charAt(i))) i++
  return l.input[i] !== '('
}
