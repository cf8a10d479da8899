// The relabelling that stands between discovery and the targets of a monitor, as the operator writes it.
import type { LabelSelector } from '../../config/index.ts'
import { sanitizeLabelName } from '../context.ts'
import { at, listAt, textAt, textsAt } from '../untrusted.ts'

/** A rule with Prometheus's names. */
export type Rule = Readonly<Record<string, unknown>>

const M = '__meta_kubernetes_'

export function keep(source: string, regex: string): Rule {
  return { action: 'keep', source_labels: [source], regex }
}

/** Copies a label. */
export function copy(source: string, target: string): Rule {
  return { source_labels: [source], target_label: target }
}

/** Copies a label where it is not empty. */
export function copyNonEmpty(source: string, target: string): Rule {
  return { source_labels: [source], target_label: target, regex: '(.+)', replacement: '${1}' }
}

/** Targets of services or pods that a selector matches. */
export function selectorRules(selector: LabelSelector, resource: 'service' | 'pod'): Rule[] {
  const sources = (name: string) => {
    const safe = sanitizeLabelName(name)
    return [`${M}${resource}_label_${safe}`, `${M}${resource}_labelpresent_${safe}`]
  }
  const rules: Rule[] = Object.keys(selector.matchLabels)
    .sort()
    .map((name) => ({
      action: 'keep',
      source_labels: sources(name),
      regex: `(${selector.matchLabels[name]!});true`,
    }))
  for (const { key, operator, values } of selector.matchExpressions) {
    const [, present] = sources(key)
    const some = `(${values.join('|')});true`
    if (operator === 'In') rules.push({ action: 'keep', source_labels: sources(key), regex: some })
    if (operator === 'NotIn') rules.push({ action: 'drop', source_labels: sources(key), regex: some })
    if (operator === 'Exists') rules.push({ action: 'keep', source_labels: [present], regex: 'true' })
    if (operator === 'DoesNotExist') rules.push({ action: 'drop', source_labels: [present], regex: 'true' })
  }
  return rules
}

/** Leaves out pods that have ended, unless the endpoint wants them. */
export function runningRules(endpoint: unknown): Rule[] {
  if (at(endpoint, 'filterRunning') === false) return []
  return [{ action: 'drop', source_labels: [`${M}pod_phase`], regex: '(Failed|Succeeded)' }]
}

/** `targetLabels` and `podTargetLabels`. */
export function transferRules(spec: unknown, field: string, resource: 'service' | 'pod'): Rule[] {
  return textsAt(spec, field).map((name) => {
    const safe = sanitizeLabelName(name)
    return copyNonEmpty(`${M}${resource}_label_${safe}`, safe)
  })
}

/** Rules that the monitor itself carries, in the names of the file. */
export function ownRules(endpoint: unknown, field: string): Rule[] {
  return listAt(endpoint, field).map((raw) => {
    const rule: Record<string, unknown> = {}
    const sources = textsAt(raw, 'sourceLabels')
    if (sources.length > 0) rule.source_labels = sources
    for (const [name, target] of [
      ['separator', 'separator'],
      ['targetLabel', 'target_label'],
      ['regex', 'regex'],
      ['replacement', 'replacement'],
    ] as const) {
      const value = at(raw, name)
      const isEmpty = value === '' && (name === 'regex' || name === 'targetLabel')
      if (typeof value === 'string' && !isEmpty) rule[target] = value
    }
    const modulus = at(raw, 'modulus')
    if (typeof modulus === 'number' && modulus !== 0) rule.modulus = modulus
    const action = textAt(raw, 'action')
    if (action !== '') rule.action = action.toLowerCase()
    return rule
  })
}
