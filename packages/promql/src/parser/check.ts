// Checks the types of a syntactically correct query, from the leaves up, and settles how vectors match.
import { METRIC_NAME, quoteString } from '@watchfire/datamodel'
import type * as ast from './ast.ts'
import { valueType } from './ast.ts'
import { ParseError } from './error.ts'
import { FUNCTIONS } from './functions-table.ts'
import { isSpace } from './scanner.ts'

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<=', '<', '>=', '>'])
const SET_OPS: ReadonlySet<string> = new Set(['and', 'or', 'unless'])

/** The names of types in messages. */
export function documentedType(type: ast.ValueType): string {
  return type === 'vector' ? 'instant vector' : type === 'matrix' ? 'range vector' : type
}

/** Throws `ParseError` for the first mistake in the types of `expr`, which was parsed from `input`. */
export function checkExpr(input: string, expr: ast.Expr): void {
  new Checker(input).check(expr)
}

class Checker {
  readonly #input: string

  constructor(input: string) {
    this.#input = input
  }

  check(expr: ast.Expr): ast.ValueType {
    switch (expr.type) {
      case 'aggregation':
        this.checkAggregation(expr)
        return 'vector'
      case 'binaryExpr':
        return this.checkBinary(expr)
      case 'call':
        return this.checkCall(expr)
      case 'parenExpr':
        return this.check(expr.expr)
      case 'unaryExpr': {
        const type = this.check(expr.expr)
        if (type !== 'scalar' && type !== 'vector')
          this.fail(
            `unary expression only allowed on expressions of type scalar or instant vector, got "${documentedType(type)}"`,
            expr.start,
          )
        return type
      }
      case 'subquery': {
        const type = this.check(expr.expr)
        if (type !== 'vector')
          this.fail(`subquery is only allowed on instant vector, got ${type} instead`, expr.start)
        return 'matrix'
      }
      case 'matrixSelector':
        this.checkSelector(expr.vector, expr.vector.start, false)
        return 'matrix'
      case 'vectorSelector':
        this.checkSelector(expr, expr.start, false)
        return 'vector'
      case 'numberLiteral':
        return 'scalar'
      case 'stringLiteral':
        return 'string'
    }
  }

  private fail(message: string, start: number): never {
    throw new ParseError(this.#input, message, start)
  }

  private checkAggregation(expr: ast.AggregateExpr): void {
    this.expectType(expr.expr, 'vector', 'aggregation expression')
    if (!expr.param) return
    this.expectType(expr.param, expr.op === 'count_values' ? 'string' : 'scalar', 'aggregation parameter')
  }

  private expectType(expr: ast.Expr, wanted: ast.ValueType, context: string): void {
    const type = this.check(expr)
    if (type !== wanted)
      this.fail(
        `expected type ${documentedType(wanted)} in ${context}, got ${documentedType(type)}`,
        expr.start,
      )
  }

  private checkBinary(expr: { -readonly [K in keyof ast.BinaryExpr]: ast.BinaryExpr[K] }): ast.ValueType {
    const { op, start } = expr
    const matching = expr.matching!
    const left = this.check(expr.lhs)
    const right = this.check(expr.rhs)
    const scalars = left === 'scalar' && right === 'scalar'
    const setOp = SET_OPS.has(op)
    if (expr.bool && !COMPARISONS.has(op))
      this.fail('bool modifier can only be used on comparison operators', this.operatorStart(expr))
    if (COMPARISONS.has(op) && !expr.bool && scalars)
      this.fail('comparisons between scalars must use BOOL modifier', this.operatorStart(expr))
    const included = new Set(matching.on ? matching.include : [])
    const twice = matching.labels.find((label) => included.has(label))
    if (twice !== undefined)
      this.fail(
        `label ${quoteString(twice)} must not occur in ON and GROUP clause at once`,
        this.operatorStart(expr),
      )
    for (const [type, operand] of [
      [left, expr.lhs],
      [right, expr.rhs],
    ] as const)
      if (type !== 'scalar' && type !== 'vector')
        this.fail('binary expression must contain only scalar and instant vector types', operand.start)
    const filled = matching.fill.left !== undefined || matching.fill.right !== undefined
    if (left !== 'vector' || right !== 'vector') {
      if (matching.labels.length > 0) this.fail('vector matching only allowed between instant vectors', start)
      if (filled) this.fail('filling in missing series only allowed between instant vectors', start)
      if (setOp) this.fail(`set operator "${op}" not allowed in binary scalar expression`, start)
      expr.matching = undefined
    } else if (setOp) {
      if (matching.card !== 'one-to-one') this.fail(`no grouping allowed for "${op}" operation`, start)
      if (filled) this.fail('filling in missing series not allowed for set operators', start)
      expr.matching = { ...matching, card: 'many-to-many' }
    }
    return scalars ? 'scalar' : 'vector'
  }

  private operatorStart(expr: ast.BinaryExpr): number {
    let start = expr.lhs.end
    while (isSpace(this.#input.charAt(start))) start++
    return start
  }

  private checkCall(expr: ast.CallExpr): ast.ValueType {
    const { name, args } = expr
    const { argTypes, variadic, returnType } = FUNCTIONS.get(name)!
    const wanted = (text: string) =>
      this.fail(`expected ${text} argument(s) in call to "${name}", got ${args.length}`, expr.start)
    if (variadic === 0) {
      if (args.length !== argTypes.length) wanted(String(argTypes.length))
    } else {
      const least = argTypes.length - 1
      if (args.length < least) wanted(`at least ${least}`)
      if (variadic > 0 && args.length > least + variadic) wanted(`at most ${least + variadic}`)
    }
    const selectorOnly = name === 'info' ? args[1] : undefined
    if (selectorOnly) this.checkInfoSelector(expr, selectorOnly)
    args.forEach((arg, i) => {
      const expected = argTypes[Math.min(i, argTypes.length - 1)]!
      if (arg === selectorOnly && arg.type === 'vectorSelector') {
        this.checkSelector(arg, arg.start, true)
        return
      }
      const type = this.check(arg)
      if (type !== expected)
        this.fail(
          `expected type ${documentedType(expected)} in call to function "${name}", got ${documentedType(type)}`,
          arg.start,
        )
    })
    return returnType
  }

  /** The second argument of info() is a list of matchers in braces; it may select everything. */
  private checkInfoSelector(call: ast.CallExpr, arg: ast.Expr): void {
    const type = valueType(arg)
    if (type !== 'vector')
      this.fail(
        `expected type instant vector in call to function "info", got ${documentedType(type)}`,
        call.start,
      )
    if (arg.type !== 'vectorSelector') this.fail('expected label selectors only', arg.start)
    if (arg.name !== '') this.fail('expected label selectors only, got vector selector instead', arg.start)
  }

  private checkSelector(selector: ast.VectorSelector, start: number, mayBeEmpty: boolean): void {
    if (selector.name !== '') {
      const second = selector.matchers.slice(0, -1).find((matcher) => matcher.name === METRIC_NAME)
      if (second)
        this.fail(
          `metric name must not be set twice: ${quoteString(selector.name)} or ${quoteString(second.value)}`,
          start,
        )
      return
    }
    if (!mayBeEmpty && selector.matchers.every((matcher) => matcher.matchesEmpty()))
      this.fail('vector selector must contain at least one non-empty matcher', start)
  }
}
