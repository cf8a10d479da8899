// Relabelling rules: shape, defaults and the checks that depend on the action.
import { compileAnchored, isLegacyLabelName, quoteString } from '@watchfire/datamodel'
import type { RelabelConfig } from '../types.ts'
import { ValueError, type Place } from '../errors.ts'
import { field, list, optional, parsed, struct, text, uint64, type Schema, type ValueOf } from '../schema.ts'

export type ValidationScheme = 'utf8' | 'legacy'

const ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const
type Action = (typeof ACTIONS)[number]

const action: Schema<Action | ''> = parsed<Action | ''>(
  'string',
  '',
  (value) => {
    const found = ACTIONS.find((name) => name === value.toLowerCase())
    if (found === undefined) throw new Error(`unknown relabel action ${quoteString(value)}`)
    return found
  },
  (value) => (value === '' ? undefined : value),
)

const regex: Schema<string> = parsed(
  'string',
  '',
  (value) => {
    compileAnchored(value)
    return value
  },
  (value) => value,
)

const labelName: Schema<string> = parsed(
  'model.LabelName',
  '',
  (value) => {
    if (!isValidLabelName(value, 'utf8')) throw new Error(`${quoteString(value)} is not a valid label name`)
    return value
  },
  (value) => value,
)

const fields = {
  source_labels: field(optional(list(labelName, { goType: 'model.LabelNames' }))),
  separator: field(text(), { default: ';', always: true }),
  regex: field(optional(regex)),
  modulus: field(uint64),
  target_label: field(text()),
  replacement: field(text(), { default: '$1', always: true }),
  action: field(action, { default: 'replace' as const }),
}
const shape = struct('relabel.plain', fields)

/** A rule as read, with its place for the checks that need to know the whole scrape config. */
export interface RelabelRaw {
  readonly rule: ValueOf<typeof shape>
  readonly place: Place
}

export const relabel: Schema<RelabelRaw> = {
  goType: 'relabel.plain',
  zero: { rule: shape.zero, place: { line: 0, column: 0 } },
  decode: (node, document) => ({ rule: shape.decode(node, document), place: document.place(node) }),
  encode: ({ rule }) => shape.encode(rule),
}

/** True for a name that the scheme accepts. */
export function isValidLabelName(name: string, scheme: ValidationScheme): boolean {
  return scheme === 'legacy' ? isLegacyLabelName(name) : name !== '' && !/\p{Surrogate}/u.test(name)
}

const LEGACY_TEMPLATE = /^(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+$/

function isValidTemplate(value: string, scheme: ValidationScheme): boolean {
  return scheme === 'utf8' ? isValidLabelName(value, scheme) : LEGACY_TEMPLATE.test(value)
}

/** Checks one rule; throws `ValueError` with Prometheus's text. */
export function checkRelabel({ rule, place }: RelabelRaw, scheme: ValidationScheme): void {
  const fail = (message: string): never => {
    throw new ValueError(message, place)
  }
  const { action: act, target_label: target } = rule
  const one = (...actions: readonly Action[]) => actions.includes(act as Action)
  if (act === '') fail('relabel action cannot be empty')
  if (rule.modulus === 0 && act === 'hashmod')
    fail('relabel configuration for hashmod requires non-zero modulus')
  if (one('replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal') && target === '')
    fail(`relabel configuration for ${act} action requires 'target_label' value`)
  const templated = /\$(?:\{\w+\}|\w+)/.test(target)
  const validTarget =
    act === 'replace' && templated ? isValidTemplate(target, scheme) : isValidLabelName(target, scheme)
  if (one('replace', 'lowercase', 'uppercase', 'keepequal', 'dropequal', 'hashmod') && !validTarget)
    fail(`${quoteString(target)} is invalid 'target_label' for ${act} action`)
  if (one('lowercase', 'uppercase', 'keepequal', 'dropequal') && rule.replacement !== '$1')
    fail(`'replacement' can not be set for ${act} action`)
  if (act === 'labelmap' && !isValidTemplate(rule.replacement, scheme))
    fail(`${quoteString(rule.replacement)} is invalid 'replacement' for ${act} action`)
  const plain = rule.modulus === 0 && rule.separator === ';' && rule.replacement === '$1'
  if (one('dropequal', 'keepequal') && !(plain && rule.regex === undefined))
    fail(`${act} action requires only 'source_labels' and \`target_label\`, and no other fields`)
  if (one('labeldrop', 'labelkeep') && !(plain && rule.source_labels === undefined && target === ''))
    fail(`${act} action requires only 'regex', and no other fields`)
}

/** What the relabelling gets. */
export function relabelConfig({ rule }: RelabelRaw): RelabelConfig {
  return {
    sourceLabels: rule.source_labels ?? [],
    separator: rule.separator,
    regex: rule.regex ?? '(.*)',
    modulus: rule.modulus,
    targetLabel: rule.target_label,
    replacement: rule.replacement,
    action: rule.action === '' ? 'replace' : rule.action,
  }
}
