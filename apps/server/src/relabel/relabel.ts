// Relabelling: rewrites, keeps or drops label sets by the rules of relabel_configs and metric_relabel_configs.
import { createHash } from 'node:crypto'
import type { RE2JS } from 're2js'
import {
  Labels,
  compareUtf8,
  compileAnchored,
  compileRe2,
  isLegacyLabelName,
  type StringMatcher,
} from '@watchfire/datamodel'
import type { RelabelConfig } from '../config/types.ts'
import { expand, matchWhole, parseTemplate, type Match, type Template } from './expand.ts'

/** A rule made ready. Values come from `compileRelabel`. */
export interface CompiledRelabel {
  readonly config: RelabelConfig
  readonly matcher: StringMatcher
  /** With groups; made only where a template uses them. */
  readonly re: RE2JS | undefined
  /** `(.*)` without flags: matches everything and group 1 is all of it. */
  readonly matchesAll: boolean
  readonly target: Template
  readonly replacement: Template
  readonly validName: (name: string) => boolean
}

export interface RelabelOptions {
  /** Which label names a rule may produce. Default utf8. */
  readonly validation?: 'utf8' | 'legacy'
}

/** Compiles validated rules. Throws `RegexError` for a pattern RE2 refuses. */
export function compileRelabel(
  configs: readonly RelabelConfig[],
  { validation = 'utf8' }: RelabelOptions = {},
): CompiledRelabel[] {
  return configs.map((config) => {
    const target = parseTemplate(config.targetLabel)
    const replacement = parseTemplate(config.replacement)
    const templates = config.action === 'labelmap' ? [replacement] : [target, replacement]
    const usesGroups =
      (config.action === 'replace' || config.action === 'labelmap') &&
      templates.some(({ literal }) => literal === undefined)
    const matchesAll = config.regex === '(.*)'
    return {
      config,
      matcher: compileAnchored(config.regex),
      re: usesGroups && !matchesAll ? compileRe2(`^(?s:${config.regex})$`, config.regex) : undefined,
      matchesAll,
      target,
      replacement,
      validName: validation === 'legacy' ? isLegacyLabelName : (name: string): boolean => name !== '',
    }
  })
}

/** The label set after all rules, undefined when a rule drops it. Labels that come or become empty are gone. */
export function relabel(labels: Labels, rules: readonly CompiledRelabel[]): Labels | undefined {
  const map = new Map(labels)
  return relabelMap(map, rules) ? Labels.from(map) : undefined
}

/** Applies the rules to a mutable label set; false when a rule drops it. */
export function relabelMap(labels: Map<string, string>, rules: readonly CompiledRelabel[]): boolean {
  return rules.every((rule) => applyRule(labels, rule))
}

function set(labels: Map<string, string>, name: string, value: string): void {
  if (value === '') labels.delete(name)
  else labels.set(name, value)
}

function applyRule(labels: Map<string, string>, rule: CompiledRelabel): boolean {
  const { config, matcher } = rule
  const { targetLabel } = config
  const source = config.sourceLabels.map((name) => labels.get(name) ?? '').join(config.separator)
  switch (config.action) {
    case 'keep':
      return matcher.matches(source)
    case 'drop':
      return !matcher.matches(source)
    case 'keepequal':
      return (labels.get(targetLabel) ?? '') === source
    case 'dropequal':
      return (labels.get(targetLabel) ?? '') !== source
    case 'replace':
      replace(labels, rule, source)
      return true
    case 'lowercase':
      set(labels, targetLabel, mapCase(source, 'toLowerCase'))
      return true
    case 'uppercase':
      set(labels, targetLabel, mapCase(source, 'toUpperCase'))
      return true
    case 'hashmod':
      set(labels, targetLabel, hashMod(source, config.modulus))
      return true
    case 'labelmap':
      for (const [name, value] of [...labels].sort(byName)) {
        const match = value === '' ? undefined : matchRule(rule, name)
        if (match !== undefined) set(labels, expand(rule.replacement, match), value)
      }
      return true
    case 'labeldrop':
      for (const name of [...labels.keys()]) if (matcher.matches(name)) labels.delete(name)
      return true
    case 'labelkeep':
      for (const name of [...labels.keys()]) if (!matcher.matches(name)) labels.delete(name)
      return true
  }
}

function byName(a: readonly [string, string], b: readonly [string, string]): number {
  return compareUtf8(a[0], b[0])
}

const NO_GROUPS: Match = { group: () => '' }

/** The match of a rule's pattern with all of a text. */
function matchRule(rule: CompiledRelabel, text: string): Match | undefined {
  if (rule.matchesAll) return { group: (reference) => (reference === 0 || reference === 1 ? text : '') }
  if (!rule.matcher.matches(text)) return undefined
  return rule.re === undefined ? NO_GROUPS : matchWhole(rule.re, text)
}

function replace(labels: Map<string, string>, rule: CompiledRelabel, source: string): void {
  const match = matchRule(rule, source)
  if (match === undefined) return
  const target = expand(rule.target, match)
  if (rule.validName(target)) set(labels, target, expand(rule.replacement, match))
}

/** Last eight bytes of the MD5, as a number, modulo. */
function hashMod(text: string, modulus: number): string {
  const digest = createHash('md5').update(text).digest()
  return String(digest.readBigUInt64BE(8) % BigInt(modulus))
}

/** Changes case character by character; characters whose other case is a sequence stay (simple case mapping). */
function mapCase(text: string, method: 'toLowerCase' | 'toUpperCase'): string {
  let out = ''
  for (const char of text) {
    const mapped = char === '\u0130' && method === 'toLowerCase' ? 'i' : char[method]()
    out += [...mapped].length === 1 ? mapped : char
  }
  return out
}
