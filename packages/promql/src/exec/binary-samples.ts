// One binary operation on two samples, floats or histograms, and its fast form over whole rows of floats.
// Data plane.
import {
  COUNTER_RESET,
  IncompatibleHistogramsError,
  addHistograms,
  compactHistogram,
  divideHistogram,
  equalHistograms,
  scaleHistogram,
  subHistograms,
  trimHistogram,
  type FloatHistogram,
} from '@watchfire/datamodel'
import { notes } from '../functions/notes.ts'
import type { BinaryOp } from '../parser/ast.ts'
import type { Annotations } from './annotations.ts'
import { KIND } from './operator.ts'

/** Result of `apply`: the two samples do not go together, as if one were not there. */
export const IMPOSSIBLE = -1

export function isComparison(op: BinaryOp): boolean {
  return op === '==' || op === '!=' || op === '<' || op === '>' || op === '<=' || op === '>='
}

/** The result is not what the metric's name says. */
export function changesMeaning(op: BinaryOp): boolean {
  return op === '+' || op === '-' || op === '*' || op === '/' || op === '%' || op === '^' || op === 'atan2'
}

/** Go's math.Pow, which differs from JavaScript's for a base of ±1. */
export function power(base: number, exponent: number): number {
  if (base === 1) return 1
  if (base === -1 && Math.abs(exponent) === Infinity) return 1
  return Math.pow(base, exponent)
}

export function arithmetic(op: BinaryOp, a: number, b: number): number {
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
    case '^':
      return power(a, b)
    case 'atan2':
      return Math.atan2(a, b)
    default:
      throw new Error(`BUG: ${op} is not arithmetic`)
  }
}

export function compares(op: BinaryOp, a: number, b: number): boolean {
  switch (op) {
    case '==':
      return a === b
    case '!=':
      return a !== b
    case '<':
      return a < b
    case '>':
      return a > b
    case '<=':
      return a <= b
    case '>=':
      return a >= b
    default:
      throw new Error(`BUG: ${op} is not a comparison`)
  }
}

/** Operation on samples; `value` and `histogram` hold the last result. */
export class BinarySamples {
  value = 0
  histogram: FloatHistogram | undefined
  /** Outcome of the last comparison; true after anything else. */
  holds = true
  readonly op: BinaryOp
  readonly #comparison: boolean
  readonly #annotations: Annotations
  readonly #position: number

  constructor(op: BinaryOp, annotations: Annotations, position: number) {
    this.op = op
    this.#comparison = isComparison(op)
    this.#annotations = annotations
    this.#position = position
  }

  /**
   * KIND of the result before filtering (comparisons give the left sample and set `holds`), or IMPOSSIBLE.
   */
  apply(
    left: number,
    right: number,
    leftH: FloatHistogram | undefined,
    rightH: FloatHistogram | undefined,
  ): number {
    this.holds = true
    if (leftH === undefined && rightH === undefined) {
      if (this.#comparison) {
        this.value = left
        this.holds = compares(this.op, left, right)
      } else if (this.op === '</' || this.op === '>/') return this.#incompatible('float', 'float')
      else this.value = arithmetic(this.op, left, right)
      return KIND.float
    }
    const result = this.#applyHistograms(left, right, leftH, rightH)
    if (result === undefined) return IMPOSSIBLE
    this.histogram = result
    return KIND.histogram
  }

  #applyHistograms(
    left: number,
    right: number,
    leftH: FloatHistogram | undefined,
    rightH: FloatHistogram | undefined,
  ): FloatHistogram | undefined {
    if (leftH === undefined) {
      if (this.op === '*') return compactHistogram(scaleHistogram(rightH!, left))
      this.#incompatible('float', 'histogram')
      return undefined
    }
    if (rightH === undefined) {
      if (this.op === '*') return compactHistogram(scaleHistogram(leftH, right))
      if (this.op === '/') return compactHistogram(divideHistogram(leftH, right))
      if (this.op === '</' || this.op === '>/') return trimHistogram(leftH, right, this.op === '</')
      this.#incompatible('histogram', 'float')
      return undefined
    }
    if (this.op === '==' || this.op === '!=') {
      this.holds = equalHistograms(leftH, rightH) === (this.op === '==')
      return leftH
    }
    if (this.op === '+' || this.op === '-') return this.#combine(leftH, rightH)
    this.#incompatible('histogram', 'histogram')
    return undefined
  }

  #combine(left: FloatHistogram, right: FloatHistogram): FloatHistogram | undefined {
    const operation = this.op === '+' ? 'addition' : 'subtraction'
    try {
      const combined = this.op === '+' ? addHistograms(left, right) : subHistograms(left, right)
      if (combined.boundsReconciled) notes.boundsReconciled(this.#annotations, operation, this.#position)
      if (combined.counterResetCollision) {
        notes.resetCollision(this.#annotations, operation, this.#position)
        return undefined
      }
      const compact = compactHistogram(combined.histogram)
      return this.op === '+' ? compact : { ...compact, counterResetHint: COUNTER_RESET.gauge }
    } catch (error) {
      if (!(error instanceof IncompatibleHistogramsError)) throw error
      const text = `incompatible bucket layout encountered for binary operator ${this.op}`
      this.#annotations.warn(text, this.#position)
      return undefined
    }
  }

  #incompatible(left: string, right: string): typeof IMPOSSIBLE {
    const text = `incompatible sample types encountered for binary operator ${JSON.stringify(this.op)}`
    this.#annotations.info(`${text}: ${left} ${this.op} ${right}`, this.#position)
    return IMPOSSIBLE
  }
}

/** `out[i] = a[i] op b[i]` for all i, whatever is present. */
export function arithmeticRows(op: BinaryOp, a: Float64Array, b: Float64Array, out: Float64Array): void {
  const n = out.length
  switch (op) {
    case '+':
      for (let i = 0; i < n; i++) out[i] = a[i]! + b[i]!
      return
    case '-':
      for (let i = 0; i < n; i++) out[i] = a[i]! - b[i]!
      return
    case '*':
      for (let i = 0; i < n; i++) out[i] = a[i]! * b[i]!
      return
    case '/':
      for (let i = 0; i < n; i++) out[i] = a[i]! / b[i]!
      return
    default:
      for (let i = 0; i < n; i++) out[i] = arithmetic(op, a[i]!, b[i]!)
  }
}
