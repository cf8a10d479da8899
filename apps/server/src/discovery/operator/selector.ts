// Label selectors of Kubernetes: as objects carry them, and against labels.
import type { LabelSelector } from '../../config/index.ts'
import { at, childOf, listAt, textAt, textMapAt, textsAt } from '../untrusted.ts'

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const

/** True when all requirements hold; an empty selector matches everything. */
export function matchesSelector(selector: LabelSelector, labels: ReadonlyMap<string, string>): boolean {
  for (const [name, value] of Object.entries(selector.matchLabels))
    if (labels.get(name) !== value) return false
  return selector.matchExpressions.every(({ key, operator, values }) => {
    const value = labels.get(key)
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value)
      case 'NotIn':
        return value === undefined || !values.includes(value)
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
    }
  })
}

/** The selector at a field of an object. Throws for an operator that does not exist. */
export function selectorAt(raw: unknown, field: string): LabelSelector {
  const selector = childOf(raw, field)
  return {
    matchLabels: Object.fromEntries(textMapAt(selector, 'matchLabels')),
    matchExpressions: listAt(selector, 'matchExpressions').map((expression) => {
      const given = at(expression, 'operator')
      const operator = OPERATORS.find((name) => name === given)
      if (operator === undefined) throw new Error(`unknown operator ${JSON.stringify(given)} in the selector`)
      return { key: textAt(expression, 'key'), operator, values: textsAt(expression, 'values') }
    }),
  }
}
