// Binary operators between scalars and instant vectors.
import { valueType, type BinaryExpr } from '../parser/ast.ts'
import { OracleError, keyOf, unnamed, type OracleLabels, type OracleSample } from './interpreter.ts'

export function arithmetic(op: string, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '%':
      return a % b
    case '==':
      return Number(a === b)
    case '!=':
      return Number(a !== b)
    case '<':
      return Number(a < b)
    case '<=':
      return Number(a <= b)
    case '>':
      return Number(a > b)
    case '>=':
      return Number(a >= b)
    case 'clamp_max':
      return Math.min(a, b)
    case 'clamp_min':
      return Math.max(a, b)
    default:
      throw new Error(`BUG: the oracle does not know ${op}`)
  }
}

const isComparison = (op: string): boolean => ['==', '!=', '<', '<=', '>', '>='].includes(op)

export function combine(expr: BinaryExpr, left: OracleSample[], right: OracleSample[]): OracleSample[] {
  const { op, matching } = expr
  if (matching !== undefined) {
    if (op === 'and' || op === 'or' || op === 'unless') return combineSets(expr, left, right)
    return combineVectors(expr, left, right)
  }
  const leftIsScalar = valueType(expr.lhs) === 'scalar'
  const rightIsScalar = valueType(expr.rhs) === 'scalar'
  if (leftIsScalar && rightIsScalar)
    return [{ labels: {}, value: arithmetic(op, left[0]!.value, right[0]!.value) }]
  const [vector, scalar] = leftIsScalar ? [right, left[0]!.value] : [left, right[0]!.value]
  return vector.flatMap(({ labels, value }) => {
    const result = leftIsScalar ? arithmetic(op, scalar, value) : arithmetic(op, value, scalar)
    return finish(expr, labels, value, result)
  })
}

/** A comparison without `bool` keeps the vector's own sample or nothing. */
function finish(expr: BinaryExpr, labels: OracleLabels, kept: number, result: number): OracleSample[] {
  if (!isComparison(expr.op) || expr.bool) return [{ labels: unnamed(labels), value: result }]
  return result === 1 ? [{ labels, value: kept }] : []
}

function signature(expr: BinaryExpr, labels: OracleLabels): string {
  const { on, labels: names } = expr.matching!
  const used = Object.entries(labels).filter(([name]) =>
    on ? names.includes(name) : name !== '__name__' && !names.includes(name),
  )
  return keyOf(Object.fromEntries(used))
}

function combineSets(expr: BinaryExpr, left: OracleSample[], right: OracleSample[]): OracleSample[] {
  const has = (vector: OracleSample[], { labels }: OracleSample): boolean =>
    vector.some((other) => signature(expr, other.labels) === signature(expr, labels))
  if (expr.op === 'and') return left.filter((sample) => has(right, sample))
  if (expr.op === 'unless') return left.filter((sample) => !has(right, sample))
  return [...left, ...right.filter((sample) => !has(left, sample))]
}

function combineVectors(expr: BinaryExpr, left: OracleSample[], right: OracleSample[]): OracleSample[] {
  const { card, on, labels: names, include } = expr.matching!
  if (left.length === 0 || right.length === 0) return []
  const swapped = card === 'one-to-many'
  const [many, one] = swapped ? [right, left] : [left, right]
  const keys = one.map(({ labels }) => signature(expr, labels))
  if (new Set(keys).size < keys.length) throw new OracleError('many-to-many matching')
  const used = new Set<string>()
  return many.flatMap((sample) => {
    const key = signature(expr, sample.labels)
    const partner = one[keys.indexOf(key)]
    if (partner === undefined) return []
    const [a, b] = swapped ? [partner.value, sample.value] : [sample.value, partner.value]
    let labels = sample.labels
    if (card === 'one-to-one') {
      labels = Object.fromEntries(Object.entries(labels).filter(([name]) => names.includes(name) === on))
    } else {
      const added = include.map((name): [string, string] => [name, partner.labels[name] ?? ''])
      labels = Object.fromEntries([...Object.entries(labels), ...added].filter(([, value]) => value !== ''))
      for (const [name, value] of added)
        if (value === '') labels = Object.fromEntries(Object.entries(labels).filter(([own]) => own !== name))
    }
    // A match counts even when a comparison leaves it out.
    const match = card === 'one-to-one' ? key : key + keyOf(labels)
    if (used.has(match)) throw new OracleError('multiple matches for labels')
    used.add(match)
    return finish(expr, labels, a, arithmetic(expr.op, a, b))
  })
}
