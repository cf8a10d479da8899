// The durations computed within `[…]` and after `offset`.
import type { DurationExpr, DurationNode, NumberLiteral } from './ast.ts'
import { TokenStream } from './token-stream.ts'
import type { Token } from './tokens.ts'

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

export class DurationParser extends TokenStream {
  #nesting = 0

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
