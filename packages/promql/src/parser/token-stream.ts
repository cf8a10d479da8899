// The token stream of a parser with one token of lookahead, and its errors.
import type { NumberLiteral } from './ast.ts'
import { ParseError } from './error.ts'
import { Lexer } from './lexer.ts'
import { durationSeconds, parseNumber, unquote } from './literals.ts'
import type { ResolvedParserOptions } from './options.ts'
import { describeToken, type Token } from './tokens.ts'

export class TokenStream {
  readonly options: ResolvedParserOptions
  readonly #lexer: Lexer
  #next: Token | undefined
  /** End of the token taken last. */
  protected lastEnd = 0

  constructor(input: string, options: ResolvedParserOptions, series = false) {
    this.#lexer = new Lexer(input, series)
    this.options = options
    if (input.length > options.lengthMax) this.fail(`input is longer than ${options.lengthMax} characters`, 0)
  }

  /** The next token. It is cut only when asked for: an error before it must come first. */
  protected peek(): Token {
    return (this.#next ??= this.#lexer.token())
  }

  protected take(): Token {
    const token = this.peek()
    this.#next = undefined
    this.lastEnd = token.end
    return token
  }

  protected fail(message: string, start: number, end: number = start): never {
    throw new ParseError(this.#lexer.input, message, start, end)
  }

  /** The next token does not fit here. */
  protected unexpected(context = '', expected = ''): never {
    const token = this.peek()
    let message = `unexpected ${describeToken(token)}`
    if (context) message += ` in ${context}`
    if (expected) message += `, expected ${expected}`
    return this.fail(message, token.start, token.end)
  }

  protected unquoted(token: Token): string {
    return unquote(token.text)
  }

  /** The number or duration that is the next token. */
  protected parseNumberLiteral(): NumberLiteral {
    const { type, text, start, end } = this.take()
    const duration = type === 'duration'
    try {
      return {
        type: 'numberLiteral',
        value: duration ? durationSeconds(text) : parseNumber(text),
        duration,
        start,
        end,
      }
    } catch (error) {
      return this.fail(error instanceof Error ? error.message : String(error), start, end)
    }
  }
}
