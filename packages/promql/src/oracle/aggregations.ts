// Aggregations of one instant vector, group by group.
import type { AggregateExpr } from '../parser/ast.ts'
import { keyOf, type OracleLabels, type OracleSample } from './interpreter.ts'
import { quantile } from './windows.ts'

export function aggregate(expr: AggregateExpr, vector: OracleSample[], param?: number): OracleSample[] {
  const groups = new Map<string, { labels: OracleLabels; members: OracleSample[] }>()
  for (const sample of vector) {
    const labels = groupLabels(expr, sample.labels)
    const key = keyOf(labels)
    if (!groups.has(key)) groups.set(key, { labels, members: [] })
    groups.get(key)!.members.push(sample)
  }
  return [...groups.values()].flatMap(({ labels, members }) => {
    if (expr.op === 'topk' || expr.op === 'bottomk') return pick(expr.op, members, Math.trunc(param!))
    return [
      {
        labels,
        value: reduce(
          expr.op,
          members.map(({ value }) => value),
          param,
        ),
      },
    ]
  })
}

function groupLabels({ grouping, without }: AggregateExpr, labels: OracleLabels): OracleLabels {
  return Object.fromEntries(
    Object.entries(labels).filter(([name]) =>
      without ? name !== '__name__' && !grouping.includes(name) : grouping.includes(name),
    ),
  )
}

function reduce(op: string, values: readonly number[], param?: number): number {
  const count = values.length
  const sum = values.reduce((total, value) => total + value, 0)
  const numbers = values.filter((value) => !Number.isNaN(value))
  switch (op) {
    case 'sum':
      return sum
    case 'avg':
      return sum / count
    case 'min':
      return numbers.length > 0 ? Math.min(...numbers) : NaN
    case 'max':
      return numbers.length > 0 ? Math.max(...numbers) : NaN
    case 'count':
      return count
    case 'group':
      return 1
    case 'stdvar':
      return values.reduce((total, value) => total + (value - sum / count) ** 2, 0) / count
    case 'stddev':
      return Math.sqrt(reduce('stdvar', values))
    case 'quantile':
      return quantile(param!, values)
    default:
      throw new Error(`BUG: the oracle does not know ${op}`)
  }
}

/** The k members with the largest or smallest values; NaN comes last. */
function pick(op: 'topk' | 'bottomk', members: readonly OracleSample[], k: number): OracleSample[] {
  const sign = op === 'topk' ? -1 : 1
  const order = (a: OracleSample, b: OracleSample): number =>
    Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value)) || sign * (a.value - b.value)
  return [...members].sort(order).slice(0, Math.max(0, k))
}
