// Prints trees: canonical on one line, and laid out over lines of about 100 characters.
import { compareUtf8, formatDuration, METRIC_NAME, quoteLabelName, quoteString } from '@watchfire/datamodel'
import type { DurationNode, Expr, TimeModifiers, VectorSelector } from './ast.ts'
import { utf8Length } from './error.ts'

const WIDTH = 100

/** The canonical form, on one line. Parses to the same tree. */
export function printExpr(expr: Expr): string {
  return print(expr, undefined)
}

/** Lines of expressions printed before: laying out asks for the line of every level. */
type Memo = Map<Expr, string> | undefined

function print(expr: Expr, memo: Memo): string {
  const known = memo?.get(expr)
  if (known !== undefined) return known
  const line = printNode(expr, memo)
  memo?.set(expr, line)
  return line
}

function printNode(expr: Expr, memo: Memo): string {
  switch (expr.type) {
    case 'aggregation': {
      const param = expr.param ? `${print(expr.param, memo)}, ` : ''
      return `${aggregationHead(expr)}(${param}${print(expr.expr, memo)})`
    }
    case 'binaryExpr':
      return `${print(expr.lhs, memo)} ${expr.op}${binaryModifiers(expr)} ${print(expr.rhs, memo)}`
    case 'call':
      return `${expr.name}(${expr.args.map((arg) => print(arg, memo)).join(', ')})`
    case 'matrixSelector': {
      const { vector } = expr
      const name = `${vector.name}${printMatchers(vector)}`
      return `${name}[${printSpan(expr.rangeMs, expr.rangeExpr)}]${extension(vector)}${at(vector)}${offset(vector)}`
    }
    case 'subquery':
      return print(expr.expr, memo) + subquerySuffix(expr)
    case 'numberLiteral':
      return printNumber(expr)
    case 'parenExpr':
      return `(${print(expr.expr, memo)})`
    case 'stringLiteral':
      return quoteString(expr.value)
    case 'unaryExpr':
      return expr.op + print(expr.expr, memo)
    case 'vectorSelector':
      return `${expr.name}${printMatchers(expr)}${at(expr)}${extension(expr)}${offset(expr)}`
  }
}

/** Spread over several lines where one would be longer than 100 bytes, as promtool and the HTTP API format. */
export function prettyExpr(expr: Expr): string {
  return pretty(expr, 0, new Map())
}

function pretty(expr: Expr, level: number, memo: Memo): string {
  const indent = '  '.repeat(level)
  const line = print(expr, memo)
  switch (expr.type) {
    case 'subquery':
      return fits(line) ? line : pretty(expr.expr, level, memo) + subquerySuffix(expr)
    case 'unaryExpr':
      return indent + expr.op + pretty(expr.expr, level, memo).trim()
  }
  if (fits(line)) return indent + line
  switch (expr.type) {
    case 'aggregation': {
      const param = expr.param ? `${pretty(expr.param, level + 1, memo)},\n` : ''
      return `${indent}${aggregationHead(expr)}(\n${param}${pretty(expr.expr, level + 1, memo)}\n${indent})`
    }
    case 'binaryExpr': {
      const op = expr.op + binaryModifiers(expr)
      return `${pretty(expr.lhs, level + 1, memo)}\n${indent}${op}\n${pretty(expr.rhs, level + 1, memo)}`
    }
    case 'call': {
      const args = expr.args.map((arg) => pretty(arg, level + 1, memo)).join(',\n')
      return `${indent}${expr.name}(\n${args}\n${indent})`
    }
    case 'parenExpr':
      return `${indent}(\n${pretty(expr.expr, level + 1, memo)}\n${indent})`
    default:
      return indent + line
  }
}

function fits(line: string): boolean {
  return line.length <= WIDTH && utf8Length(line) <= WIDTH
}

function aggregationHead(expr: Expr & { type: 'aggregation' }): string {
  if (expr.without) return `${expr.op} without (${labelList(expr.grouping)}) `
  return expr.grouping.length > 0 ? `${expr.op} by (${labelList(expr.grouping)}) ` : expr.op
}

function labelList(labels: readonly string[]): string {
  return labels.map(quoteLabelName).join(', ')
}

function binaryModifiers(expr: Expr & { type: 'binaryExpr' }): string {
  let text = expr.bool ? ' bool' : ''
  const { matching } = expr
  if (!matching) return text
  const { card, labels, on, include, fill } = matching
  const grouped = card === 'many-to-one' || card === 'one-to-many'
  if (labels.length > 0 || on || grouped) text += ` ${on ? 'on' : 'ignoring'} (${labelList(labels)})`
  if (grouped) text += ` group_${card === 'many-to-one' ? 'left' : 'right'} (${labelList(include)})`
  if (fill.left !== undefined && fill.left === fill.right) return `${text} fill (${formatG(fill.left)})`
  if (fill.left !== undefined) text += ` fill_left (${formatG(fill.left)})`
  if (fill.right !== undefined) text += ` fill_right (${formatG(fill.right)})`
  return text
}

function printMatchers(selector: VectorSelector): string {
  const { name, matchers } = selector
  const parts = matchers
    .filter((m) => !(name !== '' && m.name === METRIC_NAME && m.type === '=' && m.value === name))
    .map((m) => `${quoteLabelName(m.name)}${m.type}${quoteString(m.value)}`)
  return parts.length > 0 ? `{${parts.sort(compareUtf8).join(',')}}` : ''
}

function extension(selector: VectorSelector): string {
  return selector.anchored ? ' anchored' : selector.smoothed ? ' smoothed' : ''
}

function at(node: TimeModifiers): string {
  if (node.atMs !== undefined) return ` @ ${(node.atMs / 1000).toFixed(3)}`
  return node.startOrEnd ? ` @ ${node.startOrEnd}()` : ''
}

function offset(node: TimeModifiers): string {
  if (node.offsetExpr) return ` offset ${printDuration(node.offsetExpr)}`
  return node.offsetMs === 0 ? '' : ` offset ${formatDuration(node.offsetMs)}`
}

function subquerySuffix(expr: Expr & { type: 'subquery' }): string {
  const step = expr.stepMs !== 0 || expr.stepExpr ? printSpan(expr.stepMs, expr.stepExpr) : ''
  return `[${printSpan(expr.rangeMs, expr.rangeExpr)}:${step}]${at(expr)}${offset(expr)}`
}

function printSpan(ms: number, expr: DurationNode | undefined): string {
  return expr ? printDuration(expr) : formatDuration(ms)
}

function printDuration(node: DurationNode): string {
  if (node.type === 'numberLiteral') return printNumber(node)
  const text = printOperation(node)
  return node.wrapped ? `(${text})` : text
}

function printOperation(node: DurationNode & { type: 'durationExpr' }): string {
  const { op, lhs, rhs } = node
  if (op === 'step' || op === 'range') return `${op}()`
  if (!rhs) return ''
  if (!lhs) return (op === '-' ? '-' : '') + printDuration(rhs)
  if (op === 'min_of' || op === 'max_of') return `${op}(${printDuration(lhs)}, ${printDuration(rhs)})`
  return `${printDuration(lhs)} ${op} ${printDuration(rhs)}`
}

function printNumber(node: { value: number; duration: boolean }): string {
  if (!node.duration) return formatPlain(node.value)
  const ms = Math.trunc(Math.trunc(Math.abs(node.value) * 1e9) / 1e6)
  return (node.value < 0 ? '-' : '') + formatDuration(ms)
}

/** The shortest decimal without an exponent (Go's format 'f'). */
export function formatPlain(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa, exponent] = String(Math.abs(value)).split('e')
  const sign = value < 0 ? '-' : ''
  if (exponent === undefined) return sign + mantissa
  const [whole, fraction = ''] = mantissa!.split('.')
  const shift = Number(exponent)
  if (shift < 0) return `${sign}0.${'0'.repeat(-shift - 1)}${whole}${fraction}`
  return sign + whole + fraction.padEnd(shift, '0')
}

/** Go's `%v`: an exponent below 1e-4 and from 1e21 on. */
function formatG(value: number): string {
  const size = Math.abs(value)
  if (!Number.isFinite(value) || value === 0 || (size >= 1e-4 && size < 1e21)) return formatPlain(value)
  const [mantissa, exponent] = value.toExponential().split('e')
  const digits = exponent!.slice(1).padStart(2, '0')
  return `${mantissa}e${exponent![0]}${digits}`
}
