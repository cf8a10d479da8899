// Reads a rule file: strict fields, every expression and template parsed, so that mistakes show when the file is
// loaded. Errors name file, line and column in Prometheus's words.
import { AlertTemplate, TemplateError } from '@watchfire/template'
import { ParseError, parseExpr, positionText, printExpr, type ParserOptions } from '@watchfire/promql/parser'
import { ConfigError, ValueError, type Place } from '../config/errors.ts'
import { readText } from '../config/index.ts'
import { duration, field, int, list, mapOf, optional, struct, text, type Schema } from '../config/schema.ts'
import { YamlDocument, isNull, type YamlNode } from '../config/yaml-document.ts'

type StringMap = Readonly<Record<string, string>>

export interface RecordingRuleConfig {
  readonly kind: 'recording'
  /** Name of the series written. */
  readonly name: string
  /** Canonical text. */
  readonly expr: string
  readonly labels: StringMap
}

export interface AlertingRuleConfig {
  readonly kind: 'alerting'
  readonly name: string
  readonly expr: string
  readonly forMs: number
  readonly keepFiringForMs: number
  readonly labels: StringMap
  readonly annotations: StringMap
}

export type RuleConfig = RecordingRuleConfig | AlertingRuleConfig

export interface RuleGroupConfig {
  readonly file: string
  readonly name: string
  /** undefined = the global evaluation interval. */
  readonly intervalMs: number | undefined
  /** Most series or alerts a rule may make, 0 = any. */
  readonly limit: number
  /** undefined = the global offset. */
  readonly queryOffsetMs: number | undefined
  readonly rules: readonly RuleConfig[]
}

/** A value and where it stands. */
interface Located<T> {
  readonly value: T
  readonly node: YamlNode
}

function located<T>(schema: Schema<T>): Schema<Located<T> | undefined> {
  return {
    goType: schema.goType,
    zero: undefined,
    decode: (node, document) => ({ value: schema.decode(node, document), node }),
    encode: (value) => value && schema.encode(value.value),
  }
}

const ruleSchema = struct('rulefmt.Rule', {
  record: field(located(text())),
  alert: field(located(text())),
  expr: field(located(text())),
  for: field(located(duration)),
  keep_firing_for: field(located(duration)),
  labels: field(located(mapOf(text()))),
  annotations: field(located(mapOf(text()))),
})
const groupSchema = struct('rulefmt.RuleGroup', {
  name: field(located(text())),
  interval: field(duration),
  query_offset: field(optional(duration)),
  limit: field(int),
  labels: field(located(mapOf(text()))),
  rules: field(list(located(ruleSchema))),
})
const fileSchema = struct('rulefmt.RuleGroups', { groups: field(list(located(groupSchema))) })

const UNKNOWN_FIELD = /^field .* not found in type /

type RawRule = NonNullable<ReturnType<typeof ruleSchema.decode>>
type RawGroup = NonNullable<ReturnType<typeof groupSchema.decode>>

export interface RuleFileOptions extends ParserOptions {
  /** Fields that are not known are no fault; for checks of files that carry more than the server reads. */
  readonly ignoreUnknownFields?: boolean
}

/** What a check of a whole file found. */
export interface RuleFileCheck {
  /** Groups with the rules that are right. */
  readonly groups: readonly RuleGroupConfig[]
  /** Everything that is wrong, in order of the file. */
  readonly faults: readonly ConfigError[]
}

/** Reads and checks a rule file. Throws `ConfigError` for the first fault. */
export function loadRuleFile(path: string, options: RuleFileOptions = {}): RuleGroupConfig[] {
  return parseRuleFile(readText(path), path, options)
}

/** As `loadRuleFile` for a text. */
export function parseRuleFile(
  source: string,
  path: string,
  options: RuleFileOptions = {},
): RuleGroupConfig[] {
  const { groups, faults } = checkRuleFile(source, path, options)
  if (faults[0]) throw faults[0]
  return [...groups]
}

/** Reads a text to its end, whatever is wrong with it. `path` is for messages; '' leaves it out. */
export function checkRuleFile(source: string, path: string, options: RuleFileOptions = {}): RuleFileCheck {
  const faults: ConfigError[] = []
  const add = (error: ValueError) => {
    // Errors of the YAML itself name their lines.
    const at =
      error.place && !error.message.startsWith('yaml: ') ? `${error.place.line}:${error.place.column}: ` : ''
    const file = path === '' ? '' : `${path}: `
    faults.push(new ConfigError('config_invalid', `${file}${at}${error.message}`, path, error.place))
  }
  try {
    const groups = new RuleFileReader(source, path, options, add).groups()
    return { groups, faults }
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    add(error)
    return { groups: [], faults }
  }
}

class RuleFileReader {
  readonly #document: YamlDocument
  readonly #path: string
  readonly #options: RuleFileOptions
  readonly #report: (fault: ValueError) => void

  /** `report` gets the faults of single groups and rules, after which reading goes on. */
  constructor(source: string, path: string, options: RuleFileOptions, report: (fault: ValueError) => void) {
    this.#document = new YamlDocument(source)
    this.#path = path
    this.#options = options
    this.#report = report
  }

  groups(): RuleGroupConfig[] {
    const document = this.#document
    const root = document.resolve(document.root)
    const raw = isNull(root) ? fileSchema.zero : fileSchema.decode(root, document)
    const ignored = this.#options.ignoreUnknownFields ? UNKNOWN_FIELD : undefined
    const problems = document.problems.filter(({ text: problem }) => !ignored?.test(problem))
    const first = problems[0]
    if (first) {
      const lines = problems.map(({ line, text: problem }) => `  line ${line}: ${problem}`)
      throw new ValueError(`yaml: unmarshal errors:\n${lines.join('\n')}`, first)
    }
    const seen = new Set<string>()
    return raw.groups
      .filter((group) => group !== undefined)
      .map(({ value, node }) => {
        const name = value.name?.value ?? ''
        this.#attempt(() => {
          if (name === '') this.#fail(node, 'Groupname must not be empty')
          if (seen.has(name))
            this.#fail(value.name!.node, `groupname: "${name}" is repeated in the same file`)
        })
        seen.add(name)
        return this.#group(name, value)
      })
  }

  /** Reports a fault of `body` and goes on without its result. */
  #attempt<T>(body: () => T): T | undefined {
    try {
      return body()
    } catch (error) {
      if (!(error instanceof ValueError)) throw error
      this.#report(error)
      return undefined
    }
  }

  #fail(node: YamlNode, message: string): never {
    throw new ValueError(message, this.#place(node))
  }

  #place(node: YamlNode): Place {
    return this.#document.place(node)
  }

  #group(name: string, raw: RawGroup): RuleGroupConfig {
    const common = raw.labels?.value ?? {}
    for (const label of Object.keys(common))
      this.#attempt(() => {
        if (!isRuleLabel(label)) this.#fail(raw.labels!.node, `invalid label name: ${label}`)
      })
    return {
      file: this.#path,
      name,
      intervalMs: raw.interval === 0 ? undefined : raw.interval,
      limit: Math.max(0, raw.limit),
      queryOffsetMs: raw.query_offset,
      rules: raw.rules.flatMap((rule, i) => {
        if (!rule) return []
        const where = `group "${name}", rule ${i + 1}`
        return this.#attempt(() => this.#rule(rule.value, rule.node, common, where)) ?? []
      }),
    }
  }

  #rule(raw: RawRule, node: YamlNode, common: StringMap, where: string): RuleConfig {
    const record = raw.record?.value ?? ''
    const alert = raw.alert?.value ?? ''
    const name = record || alert
    const fail = (at: Located<unknown> | undefined, message: string): never =>
      this.#fail(at?.node ?? node, `${where}, ${JSON.stringify(name)}: ${message}`)
    if (record !== '' && alert !== '') fail(raw.record, "only one of 'record' and 'alert' must be set")
    if (name === '') fail(raw.record ?? raw.alert, "one of 'record' or 'alert' must be set")
    const source = raw.expr?.value ?? ''
    if (source === '') fail(raw.expr, "field 'expr' must be set in rule")
    const expr = this.#expression(source, (message) =>
      fail(raw.expr, `could not parse expression: ${message}`),
    )
    const labels = { ...common, ...raw.labels?.value }
    for (const label of Object.keys(raw.labels?.value ?? {}))
      if (!isRuleLabel(label)) fail(raw.labels, `invalid label name: ${label}`)
    if (record !== '') {
      for (const key of ['annotations', 'for', 'keep_firing_for'] as const)
        if (raw[key] && (key !== 'annotations' || Object.keys(raw.annotations!.value).length > 0))
          fail(raw[key], `invalid field '${key}' in recording rule`)
      if (/[{}]/.test(record))
        fail(raw.record, `braces present in the recording rule name; should it be in expr?: ${record}`)
      if (hasLoneSurrogate(record)) fail(raw.record, `invalid recording rule name: ${record}`)
      return { kind: 'recording', name, expr, labels }
    }
    const annotations = raw.annotations?.value ?? {}
    for (const name of Object.keys(annotations))
      if (name === '' || hasLoneSurrogate(name)) fail(raw.annotations, `invalid annotation name: ${name}`)
    const check = (what: string, at: Located<StringMap> | undefined, map: StringMap) => {
      for (const [key, value] of Object.entries(map)) {
        try {
          new AlertTemplate(`__alert_${name}`, value)
        } catch (error) {
          if (!(error instanceof TemplateError)) throw error
          fail(at, `${what} ${JSON.stringify(key)}: ${error.message}`)
        }
      }
    }
    check('label', raw.labels, labels)
    check('annotation', raw.annotations, annotations)
    return {
      kind: 'alerting',
      name,
      expr,
      forMs: raw.for?.value ?? 0,
      keepFiringForMs: raw.keep_firing_for?.value ?? 0,
      labels,
      annotations,
    }
  }

  #expression(source: string, fail: (message: string) => never): string {
    try {
      return printExpr(parseExpr(source, this.#options))
    } catch (error) {
      if (!(error instanceof ParseError)) throw error
      return fail(`${positionText(source, error.start)}: parse error: ${error.text}`)
    }
  }
}

function isRuleLabel(name: string): boolean {
  return name !== '' && name !== '__name__' && !hasLoneSurrogate(name)
}

function hasLoneSurrogate(value: string): boolean {
  return /\p{Surrogate}/u.test(value)
}
