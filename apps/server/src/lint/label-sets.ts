// The labels that the result of an expression can have, as far as they are known.
import type { BinaryExpr, Expr, CallExpr } from '@watchfire/promql/parser'
import type { Knowledge } from './knowledge.ts'
import { metricName } from './tree.ts'

type Names = ReadonlySet<string>

/** Functions whose result has the labels of their first vector or range. */
const KEEPING = new Set(
  (
    'abs ceil exp floor ln log10 log2 sgn sqrt changes delta deriv idelta increase irate rate resets ' +
    'avg_over_time count_over_time first_over_time last_over_time max_over_time min_over_time present_over_time ' +
    'stddev_over_time stdvar_over_time sum_over_time mad_over_time clamp clamp_max clamp_min predict_linear ' +
    'double_exponential_smoothing round sort sort_desc timestamp histogram_avg histogram_count histogram_sum'
  ).split(' '),
)
const SELECTING: ReadonlySet<string> = new Set(['topk', 'bottomk', 'limitk', 'limit_ratio'])

/** undefined = not known. Labels that matchers ask for count as there: their absence is another finding. */
export function labelSetOf(expr: Expr, knowledge: Knowledge): Names | undefined {
  switch (expr.type) {
    case 'vectorSelector': {
      const name = metricName(expr)
      const known = name === '' ? undefined : knowledge.labelsOf(name)
      return known && new Set([...known, ...expr.matchers.map((matcher) => matcher.name)])
    }
    case 'matrixSelector':
      return labelSetOf(expr.vector, knowledge)
    case 'parenExpr':
    case 'subquery':
    case 'unaryExpr':
      return labelSetOf(expr.expr, knowledge)
    case 'aggregation': {
      if (!expr.without && !SELECTING.has(expr.op)) {
        if (expr.op === 'count_values') return undefined
        return new Set(expr.grouping)
      }
      const inner = labelSetOf(expr.expr, knowledge)
      return expr.without && !SELECTING.has(expr.op) ? without(inner, expr.grouping) : inner
    }
    case 'call':
      return ofCall(expr, knowledge)
    case 'binaryExpr':
      return ofBinary(expr, knowledge)
    case 'numberLiteral':
    case 'stringLiteral':
      return new Set()
  }
}

function without(names: Names | undefined, dropped: readonly string[]): Names | undefined {
  return names && new Set([...names].filter((name) => !dropped.includes(name)))
}

function ofCall(call: CallExpr, knowledge: Knowledge): Names | undefined {
  const of = (i: number) => (call.args[i] ? labelSetOf(call.args[i], knowledge) : undefined)
  if (KEEPING.has(call.name)) return of(0)
  if (call.name === 'quantile_over_time') return of(1)
  if (call.name === 'histogram_quantile') return without(of(1), ['le'])
  if (call.name !== 'label_replace' && call.name !== 'label_join') return undefined
  const inner = of(0)
  const target = call.args[1]
  return inner && target?.type === 'stringLiteral' ? new Set([...inner, target.value]) : undefined
}

function ofBinary(expr: BinaryExpr, knowledge: Knowledge): Names | undefined {
  const lhs = labelSetOf(expr.lhs, knowledge)
  const rhs = labelSetOf(expr.rhs, knowledge)
  const { matching } = expr
  if (expr.op === 'and' || expr.op === 'unless') return lhs
  if (!matching || expr.op === 'or') return lhs && rhs && new Set([...lhs, ...rhs])
  switch (matching.card) {
    case 'many-to-one':
      return lhs && new Set([...lhs, ...matching.include])
    case 'one-to-many':
      return rhs && new Set([...rhs, ...matching.include])
    default:
      return matching.on ? new Set(matching.labels) : without(lhs, matching.labels)
  }
}
