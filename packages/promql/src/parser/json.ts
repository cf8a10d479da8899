// The tree as the HTTP API shows it (`/api/v1/parse_query`), for the tree view of the user interface.
import type { DurationNode, Expr, TimeModifiers, VectorSelector } from './ast.ts'
import { FUNCTIONS } from './functions-table.ts'
import { toWellFormed } from './literals.ts'
import { formatPlain } from './print.ts'

/** A node of the answer of parse_query. */
export interface ExprJson {
  readonly type: string
  readonly [field: string]: unknown
}

/** The `data` of `/api/v1/parse_query`. */
export function exprToJson(expr: Expr): ExprJson {
  switch (expr.type) {
    case 'aggregation':
      return {
        type: expr.type,
        op: expr.op,
        expr: exprToJson(expr.expr),
        param: expr.param ? exprToJson(expr.param) : null,
        grouping: expr.grouping.map(toWellFormed),
        without: expr.without,
      }
    case 'binaryExpr':
      return {
        type: expr.type,
        op: expr.op,
        lhs: exprToJson(expr.lhs),
        rhs: exprToJson(expr.rhs),
        matching: expr.matching
          ? {
              card: expr.matching.card,
              labels: expr.matching.labels.map(toWellFormed),
              on: expr.matching.on,
              include: expr.matching.include.map(toWellFormed),
              fillValues: { lhs: expr.matching.fill.left ?? null, rhs: expr.matching.fill.right ?? null },
            }
          : null,
        bool: expr.bool,
      }
    case 'call': {
      const { name, argTypes, variadic, returnType } = FUNCTIONS.get(expr.name)!
      return {
        type: expr.type,
        func: { name, argTypes, variadic, returnType },
        args: expr.args.map(exprToJson),
      }
    }
    case 'matrixSelector':
      return {
        ...selectorJson(expr.vector),
        type: expr.type,
        range: expr.rangeMs,
        rangeExpr: durationJson(expr.rangeExpr),
      }
    case 'subquery':
      return {
        type: expr.type,
        expr: exprToJson(expr.expr),
        range: expr.rangeMs,
        rangeExpr: durationJson(expr.rangeExpr),
        step: expr.stepMs,
        stepExpr: durationJson(expr.stepExpr),
        ...modifiersJson(expr),
      }
    case 'numberLiteral':
      return { type: expr.type, val: formatPlain(expr.value) }
    case 'parenExpr':
      return { type: expr.type, expr: exprToJson(expr.expr) }
    case 'stringLiteral':
      return { type: expr.type, val: toWellFormed(expr.value) }
    case 'unaryExpr':
      return { type: expr.type, op: expr.op, expr: exprToJson(expr.expr) }
    case 'vectorSelector':
      return selectorJson(expr)
  }
}

function selectorJson(selector: VectorSelector): ExprJson {
  return {
    type: selector.type,
    name: selector.name,
    matchers: selector.matchers.map(({ name, value, type }) => ({
      name: toWellFormed(name),
      value: toWellFormed(value),
      type,
    })),
    anchored: selector.anchored,
    smoothed: selector.smoothed,
    ...modifiersJson(selector),
  }
}

function modifiersJson(node: TimeModifiers): Record<string, unknown> {
  return {
    offset: node.offsetMs,
    offsetExpr: durationJson(node.offsetExpr),
    timestamp: node.atMs ?? null,
    startOrEnd: node.startOrEnd ?? null,
  }
}

function durationJson(node: DurationNode | undefined): ExprJson | null {
  if (!node) return null
  if (node.type === 'numberLiteral')
    return { type: node.type, val: formatPlain(node.value), duration: node.duration }
  return {
    type: node.type,
    op: node.op,
    lhs: durationJson(node.lhs),
    rhs: durationJson(node.rhs),
    wrapped: node.wrapped,
  }
}
