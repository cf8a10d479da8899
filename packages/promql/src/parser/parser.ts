// Recursive descent and precedence climbing over the tokens of a query. The order in which things are looked at is
// that of Prometheus's generated parser, so that of several mistakes the same one is reported, with the same place and
// the same expectation. Types are checked afterwards (check.ts).
import { Matcher, METRIC_NAME, RegexError, quoteString, type MatchType } from '@watchfire/datamodel'
import type * as ast from './ast.ts'
import { childrenOf } from './ast.ts'
import { DurationParser } from './duration-parser.ts'
import { FUNCTIONS } from './functions-table.ts'
import { isWellFormed } from './literals.ts'
import {
  AGGREGATORS,
  CALLABLE_WORDS,
  EXPERIMENTAL_AGGREGATORS,
  LABEL_WORDS,
  METRIC_WORDS,
  PARAMETER_AGGREGATORS,
  type Token,
} from './tokens.ts'

const PRECEDENCE: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<=': 3,
  '<': 3,
  '>=': 3,
  '>': 3,
  '</': 3,
  '>/': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
}
/** Operands of a unary operator take in powers, nothing else. */
const UNARY_OPERAND = 6

const MATCH_OPS: ReadonlySet<string> = new Set(['=', '!=', '=~', '!~'])

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
/** Nodes that take time modifiers, before they are handed out. */
type Selector = Mutable<ast.VectorSelector> | Mutable<ast.MatrixSelector> | Mutable<ast.SubqueryExpr>

export class Parser extends DurationParser {
  /** Aggregations whose arguments are being read: an error within them says so. */
  #aggregations = 0
  #nesting = 0
  readonly #heights = new WeakMap<ast.Expr, number>()

  /** A whole query. */
  parseQuery(): ast.Expr {
    if (this.peek().type === 'end of input') this.fail('no expression found in input', 0)
    const expr = this.parseExpr(1)
    this.expectEnd()
    return expr
  }

  /** A selector without modifiers, as in `match[]`. */
  parseSelectorOnly(): ast.VectorSelector {
    const token = this.peek()
    const named =
      METRIC_WORDS.has(token.type) || token.type === 'identifier' || token.type === 'metric identifier'
    if (!named && token.type !== '{') this.unexpected()
    const selector = this.parseSelector(named ? this.take() : undefined)
    this.expectEnd()
    return selector
  }

  private expectEnd(): void {
    if (this.peek().type !== 'end of input') this.unexpected()
  }

  /** An unexpected token where none of the more telling messages fits. */
  private misplaced(): never {
    return this.unexpected(this.#aggregations > 0 ? 'aggregation' : '')
  }

  private expect(type: string): Token {
    if (this.peek().type !== type) this.misplaced()
    return this.take()
  }

  /** Notes how deep a node reaches: left-deep chains nest without any recursion here, but not in later passes. */
  private grown<T extends ast.Expr>(node: T): T {
    let height = 0
    for (const child of childrenOf(node)) height = Math.max(height, this.#heights.get(child) ?? 0)
    if (height >= this.options.depthMax) this.tooDeep(node.start)
    this.#heights.set(node, height + 1)
    return node
  }

  private tooDeep(offset: number): never {
    return this.fail(`expression is nested too deeply, more than ${this.options.depthMax} levels`, offset)
  }

  private parseExpr(lowest: number): ast.Expr {
    if (++this.#nesting > this.options.depthMax) this.tooDeep(this.peek().start)
    let lhs = this.parseUnary()
    for (;;) {
      const precedence = PRECEDENCE[this.peek().type] ?? 0
      if (precedence < lowest) break
      const op = this.take().type as ast.BinaryOp
      const { bool, matching } = this.parseBinaryModifiers()
      const rhs = this.parseExpr(op === '^' ? precedence : precedence + 1)
      const { left, right } = matching.fill
      if (!this.options.binopFillModifiers && (left !== undefined || right !== undefined))
        this.fail('binop fill modifiers are experimental and not enabled', lhs.start)
      lhs = this.grown({ type: 'binaryExpr', op, lhs, rhs, matching, bool, start: lhs.start, end: rhs.end })
    }
    this.#nesting--
    return lhs
  }

  private parseUnary(): ast.Expr {
    const token = this.peek()
    if (token.type !== '+' && token.type !== '-') return this.parsePostfix(this.parsePrimary())
    this.take()
    const expr = this.parseExpr(UNARY_OPERAND)
    if (expr.type === 'numberLiteral') {
      const value = token.type === '-' ? -expr.value : expr.value
      return this.grown({ ...expr, value, start: token.start })
    }
    return this.grown({ type: 'unaryExpr', op: token.type, expr, start: token.start, end: expr.end })
  }

  private parsePrimary(): ast.Expr {
    const token = this.peek()
    switch (token.type) {
      case '(':
        return this.parseParen()
      case 'number':
      case 'duration':
        return this.parseNumberLiteral()
      case 'string':
        this.take()
        return { type: 'stringLiteral', value: this.unquoted(token), start: token.start, end: token.end }
      case '{':
        return this.parseSelector(undefined)
    }
    const aggregation = AGGREGATORS.has(token.type)
    const callable = token.type === 'identifier' || CALLABLE_WORDS.has(token.type)
    if (!callable && !METRIC_WORDS.has(token.type) && token.type !== 'metric identifier') this.misplaced()
    this.take()
    const following = this.peek().type
    if (aggregation && (following === '(' || following === 'by' || following === 'without'))
      return this.parseAggregation(token)
    if (callable && following === '(') return this.parseCall(token)
    return this.parseSelector(token)
  }

  private parseParen(): ast.Expr {
    const open = this.take()
    const expr = this.parseExpr(1)
    const close = this.expect(')')
    return this.grown({ type: 'parenExpr', expr, start: open.start, end: close.end })
  }

  private parseAggregation(name: Token): ast.Expr {
    const op = name.type as ast.AggregateOp
    this.#aggregations++
    let modifier = this.parseAggregationModifier()
    const args = this.parseArguments()
    modifier ??= this.parseAggregationModifier()
    this.#aggregations--
    const start = name.start
    if (args.length === 0) this.fail('no arguments for aggregate expression provided', start)
    const parameter = PARAMETER_AGGREGATORS.has(op)
    if (EXPERIMENTAL_AGGREGATORS.has(op) && !this.options.experimentalFunctions)
      this.fail(
        `${op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions`,
        start,
      )
    const wanted = parameter ? 2 : 1
    if (args.length !== wanted)
      this.fail(
        `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`,
        start,
      )
    return this.grown({
      type: 'aggregation',
      op,
      expr: args[wanted - 1]!,
      param: parameter ? args[0] : undefined,
      grouping: modifier?.labels ?? [],
      without: modifier?.without ?? false,
      start,
      end: this.lastEnd,
    })
  }

  private parseAggregationModifier(): { labels: string[]; without: boolean } | undefined {
    const { type } = this.peek()
    if (type !== 'by' && type !== 'without') return undefined
    this.take()
    return { labels: this.parseGrouping(), without: type === 'without' }
  }

  private parseCall(name: Token): ast.Expr {
    const args = this.parseArguments()
    // Functions are case-sensitive, unlike the words among them.
    const signature = FUNCTIONS.get(name.text)
    if (!signature) this.fail(`unknown function with name ${quoteString(name.text)}`, name.start)
    if (signature.experimental && !this.options.experimentalFunctions)
      this.fail(`function ${quoteString(name.text)} is not enabled`, name.start)
    return this.grown({ type: 'call', name: name.text, args, start: name.start, end: this.lastEnd })
  }

  private parseArguments(): ast.Expr[] {
    this.expect('(')
    const args: ast.Expr[] = []
    if (this.peek().type === ')') {
      this.take()
      return args
    }
    for (;;) {
      args.push(this.parseExpr(1))
      if (this.peek().type !== ',') break
      const comma = this.take()
      if (!this.startsExpr()) this.fail('trailing commas not allowed in function call args', comma.start)
    }
    this.expect(')')
    return args
  }

  private startsExpr(): boolean {
    const { type } = this.peek()
    return (
      METRIC_WORDS.has(type) ||
      ['+', '-', '(', '{', 'number', 'duration', 'string', 'identifier', 'metric identifier'].includes(type)
    )
  }

  private parseBinaryModifiers(): { bool: boolean; matching: ast.VectorMatching } {
    let card: ast.MatchCardinality = 'one-to-one'
    let labels: string[] = []
    let include: string[] = []
    const bool = this.peek().type === 'bool'
    if (bool) this.take()
    const { type } = this.peek()
    const on = type === 'on'
    if (on || type === 'ignoring') {
      this.take()
      labels = this.parseGrouping()
      const side = this.peek().type
      if (side === 'group_left' || side === 'group_right') {
        this.take()
        card = side === 'group_left' ? 'many-to-one' : 'one-to-many'
        if (this.peek().type === '(' || !this.startsExpr()) include = this.parseGrouping()
      }
    }
    return { bool, matching: { card, labels, on, include, fill: this.parseFill() } }
  }

  private parseFill(): ast.VectorMatching['fill'] {
    const first = this.peek().type
    if (first === 'fill') {
      this.take()
      const value = this.parseFillValue()
      return { left: value, right: value }
    }
    const fill: Mutable<ast.VectorMatching['fill']> = { left: undefined, right: undefined }
    if (first !== 'fill_left' && first !== 'fill_right') return fill
    for (const word of first === 'fill_left' ? ['fill_left', 'fill_right'] : ['fill_right', 'fill_left']) {
      if (this.peek().type !== word) break
      this.take()
      fill[word === 'fill_left' ? 'left' : 'right'] = this.parseFillValue()
    }
    return fill
  }

  private parseFillValue(): number {
    this.expect('(')
    const sign = this.peek().type
    if (sign === '+' || sign === '-') this.take()
    const { type } = this.peek()
    if (type !== 'number' && type !== 'duration') this.misplaced()
    const { value } = this.parseNumberLiteral()
    this.expect(')')
    return sign === '-' ? -value : value
  }

  /** `(a, b, "c.d")`. */
  private parseGrouping(): string[] {
    const context = 'grouping opts'
    if (this.peek().type !== '(') this.unexpected(context, '"("')
    this.take()
    const labels: string[] = []
    while (this.peek().type !== ')') {
      const token = this.peek()
      const { type } = token
      if (type === 'string') {
        const label = this.unquoted(this.take())
        if (label === '' || !isWellFormed(label))
          this.fail(`invalid label name for grouping: ${quoteString(label)}`, token.start)
        labels.push(label)
      } else if (LABEL_WORDS.has(type) || type === 'identifier' || type === 'metric identifier')
        labels.push(this.take().text)
      else this.unexpected(context, 'label')
      if (this.peek().type === ',') this.take()
      else if (this.peek().type !== ')') this.unexpected(context, '"," or ")"')
    }
    this.take()
    return labels
  }

  /** A selector whose name (if it stands before the braces) has been read. */
  private parseSelector(name: Token | undefined): ast.VectorSelector {
    const start = (name ?? this.peek()).start
    const matchers = this.peek().type === '{' ? this.parseMatchers() : []
    if (name) matchers.push(new Matcher('=', METRIC_NAME, name.text))
    return {
      type: 'vectorSelector',
      name: name?.text ?? '',
      matchers,
      offsetMs: 0,
      offsetExpr: undefined,
      atMs: undefined,
      startOrEnd: undefined,
      anchored: false,
      smoothed: false,
      start,
      end: this.lastEnd,
    }
  }

  private parseMatchers(): Matcher[] {
    this.take()
    const matchers: Matcher[] = []
    while (this.peek().type !== '}') {
      matchers.push(this.parseMatcher())
      if (this.peek().type === ',') this.take()
      else if (this.peek().type !== '}') this.unexpected('label matching', '"," or "}"')
      else break
    }
    this.take()
    return matchers
  }

  private parseMatcher(): Matcher {
    const label = this.peek()
    const quoted = label.type === 'string'
    if (!quoted && label.type !== 'identifier') this.unexpected('label matching', 'identifier or "}"')
    const name = quoted ? this.unquoted(this.take()) : this.take().text
    const op = this.peek().type
    if (!MATCH_OPS.has(op)) {
      if (quoted) return new Matcher('=', METRIC_NAME, name)
      this.unexpected('label matching', 'label matching operator')
    }
    this.take()
    if (this.peek().type !== 'string') this.unexpected('label matching', 'string')
    const value = this.unquoted(this.take())
    try {
      return new Matcher(op as MatchType, name, value)
    } catch (error) {
      if (error instanceof RegexError) this.fail(error.message, label.start)
      throw error
    }
  }

  private parsePostfix(primary: ast.Expr): ast.Expr {
    let expr: Mutable<ast.Expr> = this.grown(primary)
    for (;;) {
      switch (this.peek().type) {
        case 'offset':
          this.parseOffset(expr)
          break
        case '@':
          this.parseAt(expr)
          break
        case 'anchored':
        case 'smoothed':
          this.parseExtension(expr, this.take().type as 'anchored' | 'smoothed')
          break
        case '[':
          expr = this.grown(this.parseRange(expr))
          break
        default:
          return expr
      }
    }
  }

  private parseOffset(expr: Mutable<ast.Expr>): void {
    this.take()
    const duration = this.parseOffsetDuration(() =>
      this.unexpected('offset', 'number, duration, step(), or range()'),
    )
    const target = this.modifiersOf(expr, 'offset modifier')
    if (target.offsetMs !== 0 || target.offsetExpr)
      this.fail('offset may not be set multiple times', expr.start)
    if (duration.type === 'numberLiteral') target.offsetMs = wholeMs(duration.value)
    else target.offsetExpr = duration
    expr.end = this.lastEnd
  }

  /** Where a node keeps its time modifiers. */
  private modifiersOf(expr: Mutable<ast.Expr>, what: string): Mutable<ast.TimeModifiers> {
    if (isSelector(expr)) return expr.type === 'matrixSelector' ? expr.vector : expr
    return this.fail(
      `${what} must be preceded by an instant vector selector or range vector selector or a subquery`,
      expr.start,
    )
  }

  private parseAt(expr: Mutable<ast.Expr>): void {
    this.take()
    const misplaced = () => this.unexpected('@', 'timestamp')
    const first = this.peek().type
    let seconds: number | undefined
    if (first === 'start' || first === 'end') {
      this.take()
      if (this.peek().type !== '(') misplaced()
      this.take()
      if (this.peek().type !== ')') misplaced()
      this.take()
    } else {
      if (first === '+' || first === '-') this.take()
      const { type } = this.peek()
      if (type !== 'number' && type !== 'duration') misplaced()
      const { value } = this.parseNumberLiteral()
      seconds = first === '-' ? -value : value
      if (!(Math.abs(seconds) < 2 ** 63))
        this.fail(`timestamp out of bounds for @ modifier: ${fixed6(seconds)}`, expr.start)
    }
    const target = this.modifiersOf(expr, '@ modifier')
    if (target.atMs !== undefined || target.startOrEnd)
      this.fail('@ <timestamp> may not be set multiple times', expr.start)
    if (seconds === undefined) target.startOrEnd = first as 'start' | 'end'
    else target.atMs = roundHalfAway(seconds * 1000)
    expr.end = this.lastEnd
  }

  private parseExtension(expr: Mutable<ast.Expr>, word: 'anchored' | 'smoothed'): void {
    if (!this.options.extendedRangeSelectors)
      this.fail(`${word} modifier is experimental and not enabled`, expr.start)
    if (expr.type === 'subquery') this.fail(`${word} modifier is not supported for subqueries`, expr.start)
    if (!isSelector(expr)) this.fail(`${word} modifier not implemented`, expr.start)
    const vector: Mutable<ast.VectorSelector> = expr.type === 'matrixSelector' ? expr.vector : expr
    vector[word] = true
    if (vector.anchored && vector.smoothed)
      this.fail('anchored and smoothed modifiers cannot be used together', expr.start)
  }

  /** `[5m]`, `[1h:]` or `[1h:5m]` after an expression. */
  private parseRange(expr: ast.Expr): ast.Expr {
    const open = this.take()
    const range = this.parsePositiveDuration(() =>
      this.unexpected('subquery or range selector', 'number, duration, step(), or range()'),
    )
    const rangeMs = range.type === 'numberLiteral' ? wholeMs(range.value) : 0
    const rangeExpr = range.type === 'durationExpr' ? range : undefined
    const { start } = expr
    const { type } = this.peek()
    if (type === ']') {
      this.take()
      if (expr.type !== 'vectorSelector') this.fail('ranges only allowed for vector selectors', open.start)
      if (expr.offsetMs !== 0 || expr.offsetExpr)
        this.fail('no offset modifiers allowed before range', open.start)
      if (expr.atMs !== undefined || expr.startOrEnd)
        this.fail('no @ modifiers allowed before range', open.start)
      return { type: 'matrixSelector', vector: expr, rangeMs, rangeExpr, start, end: this.lastEnd }
    }
    if (type !== ':') this.unexpected('subquery or range', '":" or "]"')
    this.take()
    const step = this.peek().type === ']' ? undefined : this.parseSubqueryStep()
    this.take()
    return {
      type: 'subquery',
      expr,
      rangeMs,
      rangeExpr,
      stepMs: step?.type === 'numberLiteral' ? wholeMs(step.value) : 0,
      stepExpr: step?.type === 'durationExpr' ? step : undefined,
      offsetMs: 0,
      offsetExpr: undefined,
      atMs: undefined,
      startOrEnd: undefined,
      start,
      end: this.lastEnd,
    }
  }

  private parseSubqueryStep(): ast.DurationNode {
    const context = 'subquery selector'
    const step = this.parsePositiveDuration(() =>
      this.unexpected(context, 'number, duration, step(), range(), or "]"'),
    )
    if (this.peek().type !== ']') this.unexpected(context, '"]"')
    return step
  }
}

function isSelector(expr: Mutable<ast.Expr>): expr is Selector {
  return expr.type === 'vectorSelector' || expr.type === 'matrixSelector' || expr.type === 'subquery'
}

/** Seconds as whole milliseconds, rounded to nanoseconds before. */
function wholeMs(seconds: number): number {
  return Math.trunc(roundHalfAway(seconds * 1e9) / 1e6)
}

function roundHalfAway(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value)
}

/** Go's `%f`. */
function fixed6(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`
}
