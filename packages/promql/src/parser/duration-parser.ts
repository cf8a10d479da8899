// The token stream with one token of lookahead, errors, and the durations computed within `[…]` and after `offset`.
import { quoteString } from '@watchfire/datamodel'
import type { DurationExpr, DurationNode, NumberLiteral } from './ast.ts'
import { ParseError } from './error.ts'
import { Lexer } from './lexer.ts'
import { durationSeconds, parseNumber, unquote } from './literals.ts'
import type { ResolvedParserOptions } from './options.ts'
import { describeToken, type Token } from './tokens.ts'

const DURATION_PRECEDENCE: Readonly<Record<string, number>> = {
  '+': 1,
  '-': 1,
  '*': 2,
  '/': 2,
  '%': 2,
  '^': 3,
}
const POWER = 3

/** Reports an unexpected token in the words of the place where a duration stands. */
type Misplaced = () => never

export class DurationParser {
  readonly options: ResolvedParserOptions
  readonly #lexer: Lexer
  #next: Token | undefined
  /** End of the token taken last. */
  protected lastEnd = 0
  #nesting = 0

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

  protected quoted(text: string): string {
    return quoteString(text).replace(/\\udc([0-9a-f]{2})/g, '\\x$1')
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

  protected parsePositiveDuration(misplaced: Misplaced): DurationNode {
    const duration = this.parseDuration(1, misplaced)
    this.peek()
    if (duration.type === 'numberLiteral' && duration.value <= 0)
      this.fail('duration must be greater than 0', duration.start)
    return duration
  }

  /**
   * After `offset`: a literal or a call ends the duration, so that `foo offset 5m * 2` multiplies the samples. Only
   * after parentheses (or two signs) do operators belong to the duration.
   */
  protected parseOffsetDuration(misplaced: Misplaced): DurationNode {
    const sign = this.peek()
    const signed = sign.type === '+' || sign.type === '-'
    if (signed) this.take()
    const { type } = this.peek()
    if (type === 'number' || type === 'duration') {
      const literal = this.parseNumberLiteral()
      const value = sign.type === '-' ? -literal.value : literal.value
      return this.inRange({ ...literal, value, start: sign.start }, sign.start)
    }
    if (type === '(' || type === '+' || type === '-') {
      if (!signed) return this.parseDurationRest(this.parseDurationPrimary(misplaced), 1, misplaced)
      if (type !== '(') {
        const operand = this.parseDuration(POWER, misplaced)
        return this.parseDurationRest(this.withSign(sign, operand), 1, misplaced)
      }
      return this.withSign(sign, this.parseDurationPrimary(misplaced))
    }
    const call = this.parseDurationPrimary(misplaced)
    if (!signed) return call
    return {
      type: 'durationExpr',
      op: sign.type as '+' | '-',
      lhs: undefined,
      rhs: call,
      wrapped: false,
      start: sign.start,
      end: call.end,
    }
  }

  private parseDuration(lowest: number, misplaced: Misplaced): DurationNode {
    if (++this.#nesting > this.options.depthMax)
      this.fail(`duration is nested too deeply, more than ${this.options.depthMax} levels`, this.peek().start)
    const sign = this.peek()
    let first: DurationNode
    if (sign.type === '+' || sign.type === '-') {
      this.take()
      first = this.withSign(sign, this.parseDuration(POWER, misplaced))
    } else first = this.parseDurationPrimary(misplaced)
    const duration = this.parseDurationRest(first, lowest, misplaced)
    this.#nesting--
    return duration
  }

  private parseDurationRest(first: DurationNode, lowest: number, misplaced: Misplaced): DurationNode {
    let lhs = first
    for (let terms = 1; ; terms++) {
      const op = this.peek()
      const precedence = DURATION_PRECEDENCE[op.type] ?? 0
      if (precedence < lowest) return lhs
      if (terms > this.options.depthMax)
        this.fail(`duration has more than ${this.options.depthMax} terms`, op.start)
      this.take()
      const rhs = this.parseDuration(op.type === '^' ? precedence : precedence + 1, misplaced)
      this.allowed(lhs)
      if (rhs.type === 'numberLiteral' && rhs.value === 0) {
        if (op.type === '/') this.fail('division by zero', op.start)
        if (op.type === '%') this.fail('modulo by zero', op.start)
      }
      lhs = {
        type: 'durationExpr',
        op: op.type as DurationExpr['op'],
        lhs,
        rhs,
        wrapped: false,
        start: lhs.start,
        end: rhs.end,
      }
    }
  }

  private parseDurationPrimary(misplaced: Misplaced): DurationNode {
    const token = this.peek()
    switch (token.type) {
      case 'number':
      case 'duration': {
        const literal = this.parseNumberLiteral()
        return this.inRange(literal, literal.start)
      }
      case 'step':
      case 'range': {
        this.take()
        this.takeOr('(', misplaced)
        this.takeOr(')', misplaced)
        return this.durationCall(token, undefined, undefined)
      }
      case 'min_of':
      case 'max_of': {
        this.take()
        this.takeOr('(', misplaced)
        const lhs = this.parseDuration(1, misplaced)
        this.takeOr(',', misplaced)
        const rhs = this.parseDuration(1, misplaced)
        this.takeOr(')', misplaced)
        return this.durationCall(token, lhs, rhs)
      }
      case '(': {
        this.take()
        const inner = this.parseDuration(1, misplaced)
        this.takeOr(')', misplaced)
        this.allowed(inner)
        return wrap(inner, token.start, this.lastEnd)
      }
      default:
        return misplaced()
    }
  }

  private takeOr(type: string, misplaced: Misplaced): void {
    if (this.peek().type !== type) misplaced()
    this.take()
  }

  private durationCall(
    name: Token,
    lhs: DurationNode | undefined,
    rhs: DurationNode | undefined,
  ): DurationExpr {
    const call: DurationExpr = {
      type: 'durationExpr',
      op: name.type as DurationExpr['op'],
      lhs,
      rhs,
      wrapped: false,
      start: name.start,
      end: this.lastEnd,
    }
    this.allowed(call)
    return call
  }

  private withSign(sign: Token, operand: DurationNode): DurationNode {
    if (operand.type === 'numberLiteral') {
      const value = sign.type === '-' ? -operand.value : operand.value
      return this.inRange({ ...operand, value, start: sign.start }, sign.start)
    }
    if (sign.type === '+') return operand
    return {
      type: 'durationExpr',
      op: '-',
      lhs: undefined,
      rhs: operand,
      wrapped: false,
      start: sign.start,
      end: operand.end,
    }
  }

  private inRange(literal: NumberLiteral, offset: number): NumberLiteral {
    if (Math.abs(literal.value) > 2 ** 63 / 1e9) this.fail('duration out of range', offset)
    return literal
  }

  private allowed(operand: DurationNode): void {
    if (!this.options.durationExpressions)
      this.fail('experimental duration expression is not enabled', operand.start)
  }
}

/** Parentheses are kept for printing; a literal in them becomes the operand of a unary plus. */
function wrap(inner: DurationNode, start: number, end: number): DurationExpr {
  if (inner.type === 'durationExpr') return { ...inner, wrapped: true }
  return { type: 'durationExpr', op: '+', lhs: undefined, rhs: inner, wrapped: true, start, end }
}
