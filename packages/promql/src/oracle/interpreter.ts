// A second PromQL evaluator, for tests: one expression, one time, plain arrays, no tricks. It knows floats only, and
// those parts of the language that `random-queries.fuzz.ts` makes. Slow and meant to be obviously right.
import { isStale } from '@watchfire/datamodel'
import type { CallExpr, Expr, MatrixSelector, SubqueryExpr, VectorSelector } from '../parser/ast.ts'
import { aggregate } from './aggregations.ts'
import { combine, arithmetic } from './operators.ts'
import { WINDOW_ORACLES, type WindowSample } from './windows.ts'

export type OracleLabels = Readonly<Record<string, string>>

export interface OracleSeries {
  readonly labels: OracleLabels
  /** [ms, value] in order of time. */
  readonly samples: readonly (readonly [number, number])[]
}

export interface OracleSample {
  readonly labels: OracleLabels
  readonly value: number
}

export interface OracleQuery {
  readonly series: readonly OracleSeries[]
  readonly startMs: number
  readonly endMs: number
  readonly lookbackMs: number
  readonly subqueryStepMs: number
}

/** A query that has no result, such as one with equal label sets in one vector. */
export class OracleError extends Error {
  override name = 'OracleError'
}

/** The instant vector of an expression at a time; a scalar is one sample without labels. */
export function interpret(expr: Expr, timeMs: number, query: OracleQuery): OracleSample[] {
  const at = (inner: Expr): OracleSample[] => interpret(inner, timeMs, query)
  switch (expr.type) {
    case 'numberLiteral':
      return [{ labels: {}, value: expr.value }]
    case 'parenExpr':
      return at(expr.expr)
    case 'unaryExpr':
      if (expr.op === '+') return at(expr.expr)
      return unique(at(expr.expr).map(({ labels, value }) => ({ labels: unnamed(labels), value: -value })))
    case 'vectorSelector':
      return select(expr, timeMs, query)
    case 'aggregation':
      return aggregate(expr, at(expr.expr), expr.param && at(expr.param)[0]!.value)
    case 'binaryExpr':
      return unique(combine(expr, at(expr.lhs), at(expr.rhs)))
    case 'call':
      return unique(call(expr, timeMs, query))
    default:
      throw new Error(`BUG: the oracle does not know ${expr.type}`)
  }
}

export function unnamed(labels: OracleLabels): OracleLabels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== '__name__'))
}

export function keyOf(labels: OracleLabels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function unique(vector: OracleSample[]): OracleSample[] {
  if (new Set(vector.map(({ labels }) => keyOf(labels))).size < vector.length)
    throw new OracleError('equal label sets')
  return vector
}

function matching(selector: VectorSelector, { series }: OracleQuery): readonly OracleSeries[] {
  return series.filter(({ labels }) => selector.matchers.every((m) => m.matches(labels[m.name] ?? '')))
}

/** When a selector or subquery looks. */
function shifted(node: VectorSelector | SubqueryExpr, timeMs: number, query: OracleQuery): number {
  const { startMs, endMs } = query
  const pinned = node.startOrEnd === 'start' ? startMs : node.startOrEnd === 'end' ? endMs : node.atMs
  return (pinned ?? timeMs) - node.offsetMs
}

function select(selector: VectorSelector, timeMs: number, query: OracleQuery): OracleSample[] {
  const end = shifted(selector, timeMs, query)
  return matching(selector, query).flatMap(({ labels, samples }) => {
    const newest = samples.findLast(([t]) => t <= end)
    if (newest === undefined || newest[0] <= end - query.lookbackMs || isStale(newest[1])) return []
    return [{ labels, value: newest[1] }]
  })
}

interface RangeSamples {
  readonly labels: OracleLabels
  readonly window: readonly WindowSample[]
}

function range(
  node: MatrixSelector | SubqueryExpr,
  timeMs: number,
  query: OracleQuery,
): { all: RangeSamples[]; end: number } {
  if (node.type === 'matrixSelector') {
    const end = shifted(node.vector, timeMs, query)
    const inside = ([t, value]: readonly [number, number]): boolean =>
      t > end - node.rangeMs && t <= end && !isStale(value)
    const all = matching(node.vector, query).map(({ labels, samples }) => ({
      labels,
      window: samples.filter(inside).map(([t, value]) => ({ t, value })),
    }))
    return { all, end }
  }
  const end = shifted(node, timeMs, query)
  const step = node.stepMs || query.subqueryStepMs
  const found = new Map<string, { labels: OracleLabels; window: WindowSample[] }>()
  for (let t = (Math.floor((end - node.rangeMs) / step) + 1) * step; t <= end; t += step)
    for (const { labels, value } of interpret(node.expr, t, query)) {
      const key = keyOf(labels)
      if (!found.has(key)) found.set(key, { labels, window: [] })
      found.get(key)!.window.push({ t, value })
    }
  return { all: [...found.values()], end }
}

const MATH: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  sqrt: Math.sqrt,
  sgn: (value) => (value < 0 ? -1 : value > 0 ? 1 : value),
}

function call(expr: CallExpr, timeMs: number, query: OracleQuery): OracleSample[] {
  const { name, args } = expr
  const vector = (i: number): OracleSample[] => interpret(args[i]!, timeMs, query)
  const each = (f: (value: number) => number): OracleSample[] =>
    vector(0).map(({ labels, value }) => ({ labels: unnamed(labels), value: f(value) }))
  const math = MATH[name]
  if (math !== undefined) return each(math)
  const over = args.findIndex(({ type }) => type === 'matrixSelector' || type === 'subquery')
  if (over >= 0) {
    const node = args[over] as MatrixSelector | SubqueryExpr
    const scalar = args.length > 1 ? vector(1 - over)[0]!.value : 0
    const { all, end } = range(node, timeMs, query)
    const results = all.flatMap(({ labels, window }) => {
      const value = WINDOW_ORACLES[name]!(window, { end, rangeMs: node.rangeMs }, scalar)
      return value === undefined ? [] : [{ labels, value }]
    })
    return name === 'last_over_time' || name === 'first_over_time'
      ? results
      : results.map(({ labels, value }) => ({ labels: unnamed(labels), value }))
  }
  switch (name) {
    case 'clamp_max':
      return each((value) => arithmetic('clamp_max', value, vector(1)[0]!.value))
    case 'clamp_min':
      return each((value) => arithmetic('clamp_min', value, vector(1)[0]!.value))
    case 'scalar': {
      const found = vector(0)
      return [{ labels: {}, value: found.length === 1 ? found[0]!.value : NaN }]
    }
    case 'vector':
      return vector(0)
    case 'time':
      return [{ labels: {}, value: timeMs / 1000 }]
    default:
      throw new Error(`BUG: the oracle does not know ${name}`)
  }
}
