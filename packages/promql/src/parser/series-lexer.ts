// States of the lexer for the values of a series description: `1 2x3 _x2 stale {{schema:0 buckets:[1 2]}}x2`.
// Blanks are tokens here, since they separate values.
import { quoteString } from '@watchfire/datamodel'
import { lexKeywordOrIdentifier, lexStatements, type Lexer, type LexState } from './lexer.ts'
import { isAlpha, isDigit, isSpace } from './scanner.ts'
import { HISTOGRAM_KEYS, KEY_PREFIX, quoteRune } from './tokens.ts'

const RESET_HINTS: ReadonlySet<string> = new Set(['unknown', 'reset', 'not_reset', 'gauge'])

export function lexValueSequence(l: Lexer): LexState {
  if (l.histogram) return lexHistogram
  const char = l.next()
  if (char === '') return lexStatements
  if (char === '{' && l.peek() === '{') {
    l.histogram = 'open'
    l.next()
    l.emit('{{')
    return lexHistogram
  }
  if (isSpace(char)) {
    emitSpace(l)
    return lexValueSequence
  }
  if ('+-x_'.includes(char)) {
    l.emit(char)
    return lexValueSequence
  }
  if (isDigit(char) || (char === '.' && isDigit(l.peek()))) {
    l.backup()
    return lexNumber(l, lexValueSequence)
  }
  if (isAlpha(char)) {
    l.backup()
    return lexKeywordOrIdentifier
  }
  return l.fail(`unexpected character in series sequence: ${quoteRune(char)}`)
}

/** One token for a run of blanks; the first has been read. */
function emitSpace(l: Lexer): void {
  l.emit(' ')
  l.skipSpaces()
}

function lexNumber(l: Lexer, then: LexState): LexState {
  if (!l.scanNumber()) l.fail(`bad number syntax: ${quoteString(l.text())}`)
  l.emit('number')
  return then
}

/** Within `{{…}}`, and the sign or `x` directly after it. */
export function lexHistogram(l: Lexer): LexState {
  if (l.histogram !== 'open' && l.histogram !== undefined) {
    const mark = l.histogram
    l.histogram = undefined
    l.next()
    l.emit(mark)
    return lexValueSequence
  }
  if (l.bracketOpen) return lexBuckets
  const char = l.next()
  if (isSpace(char)) {
    emitSpace(l)
    return lexHistogram
  }
  if (isAlpha(char)) {
    l.backup()
    return lexHistogramWord
  }
  if (isDigit(char)) {
    l.backup()
    return lexNumber(l, lexHistogram)
  }
  switch (char) {
    case ':':
    case '-':
      l.emit(char)
      return lexHistogram
    case '[':
      l.bracketOpen = true
      l.emit('[')
      return lexBuckets
    case '}':
      if (l.peek() === '}') return lexHistogramEnd(l)
  }
  return l.fail(`histogram description incomplete unexpected: ${quoteRune(char)}`)
}

function lexHistogramEnd(l: Lexer): LexState {
  l.next()
  l.emit('}}')
  const following = l.peek()
  if (following === 'x' || following === '+' || following === '-') {
    l.histogram = following
    return lexHistogram
  }
  l.histogram = undefined
  return lexValueSequence
}

/** A key of the literal, a hint, Inf or NaN. */
function lexHistogramWord(l: Lexer): LexState {
  while (isAlpha(l.next()));
  l.backup()
  const word = l.text()
  const lower = word.toLowerCase()
  if (HISTOGRAM_KEYS.includes(lower)) {
    if (l.peek() !== ':') l.fail('missing `:` for histogram descriptor')
    l.emit(`${KEY_PREFIX}${lower}`)
  } else if (lower === 'inf' || lower === 'nan') l.emit('number')
  else if (RESET_HINTS.has(lower)) l.emit(`hint ${lower}`)
  else l.fail(`bad histogram descriptor found: ${quoteString(word)}`)
  return lexHistogram
}

/** Within `buckets:[…]`. */
function lexBuckets(l: Lexer): LexState {
  const char = l.next()
  if (isSpace(char)) {
    emitSpace(l)
    return lexBuckets
  }
  if (isDigit(char)) {
    l.backup()
    return lexNumber(l, lexBuckets)
  }
  if (char === '-') {
    l.emit('-')
    return (lexer) => lexNumber(lexer, lexBuckets)
  }
  if (char === ']') {
    l.bracketOpen = false
    l.emit(']')
    return lexHistogram
  }
  if (isAlpha(char)) {
    const word = l.text().toLowerCase()
    if (word === 'inf' || word === 'nan') l.emit('number')
    return lexBuckets
  }
  return l.fail(`invalid character in buckets description: ${quoteRune(char)}`)
}
